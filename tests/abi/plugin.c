/* plugin.c -- one balancer, built against several versions of the header (BALANCER_HEADER).
 *
 *     weight[t] = first + second * (steps so far) + loss[t]
 *
 * LATER: the header has a field `later` at the end of every struct, which no host knows. */
#include BALANCER_HEADER

enum { FIRST, SECOND };
static const poise_param params[] = {
    [FIRST] = {.name = "first", .help = "a number", .kind = POISE_REAL, .value = 3, .max = 10},
    [SECOND] = {.name = "second", .help = "another", .kind = POISE_REAL, .value = 4, .max = 10},
};

static size_t state_size(const poise_context *c)
{
    (void)c;
    return sizeof(double);
}

static int init(const poise_context *c, void *state)
{
    (void)c;
    *(double *)state = 0;
    return 0;
}

/* What the host's structs must hold is there; what it cannot know is not. */
static int check(const poise_context *c, const poise_signals *in)
{
    if (c->size < offsetof(poise_context, host) + sizeof c->host)
        return c->host->fail(c->host, "the context has %u bytes", (unsigned)c->size);
    if (in->size < offsetof(poise_signals, loss) + sizeof in->loss)
        return c->host->fail(c->host, "the signals have %u bytes", (unsigned)in->size);
#ifdef LATER
    if (POISE_HAS(poise_context, c, later) || POISE_HAS(poise_signals, in, later) ||
        POISE_HAS(poise_host, c->host, later))
        return c->host->fail(c->host, "a field is there that this host does not know");
#else
    if (c->size < sizeof *c || in->size < sizeof *in || c->host->size < sizeof *c->host)
        return c->host->fail(c->host, "a field of this version is not there");
#endif
    return 0;
}

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    double *steps = state;

    if (check(c, in) < 0)
        return -1;
    *steps += 1;
    for (uint32_t t = 0; t < c->ntask; t++)
        weight[t] = c->param[FIRST][0] + c->param[SECOND][0] * *steps + in->loss[t];
    return 0;
}

#ifdef LATER
static int blend(const poise_context *c, void *state, const poise_signals *in,
                 const poise_stretch *s, const double *weight, float *out)
{
    (void)state, (void)in;
    if (POISE_HAS(poise_stretch, s, later))
        return c->host->fail(c->host, "a field is there that this host does not know");
    for (size_t i = 0; i < s->n; i++)
        out[i] = (float)weight[0] * s->grad[0][i];
    return 0;
}
#endif

static const poise_balancer plugin = {
    POISE_SIZES,
    .id = BALANCER_ID,
    .version = "1.0.0",
    .about = "made for a version of the header",
    .needs = POISE_LOSS,
    .param = params,
    .nparam = 2,
    .state_version = 1,
    .state_size = state_size,
    .init = init,
    .step = step,
#ifdef LATER
    .blend = blend,
    .later = {1, 2, 3, 4},
#endif
};
POISE_BALANCER(plugin)
