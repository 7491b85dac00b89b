/* Optimisers, the schedule of their rates, and what single parameters get of them. */
#include <stdio.h>
#include <string.h>
#include "network.h"
#include "sections.h"

/* ---- the kinds ---- */

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
const poise_section *const poise__optimizer_sections[5] = {[POISE_SGD] = &poise__sgd_section,
                                                           [POISE_ADAM] = &poise__adam_section,
                                                           [POISE_ADAMW] = &poise__adamw_section,
                                                           [POISE_ADAGRAD] =
                                                               &poise__adagrad_section};

int poise__read_optimizer(poise__reading *r, const poise__yaml *v, const char *what,
                          poise_optimizer_spec *o)
{
    const poise__yaml *inner;
    int k = poise__keys_pick(r, v, what, 4, poise__optimizer_sections, &inner);
    if (k < 0)
        return -1;
    *o = (poise_optimizer_spec){.kind = (poise_optimizer_kind)k};
    const poise_section *s = poise__optimizer_sections[k];
    return poise__keys_read(r, inner, s->name, s, o);
}

/* ---- schedules ---- */

static int read_decay(poise__reading *r, const poise__yaml *v, void *into);

static const poise_key schedule_rows[] = {
    {.name = "warmup",
     .kind = POISE_KEY_INT,
     .initial = "0",
     .max = 1e18,
     POISE__INTO(poise_rate_schedule, warmup),
     .help = "steps over which the rate rises evenly, from 1 / warmup of it to all of it"},
    {.name = "decay",
     .kind = POISE_KEY_OWN,
     .read = read_decay,
     .form = "cosine | step | exponential | {cosine: {to, ...}}",
     .pick = poise__decay_sections,
     .help = "how it falls afterwards; without it it stays"},
};
const poise_section poise__schedule_section = {
    .name = "schedule",
    .about = "the learning rates over the steps: a factor of all of them",
    POISE__ROWS(schedule_rows),
    .some_of = "warmup decay"};

static const poise_key cosine_rows[] = {
    {.name = "to",
     .kind = POISE_KEY_NUMBER,
     .initial = "0",
     .max = 1,
     POISE__INTO(poise_rate_schedule, to),
     .help = "the factor at its end"},
    {.name = "steps",
     .kind = POISE_KEY_INT,
     .initial = "0",
     .max = 1e18,
     POISE__INTO(poise_rate_schedule, steps),
     .help = "steps of its way down, after the warm-up; 0: to the end of the run"},
};
#define EVERY(initial_)                                                                        \
    {                                                                                          \
        .name = "every", .kind = POISE_KEY_INT, .initial = initial_, .min = 1, .max = 1e18,    \
        POISE__INTO(poise_rate_schedule, every), .help = "steps for which the factor is meant" \
    }
#define FACTOR(initial_)                                                                        \
    {                                                                                           \
        .name = "factor", .kind = POISE_KEY_NUMBER, .initial = initial_, .min = 1e-9, .max = 1, \
        POISE__INTO(poise_rate_schedule, factor), .help = "what the rate is multiplied by"      \
    }
static const poise_key step_rows[] = {EVERY("1000"), FACTOR("0.5")};
static const poise_key exponential_rows[] = {EVERY("1000"), FACTOR("0.5")};
const poise_section poise__cosine_section = {
    .name = "cosine",
    .about = "down half a cosine wave (Loshchilov, Hutter, ICLR 2017)",
    POISE__ROWS(cosine_rows)};
const poise_section poise__step_section = {.name = "step",
                                           .about =
                                               "down by a factor, at once, every so many steps",
                                           POISE__ROWS(step_rows)};
const poise_section poise__exponential_section = {
    .name = "exponential",
    .about = "down by a factor for every so many steps, a little in each",
    POISE__ROWS(exponential_rows)};
const poise_section *const poise__decay_sections[4] = {&poise__cosine_section, &poise__step_section,
                                                       &poise__exponential_section, NULL};

static int read_decay(poise__reading *r, const poise__yaml *v, void *into)
{
    poise_rate_schedule *s = into;
    const poise__yaml *inner;
    int k = poise__keys_pick(r, v, "decay", 3, poise__decay_sections, &inner);
    if (k < 0)
        return -1;
    s->decay = (poise_decay)(POISE_COSINE + k);
    return poise__keys_read(r, inner, poise__decay_sections[k]->name, poise__decay_sections[k], s);
}

/* ---- tuning ---- */

static const poise_key tuning_rows[] = {
    {.name = "rate",
     .kind = POISE_KEY_NUMBER,
     .initial = "1",
     .max = 1e6,
     POISE__INTO(poise_tuning, rate),
     .help = "times the learning rate; 0: they stay as they begin"},
    {.name = "l2",
     .kind = POISE_KEY_NUMBER,
     .max = 1000,
     POISE__INTO(poise_tuning, l2),
     .help = "weight decay, in place of the optimizer's"},
};
const poise_section poise__tuning_section = {.name = "tuning",
                                             .about = "settings of single parameters",
                                             POISE__ROWS(tuning_rows),
                                             .some_of = "rate l2"};

/* A pattern may yet match what lies in an instance of a layer, a feature's table or thresholds. */
static int may_match(const poise__reading *r, const char *pattern)
{
    const poise_schema *s = r->spec->schema;
    const poise_model *m = r->spec->model;
    char name[300];
    int found = poise__glob_may_name(pattern, "thresholds");
    for (int k = 0; k < s->nfeature && !found; k++) {
        snprintf(name, sizeof(name), "embedding/%s", s->feature[k].name);
        found = poise__glob_may_name(pattern, name);
    }
    if (r->features_wrong || (r->ncolumn < 0 && !r->of_run && !r->spec->data.generate))
        found |= poise__glob_may_name(pattern, "embedding");
    for (int k = 0; k < m->nlayer; k++)
        for (int i = 0; i < m->layer[k].ninstance && !found; i++)
            found = poise__glob_may_name(pattern, m->layer[k].instance[i].name);
    return found;
}

static int nothing_matches(poise__reading *r, const poise__yaml *key)
{
    const char *known[POISE__MOST_LAYERS + 2] = {"embedding", "thresholds"};
    const poise_model *m = r->spec->model;
    for (int k = 0; k < m->nlayer; k++)
        known[k + 2] = m->layer[k].name;
    return poise__unknown(r, key->place, "tuning: no layer or parameter matches", key->text,
                          m->nlayer + 2, known);
}

int poise__read_tuning(poise__reading *r, const poise__yaml *v, poise_train_spec *t)
{
    char show[120], what[120];
    if (v->kind != POISE__MAP || v->n == 0)
        return poise_diagnose(r->diag, v->place,
                              "tuning is %s; it must be a mapping of pattern: {rate, l2}, as "
                              "{\"tower*\": {rate: 0.1}}",
                              poise__yaml_show(v, show, sizeof(show)));
    poise_tuning *row = poise__reading_alloc(r, v->n, sizeof(*row));
    if (!row)
        return -1;
    int bad = 0;
    for (size_t k = 0; k < v->n; k++) {
        row[k] = (poise_tuning){.pattern = v->key[k]->text, .place = v->key[k]->place, .l2 = -1};
        snprintf(what, sizeof(what), "tuning '%.80s'", row[k].pattern);
        bad |= poise__keys_read(r, v->item[k], what, &poise__tuning_section, &row[k]);
        if (r->layers_read && !may_match(r, row[k].pattern))
            bad = nothing_matches(r, v->key[k]);
    }
    t->tuning = row;
    t->ntuning = (int)v->n;
    return bad ? -1 : 0;
}
