/* Counts steps; version 2 of its state is two numbers, version 1 was the first of them alone. */
#include <poise/balancer.h>

struct count {
    double steps, twice;
};

static size_t state_size(const poise_context *c)
{
    (void)c;
    return sizeof(struct count);
}

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    struct count *k = state;
    (void)in;
    k->steps++;
    k->twice += 2;
    for (uint32_t t = 0; t < c->ntask; t++)
        weight[t] = k->steps * k->twice;
    return 0;
}

static int migrate(const poise_context *c, void *state, uint32_t from, const void *old,
                   size_t old_size)
{
    struct count *k = state;
    if (from != 1 || old_size != sizeof(double))
        return c->host->fail(c->host, "version %u with %zu bytes was never written", (unsigned)from,
                             old_size);
    if (k->steps != 0 || k->twice != 0)
        return c->host->fail(c->host, "the state is not zeroed");
    k->steps = *(const double *)old;
    k->twice = 2 * k->steps;
    return 0;
}

static const poise_balancer plugin = {
    POISE_SIZES,        .id = "counter",          .version = "1.1.0", .about = "counts steps",
    .state_version = 2, .state_size = state_size, .step = step,       .migrate = migrate,
};
POISE_BALANCER(plugin)
