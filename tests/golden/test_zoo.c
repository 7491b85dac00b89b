/* Every network of models/ in PyTorch (zoo.py, float64) and here, with the same weights and the same
 * batch: outputs, losses and the gradient of the sum of the losses by every weight.  Once as the
 * graph that the model file describes; once as a training step, with all that rewrites it: a step of
 * gradient descent with rate 1 takes the gradient from the weights. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/session.h"
#include "ops/ops.h"
#include "train/engine.h"
#include "train/safetensors.h"

enum { MOST = 64, MOST_TASKS = 8, NAME = 160 };

#define FOLDER TEST_SOURCE "/golden/zoo"

/* One recorded network, and the spec that it is. */
typedef struct golden {
    const char *name;
    poise_safetensors *file;
    poise_diagnostics *diag;
    poise_spec *spec;
    poise_data data;
    int64_t rows;
    int wrong;
} golden;

static void must(int status, const poise_error *err)
{
    char text[POISE_ERROR_TEXT];

    if (status < 0)
        fail_msg("%s", poise_error_text(err, text, sizeof text));
}

static const poise_tensor *tensor(const golden *z, const char *prefix, const char *name)
{
    char full[NAME];
    const poise_tensor *t;

    snprintf(full, sizeof full, "%s/%s", prefix, name);
    t = poise_safetensors_find(z->file, full);
    if (!t)
        fail_msg("%s.safetensors has no %s", z->name, full);
    return t;
}

static void open_golden(golden *z, const char *name)
{
    char path[4096], text[POISE_ERROR_TEXT];
    poise_override set[3] = {{"train.optimizer", "{sgd: {rate: 1}}"}};
    int n = 1;
    poise_error err = {0};

    *z = (golden){.name = name};
    snprintf(path, sizeof path, FOLDER "/%s.safetensors", name);
    z->file = poise_safetensors_read(path, &err);
    must(z->file ? 0 : -1, &err);
    z->diag = poise_diagnostics_new(&err);
    must(z->diag ? 0 : -1, &err);
    set[n++] = (poise_override){"model", poise_safetensors_meta(z->file, "model")};
    if (poise_safetensors_meta(z->file, "tasks"))
        set[n++] = (poise_override){"tasks", poise_safetensors_meta(z->file, "tasks")};
    z->spec = poise_spec_read(TEST_SOURCE "/golden/zoo.yaml", n, set, z->diag);
    for (int k = 0; k < poise_diagnostics_count(z->diag); k++)
        print_message("%s\n", poise_diagnostics_text(z->diag, k, text, sizeof text));
    assert_non_null(z->spec);
    must(poise_data_open(&z->spec->data, z->spec->schema, &z->data, &err), &err);
    z->rows = tensor(z, "batch", "numeric")->dim[0];
}

static void close_golden(golden *z)
{
    poise_data_done(&z->data);
    poise_spec_free(z->spec);
    poise_diagnostics_free(z->diag);
    poise_safetensors_free(z->file);
}

/* Every value within 1e-4 of the tensor's largest, and of 1e-4 where all are small. */
static void compare(golden *z, const char *prefix, const char *name, const float *got,
                    int64_t count)
{
    const poise_tensor *t = tensor(z, prefix, name);
    const float *want = t->data;
    double largest = 0;

    assert_int_equal(t->bytes, (size_t)count * sizeof *want);
    for (int64_t k = 0; k < count; k++)
        largest = fmax(largest, fabs((double)want[k]));
    for (int64_t k = 0; k < count; k++)
        if (!(fabs((double)got[k] - (double)want[k]) <= 1e-4 * fmin(1, largest) + 1e-7)) {
            print_error("%s: %s/%s [%d] is %.7g, PyTorch's %.7g\n", z->name, prefix, name, (int)k,
                        (double)got[k], (double)want[k]);
            z->wrong = 1;
            return;
        }
}

static void same_shape(const golden *z, const poise_parameter *p, const poise_tensor *t)
{
    int same = t->rank == p->rank;

    for (int d = 0; same && d < p->rank; d++)
        same = t->dim[d] == p->dim[d];
    if (!same)
        fail_msg("%s: %s has another shape in PyTorch", z->name, p->name);
}

/* Every parameter, and there are no others in the file.  A state (running means) keeps its start. */
static void load_weights(const golden *z, poise_store *s)
{
    int n = 0;

    for (int k = 0; k < poise_store_count(s); k++) {
        const poise_parameter *p = poise_store_at(s, k);

        if (p->kind == POISE_STATE)
            continue;
        same_shape(z, p, tensor(z, "w", p->name));
        memcpy(poise_store_weight(s, k), tensor(z, "w", p->name)->data,
               (size_t)p->count * sizeof(float));
        n++;
    }
    for (int k = 0; k < poise_safetensors_count(z->file); k++)
        n -= strncmp(poise_safetensors_at(z->file, k)->name, "w/", 2) == 0;
    assert_int_equal(n, 0);
}

/* Row t of batch/label, [T, B]. */
static const float *label(const golden *z, int t)
{
    return (const float *)tensor(z, "batch", "label")->data + (int64_t)t * z->rows;
}

/* ---- the graph ----------------------------------------------------------------------------- */

/* What a row of a sparse gradient adds, as a table. */
static void compare_gradient(golden *z, poise_session *s, const poise_parameter *p,
                             const poise_gradient *d)
{
    const float *from = poise_session_data(s, d->value);
    float *table;

    if (!d->rows) {
        compare(z, "d", p->name, from, p->count);
        return;
    }
    const int32_t *row = poise_session_data(s, d->rows);
    int64_t width = p->dim[1];
    table = calloc((size_t)p->count, sizeof *table);
    assert_non_null(table);
    for (int64_t k = 0; k < poise_value_count(d->rows) && row[k] >= 0; k++)
        for (int64_t c = 0; c < width; c++)
            table[row[k] * width + c] += from[k * width + c];
    compare(z, "d", p->name, table, p->count);
    free(table);
}

static void fill(const golden *z, const poise_network *n, poise_session *s)
{
    const poise_tensor *numeric = tensor(z, "batch", "numeric"), *ids = tensor(z, "batch", "ids");

    memcpy(poise_session_data(s, n->numeric), numeric->data, numeric->bytes);
    memcpy(poise_session_data(s, n->ids), ids->data, ids->bytes);
    for (int t = 0; t < n->ntask; t++) {
        memcpy(poise_session_data(s, n->label[t]), label(z, t), (size_t)z->rows * sizeof(float));
        memcpy(poise_session_data(s, n->weight[t]), tensor(z, "batch", "weight")->data,
               (size_t)z->rows * sizeof(float));
    }
}

/* The parameters of the graph that are trained, into param; how many. */
static int parameters(poise_graph *g, poise_value **param)
{
    int n = 0;

    for (int k = 0; k < poise_graph_values(g); k++) {
        poise_value *v = poise_graph_value(g, k);

        if (v->role == POISE_PARAM &&
            poise_store_at(poise_graph_store(g), v->param)->kind != POISE_STATE) {
            assert_true(n < MOST);
            param[n++] = v;
        }
    }
    return n;
}

static void outputs_and_gradients_are_pytorchs(void **state)
{
    golden z;
    poise_error err = {0};
    poise_network net;
    poise_value *param[MOST];
    poise_gradient d[MOST];

    open_golden(&z, *state);
    poise_store *store = poise_store_new(&err);
    poise_graph *g = poise_network_graph(store, &err);
    assert_non_null(g);
    poise_graph_train(g, 1);
    must(poise_model_build(z.spec->model, z.spec->schema, g, z.rows, &net, &err), &err);
    int n = parameters(g, param);
    must(poise_backward(g, net.ntask, net.loss, NULL, n, param, d, &err), &err);
    for (int t = 0; t < net.ntask; t++) {
        must(poise_graph_output(g, net.loss[t], &err), &err);
        must(poise_graph_output(g, net.output[t], &err), &err);
    }
    for (int k = 0; k < n; k++) {
        assert_non_null(d[k].value);
        must(poise_graph_output(g, d[k].value, &err), &err);
        if (d[k].rows)
            must(poise_graph_output(g, d[k].rows, &err), &err);
    }
    must(poise_store_seal(store, 1, &err), &err);
    poise_session *s = poise_session_new(g, NULL, &err);
    must(s ? 0 : -1, &err);
    load_weights(&z, store);
    fill(&z, &net, s);
    must(poise_session_run(s, &(poise_run){.seed = 1, .threads = 1}, &err), &err);
    for (int t = 0; t < net.ntask; t++) {
        compare(&z, "output", net.task[t], poise_session_data(s, net.output[t]), z.rows);
        compare(&z, "loss", net.task[t], poise_session_data(s, net.loss[t]), 1);
    }
    for (int k = 0; k < n; k++)
        compare_gradient(&z, s, poise_store_at(store, param[k]->param), &d[k]);
    assert_false(z.wrong);
    poise_session_free(s);
    poise_graph_free(g);
    poise_store_free(store);
    close_golden(&z);
}

/* ---- a training step ----------------------------------------------------------------------- */

static void *copy(const void *from, size_t bytes)
{
    void *to = malloc(bytes);

    assert_non_null(to);
    return memcpy(to, from, bytes);
}

/* The engine may write where a batch lies: it gets copies. */
static void one_step(const golden *z, poise__engine *e)
{
    size_t bytes = (size_t)z->rows * sizeof(float);
    float *labels[MOST_TASKS], *weights[MOST_TASKS];
    const poise_tensor *numeric = tensor(z, "batch", "numeric"), *ids = tensor(z, "batch", "ids");
    poise_batch b = {.rows = z->rows, .label = labels, .weight = weights};
    int64_t *row = calloc((size_t)z->rows, sizeof *row);
    poise_error err = {0};

    assert_true(z->spec->schema->ntask <= MOST_TASKS);
    for (int64_t k = 0; k < z->rows; k++)
        row[k] = k;
    for (int t = 0; t < z->spec->schema->ntask; t++) {
        labels[t] = copy(label(z, t), bytes);
        weights[t] = copy(tensor(z, "batch", "weight")->data, bytes);
    }
    b.row = row;
    b.numeric = copy(numeric->data, numeric->bytes);
    b.ids = copy(ids->data, ids->bytes);
    must(poise__engine_step(e, &b, 0, &err), &err);
    for (int t = 0; t < z->spec->schema->ntask; t++) {
        free(labels[t]);
        free(weights[t]);
    }
    free(b.numeric);
    free(b.ids);
    free(row);
}

static void a_training_step_takes_pytorchs_gradient(void **state)
{
    golden z;
    poise_error err = {0};
    poise__engine e;

    open_golden(&z, *state);
    z.spec->train.batch = z.rows;
    poise_plugin *plugin = poise_plugin_load("equal", &err);
    must(plugin ? 0 : -1, &err);
    const char *task[MOST_TASKS];
    int ntask = z.spec->schema->ntask;
    for (int t = 0; t < ntask; t++)
        task[t] = z.spec->schema->task[t].name;
    poise_balance *balance =
        poise_balance_new(plugin, (uint32_t)ntask, task, 1, 0, NULL, NULL, &err);
    must(balance ? 0 : -1, &err);
    must(poise__engine_open(&e, z.spec, z.spec->schema, balance, z.spec->phase, 1, 2, &err), &err);
    load_weights(&z, e.store);
    one_step(&z, &e);
    for (int t = 0; t < ntask; t++)
        compare(&z, "loss", task[t], &(float){(float)e.training->host.loss[t]}, 1);
    for (int k = 0; k < poise_store_count(e.store); k++) {
        const poise_parameter *p = poise_store_at(e.store, k);
        float *w = poise_store_weight(e.store, k);

        if (p->kind == POISE_STATE)
            continue;
        for (int64_t i = 0; i < p->count; i++)
            w[i] = ((const float *)tensor(&z, "w", p->name)->data)[i] - w[i];
        compare(&z, "d", p->name, w, p->count);
    }
    assert_false(z.wrong);
    poise__engine_close(&e);
    poise_balance_free(balance);
    poise_plugin_free(plugin);
    close_golden(&z);
}

/* ---- which networks ------------------------------------------------------------------------ */

/* File names in `folder` that end so, the ending cut off; how many. */
static int names_in(const char *folder, const char *ending, char (*name)[NAME])
{
    int n = 0;
    DIR *d = opendir(folder);

    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        size_t length = strlen(e->d_name), end = strlen(ending);

        if (length <= end || length >= NAME || strcmp(e->d_name + length - end, ending) != 0)
            continue;
        assert_true(n < MOST);
        memcpy(name[n], e->d_name, length + 1);
        name[n++][length - end] = 0;
    }
    closedir(d);
    return n;
}

/* mmoe.yaml has mmoe.safetensors; a variant is mmoe.VARIANT.safetensors. */
static void every_model_file_has_its_golden_values(void **state)
{
    static char model[MOST][NAME], values[MOST][NAME];
    int n = names_in(TEST_SOURCE "/../models", ".yaml", model);
    int nvalues = names_in(FOLDER, ".safetensors", values);

    (void)state;
    assert_true(n > 0);
    for (int k = 0; k < n; k++) {
        int found = 0;

        for (int j = 0; j < nvalues; j++)
            found |= strcmp(values[j], model[k]) == 0;
        if (!found)
            fail_msg("tests/golden/zoo.py does not have %s", model[k]);
    }
}

int main(void)
{
    static char name[MOST][NAME], title[2 * MOST][NAME + 64];
    static struct CMUnitTest tests[2 * MOST + 1];
    int n = names_in(FOLDER, ".safetensors", name), m = 0;

    tests[m++] = (struct CMUnitTest)cmocka_unit_test(every_model_file_has_its_golden_values);
    for (int k = 0; k < n; k++) {
        snprintf(title[m], sizeof title[m], "outputs and gradients of %s are PyTorch's", name[k]);
        tests[m] = (struct CMUnitTest){.name = title[m],
                                       .test_func = outputs_and_gradients_are_pytorchs,
                                       .initial_state = name[k]};
        m++;
        snprintf(title[m], sizeof title[m], "a training step of %s is PyTorch's", name[k]);
        tests[m] = (struct CMUnitTest){.name = title[m],
                                       .test_func = a_training_step_takes_pytorchs_gradient,
                                       .initial_state = name[k]};
        m++;
    }
    return _cmocka_run_group_tests("zoo", tests, (size_t)m, NULL, NULL);
}
