/* poise balancer try -- a strategy on signals from a file, without a model.
 *
 *     signals.jsonl --> tool_signals_next --> poise_balance_step --> {"weights": [...]}
 *
 * --state-out writes what a checkpoint of training holds of a balancer, --state-in goes on from it:
 * the rest of the file gives the same bits as if the run had not stopped. */
#include "balancer.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "balancer_state.h"
#include "run.h"
#include "signal_lines.h"

/* ---- --set KEY=VALUE, --set KEY.TASK=VALUE ---- */

typedef struct settings {
    int n;
    poise_setting *row; /* [n] */
    char **label;       /* [npair] "--set alpha=1", for messages */
    char **copy;        /* [npair] the pairs, cut in pieces that the rows point to */
    const char **task;  /* [npair] one row's names lie together */
    const char **text;  /* [npair] */
    poise_place *place; /* [npair] */
    int npair;
} settings;

static void settings_done(settings *s)
{
    for (int k = 0; s->copy && s->label && k < s->npair; k++) {
        free(s->copy[k]);
        free(s->label[k]);
    }
    free(s->row);
    free(s->copy);
    free(s->label);
    free(s->task);
    free(s->text);
    free(s->place);
}

static int settings_room(settings *s, int npair, poise_error *err)
{
    size_t n = (size_t)npair + 1;

    s->row = calloc(n, sizeof *s->row);
    s->copy = calloc(n, sizeof *s->copy);
    s->label = calloc(n, sizeof *s->label);
    s->task = calloc(n, sizeof *s->task);
    s->text = calloc(n, sizeof *s->text);
    s->place = calloc(n, sizeof *s->place);
    s->npair = npair;
    return s->row && s->copy && s->label && s->task && s->text && s->place
               ? 0
               : poise_fail(err, POISE_E_MEMORY, POISE_NOWHERE, "no memory for the settings");
}

/* "alpha.click=2": `pair` becomes the key, *task "click" or NULL, *value "2". */
static int cut(char *pair, const char **task, const char **value)
{
    char *equals = strchr(pair, '='), *dot;

    if (!equals || equals == pair)
        return -1;
    *equals = 0;
    *value = equals + 1;
    dot = strchr(pair, '.');
    if (dot)
        *dot = 0;
    *task = dot ? dot + 1 : NULL;
    return 0;
}

/* The pairs of one key that name tasks are one setting, all others one each. */
static int settings_read(settings *s, const tool_arguments *a, poise_error *err)
{
    int npair = 0, at = 0;

    while (tool_value_at(a, "set", npair))
        npair++;
    if (settings_room(s, npair, err) < 0)
        return -1;
    const char **task = calloc((size_t)npair + 1, sizeof *task);
    const char **value = calloc((size_t)npair + 1, sizeof *value);
    int status = task && value ? 0 : -1;
    for (int k = 0; status == 0 && k < npair; k++) {
        const char *pair = tool_value_at(a, "set", k);
        s->copy[k] = strdup(pair);
        s->label[k] = malloc(strlen(pair) + sizeof "--set ");
        if (!s->copy[k] || !s->label[k]) {
            status = poise_fail(err, POISE_E_MEMORY, POISE_NOWHERE, "no memory for the settings");
            break;
        }
        snprintf(s->label[k], strlen(pair) + sizeof "--set ", "--set %s", pair);
        if (cut(s->copy[k], &task[k], &value[k]) < 0)
            status = poise_fail(err, POISE_E_SPEC, POISE_NOWHERE,
                                "--set '%s' is not KEY=VALUE, as alpha=1.5 or alpha.click=2", pair);
    }
    for (int k = 0; status == 0 && k < npair; k++) {
        int earlier = 0;
        for (int j = 0; j < k; j++)
            earlier |= task[k] && task[j] && !strcmp(s->copy[j], s->copy[k]);
        if (earlier)
            continue;
        poise_setting *row = &s->row[s->n++];
        *row = (poise_setting){.name = s->copy[k],
                               .place = {s->label[k], 0, 0},
                               .task = task[k] ? s->task + at : NULL,
                               .text = s->text + at,
                               .at = s->place + at};
        for (int j = k; j < npair; j++) {
            if (j > k && !(task[k] && task[j] && !strcmp(s->copy[j], s->copy[k])))
                continue;
            s->task[at] = task[j];
            s->text[at] = value[j];
            s->place[at++] = (poise_place){s->label[j], 0, 0};
            row->n++;
        }
    }
    if (status < 0 && (!task || !value))
        poise_fail(err, POISE_E_MEMORY, POISE_NOWHERE, "no memory for the settings");
    free(task);
    free(value);
    return status;
}

/* ---- the run ---- */

typedef struct trial {
    tool_signals_reader *signals;
    poise_plugin *plugin;
    poise_balance *balance;
    double *weight;
    uint64_t step; /* of the next line, for --state-out */
    uint32_t epoch;
} trial;

/* A line for the user on standard error: standard output is JSON. */
static void note(void *user, const char *text)
{
    (void)user;
    fprintf(stderr, "note: %s\n", text);
}

static int start(trial *t, const tool_arguments *a, const settings *s, poise_error *err)
{
    static const poise_balance_sink sink = {.note = note};
    uint64_t seed = 1;
    char path[TOOL_PATH];

    if (tool_number(a, "seed", 0, INT64_MAX, &seed) != TOOL_OK)
        return 1;
    t->signals = tool_signals_open(tool_value(a, "signals"), err);
    if (!t->signals || tool_balancer_path(a->word[1], path, sizeof path, err) < 0 ||
        !(t->plugin = tool_balancer_load(path, err)))
        return -1;
    t->balance =
        poise_balance_new(t->plugin, tool_signals_tasks(t->signals),
                          tool_signals_task_names(t->signals), seed, s->n, s->row, &sink, err);
    if (!t->balance || poise_balance_groups(t->balance, tool_signals_groups(t->signals),
                                            tool_signals_group_names(t->signals), err) < 0)
        return -1;
    t->weight = calloc(poise_balance_weights(t->balance), sizeof *t->weight);
    if (!t->weight)
        return poise_fail(err, POISE_E_MEMORY, POISE_NOWHERE, "no memory for the weights");
    const char *from = tool_value(a, "state-in");
    return from ? tool_state_read(from, t->balance, t->signals, err) : 0;
}

/* One line in, one line out. */
static int step(trial *t, const poise_signals *in, poise_error *err)
{
    if (poise_balance_step(t->balance, in, t->weight, err) < 0) {
        if (!err->file[0]) {
            poise_place at = tool_signals_place(t->signals);
            snprintf(err->file, sizeof err->file, "%s", at.file);
            err->line = at.line;
        }
        return -1;
    }
    printf("{\"weights\": ");
    tool_numbers_write(stdout, t->weight, poise_balance_weights(t->balance),
                       tool_signals_tasks(t->signals));
    printf("}\n");
    t->step = in->step + 1;
    t->epoch = in->epoch;
    return 0;
}

static int go(trial *t, const tool_arguments *a, poise_error *err)
{
    uint32_t wanted = poise_balance_signals(t->balance);
    const char *to = tool_value(a, "state-out");
    poise_signals in;
    int got;

    while ((got = tool_signals_next(t->signals, wanted, &in, err)) > 0)
        if (step(t, &in, err) < 0)
            return -1;
    if (got < 0)
        return -1;
    return to ? tool_state_write(to, t->balance, t->signals, t->step, t->epoch, err) : 0;
}

int tool_balancer_word_try(const tool_arguments *a)
{
    trial t = {0};
    settings s = {0};
    poise_error err;
    int status;

    if (!tool_value(a, "signals"))
        return tool_wrong(a->command, "which signals? poise balancer try NAME --signals FILE");
    status = settings_read(&s, a, &err);
    if (status == 0)
        status = start(&t, a, &s, &err);
    if (status == 0)
        status = go(&t, a, &err);
    if (status < 0)
        status = tool_failed(&err);
    else if (status > 0)
        status = TOOL_WRONG;
    poise_balance_free(t.balance);
    poise_plugin_free(t.plugin);
    tool_signals_close(t.signals);
    free(t.weight);
    settings_done(&s);
    return status;
}
