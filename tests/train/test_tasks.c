/* Every kind of task learns what its label was drawn from, is measured by its own figures, and
 * predicts in the label's own terms; every loss that has settings trains with them. */
#include "run_fixture.h"

#include "core/random.h"
#include "train/safetensors.h"

enum { TRAIN = 3000, HELD_OUT = 1000, KINDS = 5 };

static double uniform(const char *stream, int row)
{
    return poise_random_uniform(7, poise_random_stream(stream), 0, (uint64_t)row);
}

/* Inversion: how many events at a rate. */
static int poisson(double rate, double u)
{
    double p = exp(-rate), sum = p;
    int k = 0;

    while (sum < u && k < 100)
        sum += p *= rate / ++k;
    return k;
}

/* Two numbers a row; a label of every kind that depends on them. */
static void write_rows(const char *name, int from, int n)
{
    FILE *f = fopen(in_folder(name), "w");

    assert_non_null(f);
    fprintf(f, "x,y,click,price,kind,stars,visits\n");
    for (int k = from; k < from + n; k++) {
        double x = 4 * uniform("x", k) - 2, y = 4 * uniform("y", k) - 2;
        double score = x + y + 0.3 * (uniform("noise", k) - 0.5);
        int grade = (int)((score + 4) / 8 * 5);
        fprintf(f, "%.6f,%.6f,%d,%.6f,%d,%d,%d\n", x, y,
                uniform("click", k) < 1 / (1 + exp(-3 * x)), 10 + 3 * x - y, x > 1 ? 2 : y > 0,
                grade, poisson(exp(0.8 * x), uniform("visits", k)));
    }
    assert_int_equal(fclose(f), 0);
}

static const char *const tasks[KINDS] = {
    "click: {label: click}", "price: {label: price, type: regression}",
    "kind: {label: kind, type: multiclass}", "stars: {label: stars, type: ordinal}",
    "visits: {label: visits, type: count}"};

static poise_spec *spec_of(const char *const *task, int n)
{
    poise_error err;
    char text[2000], message[POISE_ERROR_TEXT];
    const char *path = in_folder("spec.yaml");
    poise_diagnostics *d = poise_diagnostics_new(&err);
    int used = snprintf(text, sizeof text,
                        "data: {train: train.csv, test: test.csv}\n"
                        "features: {x: numeric, y: numeric}\n"
                        "model: {use: shared_bottom, units: [16], tower: [8]}\n"
                        "train: {batch: 100, epochs: 12, seed: 2, threads: 1, "
                        "optimizer: {adam: {rate: 1e-2}}}\n"
                        "tasks:\n");
    for (int t = 0; t < n; t++)
        used += snprintf(text + used, sizeof text - (size_t)used, "  %s\n", task[t]);
    assert_int_equal(poise__file_replace(path, 1, &(poise__piece){text, (size_t)used}, &err), 0);
    write_rows("train.csv", 0, TRAIN);
    write_rows("test.csv", TRAIN, HELD_OUT);
    poise_spec *s = poise_spec_read(path, 0, NULL, d);
    if (!s)
        fail_msg("%s", poise_diagnostics_text(d, 0, message, sizeof message));
    poise_diagnostics_free(d);
    return s;
}

static void train(const poise_spec *s, const char *out, poise_result *r)
{
    poise_error err;

    if (poise_train(s, &(poise_train_options){.out = in_folder(out)}, r, &err) < 0)
        fail_msg("%s", err.message);
}

/* The figures of a constant answer are 0.5, 4, 0.4, 0.9 and 1.9. */
static void every_kind_of_task_learns(void **state)
{
    poise_spec *s = spec_of(tasks, KINDS);
    poise_result r;

    (void)state;
    train(s, "kinds", &r);
    for (int t = 0; t < KINDS; t++)
        for (int f = 0; f < POISE_FIGURE_COUNT; f++)
            assert_int_equal(!isnan(r.task[t].figure[f]),
                             poise_figure_of((poise_figure)f, s->schema->task[t].kind));
    print_message("auc %.3f rmse %.3f accuracy %.3f mae %.3f deviance %.3f\n",
                  r.task[0].figure[POISE_AUC], r.task[1].figure[POISE_RMSE],
                  r.task[2].figure[POISE_ACCURACY], r.task[3].figure[POISE_MAE],
                  r.task[4].figure[POISE_DEVIANCE]);
    assert_true(r.task[0].figure[POISE_AUC] > 0.9);
    assert_true(r.task[1].figure[POISE_RMSE] < 1);
    assert_true(r.task[2].figure[POISE_ACCURACY] > 0.93);
    assert_true(r.task[3].figure[POISE_MAE] < 0.2);
    assert_true(r.task[4].figure[POISE_DEVIANCE] < 1.2);
    poise_result_done(&r);

    /* what is written is in the label's own terms: x = -1.5, y = 1.5, then x = 1.5, y = 1.9 */
    static const char rows[] = "x,y\n-1.5,1.5\n1.5,1.9\n";
    static const double low[KINDS][2] = {{0, 0.95}, {2.5, 11.5}, {1, 2}, {1.5, 2.9}, {0.1, 2.2}};
    static const double high[KINDS][2] = {{0.1, 1}, {5, 13.5}, {1, 2}, {2.5, 4}, {0.6, 5}};
    poise_error err;
    int64_t n;
    size_t bytes;
    const char *data = in_folder("new.csv"), *out = in_folder("scores.csv");
    assert_int_equal(poise__file_replace(data, 1, &(poise__piece){rows, sizeof rows - 1}, &err), 0);
    if (poise_predict(in_folder("kinds"), data, out, 1, &n, &err) < 0)
        fail_msg("%s", err.message);
    char *text = poise__file_read(out, &bytes, &err);
    assert_non_null(text);
    char *at = strchr(text, '\n');
    for (int row = 0; row < 2; row++)
        for (int t = 0; t < KINDS; t++) {
            double x = strtod(at + 1, &at);
            if (!(x >= low[t][row] && x <= high[t][row]))
                fail_msg("row %d, task %d: %g, wanted within %g .. %g", row, t, x, low[t][row],
                         high[t][row]);
        }
    free(text);
    poise_spec_free(s);
}

/* A comparison takes each task by the figure of its kind. */
static void tasks_are_compared_by_their_own_figures(void **state)
{
    static const char *const balancers[] = {"equal"};
    poise_spec *s = spec_of(tasks, KINDS);
    poise_comparison c;
    poise_error err;

    (void)state;
    s->train.epochs = 1;
    if (poise_compare(s, 1, balancers, 2, &(poise_train_options){.out = in_folder("compared")}, &c,
                      &err) < 0)
        fail_msg("%s", err.message);
    static const poise_figure want[KINDS] = {POISE_AUC, POISE_RMSE, POISE_ACCURACY, POISE_MAE,
                                             POISE_DEVIANCE};
    for (int t = 0; t < KINDS; t++) {
        assert_int_equal(c.figure[t], want[t]);
        assert_true(c.row[0].mean[t] > 0 && c.row[0].std[t] > 0);
    }
    assert_true(c.row[0].mean_std == c.row[0].std[0]); /* of the AUC alone */
    char *json = poise_comparison_json(&c, &err);
    assert_non_null(json);
    assert_non_null(strstr(json, "\"deviance_mean\""));
    assert_non_null(strstr(json, "\"auc_std\""));
    free(json);
    poise_comparison_done(&c);
    poise_spec_free(s);
}

/* They start at 0 and are part of the model file. */
static void an_ordinal_tasks_thresholds_are_trained(void **state)
{
    poise_spec *s = spec_of(&tasks[3], 1);
    poise_result r;
    poise_error err;
    poise_safetensors *f;

    (void)state;
    train(s, "ordinal", &r);
    poise_result_done(&r);
    assert_non_null(f = poise_safetensors_read(in_folder("ordinal/model.safetensors"), &err));
    const poise_tensor *t = poise_safetensors_find(f, "thresholds/stars");
    assert_non_null(t);
    assert_int_equal(t->rank, 1);
    assert_int_equal(t->dim[0], 4);
    for (int k = 0; k < 4; k++)
        assert_true(fabs((double)((const float *)t->data)[k]) > 1e-3);
    poise_safetensors_free(f);
    poise_spec_free(s);
}

/* Each line trains to something else than the loss without its settings. */
static void settings_of_losses_change_what_is_trained(void **state)
{
    static const char *const lines[][2] = {
        {"t: {label: click}", "t: {label: click, loss: {bce: {smoothing: 0.2}}}"},
        {"t: {label: click}", "t: {label: click, loss: {bce: {positive_weight: 3}}}"},
        {"t: {label: click}", "t: {label: click, loss: focal}"},
        {"t: {label: click, loss: focal}", "t: {label: click, loss: {focal: {gamma: 1}}}"},
        {"t: {label: click, loss: focal}", "t: {label: click, loss: {focal: {alpha: 0}}}"},
        {"t: {label: price, type: regression}", "t: {label: price, loss: huber}"},
        {"t: {label: price, loss: huber}", "t: {label: price, loss: {huber: {delta: 0.1}}}"},
        {"t: {label: kind, type: multiclass}",
         "t: {label: kind, loss: {softmax: {smoothing: 0.2}}}"},
    };

    (void)state;
    for (size_t k = 0; k < sizeof lines / sizeof *lines; k++) {
        double loss[2];
        for (int with = 0; with < 2; with++) {
            poise_spec *s = spec_of(&lines[k][with], 1);
            poise_result r;
            s->train.epochs = 1;
            train(s, "settings", &r);
            poise_figure f =
                s->schema->task[0].kind == POISE_REGRESSION ? POISE_RMSE : POISE_LOGLOSS;
            loss[with] = r.task[0].figure[f];
            poise_result_done(&r);
            poise_spec_free(s);
        }
        assert_true(isfinite(loss[0]) && isfinite(loss[1]));
        if (fabs(loss[0] - loss[1]) < 1e-4)
            fail_msg("%s trains as %s", lines[k][1], lines[k][0]);
    }
}

/* smoothing 0, weight 1, gamma 0 without alpha: the bits or the value of the plain loss. */
static void settings_at_rest_change_nothing(void **state)
{
    static const char *const lines[] = {"t: {label: click}",
                                        "t: {label: click, loss: {bce: {positive_weight: 1}}}",
                                        "t: {label: click, loss: {focal: {gamma: 0, alpha: 0}}}"};
    double loss[3];

    (void)state;
    for (int k = 0; k < 3; k++) {
        poise_spec *s = spec_of(&lines[k], 1);
        poise_result r;
        s->train.epochs = 1;
        train(s, "rest", &r);
        loss[k] = r.task[0].figure[POISE_LOGLOSS];
        poise_result_done(&r);
        poise_spec_free(s);
    }
    assert_true(loss[0] == loss[1]);
    assert_true(fabs(loss[0] - loss[2]) < 1e-4 * loss[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_task_learns),
        cmocka_unit_test(tasks_are_compared_by_their_own_figures),
        cmocka_unit_test(an_ordinal_tasks_thresholds_are_trained),
        cmocka_unit_test(settings_of_losses_change_what_is_trained),
        cmocka_unit_test(settings_at_rest_change_nothing),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
