/* Specs with bytes changed, cut out and doubled at random: read or refused, with a reason, and
 * whatever is read can be written, and read again. */
#include "read.h"
#include "core/random.h"

enum { TIMES = 400, LONGEST = 8192 };

static uint32_t bits(uint64_t round, uint32_t at)
{
    return poise_random_bits(17, poise_random_stream("damage"), at, round);
}

static size_t load(const char *name, char *text)
{
    char path[700];
    snprintf(path, sizeof(path), FOLDER "%s", name);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t n = fread(text, 1, LONGEST, f);
    fclose(f);
    return n;
}

/* One to four changes. */
static size_t damage(char *text, size_t n, uint64_t round)
{
    for (uint32_t k = 0; k <= bits(round, 0) % 4 && n > 2; k++) {
        size_t at = bits(round, 1 + 3 * k) % n;
        uint32_t how = bits(round, 2 + 3 * k), what = bits(round, 3 + 3 * k);
        size_t piece = 1 + what % 12;
        switch (how % 4) {
        case 0:
            text[at] = (char)(what & 0xFF);
            break;
        case 1:
            text[at] = "[]{}:,*&!|>'\"#%-\n $0"[what % 20];
            break;
        case 2:
            piece = piece < n - at ? piece : n - at;
            memmove(text + at, text + at + piece, n - at - piece);
            n -= piece;
            break;
        default:
            piece = piece < n - at ? piece : n - at;
            if (n + piece <= LONGEST) {
                memmove(text + at + piece, text + at, n - at);
                n += piece;
            }
        }
    }
    return n;
}

static void read_back(poise_spec *s)
{
    poise_error err;
    char *once = poise_spec_resolved(s, &err);
    if (!once)
        fail_msg("%s", err.message);
    poise_spec *again = read_good("good/again.yaml", once, 0, NULL);
    char *twice = poise_spec_resolved(again, &err);
    assert_string_equal(once, twice);
    free(once);
    free(twice);
    poise_spec_free(again);
}

static void check(const char *name)
{
    char text[LONGEST], whole[LONGEST];
    size_t size = load(name, whole);
    int refused = 0;
    for (uint64_t round = 0; round < TIMES; round++) {
        poise_error err;
        memcpy(text, whole, size);
        size_t n = damage(text, size, round);
        poise_diagnostics *diag = poise_diagnostics_new(&err);
        poise_spec *s = poise__spec_parse(FOLDER "good/damaged.yaml", text, n, 0, NULL, diag);
        refused += s == NULL;
        assert_true((s == NULL) == (poise_diagnostics_errors(diag) > 0));
        if (s)
            read_back(s);
        poise_spec_free(s);
        poise_diagnostics_free(diag);
    }
    /* Most damage is noticed; some is a number or a name that is as good as the old one. */
    assert_true(refused > TIMES / 4 && refused < TIMES);
}

static void damaged_specs_do_no_harm(void **state)
{
    (void)state;
    check("good/forms.yaml");
    check("good/golden.yaml");
    check("good/optimizer.yaml");
}

static void damaged_models_do_no_harm(void **state)
{
    (void)state;
    check("good/inline.yaml");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damaged_specs_do_no_harm),
        cmocka_unit_test(damaged_models_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
