/* strategy.c -- the strategy that a command line or a spec names. */
#define _XOPEN_SOURCE 700 /* realpath */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "run.h"

int tool_balancer_path(const char *name, char *buf, size_t size, poise_error *err)
{
    size_t length = strlen(name);
    char *full;

    if (!strchr(name, '/') && !(length > 3 && !strcmp(name + length - 3, ".so"))) {
        if (length >= size)
            return poise_fail(err, POISE_E_SPEC, POISE_NOWHERE,
                              "the balancer's name has %zu letters; a name is short", length);
        memcpy(buf, name, length + 1);
        return 0;
    }
    full = realpath(name, NULL);
    if (!full)
        return poise_fail(err, POISE_E_SPEC, POISE_NOWHERE, "balancer %s: %s", name,
                          strerror(errno));
    length = strlen(full);
    if (length >= size) {
        free(full);
        return poise_fail(err, POISE_E_SPEC, POISE_NOWHERE, "balancer %s: its path is too long",
                          name);
    }
    memcpy(buf, full, length + 1);
    free(full);
    return 0;
}

static int same_name(void *user, const char *name, const char *path)
{
    (void)path;
    return !strcmp(user, name);
}

/* 1 if something is there under that name or path, whether it loads or not. */
static int is_there(const char *use)
{
    char name[TOOL_PATH];
    size_t length = strlen(use);

    if (strchr(use, '/'))
        return tool_exists(use);
    if (length >= sizeof name)
        return 0;
    memcpy(name, use, length + 1);
    return poise_plugin_list(same_name, name, NULL) == 1;
}

/* With the spec's settings where it is the spec's own, else with its defaults.  Without tasks, which
 * is an error of its own, nothing can be said. */
static int settings_suit(const poise_spec *spec, poise_plugin *p, int own, poise_error *err)
{
    const poise_balancer_spec *b = &spec->balancer;
    uint32_t ntask = (uint32_t)spec->schema->ntask;
    const char **task;
    poise_balance *balance;

    if (ntask == 0)
        return 0;
    task = calloc(ntask, sizeof *task);
    if (!task)
        return poise_fail(err, POISE_E_MEMORY, POISE_NOWHERE, "no memory for the tasks' names");
    for (uint32_t t = 0; t < ntask; t++)
        task[t] = spec->schema->task[t].name;
    balance = poise_balance_new(p, ntask, task, spec->train.seed, own ? b->nsetting : 0,
                                own ? b->setting : NULL, NULL, err);
    free(task);
    int done = balance ? 0 : -1;
    if (balance && own)
        done = poise_balancer_options_check(balance, b, err);
    poise_balance_free(balance);
    return done;
}

poise_plugin *tool_balancer_load(const char *use, poise_error *err)
{
    poise_plugin *p = poise_plugin_load(use, err);

    if (!p && !is_there(use))
        err->code = POISE_E_SPEC;
    return p;
}

/* The place in the spec, for an error that has none.  An option's text is its whole place. */
static int place_in_spec(const poise_balancer_spec *b, poise_error *err)
{
    static const char option[] = "--";
    poise_error inner = *err;

    if (!strncmp(err->file, option, strlen(option)))
        err->line = err->column = 0;
    if (err->file[0] || !b->place.file || !strncmp(b->place.file, option, strlen(option)))
        return -1;
    return poise_fail(err, inner.code, b->place, "%s", inner.message);
}

int tool_balancer_check(const poise_spec *spec, const char *use, poise_error *err)
{
    int own = !strcmp(spec->balancer.use, use), status;
    poise_plugin *p = tool_balancer_load(use, err);

    status = p ? settings_suit(spec, p, own, err) : -1;
    poise_plugin_free(p);
    return status < 0 && own ? place_in_spec(&spec->balancer, err) : status;
}

void tool_schedule_diagnose(void *user, const poise_spec *spec, poise_diagnostics *diag)
{
    poise_spec one = *spec;
    poise_error err;

    (void)user;
    for (int k = 0; k < spec->nphase; k++) {
        one.balancer = spec->phase[k];
        if (tool_balancer_check(&one, one.balancer.use, &err) < 0)
            poise_diagnose_error(diag, &err);
    }
}
