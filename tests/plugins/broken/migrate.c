/* An old state is copied without a look at its size. */
#include <poise/balancer.h>
#include <string.h>

static size_t state_size(const poise_context *c)
{
    return c->ntask * sizeof(double);
}

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    return (void)c, (void)state, (void)in, (void)weight, 0;
}

static int migrate(const poise_context *c, void *state, uint32_t from, const void *old,
                   size_t old_size)
{
    (void)c, (void)from;
    memcpy(state, old, old_size);
    return 0;
}

static const poise_balancer plugin = {
    POISE_SIZES,        .id = "migrate", .version = "1.0.0", .about = "copies",
    .state_version = 1, .step = step,    .migrate = migrate, .state_size = state_size};
POISE_BALANCER(plugin)
