/* @NAME@_test.c -- the strategy on signals made by hand, without a model.  Every line prints what is wrong;
 * the exit status is the number of lines. */
#include <math.h>
#include <stdio.h>
#include <poise/plugins/plugin.h>

static int wrong;

static void near(const char *what, double got, double want)
{
    if (fabs(got - want) <= 1e-9 * fmax(1, fabs(want)))
        return;
    printf("%s is %.12g, not %.12g\n", what, got, want);
    wrong++;
}

static int fail(const poise_error *err)
{
    char text[POISE_ERROR_TEXT];

    printf("%s\n", poise_error_text(err, text, sizeof text));
    return 1;
}

int main(void)
{
    const char *const task[] = {"click", "buy"}, *const keep[] = {"0.5"};
    const poise_setting set = {.name = "keep", .n = 1, .text = keep};
    double labelled[] = {100, 10}, loss[] = {3, 1}, weight[2];
    poise_signals in = {.size = sizeof in, .labelled = labelled, .loss = loss};
    poise_error err;
    poise_plugin *p = poise_plugin_load(STRATEGY, &err);
    poise_balance *b = p ? poise_balance_new(p, 2, task, 1, 1, &set, NULL, &err) : NULL;

    if (!b || poise_balance_step(b, &in, weight, &err) < 0)
        return fail(&err);
    near("step 0: the weight of click", weight[0], 2 * (1 / 3.) / (1 / 3. + 1));
    near("step 0: the weight of buy", weight[1], 2 * 1 / (1 / 3. + 1));

    /* means 2 and 1: the task without labels keeps its own */
    in.step = 1;
    loss[0] = 1;
    loss[1] = labelled[1] = 0;
    if (poise_balance_step(b, &in, weight, &err) < 0)
        return fail(&err);
    near("step 1: the weight of click", weight[0], 2 * 0.5 / 1.5);
    near("step 1: the weight of buy", weight[1], 2 * 1 / 1.5);

    poise_balance_free(b);
    poise_plugin_free(p);
    return wrong;
}
