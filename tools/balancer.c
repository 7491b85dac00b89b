/* poise balancer -- which strategies there are, and what each can be told. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "../plugins/plugin.h"
#include "../plugins/table.h"
#include "pages.h"
#include "run.h"

/* "loss, grad_norm" into buf; "none" where there is none. */
static const char *signal_text(uint32_t bits, char *buf, size_t size)
{
    size_t n = 0;

    snprintf(buf, size, "none");
    for (const poise__signal *s = poise__signals; s->bit; s++)
        if (bits & s->bit && n < size)
            n += (size_t)snprintf(buf + n, size - n, "%s%s", n ? ", " : "", s->name);
    return buf;
}

static const char *value_text(const poise_param *p, char *buf, size_t size)
{
    if (p->kind == POISE_BOOL)
        snprintf(buf, size, "%s", p->value != 0 ? "true" : "false");
    else if (p->kind == POISE_CHOICE)
        snprintf(buf, size, "%s", p->choice[(size_t)p->value]);
    else
        snprintf(buf, size, "%g", p->value);
    return buf;
}

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
    printf("needs    %s\n", signal_text(b->needs, text, sizeof text));
    if (b->wants)
        printf("wants    %s\n", signal_text(b->wants, text, sizeof text));
    printf("weighs   %s\n", b->flags & POISE_SHARED_ONLY
                                ? "the gradient of the shared part alone (shared_only)"
                                : "the whole task loss, towers too");
    if (b->flags & POISE_SIGNED)
        printf("weights  may be negative\n");
    if (b->min_task > 1)
        printf("tasks    at least %" PRIu32 "\n", b->min_task);
    printf("file     %s\n", poise_plugin_path(p));
    print_params(p);
    poise_plugin_free(p);
    return TOOL_OK;
}

/* A strategy that does not load is shown as such: the list goes on. */
static int list_one(void *user, const char *name, const char *path)
{
    char text[256];
    poise_error err;
    poise_plugin *p = poise_plugin_load(path, &err);

    (void)user;
    if (!p) {
        printf("%-14s does not load: %s\n", name, err.message);
        return 0;
    }
    printf("%-14s %-27s %s\n", name,
           signal_text(poise_plugin_get(p)->needs | poise_plugin_get(p)->wants, text, sizeof text),
           poise_plugin_get(p)->about ? poise_plugin_get(p)->about : "");
    poise_plugin_free(p);
    return 0;
}

int tool_balancer_list(void)
{
    poise_error err;

    printf("%-14s %-27s %s\n", "name", "signals", "about");
    if (poise_plugin_list(list_one, NULL, &err) < 0)
        return tool_failed(&err);
    return TOOL_OK;
}

static int run(const tool_arguments *a)
{
    if (!strcmp(a->word[0], "list"))
        return a->nword == 1 ? tool_balancer_list()
                             : tool_wrong(a->command, "'%s' is one word too many", a->word[1]);
    if (!strcmp(a->word[0], "info"))
        return a->nword == 2 ? tool_balancer_info(a->word[1])
                             : tool_wrong(a->command, "which one? poise balancer info NAME");
    return tool_wrong(a->command, "unknown word '%s'; it is list or info NAME", a->word[0]);
}

static const tool_option options[] = {TOOL_OPTION_END};

const tool_command tool_balancer = {
    .name = "balancer",
    .words = "list | info NAME",
    .min_words = 1,
    .max_words = 2,
    .summary = "the strategies that can be used, and their parameters",
    .text = "NAME is a name of the list or the path of a shared object. Names are looked for in\n"
            "the folders of POISE_BALANCER_PATH (separated by ':'), then where Poise's own lie.\n",
    .option = options,
    .run = run};
