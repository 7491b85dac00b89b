/* Conditions: what is one, what it means on cells that are there and cells that are not, and what is
 * said of one that is wrong; and the labels, masks and weights that come out of a file. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "data/condition.h"
#include "data/table.h"
#include "files.h"

/* The condition on a row in which a, b, c, ... hold these cells; "?" is missing. */
static poise__truth on(const char *text, const char *const *cell)
{
    poise_error err = {0};
    poise__arena *a = poise__arena_new(&err);
    poise__condition c;
    poise__truth truth[POISE__TESTS];
    if (poise__condition_parse(text, POISE_NOWHERE, a, &c, &err) < 0)
        fail_msg("%s: %s", text, err.message);
    for (int k = 0; k < c.ntest; k++) {
        const char *x = cell[c.test[k].name[0] - 'a'];
        if (poise__test_cell(&c.test[k], x, strlen(x), strcmp(x, "?") == 0, &truth[k]) < 0)
            fail_msg("%s: %s is no number", text, x);
    }
    poise__truth holds = poise__condition_holds(&c, truth);
    poise__arena_free(a);
    return holds;
}

static void conditions_mean_what_they_say(void **state)
{
    (void)state;
    /* a is 4.5, b 0, c a text, d missing, e 1 */
    const char *const cell[] = {"4.5", "0", "High school", "?", "1"};
    const struct {
        const char *text;
        poise__truth holds;
    } table[] = {
        {"a >= 4", 1},
        {"a > 4.5", 0},
        {"a >= 4.5", 1},
        {"a<=4.5", 1},
        {"a < 4.5", 0},
        {"a == 4.50", 1}, /* as numbers */
        {"a = 4.5", 1},
        {"a != 4.5", 0},
        {"a > -1e3", 1},
        {"b", 0}, /* a name alone: == 1 */
        {"e", 1},
        {"not b", 1},
        {"not not e", 1},
        {"c == 'High school'", 1},
        {"c == \"High school\"", 1},
        {"c != 'High school'", 0},
        {"c == High", 0},
        {"c in ['x', \"High school\"]", 1},
        {"c not in ['x', 'High school']", 0},
        {"c in [x, y]", 0},
        {"a in [1, 4.5]", 1},
        {"a not in [1, 4]", 1},
        {"a == '4.5'", 1}, /* in quotes: as a text */
        {"a == '4.50'", 0},
        {"d > 1", -1},
        {"d", -1},
        {"not d", -1},
        {"d != 3", -1},
        {"d in [1]", -1},
        {"d is missing", 1},
        {"d is not missing", 0},
        {"a is missing", 0},
        {"a is not missing", 1},
        {"e or d", 1},
        {"d or e", 1},
        {"b or d", -1},
        {"b and d", 0},
        {"d and b", 0},
        {"e and d", -1},
        {"e or b and b", 1}, /* and binds closer */
        {"(e or b) and b", 0},
        {"not b and e", 1}, /* not binds closest */
        {"not (b or e)", 0},
        {"  a>4   and\t(b==0)  ", 1},
        {"`a` > 4 and 'b' < 1", 1}, /* quoted names */
        {"a > 4 and a < 5 and e and not b and c == 'High school'", 1},
    };
    for (size_t k = 0; k < sizeof table / sizeof *table; k++)
        if (on(table[k].text, cell) != table[k].holds)
            fail_msg("%s is not %d", table[k].text, (int)table[k].holds);
}

static void a_wrong_condition_is_refused_where_it_goes_wrong(void **state)
{
    (void)state;
    const struct {
        const char *text, *message;
        uint32_t column;
    } table[] = {
        {"", "ends where a column's name should be", 10},
        {"a >=", "ends where a number, a word or a text in quotes should be", 14},
        {">= 4", "stands '>= 4' where a column's name should be", 10},
        {"a >= 4 5", "stands '5' where and, or, or the end should be", 17},
        {"a > 'x'", "'> 'x'' where == or != (a text has no order) should be", 12},
        {"a > 4 and", "ends where a column's name should be", 19},
        {"(a > 4", "ends where and, or, or ) should be", 16},
        {"a == 'x", "''x' where the text's closing quote should be", 15},
        {"a in 3", "'3' where a list in [ ] should be", 15},
        {"a in [3, x]", "'x]' where a number like the one before should be", 19},
        {"a in [x, 3]", "where a text like the one before should be", 19},
        {"a in [3 4]", "'4]' where a comma or ] should be", 18},
        {"a in []", "']' where a number, a word or a text in quotes should be", 16},
        {"a is 3", "'3' where 'missing' should be", 15},
        {"a not 3", "'3' where 'in' should be", 16},
        {"a == 4x", "'4x' where a number or a text in quotes should be", 15},
        {"a == 1.2.3", "where a number or a text in quotes should be", 15},
        {"a & b", "'& b' where and, or, or the end should be", 12},
    };
    poise_error err = {0};
    poise__arena *a = poise__arena_new(&err);
    poise__condition c;
    for (size_t k = 0; k < sizeof table / sizeof *table; k++) {
        poise_place place = {"run.yaml", 3, 10};
        assert_int_equal(poise__condition_parse(table[k].text, place, a, &c, &err), -1);
        assert_int_equal(err.code, POISE_E_SPEC);
        if (!strstr(err.message, table[k].message) || err.column != table[k].column)
            fail_msg("\"%s\" gave %u: %s", table[k].text, err.column, err.message);
    }
    /* Bounds: a condition that is too long, too deep or has too many comparisons. */
    char text[4096] = "";
    for (int k = 0; k < 200; k++)
        strcat(text, "(");
    assert_int_equal(poise__condition_parse(text, POISE_NOWHERE, a, &c, &err), -1);
    strcpy(text, "a");
    for (int k = 0; k < POISE__TESTS - 1; k++)
        strcat(text, " or a");
    assert_int_equal(poise__condition_parse(text, POISE_NOWHERE, a, &c, &err), 0);
    assert_int_equal(c.ntest, POISE__TESTS);
    strcat(text, " or a");
    assert_int_equal(poise__condition_parse(text, POISE_NOWHERE, a, &c, &err), -1);
    poise__arena_free(a);
}

/* not in a column's name: a comparison, or a word of the grammar that stands apart. */
static void a_name_is_no_condition(void **state)
{
    (void)state;
    const char *const names[] = {"click",          "income_in_usd", "in",          "organ",
                                 "marital status", "is-new",        "notary and.", "x.or.y"};
    const char *const conditions[] = {"a > 1",    "a==b",         "not a", "a or b",
                                      "a in [1]", "a is missing", "(a)",   "a != 2"};
    for (size_t k = 0; k < sizeof names / sizeof *names; k++)
        if (poise__is_condition(names[k]))
            fail_msg("%s is no condition", names[k]);
    for (size_t k = 0; k < sizeof conditions / sizeof *conditions; k++)
        if (!poise__is_condition(conditions[k]))
            fail_msg("%s is a condition", conditions[k]);
}

static void labels_masks_and_weights_come_from_conditions(void **state)
{
    (void)state;
    poise_error err = {0};
    poise_feature f[] = {numeric("x")};
    poise_task task[] = {binary("like", "rating >= 4", NULL), binary("buy", "buy", NULL),
                         binary("keep", "`how long` > 30 or like", NULL)};
    task[0].label_tests = task[2].label_tests = 1;
    task[0].weight = "w";
    task[1].when = "like and x > 1"; /* a task, as there is no column of the name; a column */
    task[1].when_tests = 1;
    task[2].label = "`how long` > 30 or rating == 1";
    poise_schema *s = schema_of(1, f, 3, task);
    s->weight = "v";
    poise_data d;
    poise_data_spec spec = spec_of(file_text("condition.csv", "x,rating,buy,how long,v,w\n"
                                                              "1,5,1,10,2,3\n"
                                                              "2,4,0,40,1,0.5\n"
                                                              "3,,1,,1,1\n"
                                                              "4,1,1,5,4,1\n"
                                                              "5,4.5,,31,1,2\n"));
    if (poise_data_open(&spec, s, &d, &err) < 0)
        fail_msg("%s", err.message);
    const double N = NAN, label[3][5] = {{1, 1, N, 0, 1}, {1, 0, 1, 1, N}, {0, 1, N, 1, 1}};
    const float weight[3][5] = {{6, 0.5F, 0, 4, 2}, {0, 1, 0, 0, 0}, {2, 1, 0, 4, 1}};
    for (int t = 0; t < 3; t++)
        for (int i = 0; i < 5; i++) {
            double y = (double)d.train->label[t][i];
            if (isnan(label[t][i]) ? !isnan(y) : y != label[t][i])
                fail_msg("task %d, row %d: the label is %g", t, i, y);
            if (d.train->weight[t][i] != weight[t][i])
                fail_msg("task %d, row %d: the weight is %g", t, i, (double)d.train->weight[t][i]);
        }
    near(task[0].base_rate, 0.75);
    near(task[1].base_rate, 0);
    poise_data_done(&d);
    poise_schema_free(s);
}

static void a_cell_that_is_no_number_is_refused(void **state)
{
    (void)state;
    poise_error err = {0};
    poise_feature f[] = {numeric("x")};
    poise_task task[] = {binary("like", "rating >= 4", NULL)};
    task[0].label_tests = 1;
    poise_schema *s = schema_of(1, f, 1, task);
    poise_data d;
    poise_data_spec spec = spec_of(file_text("text.csv", "x,rating\n1,5\n2,good\n"));
    assert_int_equal(poise_data_open(&spec, s, &d, &err), -1);
    assert_int_equal(err.code, POISE_E_DATA);
    assert_int_equal(err.line, 3);
    assert_int_equal(err.column, 3);
    assert_non_null(strstr(err.message, "\"good\" is not a number, and a condition compares it"));
    task[0].label = "ratings >= 4";
    assert_int_equal(poise_data_open(&spec, s, &d, &err), -1);
    assert_non_null(strstr(err.message, "the label of task like needs a column \"ratings\""));
    assert_non_null(strstr(err.message, "the nearest is \"rating\""));
    poise_schema_free(s);
}

/* The generator's labels, masked and made by conditions: the rows of the plain tasks. */
static void a_generator_knows_conditions_too(void **state)
{
    (void)state;
    poise_error err = {0};
    poise_feature f[] = {numeric("price")};
    poise_task task[] = {binary("click", "click", NULL),
                         binary("dear", "price > 3 and click", NULL),
                         binary("read", "detail", NULL)};
    task[1].label_tests = 1;
    task[2].when = "click == 1";
    task[2].when_tests = 1;
    poise_schema *s = schema_of(1, f, 3, task);
    poise_data d;
    poise_data_spec spec = {.generate = "funnel", .rows = 2000, .seed = 1, .separator = ","};
    if (poise_data_open(&spec, s, &d, &err) < 0)
        fail_msg("%s", err.message);
    int dear = 0;
    for (int i = 0; i < 2000; i++) {
        double price = (double)d.train->numeric[i] * f[0].deviation + f[0].mean;
        float wanted = price > 3 && d.train->label[0][i] == 1 ? 1.0F : 0.0F;
        assert_true(fabs(price - 3) < 1e-5 || d.train->label[1][i] == wanted);
        assert_true(d.train->weight[2][i] == d.train->label[0][i]);
        dear += wanted == 1;
    }
    assert_in_range(dear, 20, 200);
    assert_non_null(poise_dataset_truth(d.train, 0));
    assert_null(poise_dataset_truth(d.train, 1)); /* not known for what a condition makes */
    assert_null(poise_dataset_truth(d.train, 2));
    poise_data_done(&d);
    poise_schema_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conditions_mean_what_they_say),
        cmocka_unit_test(a_wrong_condition_is_refused_where_it_goes_wrong),
        cmocka_unit_test(a_name_is_no_condition),
        cmocka_unit_test(labels_masks_and_weights_come_from_conditions),
        cmocka_unit_test(a_cell_that_is_no_number_is_refused),
        cmocka_unit_test(a_generator_knows_conditions_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
