/* Patterns of names: * is any text, ? one character. */
#include <stdio.h>
#include <string.h>
#include "sections.h"

int poise__glob_match(const char *pattern, const char *name)
{
    const char *star = NULL, *from = name;
    while (*name) {
        if (*pattern == '*') {
            star = pattern++;
            from = name;
        } else if (*pattern == '?' || *pattern == *name) {
            pattern++;
            name++;
        } else if (star) {
            pattern = star + 1;
            name = ++from;
        } else
            return 0;
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == 0;
}

/* 1 if `pattern` matches a text that begins with `name`. */
static int reaches(const char *pattern, const char *name)
{
    for (; *name && *pattern != '*'; pattern++, name++)
        if (*pattern != '?' && *pattern != *name)
            return 0;
    return 1;
}

int poise__glob_names(const char *pattern, const char *name)
{
    char part[1024];
    size_t n = strlen(name);
    if (n >= sizeof(part))
        return poise__glob_match(pattern, name);
    memcpy(part, name, n + 1);
    for (char *end = part + n; end; end = strrchr(part, '/')) {
        *end = 0;
        if (poise__glob_match(pattern, part))
            return 1;
    }
    return 0;
}

int poise__glob_may_name(const char *pattern, const char *name)
{
    char within[1024];
    snprintf(within, sizeof(within), "%s/", name);
    return poise__glob_names(pattern, name) || reaches(pattern, within);
}
