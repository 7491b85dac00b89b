/* What a balancer says of itself is checked row by row. */
#include "objects.h"

#include <math.h>

#include "core/memory.h"
#include "plugins/table.h"

static int ones(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    (void)c, (void)state, (void)in, (void)weight;
    return 0;
}

static const char *const words[] = {"adam", "sgd", NULL};
static const char *const no_words[] = {NULL};

/* Rows that are refused, and what is said of them. */
static const struct {
    poise_param row;
    const char *message;
} rows[] = {
    {{NULL, "h", POISE_REAL, 0, 1, 0, 2, NULL},
     "x.so: parameter 0 has the name \"\"; it must be lower-case letters, digits and _"},
    {{"Rate", "h", POISE_REAL, 0, 1, 0, 2, NULL},
     "x.so: parameter 0 has the name \"Rate\"; it must be lower-case letters, digits and _"},
    {{"a-b", "h", POISE_REAL, 0, 1, 0, 2, NULL},
     "x.so: parameter 0 has the name \"a-b\"; it must be lower-case letters, digits and _"},
    {{"use", "h", POISE_REAL, 0, 1, 0, 2, NULL},
     "x.so: parameter \"use\": the spec has a key of that name itself; choose another"},
    {{"rate", NULL, POISE_REAL, 0, 1, 0, 2, NULL}, "x.so: parameter \"rate\": it has no help text"},
    {{"rate", "h", 0, 0, 1, 0, 2, NULL},
     "x.so: parameter \"rate\": its kind is not known: rebuild the balancer or update Poise"},
    {{"rate", "h", 5, 0, 1, 0, 2, NULL},
     "x.so: parameter \"rate\": its kind is not known: rebuild the balancer or update Poise"},
    {{"rate", "h", POISE_REAL, 2, 1, 0, 2, NULL},
     "x.so: parameter \"rate\": it has a flag that is not known: rebuild the balancer or update "
     "Poise"},
    {{"rate", "h", POISE_REAL, 0, 1, 2, 0, NULL},
     "x.so: parameter \"rate\": its range is empty: min must not be above max"},
    {{"rate", "h", POISE_REAL, 0, 1, NAN, 2, NULL},
     "x.so: parameter \"rate\": its range is empty: min must not be above max"},
    {{"rate", "h", POISE_REAL, 0, -1, 0, 2, NULL},
     "x.so: parameter \"rate\": its default is not among its values"},
    {{"rate", "h", POISE_REAL, 0, INFINITY, 0, INFINITY, NULL},
     "x.so: parameter \"rate\": its default is not among its values"},
    {{"rate", "h", POISE_INT, 0, 1.5, 0, 2, NULL},
     "x.so: parameter \"rate\": its default is not among its values"},
    {{"rate", "h", POISE_BOOL, 0, 2, 0, 0, NULL},
     "x.so: parameter \"rate\": its default is not among its values"},
    {{"rate", "h", POISE_CHOICE, 0, 2, 0, 0, words},
     "x.so: parameter \"rate\": its default is not among its values"},
    {{"rate", "h", POISE_CHOICE, 0, 0, 0, 0, NULL},
     "x.so: parameter \"rate\": it is a choice without words"},
    {{"rate", "h", POISE_CHOICE, 0, 0, 0, 0, no_words},
     "x.so: parameter \"rate\": it is a choice without words"},
};

static poise_balancer good(void)
{
    return (poise_balancer){POISE_SIZES, .id = "x", .version = "1", .about = "x", .step = ones};
}

/* 0 and "", or -1 and the message. */
static int read_table(const poise_balancer *theirs, char message[1024])
{
    poise_balancer ours;
    poise_error err = {0};
    poise__arena *a = poise__arena_new(&err);
    int rc = poise__table_read(theirs, "x.so", &ours, a, &err);
    strcpy(message, err.message);
    assert_true(!rc || err.code == POISE_E_PLUGIN);
    poise__arena_free(a);
    return rc;
}

static void bad_rows_are_refused(void **state)
{
    (void)state;
    char message[1024];
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        poise_balancer b = good();
        b.param = &rows[k].row;
        b.nparam = 1;
        assert_int_equal(read_table(&b, message), -1);
        assert_string_equal(message, rows[k].message);
    }
}

static void two_rows_of_one_name_are_refused(void **state)
{
    (void)state;
    static const poise_param twice[] = {{"a", "h", POISE_REAL, 0, 1, 0, 2, NULL},
                                        {"b", "h", POISE_REAL, 0, 1, 0, 2, NULL},
                                        {"a", "h", POISE_BOOL, 0, 1, 0, 0, NULL}};
    char message[1024];
    poise_balancer b = good();
    b.param = twice;
    b.nparam = 3;
    assert_int_equal(read_table(&b, message), -1);
    assert_string_equal(message, "x.so: parameter \"a\": an earlier parameter has that name");
}

static void bad_tables_are_refused(void **state)
{
    (void)state;
    char message[1024];
    poise_balancer b;

    assert_int_equal(read_table(NULL, message), -1);
    assert_string_equal(message, "x.so: poise_balancer_v1() returned NULL");
#define REFUSED(change, text)                      \
    b = good();                                    \
    change;                                        \
    assert_int_equal(read_table(&b, message), -1); \
    assert_string_equal(message, "x.so: " text)
    REFUSED(b.size = 0,
            "its table is 0 bytes long; at least 88 are needed (does it set POISE_SIZES?)");
    REFUSED(b.id = NULL, "its id is \"\"; it must be lower-case letters, digits, _ and -");
    REFUSED(b.id = "9x", "its id is \"9x\"; it must be lower-case letters, digits, _ and -");
    REFUSED(b.version = NULL, "its table lacks `version` or `about`");
    REFUSED(b.about = NULL, "its table lacks `version` or `about`");
    REFUSED(b.step = NULL, "its table lacks `step`");
    REFUSED(b.flags = 1u << 16,
            "it has the flag of bit 0x10000, which this version of Poise does not know: it "
            "was built for a newer one");
    REFUSED(b.nparam = 1, "it says that it has 1 parameters, but its table of them is NULL");
    REFUSED((b.nparam = 1, b.param = &rows[0].row, b.param_size = 40),
            "its parameter rows are 40 bytes long; at least 48 are needed");
    REFUSED((b.nparam = 100000, b.param = &rows[0].row),
            "it says that it has 100000 parameters, but its table of them is not that long in any "
            "sane balancer");
#undef REFUSED
    b = good();
    assert_int_equal(read_table(&b, message), 0);
}

/* Every signal of the header has a row, and the row points at the field of that name. */
static void the_signals_are_all_there(void **state)
{
    (void)state;
    double x[9];
    poise_signals in = {.size = sizeof in,
                        .loss = &x[0],
                        .loss_init = &x[1],
                        .grad_norm = &x[2],
                        .gram = &x[3],
                        .kpi = &x[4],
                        .loss_after = &x[5],
                        .rate = &x[6],
                        .group_gram = &x[7],
                        .half_gram = &x[8]};
    int n = 0;
    for (const poise__signal *s = poise__signals; s->bit; s++, n++) {
        const double *p;
        memcpy(&p, (char *)&in + s->offset, sizeof p);
        assert_true(p == &x[n]);
        assert_int_equal(s->bit, 1u << n);
        assert_string_equal(poise_signal_name(s->bit), s->name);
    }
    assert_int_equal(n, 9);
    assert_int_equal(poise__signals_known(), 511);
    assert_null(poise_signal_name(512));
    assert_null(poise_signal_name(POISE_LOSS | POISE_GRAM));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_rows_are_refused),
        cmocka_unit_test(two_rows_of_one_name_are_refused),
        cmocka_unit_test(bad_tables_are_refused),
        cmocka_unit_test(the_signals_are_all_there),
    };
    return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
