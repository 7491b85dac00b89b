/* Models as graphs: names, shapes, counts, starts, places. */
#include "net.h"

/* Width of the input in net.h: 2 numbers and two embeddings of 4.  Tables: 8 and 9 rows. */
enum { D = 10, T = 2, TABLES = (8 + 9) * 4 };

static int64_t count_kind(const net *x, poise_param_kind kind)
{
    int64_t n = 0;
    for (int k = 0; k < poise_store_count(x->store); k++)
        if (poise_store_at(x->store, k)->kind == kind)
            n += poise_store_at(x->store, k)->count;
    return n;
}

static int add_parameters(void *user, const poise_layer_info *l)
{
    *(int64_t *)user += l->parameters;
    return 0;
}

/* Weights and biases counted by hand; the description says the same. */
static void parameter_counts_equal_hand_counts(void **state)
{
    (void)state;
    static const struct {
        const char *spec;
        int64_t dense;
    } cases[] = {
        /* experts, gates, towers, logits */
        {MMOE, 3 * (8 * D + 8 + 6 * 8 + 6) + T * (3 * D + 3) + T * (5 * 6 + 5) + T * (5 + 1)},
        {BOTTOM, (8 * D + 8 + 6 * 8 + 6) + T * (5 * 6 + 5) + T * (5 + 1)},
        {SINGLE, T * (8 * D + 8 + 6 * 8 + 6) + T * (6 + 1)},
        {OMOE, 3 * (8 * D + 8 + 6 * 8 + 6) + (3 * D + 3) + T * (5 * 6 + 5) + T * (5 + 1)},
        /* shared, own, gates over 5, towers, logits */
        {CGC,
         (3 + T * 2) * (8 * D + 8 + 6 * 8 + 6) + T * 5 * (D + 1) + T * (4 * 6 + 4) + T * (4 + 1)},
        /* shared1, own1, level1, common1 (7 experts), shared2, own2, mix, towers, logits */
        {PLE, 3 * (8 * D + 8) + T * 2 * (8 * D + 8) + T * 5 * (D + 1) + 7 * (D + 1) +
                  3 * (6 * 8 + 6 + 5 * 6 + 5) + T * 2 * (6 * 8 + 6 + 5 * 6 + 5) + T * 5 * (8 + 1) +
                  T * (4 * 5 + 4) + T * (4 + 1)},
    };
    for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
        net x;
        poise_error err;
        int64_t described = 0;
        net_make(&x, "here.yaml", cases[k].spec, 1);
        assert_int_equal(count_kind(&x, POISE_DENSE), cases[k].dense);
        assert_int_equal(count_kind(&x, POISE_TABLE), TABLES);
        assert_int_equal(
            poise_model_describe(x.spec->model, x.spec->schema, add_parameters, &described, &err),
            0);
        assert_int_equal(described, cases[k].dense + TABLES);
        net_done(&x);
    }
}

/* The description also counts what norms add: forms.yaml has both kinds. */
static void the_description_counts_every_trained_number(void **state)
{
    (void)state;
    net x;
    poise_error err;
    int64_t described = 0;
    net_make(&x, "good/forms.yaml", NULL, 1);
    assert_int_equal(
        poise_model_describe(x.spec->model, x.spec->schema, add_parameters, &described, &err), 0);
    assert_int_equal(described, count_kind(&x, POISE_DENSE) + count_kind(&x, POISE_TABLE));
    net_done(&x);
}

static void parameters_are_named_by_layer_task_and_index(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        poise_param_kind kind;
        int rank;
        int64_t dim[3];
        poise_init_kind init;
    } cases[] = {
        {"embedding/city_code", POISE_TABLE, 2, {8, 4, 0}, POISE_INIT_NORMAL},
        {"expert/0/weight", POISE_DENSE, 3, {3, 8, D}, POISE_INIT_HE},
        {"expert/0/bias", POISE_DENSE, 2, {3, 8, 0}, POISE_INIT_ZERO},
        {"expert/1/weight", POISE_DENSE, 3, {3, 6, 8}, POISE_INIT_HE},
        {"mix/click/gate/weight", POISE_DENSE, 2, {3, D, 0}, POISE_INIT_GLOROT},
        {"mix/buy/gate/bias", POISE_DENSE, 1, {3, 0, 0}, POISE_INIT_ZERO},
        {"tower/click/0/weight", POISE_DENSE, 2, {5, 6, 0}, POISE_INIT_HE},
        {"logit/buy/weight", POISE_DENSE, 2, {1, 5, 0}, POISE_INIT_GLOROT},
        {"logit/buy/bias", POISE_DENSE, 1, {1, 0, 0}, POISE_INIT_ZERO},
    };
    net x;
    net_make(&x, "here.yaml", MMOE, 1);
    for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
        int i = poise_store_find(x.store, cases[k].name);
        if (i < 0)
            fail_msg("there is no %s", cases[k].name);
        const poise_parameter *p = poise_store_at(x.store, i);
        assert_int_equal(p->kind, cases[k].kind);
        assert_int_equal(p->rank, cases[k].rank);
        for (int d = 0; d < p->rank; d++)
            assert_int_equal(p->dim[d], cases[k].dim[d]);
        assert_int_equal(p->init.kind, cases[k].init);
        assert_true(p->place.line > 0);
    }
    net_done(&x);
}

/* The last task's `info` is for no task, `spare` for none at all: neither is there. */
static void what_no_task_needs_is_not_built(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int there;
    } cases[] = {{"info/click/0/weight", 1}, {"info/buy/0/weight", 0}, {"spare/0/weight", 0}};
    poise_error err;
    int64_t described = 0;
    net x;
    net_make(&x, "here.yaml",
             PLAIN "model:\n"
                   "  network:\n"
                   "    tower: {each: task, mlp: [4], input: [features, \"info[previous]\"]}\n"
                   "    info:  {each: task, mlp: [3], input: tower}\n"
                   "    spare: {mlp: [5], input: features}\n"
                   "    logit: {each: task, dense: 1, input: tower}\n",
             1);
    for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++)
        if ((poise_store_find(x.store, cases[k].name) >= 0) != cases[k].there)
            fail_msg("%s is %sthere", cases[k].name, cases[k].there ? "not " : "");
    assert_int_equal(
        poise_model_describe(x.spec->model, x.spec->schema, add_parameters, &described, &err), 0);
    assert_int_equal(described, count_kind(&x, POISE_DENSE) + count_kind(&x, POISE_TABLE));
    net_done(&x);
}

static void every_node_names_its_layer_and_place(void **state)
{
    (void)state;
    net x;
    net_make(&x, "here.yaml", PLE, 1);
    assert_true(poise_graph_nodes(x.g) > 20);
    for (int k = 0; k < poise_graph_nodes(x.g); k++) {
        const poise_node *n = poise_graph_node(x.g, k);
        assert_true(n->layer[0] != 0);
        assert_non_null(n->place.file);
        assert_true(n->place.line > 0 && n->place.column > 0);
    }
    net_done(&x);
}

static void outputs_are_as_wide_as_the_task_needs(void **state)
{
    (void)state;
    net x;
    net_make(&x, "good/forms.yaml", NULL, 1);
    assert_int_equal(x.n.ntask, 5);
    for (int t = 0; t < 5; t++) {
        assert_int_equal(x.n.output[t]->rank, 2);
        assert_int_equal(x.n.output[t]->dim[0], ROWS);
        assert_int_equal(x.n.output[t]->dim[1], t == 4 ? 3 : 1);
        assert_int_equal(x.n.label[t]->dtype, t == 4 ? POISE_I32 : POISE_F32);
        assert_int_equal(poise_value_count(x.n.loss[t]), 1);
        assert_int_equal(poise_value_count(x.n.labelled[t]), 1);
        assert_string_equal(x.n.task[t], x.spec->schema->task[t].name);
    }
    net_done(&x);
}

/* The evaluation graph binds to the training graph's parameters. */
static void two_graphs_share_one_store(void **state)
{
    (void)state;
    net x;
    poise_error err;
    poise_network other;
    net_make(&x, "good/forms.yaml", NULL, 1);
    int count = poise_store_count(x.store);
    poise_graph *g = poise_network_graph(x.store, &err);
    assert_int_equal(poise_model_build(x.spec->model, x.spec->schema, g, 3, &other, &err), 0);
    assert_int_equal(poise_store_count(x.store), count);
    assert_int_equal(other.output[0]->dim[0], 3);
    poise_graph_free(g);
    net_done(&x);
}

/* A feature named as an input is its own columns: w is the second number, job_code the second
 * table. */
static void one_feature_is_its_own_columns(void **state)
{
    (void)state;
    net x;
    poise_error err;
    net_make(&x, "here.yaml",
             PLAIN "model:\n  network:\n    a: {dense: 1, input: w}\n"
                   "    b: {dense: 1, input: job_code}\n"
                   "    logit: {each: task, dense: 1, input: [a, b]}\n",
             0);
    assert_int_equal(poise_store_at(x.store, poise_store_find(x.store, "a/weight"))->dim[1], 1);
    int wb = poise_store_find(x.store, "b/weight"), wa = poise_store_find(x.store, "a/weight");
    int out = poise_store_find(x.store, "logit/click/weight");
    int table = poise_store_find(x.store, "embedding/job_code");
    assert_int_equal(poise_store_at(x.store, wb)->dim[1], 4);
    assert_int_equal(poise_graph_output(x.g, x.n.output[0], &err), 0);
    assert_int_equal(poise_store_seal(x.store, 1, &err), 0);
    poise_session *s = poise_session_new(x.g, NULL, &err);
    assert_non_null(s);
    net_fill(&x, s);
    /* logit = 1 * w + 10 * job_code[3] */
    poise_store_weight(x.store, wa)[0] = 1;
    memcpy(poise_store_weight(x.store, wb), (float[]){0, 0, 0, 1}, 4 * sizeof(float));
    memcpy(poise_store_weight(x.store, out), (float[]){1, 10}, 2 * sizeof(float));
    assert_int_equal(poise_session_run(s, &(poise_run){.threads = 1}, &err), 0);
    const float *y = poise_session_data(s, x.n.output[0]);
    const float *number = poise_session_data(s, x.n.numeric);
    const int32_t *id = poise_session_data(s, x.n.ids);
    for (int b = 0; b < ROWS; b++) {
        double want = (double)number[b * 2 + 1] +
                      10.0 * (double)poise_store_weight(x.store, table)[id[b * 2 + 1] * 4 + 3];
        assert_true(y[b] - want < 1e-5 && want - y[b] < 1e-5);
    }
    poise_session_free(s);
    net_done(&x);
}

static void what_data_makes_wrong_is_found_when_building(void **state)
{
    (void)state;
    net x;
    poise_error err;
    x.spec = read_good("here.yaml",
                       "data: {train: data/rows.csv}\nfeatures: {age: numeric}\n"
                       "tasks: {kind: {label: kind, type: multiclass}}\n"
                       "model:\n  network:\n    logit: {each: task, dense: 4, input: age}\n",
                       0, NULL);
    pretend_learnt(x.spec->schema);
    x.store = poise_store_new(&err);
    x.g = poise_network_graph(x.store, &err);
    assert_int_equal(poise_model_build(x.spec->model, x.spec->schema, x.g, 2, &x.n, &err), -1);
    assert_int_equal(err.code, POISE_E_SPEC);
    assert_int_equal(err.line, 6);
    assert_int_equal(err.column, 32);
    assert_non_null(strstr(err.message, "4 outputs for task 'kind'"));
    x.spec->schema->task[0].nclass = 4;
    assert_int_equal(poise_model_build(x.spec->model, x.spec->schema, x.g, 0, &x.n, &err), -1);
    assert_int_equal(poise_model_build(x.spec->model, x.spec->schema, x.g, 2, &x.n, &err), 0);
    net_done(&x);
}

typedef struct lines {
    char text[600];
} lines;

static int add_line(void *user, const poise_layer_info *l)
{
    lines *a = user;
    size_t n = strlen(a->text);
    snprintf(a->text + n, sizeof(a->text) - n, "%s %s %s *%d\n", l->name, l->kind, l->shape,
             l->repeats);
    return 0;
}

static void the_description_names_kinds_and_shapes(void **state)
{
    (void)state;
    lines a = {""};
    poise_error err;
    poise_spec *s = read_good("here.yaml", MMOE, 0, NULL);
    assert_int_equal(poise_model_describe(s->model, s->schema, add_line, &a, &err), 0);
    assert_string_equal(a.text, "features input B x 10 *1\n"
                                "expert mlp B x 3 x 6 *1\n"
                                "mix mixture B x 6 *2\n"
                                "tower mlp B x 5 *2\n"
                                "logit dense B x 1 *2\n");
    poise_spec_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameter_counts_equal_hand_counts),
        cmocka_unit_test(the_description_counts_every_trained_number),
        cmocka_unit_test(parameters_are_named_by_layer_task_and_index),
        cmocka_unit_test(what_no_task_needs_is_not_built),
        cmocka_unit_test(every_node_names_its_layer_and_place),
        cmocka_unit_test(outputs_are_as_wide_as_the_task_needs),
        cmocka_unit_test(two_graphs_share_one_store),
        cmocka_unit_test(one_feature_is_its_own_columns),
        cmocka_unit_test(what_data_makes_wrong_is_found_when_building),
        cmocka_unit_test(the_description_names_kinds_and_shapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
