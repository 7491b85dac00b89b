/* The features of a spec: which columns they read, and what they are in the network. */
#include <math.h>
#include "net.h"

static const poise_feature *feature(const poise_spec *s, const char *name)
{
    for (int k = 0; k < s->schema->nfeature; k++)
        if (strcmp(s->schema->feature[k].name, name) == 0)
            return &s->schema->feature[k];
    fail_msg("there is no feature %s", name);
    return NULL;
}

static void a_column_may_be_read_by_several_features(void **state)
{
    (void)state;
    poise_spec *s = read_good("good/treatment.yaml", NULL, 0, NULL);
    const char *const wanted[][2] = {
        {"age", "age"},
        {"age_group", "age"},
        {"stars_word", "stars"},
        {"city_code_word", "city_code"}, /* of a pattern: in the order of the columns */
        {"job_code_word", "job_code"},
        {"gaps", "gaps"},
        {"holes", "holes"},
        {"income", "income"}, /* "*" passes over what a feature has named */
        {"kind", "kind"},
        {"w", "w"},
    };
    assert_int_equal(s->schema->nfeature, POISE__COUNT(wanted));
    for (int k = 0; k < s->schema->nfeature; k++) {
        assert_string_equal(s->schema->feature[k].name, wanted[k][0]);
        assert_string_equal(poise_feature_column(&s->schema->feature[k]), wanted[k][1]);
    }
    poise_spec_free(s);
}

static void a_treatment_is_as_it_was_written(void **state)
{
    (void)state;
    poise_spec *s = read_good("good/treatment.yaml", NULL, 0, NULL);
    const poise_feature *age = feature(s, "age"), *group = feature(s, "age_group");
    assert_true(age->indicator && age->clip && !age->bin_only && age->standardise);
    assert_true(age->low == 0 && age->high == 99.5);
    assert_int_equal(age->transform, POISE_SQRT);
    assert_int_equal(age->bins, 4);
    assert_int_equal(poise_feature_width(age), 5); /* the number, the indicator, 3 of the bin */
    assert_true(isnan(age->missing));
    assert_true(group->bin_only && !group->indicator && !group->clip);
    assert_int_equal(poise_feature_width(group), 2);
    assert_int_equal(poise_schema_numeric(s->schema), 4);
    assert_int_equal(poise_schema_categorical(s->schema), 9);
    poise_spec_free(s);
}

static void a_missing_count_counts_what_features_read_or_what_it_names(void **state)
{
    (void)state;
    poise_spec *s = read_good("good/treatment.yaml", NULL, 0, NULL);
    const poise_feature *gaps = feature(s, "gaps"), *holes = feature(s, "holes");
    const char *const read[] = {"age", "city_code", "job_code", "income", "stars", "kind", "w"};
    const char *const named[] = {"city_code", "job_code", "w"};
    assert_int_equal(gaps->ncounted, POISE__COUNT(read));
    for (int k = 0; k < gaps->ncounted; k++)
        assert_string_equal(gaps->counted[k], read[k]);
    assert_int_equal(holes->ncounted, POISE__COUNT(named));
    for (int k = 0; k < holes->ncounted; k++)
        assert_string_equal(holes->counted[k], named[k]);
    assert_int_equal(gaps->transform, POISE_LOG1P);
    assert_int_equal(holes->standardise, 0);
    poise_spec_free(s);
}

/* age is two columns of the numbers and three of the embeddings: [0, 2) and [0, 3); gaps the third
 * number and two columns after those of age, age_group and three words. */
static void a_feature_alone_is_its_part_of_all_features(void **state)
{
    (void)state;
    poise_error err;
    net x;
    net_make(&x, "good/treatment.yaml", NULL, 0);
    poise_value *one = NULL;
    for (int k = 0; k < poise_graph_nodes(x.g) && !one; k++)
        if (strcmp(poise_graph_node(x.g, k)->layer, "one") == 0 &&
            strcmp(poise_graph_node(x.g, k)->op->name, "linear") == 0)
            one = poise_graph_node(x.g, k)->in[0];
    poise_value *all = NULL;
    for (int k = 0; k < poise_graph_nodes(x.g) && !all; k++)
        if (strcmp(poise_graph_node(x.g, k)->layer, "all") == 0)
            all = poise_graph_node(x.g, k)->in[0];
    assert_true(one && all);
    assert_int_equal(one->dim[1], 5 + 3 + 2);
    assert_int_equal(all->dim[1], 4 + 3 + 2 + 3 * 2 + 2 + 3 * 8);
    assert_int_equal(poise_graph_output(x.g, one, &err), 0);
    assert_int_equal(poise_graph_output(x.g, all, &err), 0);
    assert_int_equal(poise_store_seal(x.store, 1, &err), 0);
    poise_session *s = poise_session_new(x.g, NULL, &err);
    assert_non_null(s);
    net_fill(&x, s);
    assert_int_equal(poise_session_run(s, &(poise_run){.seed = 1, .threads = 1}, &err), 0);
    /* Where each column of [age, gaps, stars_word] stands among all. */
    const int from[] = {0, 1, 4, 5, 6, 2, 15, 16, 9, 10};
    const float *a = poise_session_data(s, all), *o = poise_session_data(s, one);
    for (int b = 0; b < ROWS; b++)
        for (int k = 0; k < 10; k++)
            assert_true(o[b * 10 + k] == a[b * all->dim[1] + from[k]]);
    poise_session_free(s);
    net_done(&x);
}

static void a_list_is_as_it_was_written(void **state)
{
    (void)state;
    poise_spec *s = read_good("good/lists.yaml", NULL, 0, NULL);
    const poise_feature *job = feature(s, "job_code"), *city = feature(s, "cities");
    assert_string_equal(job->separator, "|");
    assert_true(job->pool == POISE_POOLED_MEAN && !job->keep_last && job->min_count == 1);
    assert_string_equal(city->separator, "; ");
    assert_string_equal(poise_feature_column(city), "city_code");
    assert_true(city->pool == POISE_POOLED_MAX && city->keep_last && city->min_count == 2);
    assert_int_equal(city->length, 3);
    assert_int_equal(feature(s, "kind")->pool, POISE_POOLED_SUM);
    assert_int_equal(poise_schema_lists(s->schema), 3);
    assert_int_equal(poise_schema_categorical(s->schema), 1);
    poise_spec_free(s);
}

/* features: the number, the embedding of stars, then the lists in the order of the file. */
static void a_list_is_pooled(void **state)
{
    (void)state;
    poise_error err;
    net x;
    net_make(&x, "good/lists.yaml", NULL, 0);
    poise_value *all = NULL;
    for (int k = 0; k < poise_graph_nodes(x.g) && !all; k++)
        if (strcmp(poise_graph_node(x.g, k)->layer, "all") == 0)
            all = poise_graph_node(x.g, k)->in[0];
    assert_int_equal(all->dim[1], 1 + 2 + 3 + 2 + 5);
    assert_int_equal(x.n.nlist, 3);
    assert_string_equal(x.n.list[1]->name, "list/cities");
    assert_int_equal(poise_graph_output(x.g, all, &err), 0);
    assert_int_equal(poise_store_seal(x.store, 1, &err), 0);
    poise_session *s = poise_session_new(x.g, NULL, &err);
    assert_non_null(s);
    net_fill(&x, s);
    assert_int_equal(poise_session_run(s, &(poise_run){.seed = 1, .threads = 1}, &err), 0);
    const float *y = poise_session_data(s, all);
    const char *const table[] = {"embedding/job_code", "embedding/cities", "embedding/kind"};
    for (int k = 0, at = 3; k < 3; k++) {
        const int64_t length = x.n.list[k]->dim[1], width = k == 0 ? 3 : k == 1 ? 2 : 5;
        const float *w = poise_store_weight(x.store, poise_store_find(x.store, table[k]));
        const int32_t *ids = poise_session_data(s, x.n.list[k]);
        for (int b = 0; b < ROWS; b++)
            for (int64_t d = 0; d < width; d++) {
                double sum = 0, most = -INFINITY;
                int n = 0;
                for (int64_t l = 0; l < length && ids[b * length + l] >= 0; l++, n++) {
                    double v = (double)w[ids[b * length + l] * width + d];
                    sum += v;
                    most = fmax(most, v);
                }
                double wanted = n == 0 ? 0 : k == 0 ? sum / n : k == 1 ? most : sum;
                assert_true(fabs((double)y[b * all->dim[1] + at + d] - wanted) < 1e-6);
            }
        at += (int)width;
    }
    poise_session_free(s);
    net_done(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_column_may_be_read_by_several_features),
        cmocka_unit_test(a_treatment_is_as_it_was_written),
        cmocka_unit_test(a_missing_count_counts_what_features_read_or_what_it_names),
        cmocka_unit_test(a_list_is_as_it_was_written),
        cmocka_unit_test(a_list_is_pooled),
        cmocka_unit_test(a_feature_alone_is_its_part_of_all_features),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
