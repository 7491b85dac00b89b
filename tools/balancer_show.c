/* poise balancer list, info -- what the strategies say of themselves. */
#include "balancer.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "../plugins/table.h"
#include "pages.h"
#include "run.h"

const char *tool_signal_text(uint32_t bits, char *buf, size_t size)
{
    size_t n = 0;

    snprintf(buf, size, "none");
    for (const poise__signal *s = poise__signals; s->bit; s++)
        if (bits & s->bit && n < size)
            n += (size_t)snprintf(buf + n, size - n, "%s%s", n ? ", " : "", s->name);
    return buf;
}

/* From the dearest down: what is listed first contains the others. */
static const struct cost {
    uint32_t signals;
    const char *name, *about;
} costs[] = {
    {0, "all gradients",
     "every task's gradient of all shared parameters, weighed by layer or element by element"},
    {POISE_HALF_GRAM, "half gradients",
     "each task's gradient twice, of the two halves of the batch"},
    {POISE_GRAD_NORM | POISE_GRAM | POISE_GROUP_GRAM, "task gradients",
     "each task's gradient, down to the layers in scope"},
    {POISE_LOSS_AFTER, "forward", "one more forward pass"},
    {UINT32_MAX, "free", "nothing beyond the step itself"},
};

enum { COSTS = sizeof costs / sizeof costs[0] };

const char *tool_cost_text(const poise_balancer *b)
{
    uint32_t signals = b->needs | b->wants;

    if (b->edit || b->blend || b->flags & POISE_GROUP_WEIGHTS)
        return costs[0].name;
    for (int k = 1; k < COSTS - 1; k++)
        if (signals & costs[k].signals)
            return costs[k].name;
    return costs[COSTS - 1].name;
}

static const char *value_text(const poise_param *p, char *buf, size_t size)
{
    if (p->kind == POISE_BOOL)
        snprintf(buf, size, "%s", p->value != 0 ? "true" : "false");
    else if (p->kind == POISE_CHOICE)
        snprintf(buf, size, "%s", p->choice[(size_t)p->value]);
    else if (p->choice && p->choice[0] && p->value == 0)
        snprintf(buf, size, "%s", p->choice[0]);
    else
        snprintf(buf, size, "%g", p->value);
    return buf;
}

static const char *weighs_text(const poise_balancer *b)
{
    if (b->flags & POISE_GROUP_WEIGHTS)
        return "the gradient of each shared layer, with weights of its own";
    return b->flags & POISE_SHARED_ONLY ? "the gradient of the shared part alone (shared_only)"
                                        : "the whole task loss, towers too";
}

/* ---- info ---- */

static void print_params(const poise_plugin *p)
{
    uint32_t n = poise_plugin_get(p)->nparam;

    if (!n) {
        printf("\nIt has no parameters.\n");
        return;
    }
    printf("\n  %-12s %-8s %s\n", "parameter", "default", "takes");
    for (uint32_t k = 0; k < n; k++) {
        const poise_param *row = poise_plugin_param(p, k);
        char value[64], takes[256];
        const char *want = poise__param_want(row, NAN, takes, sizeof takes);

        printf("  %-12s %-8s %s%s%s%s\n", row->name, value_text(row, value, sizeof value),
               want ? want : "anything", row->flags & POISE_PER_TASK ? ", one per task" : "",
               row->help ? ": " : "", row->help ? row->help : "");
    }
}

/* A text under its title, each line set in; nothing where the strategy does not say it. */
static void print_text(const char *title, const char *text)
{
    if (!text || !text[0])
        return;
    printf("\n%s\n", title);
    while (*text) {
        int length = (int)strcspn(text, "\n");
        printf("  %.*s\n", length, text);
        text += length + (text[length] == '\n');
    }
}

int tool_balancer_info(const char *name)
{
    char path[TOOL_PATH], text[256];
    poise_error err;
    poise_plugin *p;
    const poise_balancer *b;

    if (tool_balancer_path(name, path, sizeof path, &err) < 0 ||
        !(p = tool_balancer_load(path, &err)))
        return tool_failed(&err);
    b = poise_plugin_get(p);
    printf("%s %s\n%s\n\n", b->id, b->version ? b->version : "", b->about ? b->about : "");
    printf("needs    %s\n", tool_signal_text(b->needs, text, sizeof text));
    if (b->wants)
        printf("wants    %s\n", tool_signal_text(b->wants, text, sizeof text));
    printf("cost     %s\n", tool_cost_text(b));
    printf("weighs   %s\n", weighs_text(b));
    if (b->flags & POISE_SIGNED)
        printf("weights  may be negative\n");
    if (b->edit || b->blend)
        printf("works    element by element:%s%s\n", b->edit ? " edits the task gradients" : "",
               b->blend ? b->edit ? ", combines them itself" : " combines the task gradients" : "");
    if (b->min_task > 1)
        printf("tasks    at least %" PRIu32 "\n", b->min_task);
    printf("file     %s\n", poise_plugin_path(p));
    print_params(p);
    print_text("formula", b->formula);
    print_text("paper", b->paper);
    print_text("differs", b->differs);
    print_text("advice", b->advice);
    poise_plugin_free(p);
    return TOOL_OK;
}

int tool_balancer_word_info(const tool_arguments *a)
{
    return tool_balancer_info(a->word[1]);
}

/* ---- list ---- */

/* Which strategies: those named, or all where none is. */
typedef struct choice {
    int n;
    const char *const *name;
    poise_error *err;
} choice;

static int chosen(const choice *c, const char *name)
{
    for (int k = 0; k < c->n; k++)
        if (!strcmp(c->name[k], name))
            return 1;
    return c->n == 0;
}

/* A strategy that does not load is shown as such: the list goes on. */
static int list_one(void *user, const char *name, const char *path)
{
    if (!chosen(user, name))
        return 0;

    char text[256];
    poise_error err;
    poise_plugin *p = poise_plugin_load(path, &err);
    const poise_balancer *b;

    if (!p) {
        printf("%-14s does not load: %s\n", name, err.message);
        return 0;
    }
    b = poise_plugin_get(p);
    printf("%-14s %-15s %s\n", name, tool_cost_text(b),
           tool_signal_text(b->needs | b->wants, text, sizeof text));
    printf("%-14s %s\n", "", b->paper && b->paper[0] ? b->paper : b->about);
    for (uint32_t k = 0; k < b->nparam; k++)
        printf("%*s%s%s", k ? 0 : 15, "", poise_plugin_param(p, k)->name,
               k + 1 < b->nparam ? ", " : "\n");
    poise_plugin_free(p);
    return 0;
}

static int list(choice *c)
{
    poise_error err;

    printf("%-14s %-15s %s\n%-14s %s\n%-14s %s\n\n", "name", "cost", "signals", "", "paper", "",
           "parameters");
    if (poise_plugin_list(list_one, c, &err) < 0)
        return tool_failed(&err);
    return TOOL_OK;
}

int tool_balancer_list(void)
{
    return list(&(choice){.n = 0});
}

/* ---- the reference page ---- */

static void page_text(const char *title, const char *text)
{
    if (text && text[0])
        printf("\n**%s.** %s\n", title, text);
}

static void page_params(const poise_plugin *p)
{
    uint32_t n = poise_plugin_get(p)->nparam;

    if (!n)
        return;
    printf("\n| parameter | default | takes | |\n|---|---|---|---|\n");
    for (uint32_t k = 0; k < n; k++) {
        const poise_param *row = poise_plugin_param(p, k);
        char value[64], takes[256];
        const char *want = poise__param_want(row, NAN, takes, sizeof takes);

        printf("| `%s` | %s | %s%s | %s |\n", row->name, value_text(row, value, sizeof value),
               want ? want : "anything", row->flags & POISE_PER_TASK ? ", one per task" : "",
               row->help ? row->help : "");
    }
}

static int page_one(void *user, const char *name, const char *path)
{
    const choice *c = user;
    char text[256];
    const poise_balancer *b;

    if (!chosen(c, name))
        return 0;
    poise_plugin *p = poise_plugin_load(path, c->err);
    if (!p)
        return -1;
    b = poise_plugin_get(p);
    printf("\n## %s\n\n%s\n", b->id, b->about);
    printf("\nSignals: %s. Cost: %s. Weights: %s%s.\n",
           tool_signal_text(b->needs | b->wants, text, sizeof text), tool_cost_text(b),
           weighs_text(b), b->flags & POISE_SIGNED ? "; they may be negative" : "");
    if (b->formula && b->formula[0])
        printf("\n```\n%s%s```\n", b->formula,
               b->formula[strlen(b->formula) - 1] == '\n' ? "" : "\n");
    page_params(p);
    page_text("Source", b->paper);
    page_text("Differs", b->differs);
    page_text("When to use it", b->advice);
    poise_plugin_free(p);
    return 0;
}

static int row_one(void *user, const char *name, const char *path)
{
    const choice *c = user;
    char text[256];
    const poise_balancer *b;

    if (!chosen(c, name))
        return 0;
    poise_plugin *p = poise_plugin_load(path, c->err);
    if (!p)
        return -1;
    b = poise_plugin_get(p);
    printf("| [%s](#%s) | %s | %s | %s |\n", name, name, tool_cost_text(b),
           tool_signal_text(b->needs | b->wants, text, sizeof text), b->about);
    poise_plugin_free(p);
    return 0;
}

/* Unlike the list it stops where a strategy does not load. */
static int page(choice *c)
{
    poise_error err;

    c->err = &err;
    printf("| cost | a training step has, beyond one without a balancer |\n|---|---|\n");
    for (int k = COSTS - 1; k >= 0; k--)
        printf("| %s | %s |\n", costs[k].name, costs[k].about);
    printf("\n| strategy | cost | signals | |\n|---|---|---|---|\n");
    if (poise_plugin_list(row_one, c, &err) || poise_plugin_list(page_one, c, &err))
        return tool_failed(&err);
    return TOOL_OK;
}

int tool_balancer_word_list(const tool_arguments *a)
{
    choice c = {.n = a->nword - 1, .name = a->word + 1};

    return tool_flag(a, "markdown") ? page(&c) : list(&c);
}
