/* The losses of tasks and their settings. */
#include "sections.h"

static const poise_key bce_rows[] = {
    {.name = "smoothing",
     .kind = POISE_KEY_NUMBER,
     .initial = "0",
     .max = 1,
     POISE__INTO(poise_loss, smoothing),
     .help = "e: labels 0 and 1 are trained as e / 2 and 1 - e / 2"},
    {.name = "positive_weight",
     .kind = POISE_KEY_NUMBER,
     .initial = "1",
     .max = 1e6,
     POISE__INTO(poise_loss, positive_weight),
     .help = "what a positive row weighs in the loss, a negative one weighing 1"},
};
const poise_section poise__bce_section = {
    .name = "bce", .about = "binary cross entropy on logits", POISE__ROWS(bce_rows)};

static const poise_key focal_rows[] = {
    {.name = "gamma",
     .kind = POISE_KEY_NUMBER,
     .initial = "2",
     .max = 100,
     POISE__INTO(poise_loss, gamma),
     .help = "a row weighs (1 - p)^gamma, p the probability given to its label; 0: cross entropy"},
    {.name = "alpha",
     .kind = POISE_KEY_NUMBER,
     .initial = "0.25",
     .max = 1,
     POISE__INTO(poise_loss, alpha),
     .help = "positive rows weigh alpha, negative ones 1 - alpha; 0: all weigh 1"},
};
const poise_section poise__focal_section = {
    .name = "focal",
    .about = "binary cross entropy, less of it where the row is right already",
    POISE__ROWS(focal_rows)};

static const poise_key softmax_rows[] = {
    {.name = "smoothing",
     .kind = POISE_KEY_NUMBER,
     .initial = "0",
     .max = 1,
     POISE__INTO(poise_loss, smoothing),
     .help = "share of the target that is spread evenly over all classes"},
};
const poise_section poise__softmax_section = {
    .name = "softmax", .about = "softmax cross entropy", POISE__ROWS(softmax_rows)};

static const poise_key huber_rows[] = {
    {.name = "delta",
     .kind = POISE_KEY_NUMBER,
     .initial = "1",
     .min = 1e-9,
     .max = 1e9,
     POISE__INTO(poise_loss, delta),
     .help = "errors beyond it count linearly"},
};
const poise_section poise__huber_section = {
    .name = "huber", .about = "Huber's loss", POISE__ROWS(huber_rows)};

static const poise_section squared = {.name = "squared", .about = "squared error"};
static const poise_section ordinal = {.name = "ordinal", .about = "cumulative links"};
static const poise_section poisson = {.name = "poisson", .about = "likelihood of a count"};

const poise_section *const poise__loss_sections[] = {
    [POISE_LOSS_BCE - 1] = &poise__bce_section,
    [POISE_LOSS_FOCAL - 1] = &poise__focal_section,
    [POISE_LOSS_SQUARED - 1] = &squared,
    [POISE_LOSS_HUBER - 1] = &poise__huber_section,
    [POISE_LOSS_SOFTMAX - 1] = &poise__softmax_section,
    [POISE_LOSS_ORDINAL - 1] = &ordinal,
    [POISE_LOSS_POISSON - 1] = &poisson,
    [POISE_LOSS_KINDS - 1] = NULL,
};

int poise__read_loss(poise__reading *r, const poise__yaml *v, poise_loss *l)
{
    const poise__yaml *inner;
    int k = poise__keys_pick(r, v, "loss", POISE_LOSS_KINDS - 1, poise__loss_sections, &inner);
    if (k < 0)
        return -1;
    poise_task of = {.kind = poise_loss_task((poise_loss_kind)(k + 1))};
    *l = poise_task_loss(&of);
    l->kind = (poise_loss_kind)(k + 1);
    const poise_section *s = poise__loss_sections[k];
    return poise__keys_read(r, inner, s->name, s, l);
}
