/* A spec as text that reads back to it. */
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "network.h"
#include "params.h"
#include "sections.h"

typedef struct writer {
    poise__arena *a;
    poise_error *err;
} writer;

static int put(writer *w, poise__yaml *map, const char *key, poise__yaml *value)
{
    return poise__yaml_set(w->a, map, key, value, w->err);
}

static int put_text(writer *w, poise__yaml *map, const char *key, const char *text)
{
    return text ? put(w, map, key, poise__node_text(w->a, text, w->err)) : 0;
}

static poise__yaml *node_map(writer *w)
{
    return poise__node_map(w->a, w->err);
}

static int put_path(writer *w, poise__yaml *map, const char *key, const char *path)
{
    char folder[PATH_MAX];
    if (!path || path[0] == '/')
        return put_text(w, map, key, path);
    if (!getcwd(folder, sizeof(folder)))
        return poise_fail(w->err, POISE_E_SYSTEM, POISE_NOWHERE,
                          "the current folder has no name that can be found");
    const char *full = poise__arena_printf(w->a, w->err, "%s/%s", folder, path);
    return full ? put_text(w, map, key, full) : -1;
}

static int put_format(writer *w, poise__yaml *data, const poise_data_spec *d)
{
    poise__format f = {.separator = d->separator,
                       .strip = d->strip,
                       .quoted = d->quoted,
                       .missing = {d->nmissing, d->missing}};
    poise__yaml *format = poise__keys_write(w->a, &poise__format_section, &f, w->err);
    if (!d->header_in_file) {
        poise__yaml *list = poise__yaml_new(w->a, POISE__LIST, POISE_NOWHERE, w->err);
        for (int k = 0; k < d->ncolumn; k++)
            if (poise__yaml_push(w->a, list, poise__node_text(w->a, d->column[k], w->err), w->err) <
                0)
                return -1;
        if (put(w, format, "header", list) < 0)
            return -1;
    }
    return put(w, data, "format", format);
}

static int put_valid(writer *w, poise__yaml *data, const poise_data_spec *d)
{
    if (d->valid_from == 0)
        return put_path(w, data, "valid", d->valid);
    poise__yaml *valid = node_map(w);
    return put_text(w, valid, "from", d->valid_from == 1 ? "train" : "test") < 0 ||
                   put(w, valid, "fraction", poise__node_number(w->a, d->valid_fraction, w->err)) <
                       0 ||
                   put(w, valid, "seed", poise__node_int(w->a, (int64_t)d->valid_seed, w->err)) < 0
               ? -1
               : put(w, data, "valid", valid);
}

static poise__yaml *write_data(writer *w, const poise_spec *s)
{
    const poise_data_spec *d = &s->data;
    poise__yaml *data = node_map(w);
    int bad;
    if (d->generate)
        bad = put_text(w, data, "generate", d->generate) < 0 ||
              put(w, data, "rows", poise__node_int(w->a, d->rows, w->err)) < 0 ||
              put(w, data, "seed", poise__node_int(w->a, (int64_t)d->seed, w->err)) < 0;
    else
        bad = put_path(w, data, "train", d->train) < 0 || put_valid(w, data, d) < 0 ||
              put_path(w, data, "test", d->test) < 0 || put_format(w, data, d) < 0 ||
              put_text(w, data, "weight", s->schema->weight) < 0 ||
              put(w, data, "limit", poise__node_int(w->a, d->limit, w->err)) < 0;
    return bad ? NULL : data;
}

static poise__yaml *node_pair(writer *w, double a, double b)
{
    poise__yaml *list = poise__yaml_new(w->a, POISE__LIST, POISE_NOWHERE, w->err);
    return poise__yaml_push(w->a, list, poise__node_number(w->a, a, w->err), w->err) < 0 ||
                   poise__yaml_push(w->a, list, poise__node_number(w->a, b, w->err), w->err) < 0
               ? NULL
               : list;
}

static poise__yaml *write_feature(writer *w, const poise_feature *f)
{
    static const poise_section *const kinds[] = {&poise__numeric_section,
                                                 &poise__categorical_section, &poise__count_section,
                                                 &poise__list_section};
    const poise_section *s = kinds[f->kind];
    poise__feature_keys k = {.feature = *f, .counted = {f->ncounted, f->counted}};
    poise__yaml *inner = poise__keys_write(w->a, s, &k, w->err), *outer = node_map(w);
    int bad = put_text(w, outer, "column", f->column) < 0;
    if (!bad && f->kind == POISE_NUMERIC)
        bad = put(w, inner, "missing",
                  isnan(f->missing) ? poise__node_text(w->a, "mean", w->err)
                                    : poise__node_number(w->a, f->missing, w->err)) < 0;
    if (!bad)
        bad = put_text(w, inner, "table", f->table) < 0;
    if (!bad && f->clip)
        bad = put(w, inner, "clip", node_pair(w, f->low, f->high)) < 0;
    return bad || put(w, outer, s->name, inner) < 0 ? NULL : outer;
}

static poise__yaml *write_group(writer *w, const poise_schema *s, const poise__group *g)
{
    poise__yaml *list = poise__yaml_new(w->a, POISE__LIST, POISE_NOWHERE, w->err);
    poise__yaml *map = node_map(w);
    for (int k = 0; k < g->n; k++)
        if (poise__yaml_push(w->a, list,
                             poise__node_text(w->a, s->feature[g->feature[k]].name, w->err),
                             w->err) < 0)
            return NULL;
    return put(w, map, "group", list) < 0 ? NULL : map;
}

static poise__yaml *write_features(writer *w, const poise_schema *s, const poise__groups *groups)
{
    poise__yaml *map = node_map(w);
    for (int k = 0; k < s->nfeature; k++)
        if (put(w, map, s->feature[k].name, write_feature(w, &s->feature[k])) < 0)
            return NULL;
    for (int k = 0; groups && k < groups->n; k++)
        if (put(w, map, groups->at[k].name, write_group(w, s, &groups->at[k])) < 0)
            return NULL;
    return map;
}

static int put_loss(writer *w, poise__yaml *map, const poise_task *t)
{
    const poise_loss l = poise_task_loss(t);
    const poise_section *s = poise__loss_sections[l.kind - 1];
    if (s->nkey == 0)
        return put_text(w, map, "loss", s->name);
    poise__yaml *outer = node_map(w);
    return put(w, outer, s->name, poise__keys_write(w->a, s, &l, w->err)) < 0
               ? -1
               : put(w, map, "loss", outer);
}

static poise__yaml *write_task(writer *w, const poise_task *t)
{
    poise__yaml *map = node_map(w), *label = node_map(w);
    static const char *const kind[] = {POISE_TASK_KINDS};
    int bad =
        put_text(w, label, "column", t->label) < 0 ||
        put_text(w, label, "positive", t->positive) < 0 ||
        (t->label_tests ? put_text(w, map, "label", t->label) : put(w, map, "label", label)) < 0 ||
        put_text(w, map, "when", t->when) < 0 || put_text(w, map, "sample_weight", t->weight) < 0 ||
        put_text(w, map, "type", kind[t->kind]) < 0 || put_loss(w, map, t) < 0 ||
        put(w, map, "weight", poise__node_number(w->a, t->loss_weight, w->err)) < 0;
    return bad ? NULL : map;
}

static poise__yaml *write_tasks(writer *w, const poise_schema *s)
{
    poise__yaml *map = node_map(w);
    for (int t = 0; t < s->ntask; t++)
        if (put(w, map, s->task[t].name, write_task(w, &s->task[t])) < 0)
            return NULL;
    return map;
}

/* As they are declared, with their values as the defaults. */
static poise__yaml *write_params(writer *w, const poise_model *m)
{
    poise__yaml *map = node_map(w);
    for (size_t k = 0; k < m->params->n; k++) {
        const poise__yaml *key = m->params->key[k];
        const poise__yaml *declared = poise__yaml_get(m->declared, key->text);
        if (put(w, map, key->text, poise__param_with(w->a, declared, m->params->item[k], w->err)) <
            0)
            return NULL;
    }
    return map;
}

/* Layers as they were written, with the parameters' values in front. */
static poise__yaml *write_model(writer *w, const poise_model *m)
{
    poise__yaml *map = node_map(w);
    int bad = put_text(w, map, "about", m->about) < 0 || put_text(w, map, "paper", m->paper) < 0 ||
              put_text(w, map, "when", m->when) < 0;
    if (!bad && m->written_output)
        bad = put(w, map, "output", poise__yaml_share(w->a, m->written_output, w->err)) < 0;
    for (int e = 0; e < POISE__EXTRAS && !bad; e++)
        if (m->written_extras[e])
            bad = put(w, map, poise__extra_name[e],
                      poise__yaml_share(w->a, m->written_extras[e], w->err)) < 0;
    if (!bad && m->params->n > 0)
        bad = put(w, map, "params", write_params(w, m)) < 0;
    if (bad || put(w, map, "network", poise__yaml_share(w->a, m->network, w->err)) < 0)
        return NULL;
    return map;
}

/* The text of a setting as it was: a number stays plain. */
static poise__yaml *setting_node(writer *w, const char *text)
{
    poise__yaml probe = {.kind = POISE__SCALAR, .text = text, .plain = 1};
    double d;
    int b;
    int plain = poise__yaml_number(&probe, &d) == 0 || poise__yaml_bool(&probe, &b) == 0 ||
                poise__yaml_plain(text);
    return poise__yaml_scalar(w->a, text, plain, POISE_NOWHERE, w->err);
}

static int put_setting(writer *w, poise__yaml *map, const poise_setting *s)
{
    if (!s->task)
        return put(w, map, s->name, setting_node(w, s->text[0]));
    poise__yaml *each = node_map(w);
    for (int k = 0; k < s->n; k++)
        if (put(w, each, s->task[k], setting_node(w, s->text[k])) < 0)
            return -1;
    return put(w, map, s->name, each);
}

static poise__yaml *write_scope(writer *w, const poise_balancer_spec *b)
{
    if (b->scope != POISE_SCOPE_LAYERS)
        return poise__node_text(w->a, poise__scopes[b->scope], w->err);
    poise__yaml *list = poise__yaml_new(w->a, POISE__LIST, POISE_NOWHERE, w->err);
    for (int k = 0; k < b->nlayer; k++)
        if (poise__yaml_push(w->a, list, poise__node_text(w->a, b->layer[k], w->err), w->err) < 0)
            return NULL;
    return list;
}

static poise__yaml *write_initial(writer *w, const poise_balancer_spec *b)
{
    if (b->initial != POISE_INITIAL_MEAN)
        return poise__node_text(w->a, poise__initials[b->initial == POISE_INITIAL_BASE_RATE],
                                w->err);
    poise__yaml *map = node_map(w);
    return put(w, map, "mean", poise__node_int(w->a, b->initial_steps, w->err)) < 0 ? NULL : map;
}

static poise__yaml *write_signals(writer *w, const poise_balancer_spec *b)
{
    poise__yaml *map = node_map(w);
    return put(w, map, "scope", write_scope(w, b)) < 0 ||
                   put(w, map, "initial", write_initial(w, b)) < 0
               ? NULL
               : map;
}

static poise__yaml *write_balancer(writer *w, const poise_balancer_spec *b)
{
    poise__yaml *map = node_map(w);
    poise__yaml *weights = poise__keys_write(w->a, &poise__weights_section, b, w->err);
    int bad = (strchr(b->use, '/') ? put_path(w, map, "use", b->use)
                                   : put_text(w, map, "use", b->use)) < 0 ||
              put(w, map, "signals", write_signals(w, b)) < 0 ||
              put(w, map, "weights", weights) < 0 ||
              put(w, map, "clip", poise__node_number(w->a, b->clip, w->err)) < 0;
    if (!bad && b->epochs > 0)
        bad = put(w, map, "epochs", poise__node_int(w->a, b->epochs, w->err)) < 0;
    if (!bad && b->shared_only >= 0)
        bad = put(w, map, "shared_only",
                  poise__yaml_scalar(w->a, b->shared_only ? "true" : "false", 1, POISE_NOWHERE,
                                     w->err)) < 0;
    for (int k = 0; k < b->nsetting && !bad; k++)
        bad = put_setting(w, map, &b->setting[k]) < 0;
    return bad ? NULL : map;
}

static poise__yaml *write_schedule(writer *w, const poise_spec *s)
{
    if (s->nphase == 1)
        return write_balancer(w, &s->balancer);
    poise__yaml *list = poise__yaml_new(w->a, POISE__LIST, POISE_NOWHERE, w->err);
    for (int k = 0; k < s->nphase; k++)
        if (poise__yaml_push(w->a, list, write_balancer(w, &s->phase[k]), w->err) < 0)
            return NULL;
    return list;
}

static int put_optimizer(writer *w, poise__yaml *map, const char *key,
                         const poise_optimizer_spec *o)
{
    const poise_section *s = poise__optimizer_sections[o->kind];
    poise__yaml *outer = node_map(w);
    return put(w, outer, s->name, poise__keys_write(w->a, s, o, w->err)) < 0
               ? -1
               : put(w, map, key, outer);
}

static int put_schedule(writer *w, poise__yaml *map, const poise_rate_schedule *r)
{
    poise__yaml *s = poise__keys_write(w->a, &poise__schedule_section, r, w->err);
    if (r->decay != POISE_DECAY_NONE) {
        const poise_section *kind = poise__decay_sections[r->decay - POISE_COSINE];
        poise__yaml *outer = node_map(w);
        if (put(w, outer, kind->name, poise__keys_write(w->a, kind, r, w->err)) < 0 ||
            put(w, s, "decay", outer) < 0)
            return -1;
    } else if (r->warmup == 0)
        return 0;
    return put(w, map, "schedule", s);
}

static int put_tuning(writer *w, poise__yaml *map, const poise_train_spec *t)
{
    poise__yaml *all = node_map(w);
    for (int k = 0; k < t->ntuning; k++) {
        poise__yaml *one = node_map(w);
        if (put(w, one, "rate", poise__node_number(w->a, t->tuning[k].rate, w->err)) < 0 ||
            (t->tuning[k].l2 >= 0 &&
             put(w, one, "l2", poise__node_number(w->a, t->tuning[k].l2, w->err)) < 0) ||
            put(w, all, t->tuning[k].pattern, one) < 0)
            return -1;
    }
    return t->ntuning ? put(w, map, "tuning", all) : 0;
}

static poise__yaml *write_train(writer *w, const poise_spec *s)
{
    const poise_train_spec *t = &s->train;
    int chosen = s->data.generate || s->data.valid || s->data.valid_from; /* see read_train.c */
    poise__yaml *map = poise__keys_write(w->a, &poise__train_section, t, w->err);
    int bad = put_optimizer(w, map, "optimizer", &t->optimizer) < 0 ||
              (t->own_embeddings && put_optimizer(w, map, "embeddings", &t->embeddings) < 0) ||
              put_schedule(w, map, &t->schedule) < 0 || put_tuning(w, map, t) < 0 ||
              (chosen && put(w, map, "monitor",
                             poise__monitor_write(w->a, s->schema, &t->monitor, w->err)) < 0);
    return bad ? NULL : map;
}

poise__yaml *poise__spec_node(const poise_spec *s, poise__yaml *model, poise__arena *a,
                              poise_error *err)
{
    writer w = {a, err};
    poise__yaml *root = node_map(&w);
    int bad = put(&w, root, "data", write_data(&w, s)) < 0 ||
              put(&w, root, "features", write_features(&w, s->schema, s->groups)) < 0 ||
              put(&w, root, "tasks", write_tasks(&w, s->schema)) < 0 ||
              put(&w, root, "model", model ? model : write_model(&w, s->model)) < 0 ||
              put(&w, root, "balancer", write_schedule(&w, s)) < 0 ||
              put(&w, root, "train", write_train(&w, s)) < 0;
    return bad ? NULL : root;
}

char *poise_spec_resolved(const poise_spec *s, poise_error *err)
{
    poise__arena *a = poise__arena_new(err);
    poise__yaml *root = a ? poise__spec_node(s, NULL, a, err) : NULL;
    char *text = root ? poise__yaml_write(root, 2, err) : NULL;
    poise__arena_free(a);
    return text;
}
