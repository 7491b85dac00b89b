/* What the words of a model file come to: expressions, each, override, extends, groups, outputs. */
#include "same.h"
#include "models/layer.h"

#define FUNNEL "data: {generate: funnel, rows: 100}\n"

/* The widths that an expression comes to as those of an mlp. */
static void check_widths(const char *expression, int n, const int64_t *want)
{
    char text[600];
    snprintf(text, sizeof(text),
             FUNNEL
             "model:\n"
             "  params: {n: 4, half: 0.5, units: [16, 8, 2], deep: [[3, 4], [5]], a-b: 7, a: 9, "
             "b: 2}\n"
             "  network:\n    x: {mlp: %s, input: features}\n"
             "    logit: {each: task, dense: 1, input: x}\n",
             expression);
    poise_spec *s = read_good("here.yaml", text, 0, NULL);
    const poise__layer *x = &s->model->layer[0];
    const poise__ints *got =
        (const void *)((const char *)x->own[0] + x->kind->section.key[0].offset);
    if (got->n != n || memcmp(got->value, want, (size_t)n * sizeof(*want)) != 0)
        fail_msg("%s comes to %d widths, the first %d", expression, got->n, (int)got->value[0]);
    poise_spec_free(s);
}

static void expressions_come_to_their_values(void **state)
{
    (void)state;
    static const struct {
        const char *expression;
        int64_t value;
    } cases[] = {
        {"$n", 4},
        {"\"$units[0]\"", 16},
        {"\"$units[-1]\"", 2},
        {"\"$units[-3]\"", 16},
        {"\"$units[$b]\"", 2},
        {"\"$units[length($units) - 1]\"", 2},
        {"\"$deep[0][1]\"", 4},
        {"\"$deep[-1][-1]\"", 5},
        {"$n * 2", 8},
        {"2 * $n + 1", 9},
        {"2 + $n * 3", 14},
        {"(2 + $n) * 3", 18},
        {"$n - 1 - 1", 2},
        {"$n - (1 - 1)", 4},
        {"$n / 2 / 2", 1},
        {"-$n + 10", 6},
        {"-(-$n)", 4},
        {"$n*$n", 16},
        {"$n / 0.5", 8},
        {"$half * 8", 4},
        {"$half + $half", 1},
        {"$a-b", 7}, /* the longest name that there is */
        {"$a-$b", 7},
        {"$n-1", 3},
        {"length($units)", 3},
        {"length($tasks) * 2", 6},
        {"length($deep) + length( $deep[0] )", 4},
        {"1e1 + $n", 14},
    };
    for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
        char list[100];
        const char *bracket = strchr(cases[k].expression, '[');
        snprintf(list, sizeof(list), bracket && cases[k].expression[0] != '"' ? "[\"%s\"]" : "[%s]",
                 cases[k].expression);
        check_widths(list, 1, &cases[k].value);
    }
    check_widths("$units", 3, (const int64_t[]){16, 8, 2});
    check_widths("\"$deep[0]\"", 2, (const int64_t[]){3, 4});
    check_widths("[$n, \"$units[0]\", 5]", 3, (const int64_t[]){4, 16, 5});
}

/* The two are written differently and are one network. */
static void check_same(const char *one, const char *other)
{
    char text[2][2000];
    net x, y;
    snprintf(text[0], sizeof(text[0]), FUNNEL "%s", one);
    snprintf(text[1], sizeof(text[1]), FUNNEL "%s", other);
    net_make(&x, "here.yaml", text[0], 1);
    net_make(&y, "here.yaml", text[1], 1);
    same_network(&x, &y);
    net_done(&x);
    net_done(&y);
}

static void an_override_is_another_layer_for_one_name(void **state)
{
    (void)state;
    check_same(
        "model:\n  network:\n"
        "    a: {each: task, mlp: [8], norm: layer, input: features, override: {detail: {mlp: "
        "[6, 3], norm: , copies: 2}, favourite: {input: [user, item]}}}\n"
        "    m: {each: task, mixture: a, gate: features}\n"
        "    logit: {each: task, dense: 1, input: m}\n",
        "model:\n  output: {click: logit/click, detail: logit/detail, favourite: "
        "logit/favourite}\n  network:\n"
        "    a/click: {task: click, mlp: [8], norm: layer, input: features}\n"
        "    a/detail: {task: detail, mlp: [6, 3], copies: 2, input: features}\n"
        "    a/favourite: {task: favourite, mlp: [8], norm: layer, input: [user, item]}\n"
        "    m/click: {mixture: a/click, gate: features}\n"
        "    m/detail: {mixture: a/detail, gate: features}\n"
        "    m/favourite: {mixture: a/favourite, gate: features}\n"
        "    logit/click: {dense: 1, input: m/click}\n"
        "    logit/detail: {dense: 1, input: m/detail}\n"
        "    logit/favourite: {dense: 1, input: m/favourite}\n");
}

static void each_takes_names_and_says_which(void **state)
{
    (void)state;
    check_same("model:\n  params: {sides: [user, item], width: 4}\n  network:\n"
               "    side: {each: $sides, mlp: [$width], input: features.$each}\n"
               "    pair: {each: [item, user], dense: 3, input: side}\n"
               "    rest: {each: [user], dense: 2, input: \"pair[others]\"}\n"
               "    logit: {each: task, dense: 1, input: [\"pair[*]\", \"rest[user]\"]}\n",
               "model:\n  network:\n"
               "    side/user: {mlp: [4], input: user}\n"
               "    side/item: {mlp: [4], input: item}\n"
               "    pair/item: {dense: 3, input: side/item}\n"
               "    pair/user: {dense: 3, input: side/user}\n"
               "    rest/user: {dense: 2, input: pair/item}\n"
               "    logit: {each: task, dense: 1, input: [pair/item, pair/user, rest/user]}\n");
}

static void what_is_read_of_other_tasks(void **state)
{
    (void)state;
    check_same("model:\n  network:\n"
               "    a: {each: task, dense: 2, input: features}\n"
               "    b: {each: task, dense: 2, input: [a, \"b[earlier]\"]}\n"
               "    c: {task: detail, dense: 2, input: [b, \"b[previous]\", \"b[others]\"]}\n"
               "    logit: {each: task, dense: 1, input: [b, c, \"a[others]\"]}\n",
               "model:\n  output: {click: logit/click, detail: logit/detail, favourite: "
               "logit/favourite}\n  network:\n"
               "    a/click: {dense: 2, input: features}\n"
               "    a/detail: {dense: 2, input: features}\n"
               "    a/favourite: {dense: 2, input: features}\n"
               "    b/click: {dense: 2, input: [a/click]}\n"
               "    b/detail: {dense: 2, input: [a/detail, b/click]}\n"
               "    b/favourite: {dense: 2, input: [a/favourite, b/click, b/detail]}\n"
               "    c: {dense: 2, input: [b/detail, b/click, b/click, b/favourite]}\n"
               "    logit/click: {dense: 1, input: [b/click, c, a/detail, a/favourite]}\n"
               "    logit/detail: {dense: 1, input: [b/detail, c, a/click, a/favourite]}\n"
               "    logit/favourite: {dense: 1, input: [b/favourite, c, a/click, a/detail]}\n");
}

static void extending_adds_changes_and_takes_away(void **state)
{
    (void)state;
    check_same("model:\n  extends: mmoe\n"
               "  params: {experts: 3, units: [6], tower: , gates: {default: [5], type: integers}, "
               "dropout: }\n"
               "  network:\n"
               "    look: {mlp: $gates, input: features}\n"
               "    mix: {gate: look}\n"
               "    tower:\n"
               "    logit: {each: task, dense: task, input: mix}\n",
               "model:\n  network:\n"
               "    expert: {copies: 3, mlp: [6], input: features}\n"
               "    look: {mlp: [5], input: features}\n"
               "    mix: {each: task, mixture: expert, gate: look}\n"
               "    logit: {each: task, dense: 1, input: mix}\n");
}

/* mlp has an option of the name of a kind: among an mlp's options it is that, unless mlp is gone. */
static void an_option_stays_one_where_it_is_also_a_kind(void **state)
{
    (void)state;
    static const struct {
        const char *tower, *want;
    } cases[] = {
        {"{dropout: 0.3}", "{each: task, mlp: [64], dropout: 0.3, input: mix}"},
        {"{norm: layer, dropout: 0.3}",
         "{each: task, mlp: [64], dropout: 0.3, norm: layer, input: mix}"},
        {"{dropout: 0.3, input: expert}", NULL}, /* an mlp still: it cannot read a stack */
        {"{dropout: }", "{each: task, mlp: [64], input: mix}"},
        {"{dropout: , activation: tanh}", "{each: task, mlp: [64], activation: tanh, input: mix}"},
        {"{mlp: , dropout: 0.2}", "{each: task, dropout: 0.2, input: mix}"},
        {"{each: task, dense: 8, input: mix}", "{each: task, dense: 8, input: mix}"},
        {"{each: task, mlp: [3], input: mix}", "{each: task, mlp: [3], input: mix}"},
    };
    for (int k = 0; k < (int)(sizeof(cases) / sizeof(cases[0])); k++) {
        char text[600], want[600];
        snprintf(text, sizeof(text),
                 "model:\n  extends: mmoe\n  params: {dropout: 0.5}\n  network:\n    tower: %s\n",
                 cases[k].tower);
        snprintf(want, sizeof(want),
                 "model:\n  network:\n"
                 "    expert: {copies: 8, mlp: [256, 128], input: features}\n"
                 "    mix: {each: task, mixture: expert, gate: features}\n    tower: %s\n"
                 "    logit: {each: task, dense: 1, input: tower}\n",
                 cases[k].want ? cases[k].want : "");
        if (cases[k].want) {
            check_same(text, want);
            continue;
        }
        char whole[700], said[600] = "";
        poise_diagnostics *diag;
        snprintf(whole, sizeof(whole), FUNNEL "%s", text);
        assert_null(read_spec("here.yaml", whole, 0, NULL, &diag));
        assert_non_null(strstr(poise_diagnostics_text(diag, 0, said, sizeof(said)), "stack"));
        poise_diagnostics_free(diag);
    }
}

/* Which options are kinds' names too: the rule above is about these. */
static void options_that_are_kinds_are_known(void **state)
{
    (void)state;
    char found[200] = "";
    for (int k = 0; k < POISE__KINDS; k++)
        for (int j = 0; j < POISE__KINDS; j++)
            if (j != k && poise__section_has(&poise__layer_kinds[k]->section,
                                             poise__layer_kinds[j]->section.name))
                snprintf(found + strlen(found), sizeof(found) - strlen(found), "%s.%s ",
                         poise__layer_kinds[k]->section.name, poise__layer_kinds[j]->section.name);
    assert_string_equal(found, "mlp.dropout ");
}

/* A default of an extending file keeps type, range and help; the nearest file has the last word. */
static void a_chain_of_files_is_one_model(void **state)
{
    (void)state;
    poise_spec *s = read_good("good/extends.yaml", NULL, 0, NULL);
    const poise_model *m = s->model;
    assert_string_equal(m->about, "MMoE whose experts read a layer.");
    assert_non_null(strstr(m->paper, "KDD 2018"));
    assert_int_equal(m->params->n, 4);
    const poise__yaml *experts = poise__yaml_get(m->params, "experts");
    assert_string_equal(experts->text, "5");
    assert_null(poise__yaml_get(m->params, "dropout"));
    assert_non_null(poise__yaml_get(poise__yaml_get(m->declared, "deep"), "help"));
    assert_non_null(poise__yaml_get(poise__yaml_get(m->declared, "deep"), "max"));
    for (int k = 0; k < m->nlayer; k++)
        if (strcmp(m->layer[k].name, "deep") == 0)
            assert_non_null(strstr(m->layer[k].place.file, "deeper.yaml"));
        else if (strcmp(m->layer[k].name, "expert") == 0)
            assert_non_null(strstr(m->layer[k].place.file, "models/mmoe.yaml"));
    poise_spec_free(s);
}

static void outputs_by_name(void **state)
{
    (void)state;
    check_same(
        "model:\n  params: {first: {type: task, default: click}}\n"
        "  output: {$first: a, detail: \"b[detail]\", favourite: b}\n  network:\n"
        "    a: {dense: 1, input: features}\n"
        "    b: {each: [favourite, detail], dense: 1, input: features}\n",
        "model:\n  output: {favourite: b/favourite, click: a, detail: b/detail}\n  network:\n"
        "    a: {task: click, dense: task, input: features}\n"
        "    b/favourite: {dense: 1, input: features}\n"
        "    b/detail: {dense: 1, input: features}\n");
}

/* ---- groups ---- */

#define TABLE                                                                                    \
    "data: {train: data/rows.csv}\ntasks: {click: {label: click}}\n"                             \
    "features: {one: {group: {age: numeric, \"*_code\": {categorical: {dim: 3}}}}, w: numeric, " \
    "two: {group: [w, job*]}, all: {group: [\"*\"]}}\n"

/* What the layer `x` comes to for rows that are always the same. */
static double *forward(const char *input)
{
    char text[600];
    poise_error err;
    net x;
    snprintf(text, sizeof(text),
             TABLE "model:\n  network:\n    x: {dense: 4, input: %s}\n"
                   "    logit: {each: task, dense: 1, input: x}\n",
             input);
    net_make(&x, "here.yaml", text, 0);
    assert_int_equal(poise_graph_output(x.g, x.n.output[0], &err), 0);
    assert_int_equal(poise_store_seal(x.store, 1, &err), 0);
    poise_session *s = poise_session_new(x.g, NULL, &err);
    assert_non_null(s);
    net_fill(&x, s);
    assert_int_equal(poise_session_run(s, &(poise_run){.threads = 1}, &err), 0);
    double *y = calloc(ROWS, sizeof(*y));
    for (int b = 0; b < ROWS; b++)
        y[b] = (double)((const float *)poise_session_data(s, x.n.output[0]))[b];
    poise_session_free(s);
    net_done(&x);
    return y;
}

/* A group is the list of its features: numbers first, then embeddings. */
static void a_group_is_its_features(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"features.one", "[age, city_code, job_code]"},
        {"features.two", "[w, job_code]"},
        {"features.all", "features"},
        {"features.age", "age"},
    };
    for (int k = 0; k < POISE__COUNT(pairs); k++) {
        double *a = forward(pairs[k][0]), *b = forward(pairs[k][1]);
        for (int i = 0; i < ROWS; i++)
            if (!(a[i] >= b[i] && a[i] <= b[i]))
                fail_msg("%s: row %d is %g, of %s %g", pairs[k][0], i, a[i], pairs[k][1], b[i]);
        free(a);
        free(b);
    }
}

static void groups_are_of_the_generators_features_too(void **state)
{
    (void)state;
    poise_spec *s = read_good("here.yaml",
                              FUNNEL "features: {who: {group: [user, age, \"c*\"]}}\n"
                                     "model: {network: {logit: {each: task, dense: 1, input: "
                                     "[features.who, price]}}}\n",
                              0, NULL);
    assert_true(s->schema->nfeature > 10);
    assert_int_equal(s->groups->n, 1);
    assert_int_equal(s->groups->at[0].n, 4); /* age, user, city, category */
    poise_spec_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expressions_come_to_their_values),
        cmocka_unit_test(an_override_is_another_layer_for_one_name),
        cmocka_unit_test(each_takes_names_and_says_which),
        cmocka_unit_test(what_is_read_of_other_tasks),
        cmocka_unit_test(extending_adds_changes_and_takes_away),
        cmocka_unit_test(an_option_stays_one_where_it_is_also_a_kind),
        cmocka_unit_test(options_that_are_kinds_are_known),
        cmocka_unit_test(a_chain_of_files_is_one_model),
        cmocka_unit_test(outputs_by_name),
        cmocka_unit_test(a_group_is_its_features),
        cmocka_unit_test(groups_are_of_the_generators_features_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
