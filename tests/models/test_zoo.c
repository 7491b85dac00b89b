/* Every model that comes with Poise, as a file and as a network that learns.
 *
 * The rows are made by the funnel generator (docs/data.md), which knows the best AUC that any model
 * can have on them. */
#include <dirent.h>
#include <math.h>
#include <unistd.h>
#include "read.h"
#include "zoo.h"
#include "models/network.h"
#include "train/trainer.h"

static int row(const char *name)
{
    for (int k = 0; k < ZOO; k++)
        if (strcmp(zoo[k].name, name) == 0)
            return k;
    return -1;
}

/* A model without a row here is not tested. */
static void every_model_file_is_in_the_table(void **state)
{
    (void)state;
    int n = 0;
    DIR *d = opendir(TEST_SOURCE "/../models");
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        char name[256];
        size_t length = strlen(e->d_name);
        if (length <= 5 || length >= sizeof(name) || strcmp(e->d_name + length - 5, ".yaml") != 0)
            continue;
        memcpy(name, e->d_name, length + 1);
        name[length - 5] = 0;
        if (row(name) < 0)
            fail_msg("models/%s is not in the table of this test", e->d_name);
        n++;
    }
    closedir(d);
    assert_int_equal(n, ZOO);
}

static poise_spec *spec_of(int k, const char *settings, const char *rest)
{
    char text[600];
    snprintf(text, sizeof(text),
             "data: {generate: funnel, rows: 12000, seed: 3}\nmodel: {use: %s, %s%s}\n%s",
             zoo[k].name, zoo[k].must, settings, rest);
    return read_good("here.yaml", text, 0, NULL);
}

static char *page(void)
{
    FILE *f = fopen(TEST_SOURCE "/../docs/spec.md", "rb");
    assert_non_null(f);
    char *text = calloc(1, 1 << 20);
    assert_true(fread(text, 1, (1 << 20) - 1, f) > 0);
    fclose(f);
    return text;
}

/* With the defaults of the file, too, it is a network.  docs/spec.md says the same of it. */
static void each_says_what_it_is_whose_and_when_to_use_it(void **state)
{
    (void)state;
    char *docs = page();
    for (int k = 0; k < ZOO; k++) {
        char line[1000];
        poise_spec *s = spec_of(k, "dropout: 0.1", "");
        assert_true(s->model->about && strlen(s->model->about) > 20);
        assert_true(s->model->paper && s->model->paper[0]);
        assert_true(s->model->when && strlen(s->model->when) > 20);
        snprintf(line, sizeof(line), "| `%s` | %s | %s |\n", zoo[k].name, s->model->about,
                 s->model->when);
        if (!strstr(docs, line))
            fail_msg("docs/spec.md wants: %s", line);
        poise_spec_free(s);
    }
    free(docs);
}

/* More than half of the way from chance, an AUC of 0.5, to the best possible, in the mean over the tasks. */
static void each_learns_what_there_is_to_learn(void **state)
{
    (void)state;
    char folder[] = "zoo-XXXXXX", command[64];
    assert_non_null(mkdtemp(folder));
    for (int k = 0; k < ZOO; k++) {
        poise_spec *s =
            spec_of(k, zoo[k].settings,
                    "train: {batch: 128, epochs: 3, seed: 5, threads: 1, optimizer: {adam: {rate: "
                    "5e-3}}}\n");
        poise_error err;
        poise_result r;
        double share = 0;
        if (poise_train(s, &(poise_train_options){.out = folder}, &r, &err) < 0)
            fail_msg("%s: %s", zoo[k].name, err.message);
        for (int t = 0; t < r.ntask; t++)
            share +=
                (r.task[t].figure[POISE_AUC] - 0.5) / (r.task[t].auc_best_possible - 0.5) / r.ntask;
        print_message("%s: %.3f of what there is\n", zoo[k].name, share);
        if (!(share > 0.6 && share < 1.2))
            fail_msg("%s learns %.3f of what there is", zoo[k].name, share);
        poise_result_done(&r);
        poise_spec_free(s);
    }
    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_model_file_is_in_the_table),
        cmocka_unit_test(each_says_what_it_is_whose_and_when_to_use_it),
        cmocka_unit_test(each_learns_what_there_is_to_learn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
