/* What model files say of themselves without a run, and how the models that come with Poise say it. */
#include "read.h"
#include "models/about.h"
#include "zoo.h"

static poise_model_about *about(const char *use)
{
    poise_error err;
    char text[1400];
    poise_diagnostics *diag = poise_diagnostics_new(&err);
    poise_model_about *m = poise_model_about_read(use, diag);
    for (int k = 0; k < poise_diagnostics_count(diag); k++)
        print_error("%s\n", poise_diagnostics_text(diag, k, text, sizeof(text)));
    poise_diagnostics_free(diag);
    assert_non_null(m);
    return m;
}

static const poise_parameter_about *parameter(const poise_model_about *m, const char *name)
{
    for (int k = 0; k < m->nparameter; k++)
        if (strcmp(m->parameter[k].name, name) == 0)
            return &m->parameter[k];
    return NULL;
}

/* A parameter without a line of help is not explained to anyone. */
static void every_parameter_of_the_zoo_is_explained(void **state)
{
    (void)state;
    for (int k = 0; k < ZOO; k++) {
        poise_model_about *m = about(zoo[k].name);
        assert_string_equal(m->name, zoo[k].name);
        assert_true(m->about && m->paper && m->when && strstr(m->network, "input"));
        for (int i = 0; i < m->nparameter; i++)
            if (!m->parameter[i].help || strlen(m->parameter[i].help) < 8 ||
                !m->parameter[i].type[0])
                fail_msg("%s: parameter '%s' has no help", m->name, m->parameter[i].name);
        poise_model_about_free(m);
    }
}

static void types_ranges_and_defaults_are_said(void **state)
{
    (void)state;
    static const struct {
        const char *name, *type, *initial;
    } want[] = {
        {"width", "integer, 1 .. 64", "4"},
        {"rate", "number, 1 or less", "0.5"},
        {"act", "relu | tanh | sigmoid", "relu"},
        {"units", "list of lists of integers, each 1 or more", "[[8], [4]]"},
        {"deep", "list of 2 lists of integers, each 1 or more", "[[8], [4]]"},
        {"on", "boolean", "true"},
        {"first", "task", NULL},
        {"side", "input", NULL},
    };
    poise_model_about *m = about(FOLDER "data/typed.yaml");
    assert_int_equal(m->nparameter, POISE__COUNT(want));
    for (int k = 0; k < POISE__COUNT(want); k++) {
        const poise_parameter_about *p = parameter(m, want[k].name);
        assert_non_null(p);
        assert_string_equal(p->type, want[k].type);
        assert_int_equal(p->initial == NULL, want[k].initial == NULL);
        if (p->initial)
            assert_string_equal(p->initial, want[k].initial);
    }
    assert_string_equal(parameter(m, "first")->help, "the task that comes first");
    poise_model_about_free(m);
}

/* A parameter keeps the place of the file that introduced it. */
static void what_is_extended_is_named(void **state)
{
    (void)state;
    poise_model_about *m = about(FOLDER "data/deeper.yaml");
    assert_int_equal(m->nfile, 2);
    assert_non_null(strstr(m->file[0], "deeper.yaml"));
    assert_non_null(strstr(m->file[1], "mmoe.yaml"));
    assert_null(parameter(m, "dropout"));
    assert_string_equal(parameter(m, "units")->initial, "[8]");
    assert_non_null(strstr(parameter(m, "units")->place.file, "mmoe.yaml"));
    assert_non_null(strstr(parameter(m, "deep")->place.file, "deeper.yaml"));
    assert_non_null(strstr(m->network, "deep: {mlp: $deep, input: features}"));
    poise_model_about_free(m);
}

static void a_wrong_file_is_diagnosed(void **state)
{
    (void)state;
    static const char *const wrong[] = {"mmeo", "data/circle_a.yaml", "data/broken.yaml",
                                        "data/newer.yaml", "data/nowhere.yaml"};
    for (int k = 0; k < POISE__COUNT(wrong); k++) {
        poise_error err;
        char path[600];
        poise_diagnostics *diag = poise_diagnostics_new(&err);
        snprintf(path, sizeof(path), "%s%s", k ? FOLDER : "", wrong[k]);
        assert_null(poise_model_about_read(path, diag));
        assert_true(poise_diagnostics_errors(diag) > 0);
        poise_diagnostics_free(diag);
    }
}

static void outputs_and_losses_are_told(void **state)
{
    (void)state;
    poise_error err;
    poise_diagnostics *diag = poise_diagnostics_new(&err);
    poise_model_about *m = poise_model_about_read("escm2_ips", diag);
    assert_non_null(m);
    assert_non_null(strstr(m->losses, "output: {$click: "));
    assert_non_null(strstr(m->losses, "row_weight: {$conversion: inverse}"));
    poise_model_about_free(m);
    m = poise_model_about_read("mmoe", diag);
    assert_non_null(m);
    assert_string_equal(m->losses, "");
    poise_model_about_free(m);
    poise_diagnostics_free(diag);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_parameter_of_the_zoo_is_explained),
        cmocka_unit_test(types_ranges_and_defaults_are_said),
        cmocka_unit_test(what_is_extended_is_named),
        cmocka_unit_test(outputs_and_losses_are_told),
        cmocka_unit_test(a_wrong_file_is_diagnosed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
