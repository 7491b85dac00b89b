/* Its declared range holds values that make a weight negative. */
#include <poise/balancer.h>

static const poise_param params[] = {
    {"cut", "what is taken from every weight", POISE_REAL, 0, 0.5, 0, 2, NULL}};

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    (void)state, (void)in;
    for (uint32_t t = 0; t < c->ntask; t++)
        weight[t] = 1 - c->param[0][0];
    return 0;
}

static const poise_balancer plugin = {
    POISE_SIZES,     .id = "parameters", .version = "1.0.0", .about = "cuts weights",
    .param = params, .nparam = 1,        .step = step};
POISE_BALANCER(plugin)
