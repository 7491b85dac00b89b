/* Every file in odd/ is read, and gives exactly the warnings that its first line announces, with the
 * data looked at as `poise check` does:
 *
 *     # warning: 5:3: no task needs layer ... || 7:1: ...
 */
#include "read.h"
#include <dirent.h>
#include "models/look.h"

static poise_spec *read_odd(const char *name, poise_diagnostics **diag)
{
    char path[600];
    poise_error err;
    poise_data data = {0};
    snprintf(path, sizeof(path), "odd/%s", name);
    poise_spec *s = read_spec(path, NULL, 0, NULL, diag);
    if (!s)
        return NULL;
    int64_t most = s->data.limit;
    if (poise_data_open(&s->data, s->schema, &data, &err) < 0 ||
        poise_spec_look(s, data.train, most && poise_dataset_rows(data.train) >= most, *diag,
                        &err) < 0)
        poise_diagnose_error(*diag, &err);
    poise_data_done(&data);
    return s;
}

/* The k-th as "line:column: message", or as it is where it is no warning of the file itself. */
static const char *told(const poise_diagnostics *d, int k, const char *name, char *buf, size_t size)
{
    const poise_diagnostic *g = poise_diagnostics_get(d, k);
    size_t file = strlen(g->error.file), own = strlen(name);
    if (!g->warning || file < own || strcmp(g->error.file + file - own, name) != 0)
        return poise_diagnostics_text(d, k, buf, size);
    snprintf(buf, size, "%u:%u: %s", g->error.line, g->error.column, g->error.message);
    return buf;
}

static int check(const char *name)
{
    char path[600], line[2000], text[1500];
    snprintf(path, sizeof(path), FOLDER "odd/%s", name);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    assert_non_null(fgets(line, sizeof(line), f));
    fclose(f);
    line[strcspn(line, "\n")] = 0;
    assert_int_equal(strncmp(line, "# warning: ", 11), 0);
    poise_diagnostics *diag;
    poise_spec *s = read_odd(name, &diag);
    int wrong = 0, k = 0;
    for (char *next = line + 11; next; k++) {
        char *want = next, *bar = strstr(next, " || ");
        next = bar ? bar + 4 : NULL;
        if (bar)
            *bar = 0;
        if (k < poise_diagnostics_count(diag) &&
            strcmp(told(diag, k, name, text, sizeof(text)), want) == 0)
            continue;
        print_error("%s: wanted: %s\n", name, want);
        wrong = 1;
    }
    wrong |= !s || k != poise_diagnostics_count(diag);
    for (k = 0; wrong && k < poise_diagnostics_count(diag); k++)
        print_error("%s: got: %s\n", name, told(diag, k, name, text, sizeof(text)));
    poise_spec_free(s);
    poise_diagnostics_free(diag);
    return wrong;
}

static void odd_specs_are_read_with_their_warnings(void **state)
{
    (void)state;
    int wrong = 0, n = 0;
    DIR *d = opendir(FOLDER "odd");
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        if (!strstr(e->d_name, ".yaml"))
            continue;
        wrong += check(e->d_name);
        n++;
    }
    closedir(d);
    assert_true(n >= 10);
    assert_int_equal(wrong, 0);
}

/* What is right is passed over in silence: the runs in the root and the specs of good/. */
static void good_specs_give_none(void **state)
{
    (void)state;
    static const char *const names[] = {"../../funnel.yaml", "good/inline.yaml", "good/path.yaml",
                                        "good/short.yaml", "good/schedule.yaml"};
    for (int k = 0; k < (int)(sizeof(names) / sizeof(names[0])); k++) {
        poise_diagnostics *diag;
        char text[1500];
        poise_spec *s = read_spec(names[k], NULL, 0, NULL, &diag);
        if (poise_diagnostics_count(diag) > 0)
            fail_msg("%s", poise_diagnostics_text(diag, 0, text, sizeof(text)));
        poise_spec_free(s);
        poise_diagnostics_free(diag);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(odd_specs_are_read_with_their_warnings),
        cmocka_unit_test(good_specs_give_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
