/* One reading finds the errors of every section, and blames what is to blame. */
#include "read.h"

#define RUN(tasks, balancer)                                                       \
    "data: {train: data/rows.csv}\nfeatures: {age: numeric}\ntasks: {" tasks "}\n" \
    "model: mmoe\nbalancer: " balancer "\n"

typedef struct heard {
    int calls;
    char names[200];
} heard;

static void hear(void *user, const poise_spec *s, poise_diagnostics *diag)
{
    heard *h = user;
    (void)diag;
    h->calls++;
    for (int k = 0; k < s->nphase; k++)
        snprintf(h->names + strlen(h->names), sizeof(h->names) - strlen(h->names), "%s/%d ",
                 s->phase[k].use, s->phase[k].nsetting);
}

/* What strategies, with how many settings, are looked at although something is wrong elsewhere. */
static void strategies_are_looked_at_whatever_else_is_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *text, *names;
    } cases[] = {
        {RUN("click: {label: clik}", "gradnrm"), "gradnrm/0 "},
        {RUN("click: {label: click}, buy: {label: buy, when: clck}", "{use: dwa, t: 3}"), "dwa/1 "},
        {RUN("click: {labl: click}", "gradnrm"), "gradnrm/0 "},
        {RUN("click: {label: click}", "{use: gradnrm, clip: -1}"), "gradnrm/0 "},
        {RUN("click: {label: click}", "{use: dwa, t: {bye: 1}, u: 2}"), "dwa/1 "},
        {RUN("click: {label: click}", "[{use: dwaa}, {epochs: 2}, [x], equal]"), "dwaa/0 equal/0 "},
    };
    for (int k = 0; k < (int)(sizeof(cases) / sizeof(cases[0])); k++) {
        heard h = {0};
        poise_error err;
        const char *path = "test_at_once.tmp.yaml";
        poise_diagnostics *diag = poise_diagnostics_new(&err);
        FILE *f = fopen(path, "w");
        assert_non_null(f);
        fprintf(f, "%s", cases[k].text);
        assert_int_equal(fclose(f), 0);
        poise_spec_options options = {.also = hear, .user = &h};
        poise_override data = {"data.train", FOLDER "data/rows.csv"};
        assert_null(poise_spec_read_with(path, 1, &data, &options, diag));
        assert_int_equal(h.calls, 1);
        assert_string_equal(h.names, cases[k].names);
        poise_diagnostics_free(diag);
        remove(path);
    }
}

/* The note of the first error of a text, "LINE:COLUMN: message". */
static void check_note(const char *text, const char *error, const char *note)
{
    char got[700];
    poise_diagnostics *diag;
    assert_null(read_spec("here.yaml", text, 0, NULL, &diag));
    assert_int_equal(poise_diagnostics_errors(diag), 1);
    const poise_diagnostic *d = poise_diagnostics_get(diag, 0);
    assert_non_null(strstr(d->error.message, error));
    snprintf(got, sizeof(got), "%u:%u: %s", d->note.line, d->note.column, d->note.message);
    assert_string_equal(got, note);
    poise_diagnostics_free(diag);
}

/* Without a type the loss says what a task is; what that forbids is blamed on the loss. */
static void a_kind_that_the_loss_says_is_blamed_on_the_loss(void **state)
{
    (void)state;
    check_note(RUN("click: {label: click, loss: huber}", "equal") "train: {monitor: click auc}\n",
               "is regression: it has no auc",
               "3:37: task 'click' is regression because of its loss, huber");
    check_note(RUN("stars: {label: stars >= 4, loss: huber}", "equal"), "condition is for binary",
               "3:42: task 'stars' is regression because of its loss, huber");
    check_note(RUN("a: {label: stars, loss: poisson}, b: {label: buy, when: a}", "equal"),
               "'a' is count; it must be binary",
               "3:33: task 'a' is count because of its loss, poisson");
    check_note("data: {train: data/rows.csv}\nfeatures: {age: numeric}\n"
               "tasks: {click: {label: click, loss: {huber: {delta: 2}}}}\n"
               "model: {network: {a: {each: task, dense: 1, input: features}, "
               "logit: {each: task, probability: a}}}\n",
               "is a probability", "3:37: task 'click' is regression because of its loss, huber");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strategies_are_looked_at_whatever_else_is_wrong),
        cmocka_unit_test(a_kind_that_the_loss_says_is_blamed_on_the_loss),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
