/* number.h -- the number that a field holds.  Internal.
 *
 *     [+-] digits [. digits] [e [+-] digits]        blanks around it do not matter
 *
 * The nearest double, as strtod in the C locale, whatever the program's locale is; no hexadecimal,
 * no "inf", no "nan".  Numbers of up to 15 digits, nearly all of a table's, take a short way: the
 * digits and the power of ten are exact as doubles, so one division or product rounds correctly
 * (Clinger, "How to read floating point numbers accurately", PLDI 1990).
 */
#ifndef POISE_NUMBER_H
#define POISE_NUMBER_H

#include <stddef.h>

/* 1 and *x, or 0 when text[0 .. length) is not a number; text[length] is 0.  The result is
 * infinite when the number is too large for a double. */
int poise__number(const char *text, size_t length, double *x);

#endif
