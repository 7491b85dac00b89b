/* poise balancer -- the strategies, for those who use them and for those who write them. */
#include "balancer.h"

#include <string.h>
#include "../core/search.h"
#include "run.h"

static const struct word {
    const char *name, *words; /* "check", "check NAME" */
    int least, most;          /* how many words, with the first */
    const char *options;      /* the names of its options, each between blanks */
    int (*run)(const tool_arguments *a);
} words[] = {
    {"list", "list [NAME...]", 1, 1000, " markdown ", tool_balancer_word_list},
    {"info", "info NAME", 2, 2, " ", tool_balancer_word_info},
    {"check", "check NAME", 2, 2, " json only limit ", tool_balancer_word_check},
    {"try", "try NAME --signals FILE", 2, 2, " signals set seed state-in state-out ",
     tool_balancer_word_try},
    {"new", "new NAME", 2, 2, " ", tool_balancer_word_new},
};

enum { WORDS = sizeof words / sizeof words[0] };

static int takes(const struct word *w, const char *option)
{
    const char *at = strstr(w->options, option);

    return at && at[-1] == ' ' && at[strlen(option)] == ' ';
}

static int unknown(const tool_arguments *a)
{
    const char *name[WORDS], *nearest;

    for (int k = 0; k < WORDS; k++)
        name[k] = words[k].name;
    nearest = poise__nearest(a->word[0], WORDS, name);
    if (nearest)
        return tool_wrong(a->command, "unknown word '%s'; did you mean '%s'?", a->word[0], nearest);
    return tool_wrong(a->command, "unknown word '%s'; it is %s", a->word[0], a->command->words);
}

static int run(const tool_arguments *a)
{
    const struct word *w = NULL;

    for (int k = 0; k < WORDS; k++)
        if (!strcmp(words[k].name, a->word[0]))
            w = &words[k];
    if (!w)
        return unknown(a);
    if (a->nword < w->least)
        return tool_wrong(a->command, "which one? poise balancer %s", w->words);
    if (a->nword > w->most)
        return tool_wrong(a->command, "'%s' is one word too many", a->word[w->most]);
    for (int k = 0; k < a->ngiven; k++)
        if (!takes(w, a->given[k].option->name))
            return tool_wrong(a->command, "%s has no option --%s", w->name,
                              a->given[k].option->name);
    return w->run(a);
}

static const tool_option options[] = {
    {"markdown", NULL, "list: the reference page, docs/balancers.md", TOOL_ONCE},
    {"json", NULL, "check: print one JSON object", TOOL_ONCE},
    {"only", "CHECK", "check: this check alone", TOOL_ONCE},
    {"limit", "SECONDS", "check: the time that one check may take; default 60", TOOL_ONCE},
    {"signals", "FILE", "try: JSON lines, as train --record-signals writes them", TOOL_ONCE},
    {"set", "KEY=VALUE", "try: a parameter, as alpha=1.5; for one task alpha.click=2", TOOL_MANY},
    {"seed", "N", "try: the seed; default 1", TOOL_ONCE},
    {"state-in", "FILE", "try: go on from this state", TOOL_ONCE},
    {"state-out", "FILE", "try: write the state after the last line", TOOL_ONCE},
    TOOL_OPTION_END};

const tool_command tool_balancer = {
    .name = "balancer",
    .words = "list [NAME...] | info NAME | check NAME | try NAME | new NAME",
    .min_words = 1,
    .max_words = 1000,
    .summary = "the strategies: list, explain, check, try out, begin one",
    .text =
        "list   what there is, or some of it: name, cost of a step, signals, paper, parameters\n"
        "info   all that a strategy says of itself\n"
        "check  does it keep the contract of <poise/balancer.h>? Every check runs in a process\n"
        "       of its own; a crash or a hang is a finding like others. Status 1 on a failure\n"
        "try    feed it signals from a file, {\"loss\": [0.7, 0.2], \"gram\": [[...], [...]]} a\n"
        "       line, and print the weights of each step as a line\n"
        "\n"
        "NAME is a name of the list or the path of a shared object. Names are looked for in\n"
        "the folders of POISE_BALANCER_PATH (separated by ':'), then where Poise's own lie.\n",
    .option = options,
    .run = run};
