/* A function of its own is visible to the whole process. */
#include "../ones.h"

POISE_EXPORT double mean(double a, double b);

double mean(double a, double b)
{
    return (a + b) / 2;
}

ONES(exports, )
