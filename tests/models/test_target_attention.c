/* target_attention against its formulas in double, from the same weights and ids. */
#include <math.h>
#include "net.h"

enum { D = 4, L = 3, H = 5 };

#define SPEC(keys)                                                                                 \
    "data: {train: data/rows.csv}\n"                                                               \
    "features: {age: numeric, job_code: {categorical: {dim: 4}}, tags: {column: kind, list: "      \
    "{dim: 4, length: 3}}}\n"                                                                      \
    "tasks: {click: {label: click}}\n"                                                             \
    "model: {network: {seen: {target_attention: tags, target: job_code, " keys "}, logit: {each: " \
    "task, dense: 1, input: [seen, tags]}}}\n"

typedef struct seen {
    net x;
    poise_session *s;
    poise_value *y; /* [B, D] */
} seen;

static void make(seen *n, const char *text)
{
    poise_error err;
    net_make(&n->x, "here.yaml", text, 0);
    n->y = NULL;
    for (int k = 0; k < poise_graph_nodes(n->x.g); k++)
        if (strcmp(poise_graph_node(n->x.g, k)->layer, "seen") == 0)
            n->y = poise_graph_node(n->x.g, k)->out[0];
    assert_non_null(n->y);
    assert_int_equal(poise_graph_output(n->x.g, n->y, &err), 0);
    assert_int_equal(poise_store_seal(n->x.store, 5, &err), 0);
    n->s = poise_session_new(n->x.g, NULL, &err);
    assert_non_null(n->s);
    for (int k = 0; k < poise_store_count(n->x.store); k++) { /* none is 0, none is small */
        const poise_parameter *p = poise_store_at(n->x.store, k);
        for (int64_t i = 0; i < p->count; i++)
            poise_store_weight(n->x.store, k)[i] = (float)uniform(p->name, (uint64_t)i);
    }
    net_fill(&n->x, n->s);
    const poise_run run = {.seed = 1, .threads = 1};
    assert_int_equal(poise_session_run(n->s, &run, &err), 0);
}

static void done(seen *n)
{
    poise_session_free(n->s);
    net_done(&n->x);
}

static const float *weight(const seen *n, const char *name)
{
    int k = poise_store_find(n->x.store, name);
    if (k < 0)
        fail_msg("there is no %s", name);
    return poise_store_weight(n->x.store, k);
}

static double dot_score(const seen *n, const float *q, const float *k)
{
    double sum = 0;
    (void)n;
    for (int c = 0; c < D; c++)
        sum += (double)q[c] * (double)k[c];
    return sum / sqrt(D);
}

static double mlp_score(const seen *n, const float *q, const float *k)
{
    const float *w = weight(n, "seen/0/weight"), *b = weight(n, "seen/0/bias");
    const float *last = weight(n, "seen/weight");
    double in[4 * D], sum = (double)weight(n, "seen/bias")[0];
    for (int c = 0; c < D; c++) {
        in[c] = (double)q[c];
        in[D + c] = (double)k[c];
        in[2 * D + c] = (double)q[c] - (double)k[c];
        in[3 * D + c] = (double)q[c] * (double)k[c];
    }
    for (int h = 0; h < H; h++) {
        double z = (double)b[h];
        for (int c = 0; c < 4 * D; c++)
            z += (double)w[h * 4 * D + c] * in[c];
        sum += (double)last[h] / (1 + exp(-z));
    }
    return sum;
}

/* Row b: what the layer should make of it. */
static void expected(const seen *n, int b, int softmax,
                     double (*score)(const seen *n, const float *q, const float *k), double *y)
{
    const int32_t *id = (const int32_t *)poise_session_data(n->s, n->x.n.ids) + b;
    const int32_t *item = (const int32_t *)poise_session_data(n->s, n->x.n.list[0]) + b * L;
    const float *q = weight(n, "embedding/job_code") + *id * D;
    const float *table = weight(n, "embedding/tags");
    double by[L], sum = 0;
    for (int l = 0; l < L; l++) {
        by[l] = item[l] < 0 ? 0 : score(n, q, table + item[l] * D);
        by[l] = item[l] >= 0 && softmax ? exp(by[l]) : by[l];
        sum += by[l];
    }
    for (int c = 0; c < D; c++) {
        y[c] = 0;
        for (int l = 0; l < L; l++)
            if (item[l] >= 0)
                y[c] += by[l] / (softmax ? sum : 1) * (double)table[item[l] * D + c];
    }
}

static void check(const char *text, int softmax,
                  double (*score)(const seen *n, const float *q, const float *k))
{
    seen n;
    make(&n, text);
    const float *got = poise_session_data(n.s, n.y);
    int empty = 0;
    for (int b = 0; b < ROWS; b++) {
        double want[D];
        expected(&n, b, softmax, score, want);
        empty += fabs(want[0]) + fabs(want[1]) < 1e-9;
        for (int c = 0; c < D; c++)
            if (!(fabs((double)got[b * D + c] - want[c]) < 1e-5))
                fail_msg("row %d, column %d is %g, not %g", b, c, (double)got[b * D + c], want[c]);
    }
    assert_true(empty > 0 && empty < ROWS); /* an empty list is 0, and there are others */
    done(&n);
}

static void scores_of_a_network_weigh_items(void **state)
{
    (void)state;
    check(SPEC("hidden: [5]"), 0, mlp_score);
    check(SPEC("hidden: [5], normalise: true"), 1, mlp_score);
}

static void scores_of_a_product_weigh_items(void **state)
{
    (void)state;
    check(SPEC("score: dot"), 0, dot_score);
    check(SPEC("score: dot, normalise: true"), 1, dot_score);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_of_a_network_weigh_items),
        cmocka_unit_test(scores_of_a_product_weigh_items),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
