/* objects.h -- the shared objects of bad/ and good/ for the tests beside it. */
#ifndef OBJECTS_H
#define OBJECTS_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/plugin.h"

#define OBJECTS TEST_BUILD "/tests/objects"

/* An error that must be there: code and whole message. */
static inline void expect_error(const poise_error *err, poise_code code, const char *fmt, ...)
    POISE_FORMAT(3, 4);

static inline void expect_error(const poise_error *err, poise_code code, const char *fmt, ...)
{
    char want[2048];
    va_list args;
    va_start(args, fmt);
    vsnprintf(want, sizeof want, fmt, args);
    va_end(args);
    assert_string_equal(err->message, want);
    assert_int_equal(err->code, code);
}

static inline poise_plugin *load(const char *name)
{
    char path[1024];
    poise_error err = {0};
    snprintf(path, sizeof path, OBJECTS "/%s.so", name);
    poise_plugin *p = poise_plugin_load(path, &err);
    if (!p)
        fail_msg("%s", err.message);
    return p;
}

#endif
