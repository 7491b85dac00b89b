/* louder.c -- every task weighs `factor`: a strategy as somebody outside the tree would write it. */
#include <poise/balancer.h>

enum { FACTOR };
static const poise_param params[] = {
    [FACTOR] = {"factor", "the weight of every task", POISE_REAL, 0, 2, 0, 1000, NULL}};

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    (void)state, (void)in;
    for (uint32_t t = 0; t < c->ntask; t++)
        weight[t] = c->param[FACTOR][0];
    return 0;
}

static const poise_balancer plugin = {POISE_SIZES,
                                      .id = "louder",
                                      .version = "1.0.0",
                                      .about = "all weights the same factor",
                                      .param = params,
                                      .nparam = POISE_COUNT(params),
                                      .step = step};
POISE_BALANCER(plugin)
