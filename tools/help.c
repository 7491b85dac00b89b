/* poise help -- every page is printed from a table. */
#include <stdio.h>
#include <string.h>
#include "../core/search.h"
#include "../models/keys.h"
#include "pages.h"
#include "run.h"

static void print_options(const tool_command *c)
{
    char text[64];

    printf("\noptions\n");
    for (const tool_option *o = c->option; o->name; o++) {
        snprintf(text, sizeof text, "--%s%s%s", o->name, o->value ? " " : "",
                 o->value ? o->value : "");
        printf("  %-24s %s\n", text, o->help);
    }
    printf("  %-24s %s\n", "--help", "this page");
}

/* "usage: poise train SPEC [--out DIR] ...", folded. */
static void print_usage(const tool_command *c)
{
    enum { WIDTH = 90 };
    int column = printf("usage: poise %s%s%s", c->name, *c->words ? " " : "", c->words);

    for (const tool_option *o = c->option; o->name; o++) {
        char text[96];
        int needed = o->times == TOOL_NEEDED;
        int length = snprintf(text, sizeof text, "%s--%s%s%s%s%s", needed ? "" : "[", o->name,
                              o->value ? " " : "", o->value ? o->value : "", needed ? "" : "]",
                              o->times == TOOL_MANY ? "..." : "");

        if (column + 1 + length > WIDTH)
            column = printf("\n            ") - 1;
        column += printf(" %s", text);
    }
}

void tool_help_command(const tool_command *c)
{
    print_usage(c);
    printf("\n\n%s\n", c->summary);
    if (*c->text)
        printf("\n%s", c->text);
    print_options(c);
}

/* Pages that are not a command's: one row each. */
static const struct {
    const char *name, *words, *about;
    int (*page)(const tool_command *help, const char *name);
} pages[] = {{"spec", "spec [SECTION]", "the keys of a run file", tool_page_spec},
             {"layer", "layer [KIND]", "the kinds of layers and their keys", tool_page_layer},
             {"model", "model [NAME]", "the models that can be used by name", tool_page_model}};

enum { PAGES = sizeof pages / sizeof pages[0] };

void tool_help_program(void)
{
    printf("usage: poise COMMAND ...\n\n"
           "Multi-task ranking models from a YAML spec, with the loss-balancing strategy loaded\n"
           "at run time.\n\n");
    for (const tool_command *const *c = tool_commands; *c; c++)
        printf("  %-10s %s\n", (*c)->name, (*c)->summary);
    printf("\n  poise help %-18s %s\n  poise help %-18s %s\n", "COMMAND",
           "a command's words and options", "balancer [NAME]",
           "the strategies and their parameters");
    for (int k = 0; k < PAGES; k++)
        printf("  poise help %-18s %s\n", pages[k].words, pages[k].about);
    printf("  poise --version\n");
}

static const char *nearest_section(const char *topic)
{
    enum { MOST = 64 };
    const char *name[MOST];
    int n = 0;

    for (const poise_section *const *s = poise_spec_sections(); *s && n < MOST; s++)
        name[n++] = (*s)->name;
    return poise__nearest(topic, n, name);
}

static int unknown_topic(const tool_arguments *a, const char *topic)
{
    const char *nearest = NULL;
    const char *page[PAGES];

    for (int k = 0; k < PAGES; k++)
        page[k] = pages[k].name;
    tool_command_find(topic, &nearest);
    if (!nearest)
        nearest = poise__nearest(topic, PAGES, page);
    if (nearest)
        return tool_wrong(a->command, "no help on '%s'; did you mean '%s'?", topic, nearest);
    nearest = nearest_section(topic);
    if (nearest)
        return tool_wrong(a->command, "no help on '%s'; did you mean 'spec %s'?", topic, nearest);
    return tool_wrong(a->command, "no help on '%s'", topic);
}

static int run(const tool_arguments *a)
{
    const char *topic = a->nword ? a->word[0] : NULL, *name = a->nword > 1 ? a->word[1] : NULL;
    const tool_command *c;

    if (!topic) {
        tool_help_program();
        return TOOL_OK;
    }
    if (!strcmp(topic, "models"))
        topic = "model";
    for (int k = 0; k < PAGES; k++)
        if (!strcmp(topic, pages[k].name))
            return pages[k].page(a->command, name);
    c = tool_command_find(topic, NULL);
    if (!c)
        return unknown_topic(a, topic);
    if (c == &tool_balancer && name)
        return tool_balancer_info(name);
    if (name)
        return tool_wrong(a->command, "'%s' is one word too many", name);
    tool_help_command(c);
    if (c != &tool_balancer)
        return TOOL_OK;
    printf("\n");
    return tool_balancer_list();
}

static const tool_option options[] = {TOOL_OPTION_END};

const tool_command tool_help = {.name = "help",
                                .words = "[TOPIC [NAME]]",
                                .max_words = 2,
                                .summary =
                                    "explain a command, a balancer, a model or the spec language",
                                .text = "",
                                .option = options,
                                .run = run};
