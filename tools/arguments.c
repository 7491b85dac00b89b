/* arguments.c -- words and options of one command, checked against its table. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "../core/search.h"
#include "command.h"

static int option_count(const tool_command *c)
{
    int n = 0;

    while (c->option[n].name)
        n++;
    return n;
}

/* "--out=DIR" has a name of `length` bytes before the '='. */
static const tool_option *find(const tool_command *c, const char *name, size_t length)
{
    for (const tool_option *o = c->option; o->name; o++)
        if (strlen(o->name) == length && !strncmp(o->name, name, length))
            return o;
    return NULL;
}

static int unknown(const tool_command *c, const char *arg, const char *name, size_t length)
{
    const char *names[32];
    char word[128];
    const char *nearest;
    int n = option_count(c);

    if (length >= sizeof word)
        length = sizeof word - 1;
    memcpy(word, name, length);
    word[length] = '\0';
    for (int k = 0; k < n && k < 32; k++)
        names[k] = c->option[k].name;
    nearest = poise__nearest(word, n < 32 ? n : 32, names);
    if (nearest)
        return tool_wrong(c, "unknown option '%s'; did you mean '--%s'?", arg, nearest);
    return tool_wrong(c, "unknown option '%s'", arg);
}

static int take_option(tool_arguments *a, int argc, char **argv, int *k)
{
    const char *arg = argv[*k], *name = arg + 2, *equals = strchr(name, '=');
    size_t length = equals ? (size_t)(equals - name) : strlen(name);
    const tool_option *o;
    const char *value = "";

    if (arg[1] != '-')
        return tool_wrong(a->command, "unknown option '%s'; options begin with '--'", arg);
    o = find(a->command, name, length);
    if (!o)
        return unknown(a->command, arg, name, length);
    if (o->times != TOOL_MANY && tool_value(a, o->name))
        return tool_wrong(a->command, "--%s is given twice", o->name);
    if (!o->value && equals)
        return tool_wrong(a->command, "--%s takes no value", o->name);
    if (o->value && !equals && *k + 1 >= argc)
        return tool_wrong(a->command, "--%s needs a value: --%s %s", o->name, o->name, o->value);
    if (o->value)
        value = equals ? equals + 1 : argv[++*k];
    if (o->value && !*value)
        return tool_wrong(a->command, "--%s has an empty value; it takes %s", o->name, o->value);
    a->given[a->ngiven].option = o;
    a->given[a->ngiven++].value = value;
    return TOOL_OK;
}

int tool_arguments_parse(const tool_command *c, int argc, char **argv, tool_arguments *a)
{
    int only_words = 0;

    *a = (tool_arguments){.command = c};
    a->word = calloc((size_t)argc + 1, sizeof *a->word);
    a->given = calloc((size_t)argc + 1, sizeof *a->given);
    if (!a->word || !a->given) {
        poise_error err;

        poise_fail(&err, POISE_E_MEMORY, POISE_NOWHERE, "no memory for %d arguments", argc);
        return tool_failed(&err);
    }
    for (int k = 0; k < argc; k++) {
        int status = TOOL_OK;

        if (only_words || argv[k][0] != '-' || !argv[k][1])
            a->word[a->nword++] = argv[k];
        else if (!strcmp(argv[k], "--"))
            only_words = 1;
        else
            status = take_option(a, argc, argv, &k);
        if (status != TOOL_OK)
            return status;
    }
    if (a->nword < c->min_words)
        return tool_wrong(c, "something is missing: poise %s %s", c->name, c->words);
    if (a->nword > c->max_words)
        return tool_wrong(c, "'%s' is one word too many", a->word[c->max_words]);
    for (const tool_option *o = c->option; o->name; o++)
        if (o->times == TOOL_NEEDED && !tool_value(a, o->name))
            return tool_wrong(c, "--%s %s is missing", o->name, o->value);
    return TOOL_OK;
}

void tool_arguments_done(tool_arguments *a)
{
    free(a->word);
    free(a->given);
    *a = (tool_arguments){0};
}

const char *tool_value_at(const tool_arguments *a, const char *option, int k)
{
    for (int j = 0; j < a->ngiven; j++)
        if (!strcmp(a->given[j].option->name, option) && k-- == 0)
            return a->given[j].value;
    return NULL;
}

const char *tool_value(const tool_arguments *a, const char *option)
{
    return tool_value_at(a, option, 0);
}

int tool_flag(const tool_arguments *a, const char *option)
{
    return tool_value(a, option) != NULL;
}

int tool_number(const tool_arguments *a, const char *option, uint64_t min, uint64_t max,
                uint64_t *out)
{
    const char *text = tool_value(a, option);
    char *end = NULL;
    unsigned long long n;

    if (!text)
        return TOOL_OK;
    errno = 0;
    n = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || errno || n < min || n > max)
        return tool_wrong(a->command,
                          "--%s is '%s'; it must be a whole number from %" PRIu64 " to %" PRIu64,
                          option, text, min, max);
    *out = n;
    return TOOL_OK;
}
