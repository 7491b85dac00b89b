/* vector_best.c -- which instruction set to use, asked of the processor at run time. */
#include <stddef.h>
#include "vector.h"

int poise__vector_tables(const poise__vector *tables[4])
{
    int n = 0;
    tables[n++] = &poise__vector_plain;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        tables[n++] = &poise__vector_avx2;
#endif
    return n;
}

const poise__vector *poise__vector_best(void)
{
    const poise__vector *tables[4] = {NULL};
    return tables[poise__vector_tables(tables) - 1];
}
