/* The kinds of layers, on good/kinds.yaml, which has every one of them.  That they compute what they
 * should is shown beside PyTorch (tests/golden/kinds.py), their gradients in test_gradient.c. */
#include "models/layer.h"
#include "net.h"

static void the_file_has_every_kind(void **state)
{
    (void)state;
    poise_spec *s = read_good("good/kinds.yaml", NULL, 0, NULL);
    for (int k = 0; k < POISE__KINDS; k++) {
        int found = 0;
        for (int l = 0; l < s->model->nlayer; l++)
            found |= s->model->layer[l].kind == poise__layer_kinds[k];
        if (!found)
            fail_msg("good/kinds.yaml has no layer of kind %s",
                     poise__layer_kinds[k]->section.name);
    }
    poise_spec_free(s);
}

static int add_parameters(void *user, const poise_layer_info *l)
{
    *(int64_t *)user += l->parameters;
    return 0;
}

static void the_description_counts_every_trained_number(void **state)
{
    (void)state;
    net x;
    poise_error err;
    int64_t described = 0, there = 0;
    net_make(&x, "good/kinds.yaml", NULL, 1);
    assert_int_equal(
        poise_model_describe(x.spec->model, x.spec->schema, add_parameters, &described, &err), 0);
    for (int k = 0; k < poise_store_count(x.store); k++)
        if (poise_store_at(x.store, k)->kind != POISE_STATE)
            there += poise_store_at(x.store, k)->count;
    assert_int_equal(described, there);
    net_done(&x);
}

/* Shapes as they are described are those of the values that are built. */
static void values_have_the_shapes_that_are_described(void **state)
{
    (void)state;
    net x;
    poise_error err;
    net_make(&x, "good/kinds.yaml", NULL, 1);
    const poise_model *m = x.spec->model;
    poise__shape *shape = calloc((size_t)m->ninstance, sizeof(*shape));
    poise_diagnostics *diag = poise_diagnostics_new(&err);
    assert_int_equal(poise__shapes(m, x.spec->schema, shape, diag), 0);
    for (int k = 0; k < m->ninstance; k++) {
        const poise_value *last = NULL; /* what the instance's last node makes */
        for (int n = 0; n < poise_graph_nodes(x.g); n++)
            if (strcmp(poise_graph_node(x.g, n)->layer, m->instance[k]->name) == 0)
                last = poise_graph_node(x.g, n)->out[0];
        if (!last || m->instance[k]->layer->kind == &poise__probability_kind)
            continue; /* passed on as it is, or the logarithm is last */
        assert_int_equal(last->dim[last->rank - 1], shape[k].width);
        assert_int_equal(last->rank == 3 ? last->dim[1] : 0, shape[k].stack);
    }
    poise_diagnostics_free(diag);
    free(shape);
    net_done(&x);
}

/* `info` of the last task feeds nothing, and the first task's attention has nothing to weigh. */
static void what_no_task_needs_is_not_built(void **state)
{
    (void)state;
    net x;
    net_make(&x, "good/kinds.yaml", NULL, 1);
    assert_true(poise_store_find(x.store, "info/click/0/weight") >= 0);
    assert_int_equal(poise_store_find(x.store, "info/buy/0/weight"), -1);
    assert_true(poise_store_find(x.store, "passed/buy/query/weight") >= 0);
    assert_int_equal(poise_store_find(x.store, "passed/click/query/weight"), -1);
    net_done(&x);
}

/* A task's own share of a cross-stitch starts at `own`, the others' at what is left. */
static void shares_start_as_they_are_declared(void **state)
{
    (void)state;
    net x;
    poise_error err;
    net_make(&x, "good/kinds.yaml", NULL, 1);
    assert_int_equal(poise_store_seal(x.store, 1, &err), 0);
    const float *w = poise_store_weight(x.store, poise_store_find(x.store, "stitched/buy/weight"));
    assert_float_equal(w[0], 0.3f, 1e-6);
    assert_float_equal(w[1], 0.7f, 1e-6);
    w = poise_store_weight(x.store, poise_store_find(x.store, "sluiced/buy/1/weight"));
    for (int k = 0; k < 8; k++) /* two tasks in four parts each */
        assert_float_equal(w[k], k == 5 ? 0.9f : 0.1f / 7, 1e-6);
    w = poise_store_weight(x.store, poise_store_find(x.store, "mixed/click/weight"));
    assert_float_equal(w[0] + w[1], 1, 1e-6);
    net_done(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_file_has_every_kind),
        cmocka_unit_test(the_description_counts_every_trained_number),
        cmocka_unit_test(values_have_the_shapes_that_are_described),
        cmocka_unit_test(what_no_task_needs_is_not_built),
        cmocka_unit_test(shares_start_as_they_are_declared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
