#include "number.h"

#include <locale.h>
#include <stdint.h>
#include <stdlib.h>

static int blank(char c)
{
    return c == ' ' || c == '\t';
}

static int digit(char c)
{
    return c >= '0' && c <= '9';
}

static double slow(const char *text)
{
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    locale_t old = c ? uselocale(c) : (locale_t)0;
    double x = strtod(text, NULL);
    if (c) {
        uselocale(old);
        freelocale(c);
    }
    return x;
}

int poise__number(const char *text, size_t length, double *x)
{
    static const double ten[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                 1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    const char *p = text, *end = text + length;
    while (p < end && blank(*p))
        p++;
    while (end > p && blank(end[-1]))
        end--;
    const char *start = p;
    int negative = p < end && *p == '-';
    if (p < end && (*p == '-' || *p == '+'))
        p++;
    uint64_t digits = 0;
    int significant = 0, seen = 0, exponent = 0;
    for (int fraction = 0; p < end; p++) {
        if (*p == '.' && !fraction) {
            fraction = 1;
            continue;
        }
        if (!digit(*p))
            break;
        seen = 1;
        if (significant < 18)
            digits = digits * 10 + (uint64_t)(*p - '0');
        significant += significant > 0 || *p != '0';
        if (fraction && exponent > -100000)
            exponent--;
    }
    if (!seen)
        return 0;
    if (p < end && (*p == 'e' || *p == 'E')) {
        p++;
        int minus = p < end && *p == '-';
        if (p < end && (*p == '-' || *p == '+'))
            p++;
        if (p == end)
            return 0;
        int e = 0;
        for (; p < end && digit(*p); p++)
            e = e < 10000 ? e * 10 + (*p - '0') : e;
        exponent += minus ? -e : e;
    }
    if (p != end)
        return 0;
    if (significant <= 15 && exponent >= -22 && exponent <= 22) {
        double d = (double)digits;
        d = exponent < 0 ? d / ten[-exponent] : d * ten[exponent];
        *x = negative ? -d : d;
        return 1;
    }
    *x = slow(start);
    return 1;
}
