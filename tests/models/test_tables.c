/* Tables that several features use: one parameter, whose rows each of them has. */
#include <math.h>
#include "net.h"

static int tables(const net *x)
{
    int n = 0;
    for (int k = 0; k < poise_store_count(x->store); k++)
        n += poise_store_at(x->store, k)->kind == POISE_TABLE;
    return n;
}

static const poise_parameter *parameter(const net *x, const char *name)
{
    int k = poise_store_find(x->store, name);
    if (k < 0)
        fail_msg("there is no parameter %s", name);
    return poise_store_at(x->store, k);
}

static void a_table_is_there_once(void **state)
{
    (void)state;
    net x;
    net_make(&x, "good/tables.yaml", NULL, 0);
    /* five features with tables of three, and four tables of layers' own */
    assert_int_equal(tables(&x), 3 + 2 + 1);
    const poise_parameter *job = parameter(&x, "embedding/job_code");
    assert_int_equal(job->dim[1], 4);
    assert_int_equal(parameter(&x, "embedding/cities")->dim[1], 3);
    assert_int_equal(parameter(&x, "embedding/stars")->dim[1], 2);
    assert_int_equal(parameter(&x, "own/job_code")->dim[0], job->dim[0]);
    assert_int_equal(parameter(&x, "own/job_code")->dim[1], 2);
    assert_int_equal(parameter(&x, "own/stars")->dim[1], 2);
    /* of the one feature that is named, it has the name of the table's owner all the same */
    assert_int_equal(parameter(&x, "one/cities")->dim[1], 3);
    net_done(&x);
}

static void its_weights_are_counted_once(void **state)
{
    (void)state;
    poise_error err;
    net x;
    net_make(&x, "good/tables.yaml", NULL, 1);
    int64_t all = 0;
    for (int k = 0; k < poise_store_count(x.store); k++)
        all += poise_store_at(x.store, k)->count;
    assert_int_equal(poise_model_weights(x.spec->model, x.spec->schema, &err), all);
    net_done(&x);
}

/* The value that layer `name` reads, made an output. */
static poise_value *input_of(net *x, const char *name)
{
    poise_error err;
    for (int k = 0; k < poise_graph_nodes(x->g); k++)
        if (strcmp(poise_graph_node(x->g, k)->layer, name) == 0) {
            poise_value *v = poise_graph_node(x->g, k)->in[0];
            assert_int_equal(poise_graph_output(x->g, v, &err), 0);
            return v;
        }
    fail_msg("there is no layer %s", name);
    return NULL;
}

/* What a row of [B, W] holds from `at` on is row `id` of a table. */
static void is_row(const float *y, const float *table, int32_t id, int64_t width)
{
    assert_memory_equal(y, table + id * width, (size_t)width * sizeof(float));
}

/* features: the number, then stars, whose table is its own, then seen, job_code, last, cities, city. */
static void each_feature_has_its_rows(void **state)
{
    (void)state;
    poise_error err;
    net x;
    net_make(&x, "good/tables.yaml", NULL, 0);
    poise_value *all = input_of(&x, "all");
    assert_int_equal(all->dim[1], 1 + 2 + 4 + 4 + 4 + 3 + 3);
    assert_int_equal(poise_store_seal(x.store, 1, &err), 0);
    poise_session *s = poise_session_new(x.g, NULL, &err);
    assert_non_null(s);
    net_fill(&x, s);
    assert_int_equal(poise_session_run(s, &(poise_run){.seed = 1, .threads = 1}, &err), 0);
    const float *job = poise_store_weight(x.store, poise_store_find(x.store, "embedding/job_code"));
    const float *city = poise_store_weight(x.store, poise_store_find(x.store, "embedding/cities"));
    const float *stars = poise_store_weight(x.store, poise_store_find(x.store, "embedding/stars"));
    const int32_t *id = poise_session_data(s, x.n.ids); /* job_code, last, city, stars */
    const int32_t *seen = poise_session_data(s, x.n.list[0]);
    const float *y = poise_session_data(s, all);
    for (int b = 0; b < ROWS; b++, y += all->dim[1], id += 4, seen += 3) {
        is_row(y + 1, stars, id[3], 2);
        is_row(y + 7, job, id[0], 4);
        is_row(y + 11, job, id[1], 4);
        is_row(y + 18, city, id[2], 3);
        for (int d = 0, n = 0; d < 4; d++, n = 0) { /* the mean of its items */
            double sum = 0;
            for (int l = 0; l < 3; l++)
                if (seen[l] >= 0) {
                    sum += (double)job[seen[l] * 4 + d];
                    n++;
                }
            assert_true(fabs((double)y[3 + d] - (n ? sum / n : 0)) < 1e-7);
        }
    }
    poise_session_free(s);
    net_done(&x);
}

static void a_spec_is_written_with_its_tables(void **state)
{
    (void)state;
    poise_error err;
    poise_spec *s = read_good("good/tables.yaml", NULL, 0, NULL);
    char *text = poise_spec_resolved(s, &err);
    assert_non_null(text);
    assert_non_null(strstr(text, "table: job_code"));
    assert_non_null(strstr(text, "table: cities"));
    assert_null(strstr(text, "table: stars"));
    /* what is not said is the owner's */
    assert_int_equal(s->schema->feature[1].dim, 4);
    assert_int_equal(s->schema->feature[5].min_count, 2);
    free(text);
    poise_spec_free(s);
}

/* A pattern's features use one table; its owner is none of them. */
static void a_pattern_may_use_one_table(void **state)
{
    (void)state;
    net x;
    net_make(&x, "here.yaml",
             "data: {train: data/rows.csv}\n"
             "features: {kind: {categorical: {dim: 3}}, \"*_code\": {categorical: {table: kind}}}\n"
             "tasks: {click: {label: click}}\n"
             "model: {network: {logit: {each: task, dense: 1, input: features}}}\n",
             0);
    assert_int_equal(x.spec->schema->nfeature, 3);
    assert_int_equal(tables(&x), 1);
    assert_int_equal(x.spec->schema->feature[0].users, 2);
    net_done(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_is_there_once),
        cmocka_unit_test(its_weights_are_counted_once),
        cmocka_unit_test(each_feature_has_its_rows),
        cmocka_unit_test(a_spec_is_written_with_its_tables),
        cmocka_unit_test(a_pattern_may_use_one_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
