/* docs/spec.md has the row of every key of every section, as the tables say it. */
#include "read.h"

static char *page(void)
{
    FILE *f = fopen(TEST_SOURCE "/../docs/spec.md", "rb");
    assert_non_null(f);
    char *text = calloc(1, 1 << 20);
    assert_true(fread(text, 1, (1 << 20) - 1, f) > 0);
    fclose(f);
    return text;
}

/* In a table of Markdown a bar is written \|. */
static void escape(const char *from, char *to, size_t size)
{
    size_t n = 0;
    for (; *from && n + 3 < size; from++) {
        if (*from == '|')
            to[n++] = '\\';
        to[n++] = *from;
    }
    to[n] = 0;
}

static void row(const poise_key *k, char *buf, size_t size)
{
    char type[400], escaped[500], value[80], initial[100] = "", help[400];
    escape(poise_key_type(k, type, sizeof(type)), escaped, sizeof(escaped));
    if (k->initial) {
        escape(k->initial, value, sizeof(value));
        snprintf(initial, sizeof(initial), "`%s`", value);
    } else if (k->required)
        snprintf(initial, sizeof(initial), "required");
    snprintf(buf, size, "| `%s` | %s | %s | %s |\n", k->name, escaped, initial,
             poise_key_help(k, help, sizeof(help)));
}

static int missing(const char *text, const poise_section *s)
{
    char line[1500], title[200];
    int wrong = 0;
    snprintf(title, sizeof(title), "**`%s`**: %s\n", s->name, s->about);
    const char *from = strstr(text, title);
    if (!from) {
        print_error(
            "docs/spec.md wants:\n%s\n| key | type | default | meaning |\n|---|---|---|---|\n",
            title);
        from = text;
        wrong = 1;
    }
    for (int k = 0; k < s->nkey; k++) {
        row(&s->key[k], line, sizeof(line));
        if (strstr(from, line))
            continue;
        print_error("%s", line);
        wrong = 1;
    }
    if (s->other_help && !strstr(from, s->other_help)) {
        print_error("%s\n", s->other_help);
        wrong = 1;
    }
    return wrong;
}

static void every_key_has_its_row(void **state)
{
    (void)state;
    char *text = page();
    int wrong = missing(text, poise_layer_keys());
    for (const poise_section *const *s = poise_spec_sections(); *s; s++)
        wrong += missing(text, *s);
    for (const poise_section *const *s = poise_layer_kinds(); *s; s++)
        wrong += missing(text, *s);
    free(text);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_key_has_its_row)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
