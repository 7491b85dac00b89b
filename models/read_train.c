#include <stdio.h>
#include <string.h>
#include "sections.h"

static int read_optimizer(poise__reading *r, const poise__yaml *v, void *into);
static int read_monitor(poise__reading *r, const poise__yaml *v, void *into);

static const poise_key train_rows[] = {
    {.name = "batch",
     .kind = POISE_KEY_INT,
     .initial = "512",
     .min = 1,
     .max = 1048576,
     POISE__INTO(poise_train_spec, batch),
     .help = "rows per step"},
    {.name = "epochs",
     .kind = POISE_KEY_INT,
     .initial = "10",
     .min = 1,
     .max = 1000000,
     POISE__INTO(poise_train_spec, epochs),
     .help = "passes over the training rows"},
    {.name = "patience",
     .kind = POISE_KEY_INT,
     .initial = "0",
     .max = 1000000,
     POISE__INTO(poise_train_spec, patience),
     .help = "stop after this many epochs without a better monitor; 0: never"},
    {.name = "optimizer",
     .kind = POISE_KEY_OWN,
     .read = read_optimizer,
     .initial = "adam",
     .form = "sgd | adam | adamw | adagrad | {adam: {rate, ...}}",
     .schema = "pick <sgd> <adam> <adamw> <adagrad>",
     .help = "the update rule and its settings"},
    {.name = "monitor",
     .kind = POISE_KEY_OWN,
     .read = read_monitor,
     .initial = "mean auc",
     .form = "mean FIGURE | TASK FIGURE | {TASK.FIGURE: factor, ...}",
     .schema = "text | map of number 0 1000000",
     .help = "what of the validation rows chooses the best epoch: a figure or a sum of figures, "
             "those of which less is better with a minus; a mean is of the tasks that have the "
             "figure, and where none has, of their losses"},
    {.name = "seed",
     .kind = POISE_KEY_INT,
     .initial = "1",
     .max = 9223372036854775807.0,
     POISE__INTO(poise_train_spec, seed),
     .help = "of the initial weights, the shuffling and dropout"},
    {.name = "threads",
     .kind = POISE_KEY_INT,
     .initial = "0",
     .max = 1024,
     POISE__INTO(poise_train_spec, threads),
     .help = "0: all processors where a step is large, else one"},
    {.name = "log_every",
     .kind = POISE_KEY_INT,
     .initial = "0",
     .max = 1e18,
     POISE__INTO(poise_train_spec, log_every),
     .help = "steps between two lines of log.jsonl; 0: chosen"},
    {.name = "checkpoint_every",
     .kind = POISE_KEY_INT,
     .initial = "0",
     .max = 1e18,
     POISE__INTO(poise_train_spec, checkpoint_every),
     .help = "steps between two checkpoints; 0: one per epoch"},
};
const poise_section poise__train_section = {
    .name = "train", .about = "how the model is trained", POISE__ROWS(train_rows)};

#define RATE(initial_)                                                                            \
    {                                                                                             \
        .name = "rate", .kind = POISE_KEY_NUMBER, .initial = initial_, .min = 1e-12, .max = 1000, \
        POISE__INTO(poise_optimizer_spec, rate), .help = "learning rate"                          \
    }
#define EPS(initial_)                                                                         \
    {                                                                                         \
        .name = "eps", .kind = POISE_KEY_NUMBER, .initial = initial_, .min = 1e-30, .max = 1, \
        POISE__INTO(poise_optimizer_spec, eps), .help = "keeps the divisor away from 0"       \
    }
#define BETA(k, initial_, what)                                                             \
    {                                                                                       \
        .name = "beta" #k, .kind = POISE_KEY_NUMBER, .initial = initial_, .max = 0.9999999, \
        POISE__INTO(poise_optimizer_spec, beta##k), .help = "decay of the mean of " what    \
    }
#define DECAY(initial_, how)                                                                \
    {                                                                                       \
        .name = "weight_decay", .kind = POISE_KEY_NUMBER, .initial = initial_, .max = 1000, \
        POISE__INTO(poise_optimizer_spec, weight_decay), .help = how                        \
    }

static const poise_key sgd_rows[] = {
    RATE("0.01"),
    {.name = "momentum",
     .kind = POISE_KEY_NUMBER,
     .initial = "0",
     .max = 0.9999999,
     POISE__INTO(poise_optimizer_spec, momentum),
     .help = "v = momentum v + gradient"},
    DECAY("0", "times the weight is added to the gradient"),
};
static const poise_key adam_rows[] = {
    RATE("1e-3"),
    BETA(1, "0.9", "gradients"),
    BETA(2, "0.999", "squared gradients"),
    EPS("1e-8"),
    DECAY("0", "times the weight is added to the gradient"),
};
static const poise_key adamw_rows[] = {
    RATE("1e-3"),
    BETA(1, "0.9", "gradients"),
    BETA(2, "0.999", "squared gradients"),
    EPS("1e-8"),
    DECAY("0.01", "weights shrink by rate times this every step"),
};
static const poise_key adagrad_rows[] = {
    RATE("0.01"),
    EPS("1e-10"),
    DECAY("0", "times the weight is added to the gradient"),
    {.name = "by_row",
     .kind = POISE_KEY_BOOL,
     .initial = "false",
     POISE__INTO(poise_optimizer_spec, by_row),
     .help = "embeddings: one sum of squares for a row, of the mean of its elements"},
};
const poise_section poise__sgd_section = {
    .name = "sgd", .about = "gradient descent with momentum", POISE__ROWS(sgd_rows)};
const poise_section poise__adam_section = {
    .name = "adam", .about = "Kingma, Ba, ICLR 2015", POISE__ROWS(adam_rows)};
const poise_section poise__adamw_section = {
    .name = "adamw", .about = "Loshchilov, Hutter, ICLR 2019", POISE__ROWS(adamw_rows)};
const poise_section poise__adagrad_section = {
    .name = "adagrad", .about = "Duchi, Hazan, Singer, 2011", POISE__ROWS(adagrad_rows)};
const poise_section *const poise__optimizer_sections[4] = {[POISE_SGD] = &poise__sgd_section,
                                                           [POISE_ADAM] = &poise__adam_section,
                                                           [POISE_ADAMW] = &poise__adamw_section,
                                                           [POISE_ADAGRAD] =
                                                               &poise__adagrad_section};

static int read_optimizer(poise__reading *r, const poise__yaml *v, void *into)
{
    poise_optimizer_spec *o = &((poise_train_spec *)into)->optimizer;
    const poise__yaml *inner;
    int k = poise__keys_pick(r, v, "optimizer", 4, poise__optimizer_sections, &inner);
    if (k < 0)
        return -1;
    *o = (poise_optimizer_spec){.kind = (poise_optimizer_kind)k};
    const poise_section *s = poise__optimizer_sections[k];
    return poise__keys_read(r, inner, s->name, s, o);
}

static int read_monitor(poise__reading *r, const poise__yaml *v, void *into)
{
    return poise__monitor_read(r, v, &((poise_train_spec *)into)->monitor);
}

int poise__read_train(poise__reading *r, const poise__yaml *node)
{
    return poise__keys_read(r, node, "train", &poise__train_section, &r->spec->train);
}
