#include <math.h>
#include <stdio.h>
#include <string.h>
#include "training.h"

/* ---- filling ---- */

static void fill(poise_session *s, poise_value *v, const void *data)
{
    if (v)
        memcpy(poise_session_data(s, v), data,
               (size_t)poise_value_count(v) * poise_dtype_size(v->dtype));
}

void poise__fill_features(poise_session *s, const poise_network *net, const poise_batch *b)
{
    fill(s, net->numeric, b->numeric);
    fill(s, net->ids, b->ids);
    for (int k = 0; k < net->nlist; k++)
        fill(s, net->list[k], b->list[k]);
}

static void fill_label(poise_session *s, poise_value *v, const float *label)
{
    if (v->dtype == POISE_F32) {
        fill(s, v, label);
        return;
    }
    int32_t *to = poise_session_data(s, v);
    for (int64_t k = 0; k < v->dim[0]; k++)
        to[k] = isnan(label[k]) ? -1 : (int32_t)label[k];
}

void poise__fill_pass(const poise__pass *p, const poise_batch *b)
{
    poise__fill_features(p->session, &p->net, b);
    for (int k = 0; k < p->net.ntask; k++) {
        fill_label(p->session, p->net.label[k], b->label[k]);
        fill(p->session, p->net.weight[k], b->weight[k]);
    }
}

/* 1 if `task` is one of the names between the slashes of a layer's name. */
static int names(const char *layer, const char *task)
{
    size_t n = strlen(task);

    for (const char *at = layer; at; at = strchr(at, '/')) {
        at += *at == '/';
        if (strncmp(at, task, n) == 0 && (at[n] == '/' || at[n] == '\0'))
            return 1;
    }
    return 0;
}

/* ", task 'x'": the one that the layer belongs to; else one whose loss is not finite. */
static void describe_task(const poise__training *t, const poise_node *n, char *text, size_t size)
{
    int task = -1;

    for (int k = t->schema->ntask - 1; k >= 0; k--)
        if (!isfinite(t->host.loss[k]))
            task = k;
    for (int k = 0; n && k < t->schema->ntask; k++)
        if (names(n->layer, t->schema->task[k].name))
            task = k;
    if (task >= 0)
        (void)snprintf(text, size, ", task '%.100s'%s", t->schema->task[task].name,
                       isfinite(t->host.loss[task]) ? "" : " (its loss is not finite)");
}

/* Find and tell what became NaN or infinite, by running the step once more. */
static int diagnose(poise__training *t, const poise_run *r, poise_error *err)
{
    const poise_value *value = NULL;
    poise_error inner = {0};
    const poise_node *n = poise_session_find_nonfinite(t->main.session, r, &value, &inner);
    unsigned long long step = (unsigned long long)r->step;
    char task[160] = "", shape[96];

    describe_task(t, n, task, sizeof task);
    if (inner.code != POISE_OK) {
        if (err)
            *err = inner;
        return -1;
    }
    if (!n)
        return poise_fail(err, POISE_E_NUMERIC, POISE_NOWHERE,
                          "step %llu: a gradient is NaN or infinite%s; try a lower learning rate",
                          step, task);
    if (value && value->role != POISE_COMPUTED)
        return poise_fail(err, POISE_E_NUMERIC, n->place,
                          "step %llu: layer '%s': the %s '%s' %s holds NaN or infinity%s; %s", step,
                          n->layer, value->role == POISE_PARAM ? "parameter" : "input", value->name,
                          poise_value_text(value, shape, sizeof shape), task,
                          value->role == POISE_PARAM ? "try a lower learning rate"
                                                     : "look at the data");
    return poise_fail(err, POISE_E_NUMERIC, n->place,
                      "step %llu: layer '%s': operator '%s' made NaN or infinity%s; try a lower "
                      "learning rate",
                      step, n->layer, n->op->name, task);
}

/* The signals as the balance node would have got them, then the balancer. */
static int combine_by_element(poise__training *t, const poise_run *run, poise_error *err)
{
    const poise_session *s = t->main.session;
    void **in = t->answer;
    poise_value *value[] = {t->step.loss, t->step.labelled, t->step.norm, t->step.gram};
    int n = 0;

    for (size_t k = 0; k < sizeof value / sizeof *value; k++)
        if (value[k])
            in[n++] = poise_session_data(s, value[k]);
    for (int k = 0; t->step.group_gram && k < t->step.nscope; k++)
        in[n++] = poise_session_data(s, t->step.group_gram[k]);
    if (t->step.half_gram)
        in[n++] = poise_session_data(s, t->step.half_gram);
    for (int k = 0; t->host.quality && k < t->schema->ntask; k++) {
        in[n++] = poise_session_data(s, t->main.net.output[k]);
        in[n++] = poise_session_data(s, t->main.net.label[k]);
        in[n++] = poise_session_data(s, t->main.net.weight[k]);
    }
    if (poise__host_observe(&t->host, in, run->step, err) < 0)
        return -1;
    return poise__element_step(&t->element, s, &t->host, t->shared_only, err);
}

/* A parameter's gradient as it goes to the optimiser. */
typedef struct final {
    int param;
    float *value;
    int64_t count;
    const int32_t *rows; /* NULL unless by row */
    int64_t nrow;
} final;

static int final_gradient(const poise__training *t, int k, final *f)
{
    poise_gradient g = t->step.gradient[k];
    int place = -1;

    *f = (final){.param = t->step.param[k]};
    if (t->by_element && t->step.owner[k] < 0) {
        for (place = 0; t->step.scope[place] != f->param; place++)
            ;
        for (int i = 0; i < t->schema->ntask && !g.value; i++)
            g = t->step.task_gradient[place * t->schema->ntask + i];
    }
    if (!g.value)
        return 0;
    f->count = poise_value_count(g.value);
    if (!g.rows) {
        f->value = poise_store_gradient(t->store, f->param);
        return 1;
    }
    f->rows = poise_session_data(t->main.session, g.rows);
    f->nrow = g.value->dim[0];
    f->value = place >= 0 ? (float *)(uintptr_t)poise__element_rows(&t->element, place)
                          : poise_session_data(t->main.session, g.value);
    if (place >= 0) /* past the last row the buffer holds an earlier step's */
        for (f->count = 0; f->count < f->nrow && f->rows[f->count] >= 0;)
            f->count++;
    if (place >= 0)
        f->count *= g.value->dim[1];
    return 1;
}

/* Bound the norm of the gradients of the shared parameters, or of all. */
static void bound(const poise__training *t, double most, int all)
{
    double sum = 0;
    final f;

    if (!(most > 0))
        return;
    for (int pass = 0; pass < 2; pass++) {
        float factor = (float)(most / sqrt(sum));
        if (pass == 1 && !(sqrt(sum) > most))
            return;
        for (int k = 0; k < t->step.nparam; k++) {
            if ((!all && t->step.owner[k] >= 0) || !final_gradient(t, k, &f))
                continue;
            for (int64_t c = 0; c < f.count; c++) {
                if (pass == 0)
                    sum += (double)f.value[c] * (double)f.value[c];
                else
                    f.value[c] *= factor;
            }
        }
    }
}

static int all_finite(const poise__training *t)
{
    int param;
    final f;

    if (!poise_gradients_finite(t->store, &param))
        return 0;
    for (int k = 0; k < t->step.nparam; k++)
        if (final_gradient(t, k, &f) && f.rows && !poise_finite(f.count, f.value))
            return 0;
    return 1;
}

int poise__training_gradients(poise__training *t, const poise_batch *b, const poise_run *run,
                              poise_error *err)
{
    poise_error inner = {0};
    double from = poise__profile_now(t->profile);

    poise__fill_pass(&t->main, b);
    poise__profile_add(t->profile, POISE_PART_DATA, &from);
    int status = poise_session_run(t->main.session, run, &inner);
    from = poise__profile_now(t->profile); /* the session's steps are timed by itself */
    if (status == 0 && t->by_element)
        status = combine_by_element(t, run, &inner);
    poise__profile_add(t->profile, POISE_PART_SIGNALS, &from);
    if (status < 0) {
        if (inner.code == POISE_E_NUMERIC)
            return diagnose(t, run, err);
        if (err)
            *err = inner;
        return -1;
    }
    if (!all_finite(t))
        return diagnose(t, run, err);
    bound(t, t->options->clip, 0);
    bound(t, t->clip, 1);
    poise__profile_add(t->profile, POISE_PART_UPDATE, &from);
    return 0;
}

void poise__training_update(poise__training *t, poise_optimizer *o, uint64_t number, int threads)
{
    double from = poise__profile_now(t->profile);
    int ntable = 0;
    final f;

    poise_optimizer_begin(o, number + 1);
    poise_optimizer_dense(o, threads);
    for (int k = 0; k < t->step.nparam; k++)
        if (final_gradient(t, k, &f) && f.rows)
            t->table[ntable++] = (poise_table_gradient){f.param, f.nrow, f.rows, f.value};
    poise_optimizer_tables(o, ntable, t->table, threads);
    poise__profile_add(t->profile, POISE_PART_UPDATE, &from);
    if (t->profile)
        t->profile->steps++;
}

int poise__training_probe(poise__training *t, const poise_batch *b, const poise_run *run,
                          poise_error *err)
{
    poise_run dry = *run; /* running statistics stay as they are */

    if (!t->host.after)
        return 0;
    dry.dry = 1;
    double from = poise__profile_now(t->profile);
    poise__fill_pass(&t->probe, b);
    poise__profile_add(t->profile, POISE_PART_DATA, &from);
    if (poise_session_run(t->probe.session, &dry, err) < 0)
        return -1;
    for (int k = 0; k < t->schema->ntask; k++)
        poise__host_after(
            &t->host, k,
            (double)*(float *)poise_session_data(t->probe.session, t->probe.net.loss[k]));
    return 0;
}
