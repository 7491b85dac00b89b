/* The kinds probability and logit: outputs that are made of others, such as pCTCVR = pCTR x pCVR.
 *
 * A probability has its logarithm beside it (poise__builder.log_p), log sigmoid(z); a product of
 * probabilities the sum of them. The logit is taken from there, log p - log(1 - p), so that the
 * binary cross entropy of a product is as accurate as that of a single logit. */
#include "../ops/ops.h"
#include "layer.h"

/* What `logit` holds a number within that is no product of probabilities. */
static const double logit_eps = 1e-7;

typedef struct probability_keys {
    poise__references input;
} probability_keys;

static const poise_key probability_rows[] = {
    {.name = "probability",
     .kind = POISE_KEY_REFERENCES,
     .required = 1,
     POISE__INTO(probability_keys, input),
     .help = "the logits; a list is put side by side"},
};
static const poise_key logit_rows[] = {
    {.name = "logit",
     .kind = POISE_KEY_REFERENCES,
     .required = 1,
     POISE__INTO(probability_keys, input),
     .help = "the probabilities; exact for layers of kind probability and products of them, any "
             "other number is held within 1e-7 and 1 - 1e-7"},
};

static int shape(const poise__shaper *c, const poise__instance *i, poise__shape *out)
{
    const probability_keys *k = i->own;
    if (poise__concat_shape(c, i, "input", &k->input, POISE__ANY_STACK, out) < 0)
        return -1;
    out->probability = i->layer->kind == &poise__probability_kind;
    return 0;
}

static poise_value *build_probability(poise__builder *b, const poise__instance *i)
{
    const probability_keys *k = i->own;
    poise_value *z = poise__concat_value(b, i, &k->input);
    b->log_p[i->id] = poise_log_sigmoid(b->g, z, b->err);
    return b->log_p[i->id] ? poise_sigmoid(b->g, z, b->err) : NULL;
}

typedef struct search {
    poise__builder *b;
    poise_value *log;
} search;

static int find_log(void *user, const poise__source *s)
{
    search *x = user;
    x->log = s->instance ? x->b->log_p[s->instance->id] : NULL;
    return 0;
}

static poise_value *build_logit(poise__builder *b, const poise__instance *i)
{
    const probability_keys *k = i->own;
    search x = {.b = b};
    if (poise__sources_count(b->model, i, &k->input) == 1)
        poise__sources(b->model, i, &k->input, find_log, &x);
    if (x.log)
        return poise_log_odds(b->g, x.log, b->err);
    return poise_logit(b->g, poise__concat_value(b, i, &k->input), logit_eps, b->err);
}

const poise__layer_kind poise__probability_kind = {
    .section = {.name = "probability",
                .about = "1 / (1 + e^-x): the probability that a logit stands for",
                POISE__ROWS(probability_rows)},
    .own = sizeof(probability_keys),
    .shape = shape,
    .build = build_probability};
const poise__layer_kind poise__logit_kind = {
    .section = {.name = "logit",
                .about = "log(p / (1 - p)): the logit of a probability, to be the tasks' output",
                POISE__ROWS(logit_rows)},
    .own = sizeof(probability_keys),
    .shape = shape,
    .build = build_logit};
