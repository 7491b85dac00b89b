/* poise compare -- models and strategies, with the same seeds: the table that people publish. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "../models/model.h"
#include "compare.h"
#include "crash.h"

/* What was asked for; a list that was not given is empty. */
typedef struct request {
    tool_names models, balancers;
    int nspec;
    poise_spec *spec[TOOL_NAMES]; /* owned: one per model, or the one as it is */
    int repeat;
} request;

static void request_done(request *r)
{
    for (int k = 0; k < r->nspec; k++)
        poise_spec_free(r->spec[k]);
    tool_names_done(&r->models);
    tool_names_done(&r->balancers);
}

/* ---- progress ------------------------------------------------------------------------------ */

typedef struct watch {
    tool_progress progress;
    const request *request;
    int run; /* counts from 0; -1: none yet */
} watch;

static int show(void *user, const poise_progress *now)
{
    watch *w = user;
    const request *r = w->request;
    int each = r->balancers.n ? r->balancers.n : 1, total = r->nspec * each * r->repeat;

    if (now->run != w->run) {
        int row = now->run / r->repeat;
        const poise_spec *spec = r->spec[row / each];

        w->run = now->run;
        tool_progress_clear(&w->progress);
        fprintf(stderr, "run %d of %d: ", w->run + 1, total);
        if (r->models.n)
            fprintf(stderr, "%s, ", tool_last_part(poise_model_name(spec->model)));
        if (r->balancers.n)
            fprintf(stderr, "%s, ", tool_last_part(r->balancers.name[row % each]));
        fprintf(stderr, "seed %" PRIu64 "\n", spec->train.seed + (uint64_t)(w->run % r->repeat));
    }
    return tool_progress_show(&w->progress, now);
}

/* ---- the command --------------------------------------------------------------------------- */

/* All that is wrong with any of the models, each thing once. */
static int read_specs(const tool_arguments *a, request *r)
{
    poise_error err;
    poise_diagnostics *diag = poise_diagnostics_new(&err);
    int status = TOOL_OK, all = TOOL_OK, n = r->models.n ? r->models.n : !r->models.failed;

    if (!diag)
        return tool_failed(&err);
    for (int k = 0; k < n && (all == TOOL_OK || poise_diagnostics_errors(diag)); k++) {
        const char *model = r->models.n ? r->models.name[k] : NULL;
        poise_spec *spec = tool_spec_model(a, a->word[0], model, diag, &status);

        if (spec)
            r->spec[r->nspec++] = spec;
        all = all == TOOL_OK ? status : all;
    }
    tool_diagnostics_print(diag);
    poise_diagnostics_free(diag);
    return all;
}

/* Without a spec only whether it can be loaded. */
static int check_balancer(const poise_spec *spec, const char *use, poise_error *err)
{
    poise_plugin *p;

    if (spec)
        return tool_balancer_check(spec, use, err);
    p = tool_balancer_load(use, err);
    poise_plugin_free(p);
    return p ? 0 : -1;
}

/* What would otherwise be found after hours. */
static int check_balancers(const request *r)
{
    int status = TOOL_OK;
    poise_error err;

    for (int k = 0; k < r->balancers.n; k++)
        if (check_balancer(r->nspec ? r->spec[0] : NULL, r->balancers.name[k], &err) < 0)
            status = tool_failed(&err);
    return status;
}

/* Everything that is wrong with the names is told before anything is trained. */
static int read_all(const tool_arguments *a, request *r)
{
    int status = r->balancers.failed ? r->balancers.failed : r->models.failed;
    int specs = read_specs(a, r), balancers = check_balancers(r);

    if (status == TOOL_OK)
        status = specs;
    return status == TOOL_OK ? balancers : status;
}

static int compare(const request *r, const char *out, int resume)
{
    watch w = {.request = r, .run = -1};
    poise_comparison c;
    poise_error err;
    int status;

    tool_progress_init(&w.progress);
    tool_interrupt_catch();
    status = poise_compare_models(r->nspec, (const poise_spec *const *)r->spec, r->balancers.n,
                                  (const char *const *)r->balancers.name, r->repeat,
                                  &(poise_train_options){.out = out,
                                                         .resume = resume,
                                                         .progress = show,
                                                         .user = &w,
                                                         .where = tool_crash_watch()},
                                  &c, &err);
    tool_progress_clear(&w.progress);
    if (c.nrow) {
        tool_print_comparison(&c);
        printf("\n-> %s/compare.json\n", out);
    }
    poise_comparison_done(&c);
    if (status == 0)
        return TOOL_OK;
    status = tool_failed(&err);
    if (err.code == POISE_E_STOPPED)
        fprintf(stderr, "continue the comparison with the same words and --resume %s\n", out);
    return status;
}

static int run(const tool_arguments *a)
{
    const char *resume = tool_value(a, "resume");
    request r = {.nspec = 0};
    uint64_t repeat = 3;
    char out[TOOL_PATH];
    int status = tool_number(a, "repeat", 1, 10000, &repeat);

    r.repeat = (int)repeat;
    if (status == TOOL_OK && resume && tool_value(a, "out"))
        status = tool_wrong(a->command, "--resume continues in its own folder; leave --out away");
    if (status == TOOL_OK && resume &&
        !tool_exists(tool_join(resume, "compare.json", out, sizeof out)))
        status = tool_wrong(a->command, "%s is not there: %s holds no comparison to continue", out,
                            resume);
    if (status == TOOL_OK && !tool_value(a, "balancers") && !tool_value(a, "models"))
        status =
            tool_wrong(a->command, "say what to compare: --balancers A,B,... or --models A,B,...");
    if (status == TOOL_OK)
        status = tool_names_read(a, "balancers", &r.balancers);
    if (status == TOOL_OK)
        status = tool_names_read(a, "models", &r.models);
    if (status == TOOL_OK)
        status = read_all(a, &r);
    if (status == TOOL_OK && !resume)
        status = tool_out(a, r.spec[0]->name, out, sizeof out);
    if (status == TOOL_OK)
        status = compare(&r, resume ? resume : out, resume != NULL);
    request_done(&r);
    return status;
}

static const tool_option options[] = {
    {"balancers", "A,B,...", "names or paths of strategies; default: the spec's own", TOOL_ONCE},
    {"models", "A,B,...", "names or paths of models, or {use: A, ...}; default: the spec's own",
     TOOL_ONCE},
    {"repeat", "N", "runs of each, with seeds seed, seed + 1, ...; default 3", TOOL_ONCE},
    {"out", "DIR", "the folder; default runs/<spec>-<n>, n the first free number", TOOL_ONCE},
    {"resume", "DIR", "continue the comparison in DIR", TOOL_ONCE},
    TOOL_OPTION_SET,
    TOOL_OPTION_SEED,
    TOOL_OPTION_THREADS,
    TOOL_OPTION_END};

const tool_command tool_compare = {
    .name = "compare",
    .words = "SPEC",
    .min_words = 1,
    .max_words = 1,
    .summary = "train several models or balancers and print the table of AUCs",
    .text = "Every model with every strategy is trained with the same seeds. The table has the\n"
            "mean and deviation of the AUC per task, the mean deviation, the difference to the\n"
            "first row, and the best AUC that any model can reach where the data's generator\n"
            "knows it. A model or strategy that is not the spec's own starts from its defaults;\n"
            "parameters stand in braces. Writes compare.json into the folder.\n"
            "\n"
            "One that was stopped or killed goes on with the same words and --resume DIR: runs\n"
            "that ended are not trained again. Only the threads may be others.\n"
            "\n"
            "  poise compare funnel.yaml --balancers equal,gradnorm,./mine.so --repeat 3\n"
            "  poise compare funnel.yaml --models 'shared_bottom,mmoe,{use: ple, tower: [8]}'\n",
    .option = options,
    .run = run};
