/* Drawings: what stands where in the tree, which nodes, edges and colours graphviz is given. */
#include "read.h"
#include "models/show.h"

static const char spec_text[] =
    "data: {generate: funnel, rows: 100}\n"
    "tasks: {click: {label: click}, detail: {label: detail}, favourite: {label: favourite}}\n"
    "model:\n"
    "  network:\n"
    "    expert: {copies: 4, mlp: [8], input: features}\n"
    "    own: {each: task, mlp: [8], input: price}\n"
    "    spare: {mlp: [3], input: expert, copies: 4}\n"
    "    mix: {each: task, mixture: [expert, own], gate: features}\n"
    "    logit: {each: task, dense: 1, input: [mix, \"own[click]\"]}\n";

/* The text of the line of that layer, without what is drawn before its name. */
static const char *line_of(const char *tree, const char *layer, char *buf, size_t size)
{
    char find[100];
    snprintf(find, sizeof(find), "─ %s ", layer);
    const char *from = strstr(tree, find);
    if (!from)
        fail_msg("no layer %s in:\n%s", layer, tree);
    from += strlen("─ ");
    snprintf(buf, size, "%.*s", (int)strcspn(from, "\n"), from);
    return buf;
}

static void a_layer_has_a_line_with_all_about_it(void **state)
{
    (void)state;
    poise_error err;
    char line[300];
    poise_spec *s = read_good("good/x.yaml", spec_text, 0, NULL);
    char *tree = poise_show_tree(s, &err);
    assert_non_null(tree);
    static const struct {
        const char *layer, *part[4];
    } row[] = {
        {"expert", {"mlp", "B x 4 x 8", "1632  shared by all tasks", NULL}},
        {"own", {"mlp", "B x 8", "3 x 16  shared by", "also reads price"}},
        {"spare", {"B x 4 x 3", "  0  no task", NULL}},
        {"mix", {"mixture", "3 x 255  one for each task", "; also reads expert", NULL}},
        {"logit", {"dense", "3 x 17  one for each task", "; also reads own[click]", NULL}},
    };
    for (int k = 0; k < (int)(sizeof(row) / sizeof(row[0])); k++)
        for (int i = 0; i < 4 && row[k].part[i]; i++)
            if (!strstr(line_of(tree, row[k].layer, line, sizeof(line)), row[k].part[i]))
                fail_msg("'%s' is not in '%s'", row[k].part[i], line);
    /* Features are first, and a layer comes after what it stands under. */
    assert_true(strstr(tree, "\nfeatures ") < strstr(tree, "─ expert"));
    assert_true(strstr(tree, "─ own") < strstr(tree, "─ mix"));
    assert_true(strstr(tree, "─ mix") < strstr(tree, "─ logit"));
    assert_non_null(strstr(tree, "\n   └─ mix") ? tree : strstr(tree, "\n│  └─ mix"));
    free(tree);
    poise_spec_free(s);
}

/* The column in which a name of the tree stands, and the one in which what follows it does. */
static void columns_of(const char *tree, const char *name, int *at, int *next)
{
    const char *line = strstr(tree, name), *p;
    assert_non_null(line);
    while (line > tree && line[-1] != '\n')
        line--;
    *at = *next = 0;
    for (p = line; strncmp(p, name, strlen(name)) != 0; p++)
        *at += ((unsigned char)*p & 0xC0) != 0x80;
    *next = *at + (int)strlen(name) - 1 + (int)strspn(p + strlen(name) - 1, " ");
}

static void a_long_chain_stays_a_tree_with_even_columns(void **state)
{
    (void)state;
    enum { DEEP = 40 };
    char text[4000] = "data: {generate: funnel, rows: 100}\nmodel:\n  network:\n"
                      "    deep0: {mlp: [4], input: features}\n";
    poise_error err;
    for (int k = 1; k < DEEP; k++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text),
                 "    deep%d: {function: tanh, input: deep%d}\n", k, k - 1);
    snprintf(text + strlen(text), sizeof(text) - strlen(text),
             "    logit: {each: task, dense: 1, input: deep%d}\n", DEEP - 1);
    poise_spec *s = read_good("good/x.yaml", text, 0, NULL);
    char *tree = poise_show_tree(s, &err);
    assert_non_null(tree);
    int first, kind;
    columns_of(tree, "deep0 ", &first, &kind);
    for (int k = 1; k < DEEP; k++) {
        char name[20];
        int at, next;
        snprintf(name, sizeof(name), "deep%d ", k);
        columns_of(tree, name, &at, &next);
        assert_int_equal(at, first + 3 * k);
        assert_int_equal(next, kind);
    }
    free(tree);
    poise_spec_free(s);
}

static int count(const char *text, const char *what)
{
    int n = 0;
    for (; (text = strstr(text, what)) != NULL; text += strlen(what))
        n++;
    return n;
}

static void graphviz_gets_every_layer_of_every_task(void **state)
{
    (void)state;
    poise_error err;
    poise_spec *s = read_good("good/x.yaml", spec_text, 0, NULL);
    char *dot = poise_show_dot(s, &err);
    assert_non_null(dot);
    assert_int_equal(strncmp(dot, "digraph \"x\" {", 13), 0);
    /* expert, spare, three each of own, mix, logit; features and price; three tasks */
    assert_int_equal(count(dot, "weights\", "), 11);
    assert_int_equal(count(dot, "[label=\"features\\nB x 50\""), 4);
    assert_int_equal(count(dot, "[label=\"price\\nB x 1\""), 3);
    /* expert 1, own 3, spare 1, mix 3 x (expert, own, gate), logit 3 x (mix, own), tasks 3 */
    assert_int_equal(count(dot, " -> "), 1 + 3 + 1 + 9 + 6 + 3);
    assert_int_equal(count(dot, "label=\"gate\", style=dashed"), 3);
    assert_int_equal(count(dot, "peripheries=2"), 2);
    /* Each task has a colour: its mix, its logit, itself; own/click is everybody's. */
    assert_int_equal(count(dot, "fillcolor=\"0.000 0.30 1.000\""), 3);
    assert_int_equal(count(dot, "fillcolor=\"0.333 0.30 1.000\""), 4);
    assert_int_equal(count(dot, "fillcolor=\"0.667 0.30 1.000\""), 4);
    assert_int_equal(count(dot, "fillcolor=\"#ffffff\""), 1); /* spare */
    free(dot);
    poise_spec_free(s);
}

/* What two of three tasks need has the stripes of both. */
static void stripes_show_who_shares(void **state)
{
    (void)state;
    poise_error err;
    poise_spec *s = read_good("good/x.yaml",
                              "data: {generate: funnel, rows: 100}\n"
                              "tasks: {a: {label: click}, b: {label: detail}, "
                              "c: {label: favourite}}\n"
                              "model:\n"
                              "  network:\n"
                              "    own: {each: task, mlp: [8], input: features}\n"
                              "    logit: {each: task, dense: 1, input: [own, "
                              "\"own[previous]\"]}\n",
                              0, NULL);
    char *dot = poise_show_dot(s, &err), *tree = poise_show_tree(s, &err);
    assert_int_equal(count(dot, "style=striped, fillcolor=\"0.000 0.30 1.000:0.333 0.30 1.000\""),
                     1);
    assert_int_equal(count(dot, "style=striped, fillcolor=\"0.333 0.30 1.000:0.667 0.30 1.000\""),
                     1);
    assert_non_null(strstr(tree, "; also reads own[previous]"));
    free(dot);
    free(tree);
    poise_spec_free(s);
}

/* Lists have tables, and are no numbers; a number in bins is a number and has one. */
static void tables_of_lists_and_bins_count(void **state)
{
    (void)state;
    poise_error err;
    poise_spec *s =
        read_good("good/x.yaml",
                  "data: {train: ../data/rows.csv}\n"
                  "features: {age: {numeric: {bins: 4, dim: 3}}, w: numeric, "
                  "kind: {list: {dim: 5}}, city_code: {categorical: {dim: 2}}}\n"
                  "tasks: {visits: {label: stars, type: count}, grade: {label: stars, type: "
                  "ordinal}}\n"
                  "model: {network: {logit: {each: task, dense: task, input: features}}}\n",
                  0, NULL);
    s->schema->learnt = 1;
    s->schema->feature[0].nedge = 3;  /* age: 5 rows of 3 */
    s->schema->feature[2].nvalue = 9; /* kind: 10 rows of 5 */
    s->schema->feature[3].nvalue = 6; /* city_code: 7 rows of 2 */
    char *tree = poise_show_tree(s, &err), *dot = poise_show_dot(s, &err);
    assert_non_null(strstr(tree, "numbers     age, w\n"));
    assert_non_null(strstr(tree, "embeddings  age [3], kind [5], city_code [2]\n"));
    assert_non_null(strstr(tree, ", 79 in embeddings\n"));
    assert_non_null(strstr(dot, "visits\\ncount"));
    assert_non_null(strstr(dot, "grade\\nordinal"));
    free(tree);
    free(dot);
    poise_spec_free(s);
}

static void what_a_layer_reads_is_told_once(void **state)
{
    (void)state;
    poise_error err;
    char line[300];
    poise_spec *s = read_good("good/x.yaml",
                              "data: {generate: funnel, rows: 100}\n"
                              "model:\n"
                              "  network:\n"
                              "    a: {mlp: [4], input: features}\n"
                              "    b: {mlp: [4], input: a}\n"
                              "    c: {mixture: [a, b], gate: [a, price, a]}\n"
                              "    logit: {each: task, dense: 1, input: c}\n",
                              0, NULL);
    char *tree = poise_show_tree(s, &err);
    const char *told = strstr(line_of(tree, "c", line, sizeof(line)), "; also reads");
    assert_non_null(told);
    assert_string_equal(told, "; also reads a, price");
    free(tree);
    poise_spec_free(s);
}

/* Names that the language of graphviz would read as something else. */
static void names_are_quoted(void **state)
{
    (void)state;
    poise_error err;
    poise_spec *s =
        read_good("good/a\"b.yaml",
                  "data: {generate: funnel, rows: 100}\n"
                  "model: {network: {logit: {each: task, dense: 1, input: features}}}\n",
                  0, NULL);
    char *dot = poise_show_dot(s, &err);
    assert_int_equal(strncmp(dot, "digraph \"a\\\"b\" {", 16), 0);
    free(dot);
    poise_spec_free(s);
}

static void what_is_not_learnt_is_a_question_mark(void **state)
{
    (void)state;
    poise_error err;
    poise_diagnostics *diag = poise_diagnostics_new(&err);
    static const char text[] = "data: {train: nowhere.csv}\n"
                               "features: {age: numeric, city: categorical}\n"
                               "tasks: {kind: {label: kind, type: multiclass}}\n"
                               "model: {network: {logit: {each: task, dense: task, input: "
                               "features}}}\n";
    char path[] = "show_nowhere.yaml";
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    assert_null(poise_spec_read(path, 0, NULL, diag)); /* else the file has to be there */
    poise_diagnostics_free(diag);
    diag = poise_diagnostics_new(&err);
    poise_spec *s =
        poise_spec_read_with(path, 0, NULL, &(poise_spec_options){.without_rows = 1}, diag);
    assert_non_null(s);
    assert_int_equal(poise_show_needs_data(s), 1);
    char *tree = poise_show_tree(s, &err);
    assert_non_null(strstr(tree, "B x ?"));
    assert_non_null(strstr(tree, "not read yet"));
    free(tree);
    poise_spec_free(s);
    poise_diagnostics_free(diag);
    remove(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_layer_has_a_line_with_all_about_it),
        cmocka_unit_test(a_long_chain_stays_a_tree_with_even_columns),
        cmocka_unit_test(graphviz_gets_every_layer_of_every_task),
        cmocka_unit_test(stripes_show_who_shares),
        cmocka_unit_test(tables_of_lists_and_bins_count),
        cmocka_unit_test(what_a_layer_reads_is_told_once),
        cmocka_unit_test(names_are_quoted),
        cmocka_unit_test(what_is_not_learnt_is_a_question_mark),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
