/* passes.c -- the passes, one after the other. */
#include "passes.h"

const char *poise_pass_name(int pass)
{
    static const char *const names[] = {
#define X(name, run, about) #name,
        POISE_PASSES(X)
#undef X
    };
    return pass >= 0 && pass < POISE_PASS_COUNT ? names[pass] : NULL;
}

int poise_passes_run(poise_graph *g, unsigned without, poise_error *err)
{
    static int (*const pass[])(poise_graph * g, poise_error * err) = {
#define X(name, run, about) run,
        POISE_PASSES(X)
#undef X
    };
    for (int k = 0; k < POISE_PASS_COUNT; k++)
        if ((!(without >> k & 1U) && pass[k](g, err) < 0) || poise_rewrite_dead(g, err) < 0)
            return -1;
    return 0;
}
