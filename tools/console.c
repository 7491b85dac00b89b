#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include "command.h"

int tool_wrong(const tool_command *c, const char *fmt, ...)
{
    va_list args;

    fflush(stdout);
    fprintf(stderr, "poise%s%s: error: ", c ? " " : "", c ? c->name : "");
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fprintf(stderr, "\nsee: poise help%s%s\n", c ? " " : "", c ? c->name : "");
    return TOOL_WRONG;
}

int tool_failed(const poise_error *err)
{
    char text[POISE_ERROR_TEXT];

    fflush(stdout);
    fprintf(stderr, "%s\n", poise_error_text(err, text, sizeof text));
    return poise_code_status(err->code);
}

const char *tool_count_text(double n, char *buf, size_t size)
{
    if (n >= 9.95e6)
        snprintf(buf, size, "%.0fM", n / 1e6);
    else if (n >= 1e6)
        snprintf(buf, size, "%.1fM", n / 1e6);
    else if (n >= 1e4)
        snprintf(buf, size, "%.0fk", n / 1e3);
    else
        snprintf(buf, size, "%.0f", n);
    return buf;
}

const char *tool_bytes_text(double bytes, char *buf, size_t size)
{
    static const char *const unit[] = {"B", "kB", "MB", "GB", "TB"};
    int k = 0;

    while (bytes >= 1000 && k < 4) {
        bytes /= 1000;
        k++;
    }
    snprintf(buf, size, k ? "%.1f %s" : "%.0f %s", bytes, unit[k]);
    return buf;
}

const char *tool_time_text(double seconds, char *buf, size_t size)
{
    long s;

    if (!(seconds >= 0 && seconds < 1e8)) {
        snprintf(buf, size, "?");
        return buf;
    }
    s = lround(seconds);
    if (s >= 3600)
        snprintf(buf, size, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
    else
        snprintf(buf, size, "%ld:%02ld", s / 60, s % 60);
    return buf;
}

void tool_print_figure(int width, int digits, double x)
{
    if (isnan(x))
        printf("%*s", width, "-");
    else
        printf("%*.*f", width, digits, x);
}
