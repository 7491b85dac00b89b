#include "report.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "file.h"

static json_t *number(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

static int no_memory(poise_error *err)
{
    return poise_fail(err, POISE_E_MEMORY, POISE_NOWHERE, "out of memory while writing a report");
}

/* {TASK: x[t]} */
static json_t *by_task(const poise_schema *s, const double *x)
{
    json_t *o = json_object();

    for (int t = 0; t < s->ntask; t++)
        json_object_set_new(o, s->task[t].name, number(x[t]));
    return o;
}

/* One line, flushed.  Takes the object. */
static int write_line(FILE *log, json_t *o, poise_error *err)
{
    char *text = json_dumps(o, JSON_COMPACT | JSON_REAL_PRECISION(9));
    int bad;

    json_decref(o);
    if (!text)
        return no_memory(err);
    bad = fputs(text, log) < 0 || fputc('\n', log) < 0 || fflush(log) != 0;
    free(text);
    return bad ? poise_fail(err, POISE_E_SYSTEM, POISE_NOWHERE, "log.jsonl cannot be written") : 0;
}

void poise__metric(poise__metrics *m, const char *key, int32_t task, double value)
{
    int k = 0;

    while (k < m->n && (m->of[k].task != task || strcmp(m->of[k].key, key) != 0))
        k++;
    if (k == POISE__METRICS)
        return;
    if (k == m->n) {
        size_t n = strlen(key);
        if (n >= sizeof m->of[k].key)
            n = sizeof m->of[k].key - 1;
        memcpy(m->of[k].key, key, n);
        m->of[k].key[n] = '\0';
        m->of[k].task = task;
        m->n++;
    }
    m->of[k].value = value;
}

static json_t *metrics_object(const poise_schema *s, const poise__metrics *m)
{
    json_t *o = json_object();

    for (int k = 0; k < m->n; k++) {
        if (m->of[k].task < 0 || m->of[k].task >= s->ntask) {
            json_object_set_new(o, m->of[k].key, number(m->of[k].value));
            continue;
        }
        json_t *of = json_object_get(o, m->of[k].key);
        if (!json_is_object(of)) {
            of = json_object();
            json_object_set_new(o, m->of[k].key, of);
        }
        json_object_set_new(of, s->task[m->of[k].task].name, number(m->of[k].value));
    }
    return o;
}

int poise__log_step(FILE *log, const poise__engine *e, const poise__position *p,
                    const poise__metrics *m, poise_error *err)
{
    json_t *o = json_object();

    json_object_set_new(o, "step", json_integer((json_int_t)p->step));
    json_object_set_new(o, "epoch", json_integer((json_int_t)p->epoch + 1));
    json_object_set_new(o, "loss", by_task(e->schema, e->training->host.loss));
    json_object_set_new(o, "weight", by_task(e->schema, e->training->host.task_weight));
    if (e->training->host.signals & POISE_SIGNAL_NORM)
        json_object_set_new(o, "grad_norm", by_task(e->schema, e->training->host.norm));
    if (m->n)
        json_object_set_new(o, "metric", metrics_object(e->schema, m));
    return write_line(log, o, err);
}

int poise__log_epoch(FILE *log, const poise__position *p, int epoch, int ntask,
                     const poise_task_result *figure, double monitor, int best, poise_error *err)
{
    json_t *o = json_object();

    json_object_set_new(o, "step", json_integer((json_int_t)p->step));
    json_object_set_new(o, "epoch", json_integer(epoch));
    for (int f = 0; f < POISE_FIGURE_COUNT; f++) {
        json_t *of = json_object();
        for (int t = 0; t < ntask; t++)
            if (poise_figure_of((poise_figure)f, figure[t].kind))
                json_object_set_new(of, figure[t].name, number(figure[t].figure[f]));
        if (json_object_size(of))
            json_object_set(o, poise_figure_name((poise_figure)f), of);
        json_decref(of);
    }
    json_object_set_new(o, "monitor", number(monitor));
    json_object_set_new(o, "best", json_boolean(best));
    return write_line(log, o, err);
}

static json_t *gate_object(const poise__diagnosis *d, const poise__gate *g)
{
    json_t *o = json_object(), *share = json_object();

    for (int e = 0; e < g->n; e++)
        json_object_set_new(share, d->pool[g->pool].name[g->expert[e]], number(g->share[e]));
    json_object_set_new(o, "entropy", number(g->entropy));
    json_object_set_new(o, "top", number(g->top));
    json_object_set_new(o, "share", share);
    return o;
}

static json_t *pool_object(const poise__experts *p)
{
    json_t *o = json_object(), *name = json_array(), *share = json_array(), *dead = json_array();
    json_t *constant = json_array(), *cka = json_array();

    for (int a = 0; a < p->nexpert; a++) {
        json_t *row = json_array();
        for (int b = 0; b < p->nexpert; b++)
            json_array_append_new(row, number(p->similarity[a * p->nexpert + b]));
        json_array_append_new(cka, row);
        json_array_append_new(name, json_string(p->name[a]));
        json_array_append_new(share, number(p->share[a]));
        if (p->dead[a])
            json_array_append_new(dead, json_string(p->name[a]));
        if (p->constant[a])
            json_array_append_new(constant, json_string(p->name[a]));
    }
    json_object_set_new(o, "name", name);
    json_object_set_new(o, "share", share);
    json_object_set_new(o, "dead", dead);
    json_object_set_new(o, "constant", constant);
    json_object_set_new(o, "cka", cka);
    return o;
}

int poise__log_diagnosis(FILE *log, const poise__position *p, const poise__diagnosis *d,
                         poise_error *err)
{
    json_t *o = json_object(), *gates = json_object(), *experts = json_array();
    int n = d->schema->ntask;

    json_object_set_new(o, "step", json_integer((json_int_t)p->step));
    json_object_set_new(o, "epoch", json_integer((json_int_t)p->epoch));
    json_object_set_new(o, "rows", json_integer((json_int_t)d->rows));
    for (int k = 0; k < d->ngate; k++)
        json_object_set_new(gates, d->gate[k].name, gate_object(d, &d->gate[k]));
    for (int k = 0; k < d->npool; k++)
        json_array_append_new(experts, pool_object(&d->pool[k]));
    json_object_set_new(o, "gates", gates);
    json_object_set_new(o, "experts", experts);
    if (d->cosine) {
        json_t *cosine = json_object();
        for (int t = 0; t < n; t++)
            json_object_set_new(cosine, d->schema->task[t].name,
                                by_task(d->schema, d->cosine + t * n));
        json_object_set_new(o, "cosine", cosine);
    }
    return write_line(log, o, err);
}

int poise__log_note(FILE *log, uint64_t step, const char *text, poise_error *err)
{
    json_t *o = json_object();

    json_object_set_new(o, "step", json_integer((json_int_t)step));
    json_object_set_new(o, "note", json_string(text));
    return write_line(log, o, err);
}

int poise__log_cut(const char *path, uint64_t step, poise_error *err)
{
    size_t bytes, kept = 0;
    char *text = poise__file_read(path, &bytes, err);
    int status;

    if (!text)
        return -1;
    for (char *line = text, *end; line < text + bytes; line = end + 1) {
        end = memchr(line, '\n', (size_t)(text + bytes - line));
        if (!end)
            break; /* a line that a kill cut short */
        json_t *o = json_loadb(line, (size_t)(end - line), 0, NULL);
        json_t *at = json_object_get(o, "step");
        int keep = json_is_integer(at) && (uint64_t)json_integer_value(at) <= step;
        json_decref(o);
        if (!keep)
            continue;
        memmove(text + kept, line, (size_t)(end + 1 - line));
        kept += (size_t)(end + 1 - line);
    }
    status = poise__file_replace(path, 1, &(poise__piece){text, kept}, err);
    free(text);
    return status;
}

/* Pretty text of an object, which it takes. */
static char *dump(json_t *o, poise_error *err)
{
    char *text = json_dumps(o, JSON_INDENT(2) | JSON_REAL_PRECISION(9));

    json_decref(o);
    if (!text)
        (void)no_memory(err);
    return text;
}

char *poise_result_json(const poise_result *r, poise_error *err)
{
    json_t *o = json_object(), *tasks = json_object(), *weights = json_object();

    json_object_set_new(o, "balancer", json_string(r->balancer));
    json_object_set_new(o, "seed", json_integer((json_int_t)r->seed));
    if (r->epochs) { /* 0: an evaluation, which trains nothing */
        json_object_set_new(o, "epochs", json_integer(r->epochs));
        json_object_set_new(o, "best_epoch", json_integer(r->best_epoch));
        json_object_set_new(o, "samples_per_second", number(r->samples_per_second));
        json_object_set_new(o, "seconds", number(r->seconds));
        json_object_set_new(o, "seconds_per_epoch", number(r->seconds_per_epoch));
    }
    json_object_set_new(o, "part", json_string(r->part));
    for (int t = 0; t < r->ntask; t++) {
        const poise_task_result *f = &r->task[t];
        json_t *task = json_object();
        for (int k = 0; k < POISE_FIGURE_COUNT; k++)
            if (poise_figure_of((poise_figure)k, f->kind))
                json_object_set_new(task, poise_figure_name((poise_figure)k), number(f->figure[k]));
        if (!isnan(f->auc_best_possible))
            json_object_set_new(task, "auc_best_possible", number(f->auc_best_possible));
        json_object_set_new(tasks, f->name, task);
        json_object_set_new(weights, f->name, number(f->weight));
    }
    json_object_set_new(o, "tasks", tasks);
    if (r->epochs)
        json_object_set_new(o, "weights", weights);
    else
        json_decref(weights);
    return dump(o, err);
}

static json_t *compare_row(const poise_comparison *c, const poise_compare_row *r)
{
    json_t *row = json_object(), *tasks = json_object();

    for (int t = 0; t < c->ntask; t++) {
        json_t *task = json_object();
        char key[2][40];
        (void)snprintf(key[0], sizeof key[0], "%s_mean", poise_figure_name(c->figure[t]));
        (void)snprintf(key[1], sizeof key[1], "%s_std", poise_figure_name(c->figure[t]));
        json_object_set_new(task, key[0], number(r->mean[t]));
        json_object_set_new(task, key[1], number(r->std[t]));
        json_object_set_new(tasks, c->task[t], task);
    }
    json_object_set_new(row, "tasks", tasks);
    json_object_set_new(row, "mean_std", number(r->mean_std));
    json_object_set_new(row, "seconds_per_epoch", number(r->seconds_per_epoch));
    return row;
}

/* What is compared, finished or not; without strategies, each spec's own. */
static json_t *asked(const poise_comparison *c)
{
    json_t *o = json_object(), *models = json_array(), *balancers = json_array();
    int each = c->nbalancer ? c->nbalancer : 1;

    for (int m = 0; m < c->nmodel; m++)
        json_array_append_new(models, json_string(c->row[m * each].model));
    for (int k = 0; k < c->nbalancer; k++)
        json_array_append_new(balancers, json_string(c->row[k].balancer));
    json_object_set_new(o, "models", models);
    json_object_set_new(o, "balancers", balancers);
    return o;
}

/* "balancers" are the first model's. */
char *poise_comparison_json(const poise_comparison *c, poise_error *err)
{
    json_t *o = json_object(), *first = json_object(), *best = json_object();
    json_t *models = json_object(), *all = NULL;
    const char *model = NULL;

    for (int k = 0; k < c->nrow; k++) {
        const poise_compare_row *r = &c->row[k];

        if (!model || strcmp(model, r->model) != 0) {
            json_t *of = json_object();
            model = r->model;
            all = k ? json_object() : json_incref(first);
            json_object_set_new(of, "weights", json_integer((json_int_t)r->weights));
            json_object_set_new(of, "balancers", all);
            json_object_set_new(models, model, of);
        }
        json_object_set_new(all, r->balancer, compare_row(c, r));
    }
    for (int t = 0; t < c->ntask; t++)
        if (!isnan(c->best_possible[t]))
            json_object_set_new(best, c->task[t], number(c->best_possible[t]));
    json_object_set_new(o, "repeat", json_integer(c->repeat));
    json_object_set_new(o, "seed", json_integer((json_int_t)c->seed));
    json_object_set_new(o, "asked", asked(c));
    if (json_object_size(best))
        json_object_set_new(o, "auc_best_possible", best);
    else
        json_decref(best);
    json_object_set_new(o, "balancers", first);
    json_object_set_new(o, "models", models);
    return dump(o, err);
}
