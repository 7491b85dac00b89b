#include "names.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "monitor.h"
#include "params.h"

static const char *figure(int k)
{
    return k < POISE_FIGURE_COUNT ? poise_figure_name((poise_figure)k) : NULL;
}

static const char *generator(int k)
{
    return poise_generators()[k];
}

static const poise__taken inputs[] = {{"features", "it means the model's input"},
                                      {"embedding", "it means the model's input"},
                                      {NULL, NULL}};
static const poise__taken means[] = {{"mean", "monitor: mean auc means the mean"}, {NULL, NULL}};
static const poise__taken parameters[] = {{"use", "it stands beside the model's name"},
                                          {"tasks", "$tasks is the list of tasks"},
                                          {"each", "$each is the name of an instance"},
                                          {NULL, NULL}};

#define LETTER "A-Za-z"
#define WORD   "A-Za-z0-9_"
static const poise__name_rule rules[] = {
    /* "tower/click": what an instance of a layer is called */
    {.name = "layer",
     .first = LETTER "_",
     .rest = WORD "-",
     .part_first = WORD,
     .part_rest = WORD ".-",
     .what = "a layer's name",
     .form = "letters, digits, _ and - only, a letter first",
     .taken = inputs,
     .made = 1},
    {.name = "task",
     .first = LETTER "_",
     .rest = WORD ".-",
     .what = "a task's name",
     .form = "letters, digits, _ - and . only, a letter first",
     .taken = means},
    {.name = "each",
     .first = WORD ".-",
     .rest = WORD ".-",
     .what = "a name in each",
     .form = "letters, digits, _, - and . only",
     .made = 1,
     .scalar = 1},
    {.name = "group",
     .first = LETTER "_",
     .rest = WORD "-",
     .what = "the name of a group",
     .form = "letters, digits, _ and - only, a letter first"},
    {.name = "parameter",
     .first = WORD "-",
     .rest = WORD "-",
     .what = "a parameter",
     .form = "letters, digits, _ and - only, so that $name can be written",
     .taken = parameters},
    {.name = "field separator",
     .first = "^\r\n\"",
     .rest = "^\r\n\"",
     .what = "the separator of fields",
     .form = "one or more characters, without line ends and double quotes",
     .scalar = 1},
    {.name = "value separator",
     .first = "^",
     .what = "the separator of values",
     .form = "one or more characters",
     .scalar = 1},
    {.name = "type", .around = "^(list of )?(lists of ){0,7}(%s)s?$", .word = poise__param_word},
    {.name = "generator", .around = "%s", .word = generator},
    {.name = "monitor", .around = "^.+ (%s)$", .word = figure},
    {.name = "monitor entry", .around = "^.+[.](%s)$", .word = figure},
};

const poise__name_rule *poise__name_find(const char *name)
{
    for (int k = 0; k < POISE__COUNT(rules); k++)
        if (strcmp(rules[k].name, name) == 0)
            return &rules[k];
    return NULL;
}

/* ---- reading ---- */

/* "A-Za-z_-": of such characters, after a ^ of all others. */
static int in_class(char c, const char *of)
{
    int in = 0, none = *of == '^';
    for (of += none; *of && !in; of++)
        if (of[1] == '-' && of[2]) {
            in = c >= of[0] && c <= of[2];
            of += 2;
        } else
            in = c == *of;
    return in != none;
}

/* What is left of a text after a character of `first` and those of `rest`; NULL: it is not so. */
static const char *pass(const char *text, const char *first, const char *rest)
{
    if (!*text || !in_class(*text, first))
        return NULL;
    for (text++; *text && rest && in_class(*text, rest);)
        text++;
    return text;
}

static int matches(const poise__name_rule *rule, const char *text)
{
    if (!rule->first)
        return 1;
    text = pass(text, rule->first, rule->rest);
    while (text && *text == '/' && rule->part_first)
        text = pass(text + 1, rule->part_first, rule->part_rest);
    return text && (!*text || !rule->rest);
}

static const poise__taken *taken_by(const poise__name_rule *rule, const char *text)
{
    for (const poise__taken *t = rule->taken; t && t->word; t++) {
        size_t n = strlen(t->word);
        if (strncmp(text, t->word, n) == 0 && (!text[n] || (rule->part_first && text[n] == '/')))
            return t;
    }
    return NULL;
}

int poise__name_check(poise__reading *r, const poise__name_rule *rule, poise_place place,
                      const char *text)
{
    const poise__taken *t = taken_by(rule, text);
    if (rule->word) /* of these, reading says more */
        return 0;
    if (!matches(rule, text))
        return poise_diagnose(r->diag, place, "'%.80s' cannot be %s: %s", text, rule->what,
                              rule->form);
    return t ? poise_diagnose(r->diag, place, "'%.80s' cannot be %s: %s", text, rule->what, t->why)
             : 0;
}

/* ---- patterns ---- */

static void put_words(FILE *f, const poise__name_rule *rule)
{
    const char *gap = strstr(rule->around, "%s"), *word;
    fprintf(f, "%.*s", (int)(gap - rule->around), rule->around);
    for (int k = 0; (word = rule->word(k)) != NULL; k++)
        fprintf(f, "%s%s", k ? "|" : "", word);
    fprintf(f, "%s", gap + 2);
}

static void put_classes(FILE *f, const poise__name_rule *rule)
{
    if (!rule->rest) /* anything at all */
        fprintf(f, "^[\\s\\S]");
    else
        fprintf(f, "^[%s][%s]*", rule->first, rule->rest);
    if (rule->part_first)
        fprintf(f, "(/[%s][%s]*)*", rule->part_first, rule->part_rest);
    fprintf(f, "%s", rule->rest ? "$" : "");
}

char *poise__name_like(const poise__name_rule *rule)
{
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    if (!f)
        return NULL;
    if (rule->word)
        put_words(f, rule);
    else if (rule->first)
        put_classes(f, rule);
    int bad = ferror(f);
    if (fclose(f) == 0 && !bad)
        return text;
    free(text);
    return NULL;
}

char *poise__name_unlike(const poise__name_rule *rule)
{
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    if (!f)
        return NULL;
    for (const poise__taken *t = rule->taken; t && t->word; t++)
        fprintf(f, "%s%s", t == rule->taken ? "^(" : "|", t->word);
    if (rule->taken)
        fprintf(f, "%s", rule->part_first ? ")(/|$)" : ")$");
    int bad = ferror(f);
    if (fclose(f) == 0 && !bad)
        return text;
    free(text);
    return NULL;
}
