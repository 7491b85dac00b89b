/* check.c -- the table of checks, and what they report. */
#include "check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "check_parts.h"

static const struct {
    const char *name, *about;
    void (*run)(poise__checking *c);
} checks[] = {
    {"load", "the object loads and its table is sound", poise__check_load},
    {"texts", "id, version, about, formula, paper, advice say what they should",
     poise__check_texts},
    {"exports", "poise_balancer_v1 is the only symbol that it exports", poise__check_exports},
    {"imports", "it calls for no memory, files, clock, random numbers or threads",
     poise__check_imports},
    {"globals", "it writes to no variable of its own", poise__check_globals},
    {"tasks", "1, 2, 3, 17 and 64 tasks", poise__check_tasks},
    {"parameters", "every parameter at its default, minimum and maximum, every choice",
     poise__check_parameters},
    {"long-run", "1000 steps, with gaps between their numbers", poise__check_long_run},
    {"losses", "losses of 0, 1e-12 and 1e12, equal ones, one that dominates", poise__check_losses},
    {"gradients", "singular, zero, opposite, tiny and huge gradients", poise__check_gradients},
    {"unlabelled", "nothing is learnt from a task without labels", poise__check_unlabelled},
    {"withheld", "it runs without the signals that it only wants", poise__check_withheld},
    {"bounds", "nothing is written or read outside of state and outputs", poise__check_bounds},
    {"repeat", "the same inputs give the same bits, wherever they lie", poise__check_repeat},
    {"resume", "a resume at every step gives the same bits", poise__check_resume},
    {"interleaved", "two states do not know of each other", poise__check_interleaved},
    {"threads", "two states on two threads give the bits of each alone", poise__check_threads},
    {"slices", "edit() and blend() do not depend on how the parameters are cut",
     poise__check_slices},
    {"migrate", "a damaged or foreign old state is refused or survived", poise__check_migrate},
    {"speed", "time per step", poise__check_speed},
};

enum { CHECKS = sizeof checks / sizeof checks[0] };

const char *poise_check_name(int k)
{
    return k >= 0 && k < CHECKS ? checks[k].name : NULL;
}

const char *poise_check_about(int k)
{
    return k >= 0 && k < CHECKS ? checks[k].about : NULL;
}

void poise__scene(poise_check_report *r, const char *fmt, ...)
{
    va_list args;

    if (!r)
        return;
    va_start(args, fmt);
    vsnprintf(r->scene, sizeof r->scene, fmt, args);
    va_end(args);
}

void poise__find(poise_check_report *r, poise_check_kind kind, const char *fmt, ...)
{
    char text[POISE_CHECK_TEXT];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    for (int k = 0; k < r->nfinding; k++)
        if (r->finding[k].kind == kind && !strcmp(r->finding[k].text, text))
            return;
    if (r->nfinding == POISE_CHECK_FINDINGS) {
        r->more++;
        /* a failure is never lost behind warnings */
        if (kind != POISE_CHECK_FAILURE || poise_check_worst(r) == POISE_CHECK_FAILURE)
            return;
        r->nfinding--;
    }
    poise_check_finding *f = &r->finding[r->nfinding++];
    f->kind = kind;
    memcpy(f->text, text, sizeof text);
    memcpy(f->scene, r->scene, sizeof f->scene);
}

poise_check_kind poise_check_worst(const poise_check_report *r)
{
    poise_check_kind worst = POISE_CHECK_NOTE;

    for (int k = 0; k < r->nfinding; k++)
        if (r->finding[k].kind > worst)
            worst = r->finding[k].kind;
    return worst;
}

static void identify(poise_check_report *r, const poise_balancer *b)
{
    snprintf(r->id, sizeof r->id, "%s", b->id);
    snprintf(r->version, sizeof r->version, "%s", b->version);
}

void poise_check_run(int k, const char *path, poise_check_report *report)
{
    poise_error err;
    poise__checking c = {.report = report};

    if (k < 0 || k >= CHECKS)
        return;
    snprintf(report->callback, sizeof report->callback, "(load)");
    c.plugin = poise_plugin_load(path, &err);
    report->callback[0] = 0;
    if (!c.plugin) {
        poise__find(report, k ? POISE_CHECK_SKIPPED : POISE_CHECK_FAILURE, "%s",
                    k ? "it does not load" : err.message);
    } else {
        c.table = poise_plugin_get(c.plugin);
        identify(report, c.table);
        checks[k].run(&c);
    }
    poise_plugin_free(c.plugin);
    report->done = 1;
}
