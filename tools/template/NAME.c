/* @NAME@.c -- every task pulls alike: weights of 1 over the running mean of the task's loss.
 *
 *     m_t  <- keep * m_t + (1 - keep) * loss_t        the first loss as it is
 *     w_t   = T * (1 / m_t) / sum over all tasks of (1 / m)
 *
 * This is a strategy to start from: change the rule, keep the shape.  <poise/balancer.h> is the
 * whole contract, and all that is included from Poise. */
#include <poise/balancer.h>

/* Parameters: a row each.  Poise reads them from the spec, `balancer: {use: @NAME@, keep: 0.9}`,
 * checks kind and range, and hands them over as doubles: c->param[KEEP][0]. */
enum { KEEP };
static const poise_param params[] = {
    [KEEP] = {"keep", "share of the old mean in the new one", POISE_REAL, 0, 0.9, 0, 0.9999, NULL},
};

/* The state: all that is remembered from step to step, one flat block.  Poise owns it, starts it
 * at zero and puts it into checkpoints, so that a resumed run gives the same bits.  Keep nothing
 * anywhere else, and no pointers in it. */
static size_t state_size(const poise_context *c)
{
    return c->ntask * sizeof(double); /* the means; 0: the task had no labels yet */
}

/* One training step: from the signals to weight[T].  On entry it holds the last weights. */
static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    double *mean = state, keep = c->param[KEEP][0], sum = 0, known = 0;

    for (uint32_t t = 0; t < c->ntask; t++) {
        /* No row of this batch had a label for the task: there is nothing to learn from it. */
        if (in->labelled[t] > 0) {
            /* What cannot be dealt with stops the run, with a message. */
            if (!(in->loss[t] >= 0))
                return c->host->fail(c->host,
                                     "the loss of task \"%s\" is %g; it must not be negative",
                                     c->task[t], in->loss[t]);
            double loss = in->loss[t] + 1e-12;
            mean[t] = mean[t] > 0 ? keep * mean[t] + (1 - keep) * loss : loss;
        }
        if (mean[t] > 0) {
            sum += 1 / mean[t];
            known++;
        }
    }
    for (uint32_t t = 0; t < c->ntask; t++)
        if (mean[t] > 0)
            weight[t] = known / (mean[t] * sum);
    return 0;
}

/* What the strategy says of itself.  `needs` are the signals that Poise computes for it; fields
 * that are left out are zero. */
static const poise_balancer strategy = {
    POISE_SIZES,
    .id = "@NAME@",
    .version = "0.1.0",
    .about = "weights of 1 over the running mean of the loss",
    .needs = POISE_LOSS,
    .param = params,
    .nparam = POISE_COUNT(params),
    .state_version = 1, /* raise it when the layout of the state changes */
    .state_size = state_size,
    .step = step,
    .formula = "m_t <- keep m_t + (1 - keep) loss_t;  w_t = T (1 / m_t) / sum (1 / m)",
    .paper = "none: a strategy to start from",
    .differs = "",
    .advice = "where the losses of the tasks differ in scale and nothing else",
};
POISE_BALANCER(strategy)
