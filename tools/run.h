/* run.h -- what the commands that train have in common: the spec with its overrides, the run
 * folder, progress, and a figure table. */
#ifndef POISE_TOOLS_RUN_H
#define POISE_TOOLS_RUN_H

#include <time.h>
#include "../train/trainer.h"
#include "command.h"

/* Rows of an option table. */
#define TOOL_OPTION_SET                                                                      \
    {                                                                                        \
        "set", "KEY=VALUE", "override a key of the spec, as --set train.epochs=3", TOOL_MANY \
    }
#define TOOL_OPTION_SEED                                \
    {                                                   \
        "seed", "N", "the seed (train.seed)", TOOL_ONCE \
    }
#define TOOL_OPTION_THREADS                                                            \
    {                                                                                  \
        "threads", "N", "threads to use (train.threads); 0: chosen by size", TOOL_ONCE \
    }
#define TOOL_OPTION_END             \
    {                               \
        NULL, NULL, NULL, TOOL_ONCE \
    }

enum { TOOL_PATH = 4096 };

/* ---- run.c ---- */

/* The spec at `path` with --set, --seed, --threads and --balancer (where the command has them)
 * applied; where the command trains with them the spec's strategies and their settings are checked too.
 * Warnings are printed.  NULL after all errors were printed; *status is then how to end. */
poise_spec *tool_spec(const tool_arguments *a, const char *path, int *status);
/* The same, and what was found is left in `diag`, not printed (but for a wrong command line). */
poise_spec *tool_spec_read(const tool_arguments *a, const char *path, poise_diagnostics *diag,
                           int *status);
/* Every diagnostic, with the line that it is about, to standard error. */
void tool_diagnostics_print(const poise_diagnostics *diag);

/* The same with another model in the place of `model:`: its name, the absolute path of its file, or a
 * mapping {use: NAME, ...}.  The spec's own, by its name, keeps its parameters. */
poise_spec *tool_spec_model(const tool_arguments *a, const char *path, const char *model,
                            poise_diagnostics *diag, int *status);

/* The first rows of every part, TOOL_FIRST_ROWS at most; the schema is learnt from them.  0 or -1. */
enum { TOOL_FIRST_ROWS = 5000 };
int tool_first_rows(poise_spec *spec, poise_data *data, poise_error *err);

/* --out DIR, or a new folder runs/NAME-1, -2, ...  TOOL_OK, or the status after a message. */
int tool_out(const tool_arguments *a, const char *name, char *buf, size_t size);

/* "runs/a/result.json" into buf; returns buf. */
const char *tool_join(const char *folder, const char *name, char *buf, size_t size);
int tool_exists(const char *path);

void tool_print_result(const poise_result *r);

/* ---- strategy.c ---- */

/* A balancer as the command line names it: a name as it is, a path (it holds '/' or ends in .so)
 * absolute, because in a spec paths are relative to the spec.  0 or -1 with *err. */
int tool_balancer_path(const char *name, char *buf, size_t size, poise_error *err);

/* poise_plugin_load, where a name or path that is not there is a mistake of the asker (code SPEC). */
struct poise_plugin *tool_balancer_load(const char *use, poise_error *err);

/* Load `use`, and check the spec's settings if it is the spec's own: what would otherwise be found
 * when the data has been read, or after hours of a comparison.  0 or -1 with *err. */
int tool_balancer_check(const poise_spec *spec, const char *use, poise_error *err);
/* All that is wrong with the entries of a spec's schedule, while it is read: a poise_spec_options.also. */
void tool_schedule_diagnose(void *user, const poise_spec *spec, poise_diagnostics *diag);

/* ---- progress.c ----
 *
 * On a terminal one line that is written over some times a second; else a plain line now and then.
 * The end of an epoch is a line of its own in both. */
typedef struct tool_progress {
    int terminal;
    int shown;             /* the bytes of the line that stands on the terminal */
    struct timespec spoke; /* when the last plain line was written */
    uint64_t step;         /* the last one heard of */
} tool_progress;

void tool_progress_init(tool_progress *p);
/* A poise_train_options.progress with a tool_progress as `user`. */
int tool_progress_show(void *user, const poise_progress *now);
void tool_progress_clear(tool_progress *p);

/* From now on SIGINT and SIGTERM are remembered: tool_interrupted tells.  A second one kills. */
void tool_interrupt_catch(void);
int tool_interrupted(void);

#endif
