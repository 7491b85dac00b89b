/* Whole networks: the gradient of the sum of all losses against differences, along random
 * directions of every parameter.  The slope must lie between those to the left and to the right:
 * where a relu bends inside the step they are two, else nearly one. */
#include <math.h>
#include "net.h"
#include "zoo.h"

enum { DIRECTIONS = 3 };

static const poise_run run = {.seed = 3, .step = 5, .threads = 1};

static double total(const net *x, poise_session *s)
{
    poise_error err;
    double sum = 0;
    if (poise_session_run(s, &run, &err) < 0)
        fail_msg("%s", err.message);
    for (int t = 0; t < x->n.ntask; t++)
        sum += (double)*(float *)poise_session_data(s, x->n.loss[t]);
    return sum;
}

/* <gradient, v>, v[k] = +1 or -1 */
static double along(poise_session *s, const poise_gradient *d, const poise_parameter *p,
                    const float *v)
{
    double sum = 0;
    const float *g = poise_session_data(s, d->value);
    if (!d->rows) {
        for (int64_t k = 0; k < p->count; k++)
            sum += (double)g[k] * (double)v[k];
        return sum;
    }
    const int32_t *row = poise_session_data(s, d->rows);
    int64_t width = p->dim[1];
    for (int64_t k = 0; k < poise_value_count(d->rows) && row[k] >= 0; k++)
        for (int64_t c = 0; c < width; c++)
            sum += (double)g[k * width + c] * (double)v[row[k] * width + c];
    return sum;
}

static int check_parameter(const net *x, poise_session *s, int index, const poise_gradient *d,
                           double noise)
{
    const poise_parameter *p = poise_store_at(x->store, index);
    float *w = poise_store_weight(x->store, index), *v = calloc((size_t)p->count, sizeof(float)),
          *kept = calloc((size_t)p->count, sizeof(float));
    int wrong = 0;
    memcpy(kept, w, (size_t)p->count * sizeof(float));
    for (int k = 0; k < DIRECTIONS; k++) {
        double step = 2e-3 / sqrt((double)p->count), side[2], slope[2];
        for (int64_t i = 0; i < p->count; i++)
            v[i] = uniform(p->name, (uint64_t)(i + k * p->count)) < 0 ? -1 : 1;
        double middle = total(x, s), got = along(s, d, p, v);
        for (int up = 0; up < 2; up++) {
            for (int64_t i = 0; i < p->count; i++)
                w[i] = kept[i] + (float)(up ? step : -step) * v[i];
            side[up] = total(x, s);
            slope[up] = (up ? side[up] - middle : middle - side[up]) / step;
            memcpy(w, kept, (size_t)p->count * sizeof(float));
        }
        double low = fmin(slope[0], slope[1]), high = fmax(slope[0], slope[1]);
        /* A loss has 24 bits: the difference is known to about 2e-7 per loss, and less well the more
         * layers it comes through. */
        double tolerance = 2e-7 * noise * x->n.ntask / step + 1e-2 * fmax(fabs(low), fabs(high));
        if (!(got >= low - tolerance && got <= high + tolerance)) {
            print_error("%s: %.6g, differences %.6g .. %.6g (+- %.2g)\n", p->name, got, low, high,
                        tolerance);
            wrong = 1;
        }
    }
    free(v);
    free(kept);
    return wrong;
}

/* Biases start at 0, on relu's kink where a layer's input is 0: move everything off it. */
static void shake(poise_store *store)
{
    for (int k = 0; k < poise_store_count(store); k++) {
        const poise_parameter *p = poise_store_at(store, k);
        for (int64_t i = 0; i < p->count && p->kind == POISE_DENSE; i++)
            poise_store_weight(store, k)[i] += (float)(0.1 * uniform(p->name, (uint64_t)i));
    }
}

static void check_gradients(const char *name, const char *text, double noise)
{
    net x;
    poise_error err;
    net_make(&x, name, text, 1);
    int n = 0, values = poise_graph_values(x.g), wrong = 0;
    poise_value **param = calloc((size_t)values, sizeof(poise_value *));
    for (int k = 0; k < values; k++) {
        poise_value *v = poise_graph_value(x.g, k);
        if (v->role == POISE_PARAM && poise_store_at(x.store, v->param)->kind != POISE_STATE)
            param[n++] = v;
    }
    poise_gradient *d = calloc((size_t)n, sizeof(*d));
    if (poise_backward(x.g, x.n.ntask, x.n.loss, NULL, n, param, d, &err) < 0)
        fail_msg("%s", err.message);
    for (int t = 0; t < x.n.ntask; t++)
        poise_graph_output(x.g, x.n.loss[t], &err);
    for (int k = 0; k < n; k++) {
        assert_non_null(d[k].value);
        poise_graph_output(x.g, d[k].value, &err);
        if (d[k].rows)
            poise_graph_output(x.g, d[k].rows, &err);
    }
    assert_int_equal(poise_store_seal(x.store, 11, &err), 0);
    poise_session *s = poise_session_new(x.g, NULL, &err);
    if (!s)
        fail_msg("%s", err.message);
    net_fill(&x, s);
    shake(x.store);
    for (int k = 0; k < n; k++)
        wrong += check_parameter(&x, s, param[k]->param, &d[k], noise);
    assert_int_equal(wrong, 0);
    poise_session_free(s);
    free(d);
    free(param);
    net_done(&x);
}

/* Differences see through what stops a gradient: stop_gradient, and the weights of rows.  A model that
 * stops some is checked as a copy that does not; that it stops where it should is seen beside PyTorch
 * (tests/golden/test_zoo.c).  What the run file calls the model: its name, or the copy's path. */
static const char *without_stops(const char *name, char *path, size_t size)
{
    static const char stop[] = "stop_gradient: ", pass[] = "scale: 1.0, input: ";
    char *text = calloc(1, 1 << 16), *at = text, *next;
    snprintf(path, size, TEST_SOURCE "/../models/%s.yaml", name);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    assert_true(fread(text, 1, (1 << 16) - 1, f) > 0);
    fclose(f);
    if (strstr(text, stop) || strstr(text, "\nrow_weight:")) {
        snprintf(path, size, TEST_BUILD "/tests/gradient_%s.yaml", name);
        f = fopen(path, "wb");
        assert_non_null(f);
        if ((next = strstr(text, "\nrow_weight:")) != NULL) /* a line of its own */
            memset(next + 1, ' ', strcspn(next + 1, "\n"));
        for (; (next = strstr(at, stop)) != NULL; at = next + strlen(stop))
            fprintf(f, "%.*s%s", (int)(next - at), at, pass);
        fputs(at, f);
        fclose(f);
    } else
        snprintf(path, size, "%s", name);
    free(text);
    return path;
}

static void a_model_of_the_zoo(void **state)
{
    const zoo_row *row = *state;
    char text[2000], path[1000];
    const char *tasks = row->tasks ? row->tasks : "{click: {label: click}, buy: {label: buy}}";
    snprintf(text, sizeof(text), "%stasks: %s\nmodel: {use: %s, %s%s}\n", ROWS_HERE, tasks,
             without_stops(row->name, path, sizeof(path)), row->here, row->settings);
    check_gradients("here.yaml", text, 1);
}

/* Norms, dropout, stacks on stacks, all losses. */
static void every_form(void **state)
{
    (void)state;
    check_gradients("good/forms.yaml", NULL, 1);
    check_gradients("good/lists.yaml", NULL, 1);
    check_gradients("good/tables.yaml", NULL, 1);
}

static void every_kind(void **state)
{
    (void)state;
    check_gradients("good/kinds.yaml", NULL, 4);
}

int main(void)
{
    struct CMUnitTest tests[ZOO + 2] = {cmocka_unit_test(every_form), cmocka_unit_test(every_kind)};
    for (int k = 0; k < ZOO; k++)
        tests[k + 2] = (struct CMUnitTest){.name = zoo[k].name,
                                           .test_func = a_model_of_the_zoo,
                                           .initial_state = (void *)(uintptr_t)&zoo[k]};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
