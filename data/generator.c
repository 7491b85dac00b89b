#include "generator.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../core/memory.h"
#include "../core/search.h"
#include "columns.h"
#include "conditions.h"

/* The generators: each is `const poise__generator poise__NAME` in a file of its own. */
#define GENERATORS(X) X(funnel)

static const poise__generator *const generators[] = {
#define X(name) &poise__##name,
    GENERATORS(X)
#undef X
};
enum { COUNT = sizeof generators / sizeof *generators };

const char *const *poise_generators(void)
{
    static const char *const names[] = {
#define X(name) #name,
        GENERATORS(X)
#undef X
            NULL};
    return names;
}

const poise__generator *poise__generator_find(const char *name, poise_place at, poise_error *err)
{
    for (int i = 0; i < COUNT; i++)
        if (strcmp(generators[i]->name, name) == 0)
            return generators[i];
    const char *near = poise__nearest(name, COUNT, poise_generators());
    char shown[POISE__SHOWN];
    poise_fail(err, POISE_E_SPEC, at, "there is no generator %s; %s \"%s\"",
               poise__shown(name, shown), near ? "did you mean" : "there is",
               near ? near : generators[0]->name);
    return NULL;
}

int poise_generator_schema(const char *name, poise_place place, poise_schema *s, poise_error *err)
{
    const poise__generator *g = poise__generator_find(name, place, err);
    if (!g)
        return -1;
    int nfeature = g->ncolumn - g->nlabel;
    poise_feature *feature = poise__arena_alloc(s->arena, (size_t)nfeature, sizeof *feature, err);
    poise_task *task = poise__arena_alloc(s->arena, (size_t)g->nlabel, sizeof *task, err);
    if (!feature || !task)
        return -1;
    for (int f = 0; f < nfeature; f++)
        feature[f] = (poise_feature){
            .name = g->column[f],
            .kind = g->values[f] ? POISE_CATEGORICAL : POISE_NUMERIC,
            .place = place,
            .transform = g->transform[f],
            .standardise = 1,
            .missing = NAN,
            .dim = g->dim[f] ? g->dim[f] : 8,
            .min_count = 1,
            .deviation = 1,
        };
    for (int t = 0; t < g->nlabel; t++)
        task[t] = (poise_task){
            .name = g->column[nfeature + t],
            .kind = POISE_BINARY,
            .place = place,
            .label = g->column[nfeature + t],
            .loss_weight = 1,
        };
    s->nfeature = nfeature;
    s->feature = feature;
    s->ntask = g->nlabel;
    s->task = task;
    return 0;
}

/* Where the generator's columns go. */
typedef struct making {
    const poise__generator *g;
    const poise_schema *schema;
    poise__columns *out;
    int *feature, *label, *when; /* columns of features and tasks; -1: none */
    int *task_weight, *test;     /* columns; -1: none */
    int weight;
    poise__conditions conditions;
} making;

static int find_column(const making *m, const char *what, const char *owner, const char *name,
                       poise_place at, int *column, poise_error *err)
{
    for (int c = 0; c < m->g->ncolumn; c++)
        if (strcmp(m->g->column[c], name) == 0) {
            *column = c;
            return 0;
        }
    return poise__no_column(what, owner, name, m->out->source, m->g->ncolumn, m->g->column, at,
                            err);
}

/* A categorical column's code is its value: its dictionary holds them all in order. */
static int fill_words(poise__dictionary *words, int64_t values, poise_error *err)
{
    for (int64_t v = 0; v < values; v++) {
        char text[24];
        uint32_t code;
        int n = snprintf(text, sizeof text, "%lld", (long long)v);
        if (poise__dictionary_code(words, text, (size_t)n, &code, err) < 0)
            return -1;
    }
    return 0;
}

static int bind_features(making *m, poise_error *err)
{
    const poise_schema *s = m->schema;
    for (int f = 0; f < s->nfeature; f++) {
        const poise_feature *p = &s->feature[f];
        if (p->kind == POISE_MISSING_COUNT) /* nothing is missing in what is generated */
            continue;
        if (find_column(m, "the feature ", p->name, poise_feature_column(p), p->place,
                        &m->feature[f], err) < 0)
            return -1;
        int c = m->feature[f];
        if (p->kind == POISE_NUMERIC)
            continue;
        if (p->kind == POISE_LIST)
            return poise_fail(err, POISE_E_SPEC, p->place,
                              "the column %s of the generator %s holds one value, not a list",
                              poise_feature_column(p), m->g->name);
        int64_t values = c >= m->g->ncolumn - m->g->nlabel ? 2 : m->g->values[c];
        if (values == 0)
            return poise_fail(err, POISE_E_SPEC, p->place,
                              "the column %s of the generator %s holds real numbers; declare the "
                              "feature as numeric",
                              poise_feature_column(p), m->g->name);
        if (fill_words(m->out->feature[f].words, values, err) < 0)
            return -1;
    }
    return 0;
}

/* The label's column, and whether a generator's labels are what the task wants. */
static int bind_label(making *m, int t, poise_error *err)
{
    const poise_task *p = &m->schema->task[t];
    if (find_column(m, "the label of task ", p->name, p->label, p->place, &m->label[t], err) < 0)
        return -1;
    int known = m->label[t] >= m->g->ncolumn - m->g->nlabel;
    int numbers = p->kind == POISE_REGRESSION || p->kind == POISE_COUNT;
    if (!numbers && (!known || poise_task_classed(p)))
        return poise_fail(err, POISE_E_SPEC, p->place,
                          "task '%s': the labels of the generator %s are 0 or 1 in the columns "
                          "from \"%s\" on",
                          p->name, m->g->name, m->g->column[m->g->ncolumn - m->g->nlabel]);
    if (p->positive && strcmp(p->positive, "1") != 0)
        return poise_fail(err, POISE_E_SPEC, p->place,
                          "task '%s': the labels of the generator %s are 0 or 1; remove `positive`",
                          p->name, m->g->name);
    return 0;
}

/* The probability is known where neither the label nor the mask is a condition. */
static int truth_is_known(const poise_schema *s, int t)
{
    const poise_task *p = &s->task[t];
    int k = poise__when_task(s, t);
    return p->kind == POISE_BINARY && !p->label_tests && !p->when_tests &&
           (k < 0 || !s->task[k].label_tests);
}

static int bind_tasks(making *m, int64_t rows, poise_error *err)
{
    const poise_schema *s = m->schema;
    for (int t = 0; t < s->ntask; t++) {
        const poise_task *p = &s->task[t];
        m->label[t] = m->when[t] = m->task_weight[t] = -1;
        if (!p->label_tests && bind_label(m, t, err) < 0)
            return -1;
        if (p->when && !p->when_tests && poise__when_task(s, t) < 0 &&
            find_column(m, "`when` of task ", p->name, p->when, p->place, &m->when[t], err) < 0)
            return -1;
        if (p->weight && find_column(m, "the sample weight of task ", p->name, p->weight, p->place,
                                     &m->task_weight[t], err) < 0)
            return -1;
        if (truth_is_known(s, t) &&
            !(m->out->task[t].truth = poise__calloc((size_t)rows, sizeof(float), err)))
            return -1;
    }
    for (int k = 0; k < m->conditions.n; k++) {
        const poise__condition_use *u = &m->conditions.use[k];
        const poise_task *p = &s->task[u->owner];
        if (u->task < 0 && find_column(m, u->in_when ? "`when` of task " : "the label of task ",
                                       p->name, u->test->name, p->place, &m->test[k], err) < 0)
            return -1;
    }
    if (s->weight)
        return find_column(m, "the sample weight", "", s->weight, POISE_NOWHERE, &m->weight, err);
    return 0;
}

/* The column whose event masks task t, -1: none. */
static int mask_of(const making *m, int t)
{
    int k = poise__when_task(m->schema, t);
    return k >= 0 ? m->label[k] : m->when[t];
}

static void put_row(const making *m, int64_t row, const double *value, const double *truth)
{
    const poise_schema *s = m->schema;
    int first = m->g->ncolumn - m->g->nlabel;
    for (int f = 0; f < s->nfeature; f++) {
        poise__feature_column *c = &m->out->feature[f];
        double x = s->feature[f].kind == POISE_MISSING_COUNT ? 0 : value[m->feature[f]];
        if (c->words)
            c->code[row] = (uint32_t)x;
        else
            c->number[row] = poise_feature_number(&s->feature[f], x);
    }
    for (int t = 0; t < s->ntask; t++) {
        poise__task_column *c = &m->out->task[t];
        if (m->label[t] >= 0)
            c->label[row] = (float)value[m->label[t]];
        if (m->when[t] >= 0)
            c->when[row] = value[m->when[t]] == 1;
        if (c->weight)
            c->weight[row] = (float)value[m->task_weight[t]];
        if (!c->truth)
            continue;
        /* Nested events: given that j happened, k does with p_k / p_j, or surely if k <= j. */
        int k = m->label[t] - first, j = mask_of(m, t) - first;
        double p = j < 0 ? truth[k] : k <= j ? 1 : truth[k] / truth[j];
        c->truth[row] = (float)p;
    }
    if (m->out->weight)
        m->out->weight[row] = (float)value[m->weight];
}

/* A generator's cell as a file would have it: no number of it is missing or no number. */
static void put_conditions(const making *m, int64_t row, const double *value)
{
    char text[40];
    for (int k = 0; k < m->conditions.n; k++) {
        const poise__condition_use *u = &m->conditions.use[k];
        if (u->task >= 0)
            continue;
        int n = snprintf(text, sizeof text, "%.17g", value[m->test[k]]);
        if (poise__test_cell(u->test, text, (size_t)n, 0, &m->conditions.truth[k]) < 0)
            m->conditions.truth[k] = POISE__UNKNOWN;
    }
    if (m->conditions.n > 0)
        poise__conditions_row(&m->conditions, m->schema, m->out, row);
}

static int has_column(const void *user, const char *name)
{
    const making *m = user;
    for (int c = 0; c < m->g->ncolumn; c++)
        if (strcmp(m->g->column[c], name) == 0)
            return 1;
    return 0;
}

static int make_rows(making *m, const poise_data_spec *d, int64_t first, int64_t rows,
                     poise_error *err)
{
    double value[POISE__GENERATOR_COLUMNS], truth[POISE__GENERATOR_LABELS];
    int64_t cap = 0;
    if (bind_features(m, err) < 0 || bind_tasks(m, rows, err) < 0 ||
        poise__columns_reserve(m->out, m->schema, rows, &cap, err) < 0)
        return -1;
    void *world = m->g->world(err);
    if (!world)
        return -1;
    for (int64_t i = 0; i < rows; i++) {
        m->g->make(world, d->seed, (uint64_t)(first + i), value, truth);
        put_row(m, i, value, truth);
        put_conditions(m, i, value);
    }
    m->out->rows = rows;
    free(world);
    return 0;
}

int poise__columns_generate(const poise_data_spec *d, int64_t first, int64_t rows,
                            const poise_schema *s, poise__columns *out, poise_error *err)
{
    making m = {.g = poise__generator_find(d->generate, d->place, err), .schema = s, .out = out};
    int status = -1;
    memset(out, 0, sizeof *out);
    if (!m.g)
        return -1;
    if (poise__conditions_init(&m.conditions, s, has_column, &m, err) < 0) {
        poise__conditions_done(&m.conditions);
        return -1;
    }
    size_t n = (size_t)s->nfeature + 3 * (size_t)s->ntask + (size_t)m.conditions.n + 1;
    m.feature = poise__calloc(n, sizeof *m.feature, err);
    if (!m.feature) {
        poise__conditions_done(&m.conditions);
        return -1;
    }
    m.label = m.feature + s->nfeature;
    m.when = m.label + s->ntask;
    m.task_weight = m.when + s->ntask;
    m.test = m.task_weight + s->ntask;
    if (poise__columns_init(out, s, 1, m.g->name, err) == 0 &&
        make_rows(&m, d, first, rows, err) == 0)
        status = 0;
    if (status < 0)
        poise__columns_done(out);
    free(m.feature);
    poise__conditions_done(&m.conditions);
    return status;
}
