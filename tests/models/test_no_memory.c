/* Every allocation of reading, writing, describing and building is refused in turn: each time a
 * reason is given, and nothing is leaked. */
#include "net.h"
#include "models/about.h"
#include "models/expand.h"
#include "models/json_schema.h"
#include "models/show.h"

/* Exported, so that what libyaml and the C library ask for themselves is counted and refused too. */
#pragma GCC visibility push(default)
#include "tests/count_alloc.h"
#pragma GCC visibility pop

/* Of more than MANY allocations FEW are refused, spread evenly. */
enum { MOST = 1000000, MANY = 20000, FEW = 300 };

/* 0 when it worked, -1 when it said why not. */
typedef int attempt(void *arg);

/* Some refusals do no harm (a file's buffer): then it works all the same. */
static void refuse_each(attempt *try, void *arg)
{
    long before = count_alloc();
    assert_int_equal(try(arg), 0);
    long n = count_alloc() - before;
    int refused = 0;
    assert_true(n >= 3 && n < MOST);
    for (long k = 0; k<n; k += n> MANY ? n / FEW : 1) {
        long held = count_alloc_live();
        count_alloc_fail(k);
        refused += try(arg) < 0;
        count_alloc_fail(-1);
        if (count_alloc_live() != held)
            fail_msg("%ld allocations are kept after the %ldth was refused",
                     count_alloc_live() - held, k);
    }
    assert_true(refused > 0);
}

static int read_one(void *arg)
{
    char path[1200];
    poise_error err;
    snprintf(path, sizeof(path), FOLDER "%s", (const char *)arg);
    poise_diagnostics *diag = poise_diagnostics_new(&err);
    if (!diag)
        return -1;
    poise_spec *s = poise_spec_read(path, 1, &(poise_override){"train.epochs", "4"}, diag);
    int errors = poise_diagnostics_errors(diag);
    poise_spec_free(s);
    poise_diagnostics_free(diag);
    if ((s != NULL) != (errors == 0))
        fail_msg("%s", s ? "read, but with errors" : "refused without a reason");
    return s ? 0 : -1;
}

static void reading(void **state)
{
    (void)state;
    if (!COUNT_ALLOC)
        skip();
    refuse_each(read_one, (void *)(uintptr_t) "good/forms.yaml");
    refuse_each(read_one, (void *)(uintptr_t) "good/golden.yaml");
    refuse_each(read_one, (void *)(uintptr_t) "good/schedule.yaml");
    refuse_each(read_one, (void *)(uintptr_t) "good/treatment.yaml");
    refuse_each(read_one, (void *)(uintptr_t) "good/lists.yaml");
    refuse_each(read_one, (void *)(uintptr_t) "good/tables.yaml");
    refuse_each(read_one, (void *)(uintptr_t) "good/groups.yaml");
    refuse_each(read_one, (void *)(uintptr_t) "good/extends.yaml");
    refuse_each(read_one, (void *)(uintptr_t) "good/conditions.yaml");
}

static int resolve_one(void *arg)
{
    poise_error err = {0};
    char *text = poise_spec_resolved(arg, &err);
    if (!text)
        assert_true(err.code != POISE_OK);
    free(text);
    return text ? 0 : -1;
}

/* How a spec is written and drawn: each of these. */
static char *(*const writers[])(const poise_spec *, poise_error *) = {
    poise_spec_expanded, poise_model_expanded, poise_show_tree, poise_show_dot};
static int writer;

static int write_one(void *arg)
{
    poise_error err = {0};
    char *text = writers[writer](arg, &err);
    if (!text)
        assert_true(err.code != POISE_OK);
    free(text);
    return text ? 0 : -1;
}

static int schema_one(void *arg)
{
    poise_error err = {0};
    char *text = poise_json_schema(*(poise_file_kind *)arg, &err);
    if (!text)
        assert_true(err.code != POISE_OK);
    free(text);
    return text ? 0 : -1;
}

static int diagnostics_one(void *arg)
{
    poise_error err = {0};
    char *text = poise_diagnostics_json(arg, &err);
    if (!text)
        assert_true(err.code != POISE_OK);
    free(text);
    return text ? 0 : -1;
}

static int ask_about(void *arg)
{
    poise_error err;
    poise_diagnostics *diag = poise_diagnostics_new(&err);
    poise_model_about *m = diag ? poise_model_about_read(arg, diag) : NULL;
    if (diag && (m != NULL) != (poise_diagnostics_errors(diag) == 0))
        fail_msg("%s", m ? "read, but with errors" : "refused without a reason");
    poise_diagnostics_free(diag);
    poise_model_about_free(m);
    return m ? 0 : -1;
}

static int pass_over(void *user, const poise_layer_info *l)
{
    (void)user, (void)l;
    return 0;
}

static int describe_one(void *arg)
{
    poise_spec *s = arg;
    poise_error err = {0};
    int done = poise_model_describe(s->model, s->schema, pass_over, NULL, &err);
    if (done < 0)
        assert_true(err.code != POISE_OK);
    return done;
}

static int build_one(void *arg)
{
    poise_spec *s = arg;
    poise_error err = {0};
    poise_network n;
    int done = -1;
    poise_store *store = poise_store_new(&err);
    poise_graph *g = store ? poise_network_graph(store, &err) : NULL;
    if (g) {
        poise_graph_train(g, 1);
        done = poise_model_build(s->model, s->schema, g, ROWS, &n, &err);
    }
    if (done < 0)
        assert_true(err.code != POISE_OK);
    poise_graph_free(g);
    poise_store_free(store);
    return done;
}

static int name_models(void *arg)
{
    (void)arg;
    poise_error err = {0};
    char **names = poise_model_names(&err);
    int found = 0;
    for (char **n = names; n && *n; n++)
        found++;
    if (!names)
        assert_true(err.code != POISE_OK);
    poise_names_free(names);
    return found >= 3 ? 0 : -1;
}

static void everything_after_reading(void **state)
{
    (void)state;
    if (!COUNT_ALLOC)
        skip();
    poise_spec *s = read_good("good/forms.yaml", NULL, 0, NULL);
    pretend_learnt(s->schema);
    refuse_each(resolve_one, s);
    refuse_each(ask_about, (void *)(uintptr_t)FOLDER "data/deeper.yaml");
    refuse_each(describe_one, s);
    refuse_each(build_one, s);
    refuse_each(name_models, NULL);
    poise_spec *common = read_good("good/tables.yaml", NULL, 0, NULL);
    pretend_learnt(common->schema);
    refuse_each(build_one, common);
    poise_spec_free(common);
    for (writer = 0; writer < (int)(sizeof(writers) / sizeof(writers[0])); writer++)
        refuse_each(write_one, s);
    poise_spec_free(s);
}

static void what_editors_get(void **state)
{
    (void)state;
    poise_diagnostics *diag;
    if (!COUNT_ALLOC)
        skip();
    poise_file_kind kind = POISE_MODEL_FILE;
    refuse_each(schema_one, &kind);
    assert_null(read_spec("bad/everything.yaml", NULL, 0, NULL, &diag));
    refuse_each(diagnostics_one, diag);
    poise_diagnostics_free(diag);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reading),
        cmocka_unit_test(everything_after_reading),
        cmocka_unit_test(what_editors_get),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
