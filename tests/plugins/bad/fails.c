/* Fails on its own, where `where` says. */
#include <poise/balancer.h>

enum { WHERE };
enum { SIZE, INIT, STEP, SILENT, FORGETFUL };
static const char *const places[] = {"size", "init", "step", "silent", "forgetful", NULL};
static const poise_param params[] = {
    [WHERE] = {"where", "which function fails, and how", POISE_CHOICE, 0, STEP, 0, 0, places},
};

static size_t state_size(const poise_context *c)
{
    if (c->param[WHERE][0] == SIZE)
        c->host->fail(c->host, "no state for %u tasks", (unsigned)c->ntask);
    return 0;
}

static int init(const poise_context *c, void *state)
{
    (void)state;
    return c->param[WHERE][0] == INIT ? c->host->fail(c->host, "cannot start") : 0;
}

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    (void)state, (void)in, (void)weight;
    if (c->param[WHERE][0] == SILENT)
        return -1;
    if (c->param[WHERE][0] == FORGETFUL) {
        c->host->fail(c->host, "the result of fail was dropped");
        return 0;
    }
    return c->host->fail(c->host, "task %s: %d is too much", c->task[1], 7);
}

static const poise_balancer plugin = {
    POISE_SIZES,
    .id = "fails",
    .version = "1.0.0",
    .about = "fails with a message",
    .param = params,
    .nparam = POISE_COUNT(params),
    .state_size = state_size,
    .init = init,
    .step = step,
};
POISE_BALANCER(plugin)
