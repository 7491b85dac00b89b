/* Tells through metric() and note() what the host handed to it, and negates the weights. */
#include <poise/balancer.h>

enum { GAIN, DEPTH, FAST, MODE };
static const char *const modes[] = {"slow", "steady", NULL};
static const poise_param params[] = {
    [GAIN] = {"gain", "a factor", POISE_REAL, POISE_PER_TASK, 0.5, -1, 1e6, NULL},
    [DEPTH] = {"depth", "a count", POISE_INT, 0, 3, 1, 9, NULL},
    [FAST] = {"fast", "a switch", POISE_BOOL, 0, 0, 0, 0, NULL},
    [MODE] = {"mode", "a word", POISE_CHOICE, 0, 1, 0, 0, modes},
};

static int init(const poise_context *c, void *state)
{
    (void)state;
    c->host->note(c->host, "%u tasks, %s first, seed %llu", (unsigned)c->ntask, c->task[0],
                  (unsigned long long)c->seed);
    return 0;
}

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    const poise_host *h = c->host;
    (void)state;
    for (uint32_t t = 0; t < c->ntask; t++) {
        h->metric(h, "gain", (int32_t)t, c->param[GAIN][t]);
        weight[t] = -weight[t] - in->loss[t];
    }
    h->metric(h, "depth", -1, c->param[DEPTH][0]);
    h->metric(h, "fast", -1, c->param[FAST][0]);
    h->metric(h, "mode", -1, c->param[MODE][0]);
    h->metric(h, "asked", -1, (in->loss ? 1 : 0) + (in->gram ? 2 : 0));
    h->metric(h, "not asked", -1,
              (in->loss_init ? 1 : 0) + (in->grad_norm ? 2 : 0) + (in->kpi ? 4 : 0));
    h->metric(h, "last", -1, POISE_HAS(poise_signals, in, kpi));
    return 0;
}

static const poise_balancer plugin = {
    POISE_SIZES,           .id = "probe",
    .version = "1.0.0",    .about = "tells what it was given",
    .needs = POISE_LOSS,   .wants = POISE_GRAM,
    .flags = POISE_SIGNED, .min_task = 2,
    .param = params,       .nparam = POISE_COUNT(params),
    .init = init,          .step = step,
};
POISE_BALANCER(plugin)
