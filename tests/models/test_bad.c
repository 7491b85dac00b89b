/* Every file in bad/ is refused with exactly the messages its first line announces:
 *
 *     # error: 5:3: unknown ... || 7:1: ...
 *
 * Each is the beginning of a message after its place; a place in another file is written
 * file:line:column.  All of them, no others, in this order. */
#include "read.h"
#include <dirent.h>

enum { FEWEST = 150, MOST = 600 };

typedef struct names {
    char *name[MOST];
    int n;
} names;

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int list(void **state)
{
    names *l = calloc(1, sizeof(*l));
    DIR *d = opendir(FOLDER "bad");
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        const char *dot = strrchr(e->d_name, '.');
        if (!dot || strcmp(dot, ".yaml") != 0)
            continue;
        assert_true(l->n < MOST);
        l->name[l->n++] = strdup(e->d_name);
    }
    closedir(d);
    qsort(l->name, (size_t)l->n, sizeof(*l->name), by_name);
    *state = l;
    return 0;
}

static int forget(void **state)
{
    names *l = *state;
    for (int k = 0; k < l->n; k++)
        free(l->name[k]);
    free(l);
    return 0;
}

/* The first line's announcement; 0 where there is none. */
static int expectation(const char *name, char *line, size_t size)
{
    char path[600];
    snprintf(path, sizeof(path), FOLDER "bad/%s", name);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    int ok = fgets(line, (int)size, f) && strncmp(line, "# error: ", 9) == 0;
    fclose(f);
    line[strcspn(line, "\n")] = 0;
    return ok;
}

/* "file:line:column: error: message" against "line:column: message" or with the file's name. */
static int matches(const char *text, const char *file, const char *want)
{
    char full[700], got[1500];
    const char *error = strstr(text, ": error: ");
    if (!error)
        return 0;
    const char *slash = error;
    while (slash > text && slash[-1] != '/')
        slash--;
    snprintf(got, sizeof(got), "%.*s: %s", (int)(error - slash), slash, error + 9);
    int own = want[0] >= '0' && want[0] <= '9';
    snprintf(full, sizeof(full), own ? "%s:%s" : "%.0s%s", file, want);
    return strncmp(got, full, strlen(full)) == 0;
}

static int check(const char *name)
{
    char line[2000], text[1500], path[600];
    if (!expectation(name, line, sizeof(line))) {
        print_error("%s: the first line must say '# error: LINE:COLUMN: message'\n", name);
        return 1;
    }
    snprintf(path, sizeof(path), "bad/%s", name);
    poise_diagnostics *diag;
    poise_spec *s = read_spec(path, NULL, 0, NULL, &diag);
    int wrong = s != NULL, k = 0, count = poise_diagnostics_count(diag);
    char *next = line + 9;
    while (next && !wrong) {
        char *want = next, *bar = strstr(next, " || ");
        next = bar ? bar + 4 : NULL;
        if (bar)
            *bar = 0;
        while (k < count &&
               strstr(poise_diagnostics_text(diag, k, text, sizeof(text)), ": warning: "))
            k++;
        wrong =
            k == count || !matches(poise_diagnostics_text(diag, k, text, sizeof(text)), name, want);
        if (wrong)
            print_error("%s: wanted: %s\n", name, want);
        k++;
    }
    for (; k < count && !wrong; k++)
        wrong = !strstr(poise_diagnostics_text(diag, k, text, sizeof(text)), ": warning: ");
    if (wrong) {
        print_error("%s: %s\n", name, s ? "it was accepted" : "got:");
        for (k = 0; k < count; k++)
            print_error("    %s\n", poise_diagnostics_text(diag, k, text, sizeof(text)));
    }
    poise_spec_free(s);
    poise_diagnostics_free(diag);
    return wrong;
}

static void bad_specs_are_refused_with_their_messages(void **state)
{
    const names *l = *state;
    int wrong = 0;
    for (int k = 0; k < l->n; k++)
        wrong += check(l->name[k]);
    assert_int_equal(wrong, 0);
}

static void there_are_enough_bad_specs(void **state)
{
    assert_true(((const names *)*state)->n >= FEWEST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_are_enough_bad_specs),
        cmocka_unit_test(bad_specs_are_refused_with_their_messages),
    };
    return cmocka_run_group_tests(tests, list, forget);
}
