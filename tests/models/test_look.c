/* Labels and masks beside the rows: of all of them where that is said, as training would. */
#include <unistd.h>
#include "models/look.h"
#include "read.h"

enum { ROWS = 60, FIRST = 50 };
#define FILE_NAME "test_look.tmp.csv"
#define RUN(tasks)                                                                             \
    "data: {train: data/rows.csv}\nfeatures: {age: numeric}\ntasks: {a: {label: ever}, " tasks \
    "}\nmodel: {network: {logit: {each: task, dense: 1, input: features}}}\n"

/* age, ever: now and then 1; late: 1 in the last rows alone; never: 0. */
static int write_rows(void **state)
{
    (void)state;
    FILE *f = fopen(FILE_NAME, "w");
    assert_non_null(f);
    fprintf(f, "age,ever,late,never\n");
    for (int k = 0; k < ROWS; k++)
        fprintf(f, "%d,%d,%d,0\n", k, k % 3 == 0, k >= ROWS - 5);
    assert_int_equal(fclose(f), 0);
    return 0;
}

static int forget_rows(void **state)
{
    (void)state;
    return remove(FILE_NAME);
}

typedef enum how { TRAINED, FIRST_ROWS, SHORT_FILE, LABELS } how;

/* What is said, warnings and errors, each in a line. */
static const char *said(const char *text, how h, char *buf, size_t size)
{
    poise_diagnostics *diag;
    poise_error err;
    poise_data data = {0};
    poise_override file = {"data.train", FILE_NAME};
    int64_t rows = 0;
    char line[1500], full[600];
    assert_non_null(getcwd(full, sizeof(full) - 40));
    strcat(full, "/" FILE_NAME);
    file.value = full;
    poise_spec *s = read_spec("here.yaml", text, 1, &file, &diag);
    assert_non_null(s);
    s->data.limit = h == FIRST_ROWS ? FIRST : h == SHORT_FILE ? ROWS + 1 : 0;
    int done = h == LABELS ? poise_spec_look_labels(s, &s->data, &rows, diag, &err)
                           : poise_data_open(&s->data, s->schema, &data, &err);
    if (done == 0 && h != LABELS)
        done = poise_spec_look(s, data.train, h == FIRST_ROWS, diag, &err);
    if (done < 0)
        poise_diagnose_error(diag, &err);
    else if (h == LABELS)
        assert_int_equal(rows, ROWS);
    buf[0] = 0;
    for (int k = 0; k < poise_diagnostics_count(diag); k++) {
        const char *at = strstr(poise_diagnostics_text(diag, k, line, sizeof(line)), "here.yaml:");
        assert_non_null(at);
        snprintf(buf + strlen(buf), size - strlen(buf), "%s\n", at + strlen("here.yaml:"));
    }
    poise_data_done(&data);
    poise_spec_free(s);
    poise_diagnostics_free(diag);
    return buf;
}

/* Whether training can run is said alike by who trains, who sees all rows of a short file, and who
 * reads the labels alone; who sees a part says that. */
static void all_rows_are_judged_as_training_does(void **state)
{
    (void)state;
    static const struct {
        const char *text, *all, *part;
    } cases[] = {
        {RUN("b: {label: ever, when: never}"),
         "3:27: error: task 'b' has no labelled training row where its `when` holds\n",
         "3:27: warning: task 'b': none of the first 50 training rows counts: 'when: never' never "
         "holds\n"},
        {RUN("b: {label: ever, when: late}"), "",
         "3:27: warning: task 'b': none of the first 50 training rows counts: 'when: late' never "
         "holds\n"},
        {RUN("b: {label: late}"), "",
         "3:27: warning: task 'b': the label is 0 in all of the 50 rows that count, of the first "
         "50 "
         "training rows\n"},
        {RUN("b: {label: never}"),
         "3:27: warning: task 'b': the label is 0 in all of the 60 rows that count, of the 60 "
         "training rows\n",
         "3:27: warning: task 'b': the label is 0 in all of the 50 rows that count, of the first "
         "50 "
         "training rows\n"},
        {RUN("b: {label: {column: ever, positive: '2'}}"),
         "3:27: error: task 'b': no training row has \"2\" in the column \"ever\", which holds "
         "\"1\", "
         "\"0\"\n",
         "3:27: warning: task 'b': the label is 0 in all of the 50 rows that count, of the first "
         "50 "
         "training rows\n"},
    };
    char buf[2000];
    for (int k = 0; k < (int)(sizeof(cases) / sizeof(cases[0])); k++) {
        assert_string_equal(said(cases[k].text, TRAINED, buf, sizeof(buf)), cases[k].all);
        assert_string_equal(said(cases[k].text, SHORT_FILE, buf, sizeof(buf)), cases[k].all);
        assert_string_equal(said(cases[k].text, LABELS, buf, sizeof(buf)), cases[k].all);
        assert_string_equal(said(cases[k].text, FIRST_ROWS, buf, sizeof(buf)), cases[k].part);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_rows_are_judged_as_training_does, write_rows,
                                        forget_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
