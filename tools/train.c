/* poise train -- one run, or the rest of one. */
#include <stdio.h>
#include <string.h>
#include "crash.h"
#include "profile.h"
#include "record.h"
#include "run.h"

static void ended(const poise_result *r, const char *out)
{
    char time[32], rate[32];

    printf("%s, seed %llu: %d epochs, best %d, %s, %s samples/s -> %s\n", r->balancer,
           (unsigned long long)r->seed, r->epochs, r->best_epoch,
           tool_time_text(r->seconds, time, sizeof time),
           tool_count_text(r->samples_per_second, rate, sizeof rate), out);
    tool_print_result(r);
}

static int train(const tool_arguments *a, const poise_spec *spec, const char *out, int resume)
{
    tool_progress progress;
    tool_recording recording;
    poise_result r;
    poise_profile *profile = NULL;
    poise_error err;
    int status;

    if (tool_flag(a, "profile") && !(profile = poise_profile_new(tool_clock, &err)))
        return tool_failed(&err);
    status = tool_recording_open(&recording, tool_value(a, "record-signals"), spec);
    if (status != TOOL_OK) {
        poise_profile_free(profile);
        return tool_recording_close(&recording, status);
    }
    tool_progress_init(&progress);
    poise_train_options options = {.out = out,
                                   .resume = resume,
                                   .progress = tool_progress_show,
                                   .user = &progress,
                                   .watch_balancer = tool_flag(a, "watch-balancer"),
                                   .profile = profile,
                                   .where = tool_crash_watch()};
    tool_recording_use(&recording, &options);
    status = poise_train(spec, &options, &r, &err);
    tool_progress_clear(&progress);
    if (status == 0) {
        ended(&r, out);
        poise_result_done(&r);
        status = TOOL_OK;
    } else {
        status = tool_failed(&err);
        if (err.code == POISE_E_STOPPED)
            fprintf(stderr, "continue with: poise train --resume %s\n", out);
    }
    if (profile && (status == TOOL_OK || err.code == POISE_E_STOPPED)) {
        printf("\n");
        tool_print_profile(profile);
    }
    poise_profile_free(profile);
    return tool_recording_close(&recording, status);
}

static int run(const tool_arguments *a)
{
    const char *resume = tool_value(a, "resume");
    const char *path = a->nword ? a->word[0] : NULL;
    char out[TOOL_PATH], resolved[TOOL_PATH];
    poise_spec *spec;
    int status;

    if (resume && tool_value(a, "out"))
        return tool_wrong(a->command, "--resume continues in its own folder; leave --out away");
    if (!resume && !path)
        return tool_wrong(a->command, "which spec? poise train SPEC, or --resume DIR");
    if (resume && !tool_exists(tool_join(resume, "state.safetensors", out, sizeof out)))
        return tool_wrong(a->command, "%s is not there: %s holds no run to continue", out, resume);
    if (!path)
        path = tool_join(resume, "spec.yaml", resolved, sizeof resolved);
    tool_interrupt_catch();
    spec = tool_spec(a, path, &status);
    if (!spec)
        return status;
    if (resume)
        status = train(a, spec, resume, 1);
    else if ((status = tool_out(a, spec->name, out, sizeof out)) == TOOL_OK)
        status = train(a, spec, out, 0);
    poise_spec_free(spec);
    return status;
}

static const tool_option options[] = {
    {"out", "DIR", "the run's folder; default runs/<spec>-<n>, n the first free number", TOOL_ONCE},
    {"balancer", "NAME|PATH", "the strategy, in place of the spec's (its settings: --set)",
     TOOL_ONCE},
    TOOL_OPTION_SET,
    TOOL_OPTION_SEED,
    TOOL_OPTION_THREADS,
    {"resume", "DIR", "continue the run in DIR, to the same bits as if it had not stopped",
     TOOL_ONCE},
    {"watch-balancer", NULL, "go on with the strategy's file whenever it is built anew", TOOL_ONCE},
    {"record-signals", "FILE", "what the strategy sees and answers, as JSON lines (balancer try)",
     TOOL_ONCE},
    {"profile", NULL, "then print where the time of a step goes, by part and by layer", TOOL_ONCE},
    TOOL_OPTION_END};

const tool_command tool_train = {
    .name = "train",
    .words = "SPEC",
    .max_words = 1,
    .summary = "train the model of a spec with its balancer",
    .text = "Writes spec.yaml (resolved), log.jsonl, result.json, model.safetensors (the best\n"
            "epoch) and state.safetensors (what a resume needs) into the run's folder.\n"
            "\n"
            "Paths in a spec are relative to the spec, paths on the command line to the current\n"
            "folder. With --resume, SPEC may be left away: the folder's spec.yaml is taken.\n"
            "Ctrl-C writes a checkpoint and ends; a second Ctrl-C kills.\n"
            "\n"
            "  poise train funnel.yaml --balancer gradnorm --set balancer.alpha=1 --seed 2\n",
    .option = options,
    .run = run};
