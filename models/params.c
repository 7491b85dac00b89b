#include "params.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "expression.h"
#include "names.h"
#include "network.h"
#include "sections.h"

/* ---- declarations ---- */

static int read_default(poise__reading *r, const poise__yaml *v, void *into);
static int read_type(poise__reading *r, const poise__yaml *v, void *into);
static int read_min(poise__reading *r, const poise__yaml *v, void *into);
static int read_max(poise__reading *r, const poise__yaml *v, void *into);

static const poise_key rows[] = {
    {.name = "default",
     .kind = POISE_KEY_OWN,
     .read = read_default,
     .form = "value, or list",
     .schema = "any",
     .help = "its value where a run says none; without it every run must say one"},
    {.name = "type",
     .kind = POISE_KEY_OWN,
     .read = read_type,
     .form = "integer | number | boolean | text | task | input, or list of them",
     .schema = "like type",
     .help = "what a value may be; without it what the default is. input: features, a feature or a "
             "group"},
    {.name = "min",
     .kind = POISE_KEY_OWN,
     .read = read_min,
     .form = "number",
     .schema = "number",
     .help = "of every number in it"},
    {.name = "max",
     .kind = POISE_KEY_OWN,
     .read = read_max,
     .form = "number",
     .schema = "number",
     .help = "of every number in it"},
    {.name = "length",
     .kind = POISE_KEY_INT,
     .min = 1,
     .max = 10000,
     POISE__INTO(poise__param, length),
     .help = "entries of the list; without it any number from 1"},
    {.name = "choices",
     .kind = POISE_KEY_TEXTS,
     POISE__INTO(poise__param, choices),
     .help = "the texts that there are to choose from"},
    {.name = "help", .kind = POISE_KEY_TEXT, POISE__INTO(poise__param, help), .help = "a line"},
};
const poise_section poise__param_section = {
    .name = "parameter",
    .about = "one of params:, in its long form; the short form is its default alone",
    POISE__ROWS(rows),
    .some_of = "default type"};

static const char *const words[] = {"integer", "number", "boolean", "text", "task", "input", NULL};

const char *poise__param_word(int k)
{
    return words[k];
}

static int read_default(poise__reading *r, const poise__yaml *v, void *into)
{
    (void)r;
    ((poise__param *)into)->initial = v;
    return 0;
}

static int word_index(const char *text, size_t n)
{
    for (int k = 0; words[k]; k++)
        if (strlen(words[k]) == n && strncmp(words[k], text, n) == 0)
            return k;
    return -1;
}

/* "integer", "integers", "list of integers", "list of lists of integers" */
static int read_type(poise__reading *r, const poise__yaml *v, void *into)
{
    static const char *const prefix[] = {"list of ", "lists of "};
    poise__param *p = into;
    char show[120];
    const char *c = v->kind == POISE__SCALAR ? v->text : "";
    int lists = 0;
    for (int k = 0; k < 2; k++)
        while (lists < 8 && strncmp(c, prefix[k], strlen(prefix[k])) == 0) {
            c += strlen(prefix[k]);
            lists++;
            k = 1;
        }
    size_t n = strlen(c);
    int type = word_index(c, n), many = n > 1 && c[n - 1] == 's' ? word_index(c, n - 1) : -1;
    if (type < 0 && many < 0)
        return poise_diagnose(r->diag, v->place,
                              "type is %s; it must be integer, number, boolean, text, task or "
                              "input, or a list of them: integers, list of lists of integers",
                              poise__yaml_show(v, show, sizeof(show)));
    p->type = (poise__param_type)(type >= 0 ? type : many);
    p->lists = lists ? lists : type < 0;
    return 0;
}

static int read_bound(poise__reading *r, const char *name, const poise__yaml *v, double *bound)
{
    char show[120];
    if (poise__yaml_number(v, bound) == 0)
        return 0;
    return poise_diagnose(r->diag, v->place, "%s is %s; it must be a number", name,
                          poise__yaml_show(v, show, sizeof(show)));
}

static int read_min(poise__reading *r, const poise__yaml *v, void *into)
{
    return read_bound(r, "min", v, &((poise__param *)into)->min);
}

static int read_max(poise__reading *r, const poise__yaml *v, void *into)
{
    return read_bound(r, "max", v, &((poise__param *)into)->max);
}

const char *poise__param_type_text(const poise__param *p, char *buf, size_t size)
{
    size_t used = 0;
    buf[0] = 0;
    for (int k = 0; k < p->lists && used < size; k++)
        used += k || p->length == 0
                    ? (size_t)snprintf(buf + used, size - used, k ? "lists of " : "list of ")
                    : (size_t)snprintf(buf + used, size - used, "list of %d ", (int)p->length);
    if (p->choices.n == 0 && used < size)
        used += (size_t)snprintf(buf + used, size - used, p->lists ? "%ss" : "%s", words[p->type]);
    for (int k = 0; k < p->choices.n && used < size; k++)
        used += (size_t)snprintf(buf + used, size - used, k ? " | %s" : "%s", p->choices.text[k]);
    int low = !isinf(p->min), high = !isinf(p->max);
    if ((low || high) && used < size)
        used += (size_t)snprintf(buf + used, size - used, p->lists ? ", each " : ", ");
    if (low && high && used < size)
        snprintf(buf + used, size - used, "%g .. %g", p->min, p->max);
    else if ((low || high) && used < size)
        snprintf(buf + used, size - used, low ? "%g or more" : "%g or less", low ? p->min : p->max);
    return buf;
}

/* ---- values ---- */

/* Where it is declared, unless that is in sight. */
static int declared_at(poise__reading *r, const poise__param *p, const poise__yaml *v)
{
    if (p->place.file && v->place.file && strcmp(p->place.file, v->place.file) != 0)
        poise_diagnose_note(r->diag, p->place, "parameter '%.80s' is declared here", p->name);
    return -1;
}

static int wrong(poise__reading *r, const poise__param *p, const poise__yaml *v, int lists)
{
    char show[120], type[300];
    poise__param here = *p;
    here.lists = lists;
    poise__param_type_text(&here, type, sizeof(type));
    poise_diagnose(r->diag, v->place, "parameter '%.80s' has %s; it must be %s %s", p->name,
                   poise__yaml_show(v, show, sizeof(show)), !lists && type[0] == 'i' ? "an" : "a",
                   !lists && p->type == POISE__PARAM_BOOLEAN ? "boolean, true or false" : type);
    return declared_at(r, p, v);
}

static int check_text(poise__reading *r, const poise__param *p, const poise__yaml *v)
{
    char what[140];
    if (v->kind != POISE__SCALAR || poise__yaml_null(v))
        return wrong(r, p, v, 0);
    for (int k = 0; k < p->choices.n; k++)
        if (strcmp(p->choices.text[k], v->text) == 0)
            return 0;
    snprintf(what, sizeof(what), "parameter '%.80s' is", p->name);
    if (p->choices.n > 0) {
        poise__unknown(r, v->place, what, v->text, p->choices.n, p->choices.text);
        return declared_at(r, p, v);
    }
    if (p->type == POISE__PARAM_TASK && r->spec->schema->ntask > 0 &&
        poise__task_find(r->spec->schema, v->text) < 0) {
        snprintf(what, sizeof(what), "parameter '%.80s': there is no task", p->name);
        return poise__task_unknown(r, v->place, what, v->text);
    }
    if (p->type == POISE__PARAM_INPUT)
        return poise__input_check(r, v, p->name);
    return 0;
}

static int check_value(poise__reading *r, const poise__param *p, const poise__yaml *v, int lists)
{
    int64_t whole;
    double x = 0;
    int yes, bad = 0;
    if (lists > 0) {
        if (v->kind != POISE__LIST || v->n == 0)
            return wrong(r, p, v, lists);
        for (size_t i = 0; i < v->n; i++)
            bad |= check_value(r, p, v->item[i], lists - 1);
        return bad;
    }
    switch (p->type) {
    case POISE__PARAM_INTEGER:
        if (poise__yaml_int(v, &whole) < 0)
            return wrong(r, p, v, 0);
        x = (double)whole;
        break;
    case POISE__PARAM_NUMBER:
        if (poise__yaml_number(v, &x) < 0)
            return wrong(r, p, v, 0);
        break;
    case POISE__PARAM_BOOLEAN:
        return poise__yaml_bool(v, &yes) < 0 ? wrong(r, p, v, 0) : 0;
    case POISE__PARAM_TEXT:
    case POISE__PARAM_TASK:
    case POISE__PARAM_INPUT:
        return check_text(r, p, v);
    }
    return x < p->min || x > p->max ? wrong(r, p, v, 0) : 0;
}

static int check(poise__reading *r, const poise__param *p, const poise__yaml *v)
{
    if (p->wrong)
        return 0;
    if (check_value(r, p, v, p->lists) < 0)
        return -1;
    if (p->length == 0 || v->kind != POISE__LIST || v->n == (size_t)p->length)
        return 0;
    poise_diagnose(r->diag, v->place,
                   "parameter '%.80s' has a list of %zu; it must be a list of %d", p->name, v->n,
                   (int)p->length);
    return declared_at(r, p, v);
}

/* ---- reading ---- */

/* The type that the first value in it has. */
static int infer(poise__reading *r, poise__param *p)
{
    const poise__yaml *v = p->initial;
    char show[120];
    int64_t whole;
    double number;
    int yes;
    p->lists = 0;
    for (; v->kind == POISE__LIST && v->n > 0; v = v->item[0])
        p->lists++;
    if (v->kind != POISE__SCALAR || poise__yaml_null(v))
        return poise_diagnose(r->diag, p->initial->place,
                              "parameter '%.80s' is %s; its default must be a value, or a list of "
                              "at least one",
                              p->name, poise__yaml_show(p->initial, show, sizeof(show)));
    if (p->choices.n > 0)
        p->type = POISE__PARAM_TEXT;
    else if (poise__yaml_int(v, &whole) == 0 && !strpbrk(v->text, ".eE"))
        p->type = POISE__PARAM_INTEGER;
    else if (poise__yaml_number(v, &number) == 0)
        p->type = POISE__PARAM_NUMBER;
    else if (poise__yaml_bool(v, &yes) == 0)
        p->type = POISE__PARAM_BOOLEAN;
    else
        p->type = POISE__PARAM_TEXT;
    return 0;
}

/* Limits are of some types only. */
static int check_limits(poise__reading *r, const poise__yaml *key, const poise__yaml *declaration,
                        const poise__param *p)
{
    const int number = p->type == POISE__PARAM_INTEGER || p->type == POISE__PARAM_NUMBER;
    const struct {
        const char *key, *of;
        int fits;
    } limit[] = {{"min", "numbers", number},
                 {"max", "numbers", number},
                 {"length", "lists", p->lists > 0},
                 {"choices", "texts", p->type == POISE__PARAM_TEXT}};
    int bad = 0;
    for (int k = 0; k < POISE__COUNT(limit) && !r->resolved; k++) {
        const poise__yaml *v = poise__yaml_get(declaration, limit[k].key);
        if (v && !limit[k].fits)
            bad = poise_diagnose(
                r->diag, v->place, "parameter '%.80s': '%s' is of %s, but its type is %s%s",
                key->text, limit[k].key, limit[k].of, p->lists ? "a list of " : "", words[p->type]);
    }
    return bad;
}

int poise__param_read(poise__reading *r, const poise__yaml *key, const poise__yaml *declaration,
                      poise__param *p)
{
    char what[120];
    *p = (poise__param){.name = key->text,
                        .place = key->place,
                        .type = (poise__param_type)-1,
                        .min = -HUGE_VAL,
                        .max = HUGE_VAL};
    int bad = poise__name_check(r, poise__name_find("parameter"), key->place, key->text);
    snprintf(what, sizeof(what), "parameter '%.80s'", key->text);
    if (declaration->kind == POISE__MAP)
        bad |= poise__keys_read(r, declaration, what, &poise__param_section, p);
    else
        p->initial = declaration;
    if (!bad && p->min > p->max)
        bad =
            poise_diagnose(r->diag, declaration->place, "parameter '%.80s' has min %g above max %g",
                           key->text, p->min, p->max);
    if (!bad && (int)p->type < 0)
        bad = infer(r, p);
    bad |= bad ? 0 : check_limits(r, key, declaration, p);
    p->wrong = bad;
    return bad || (p->initial && check(r, p, p->initial) < 0) ? -1 : 0;
}

static int unknown(poise__reading *r, const poise__yaml *declared, const poise__yaml *key,
                   const char *model)
{
    const char *known[POISE__MOST_PARAMS];
    char what[120];
    int n = 0;
    for (size_t i = 0; declared && i < declared->n; i++)
        known[n++] = declared->key[i]->text;
    snprintf(what, sizeof(what), "model %.60s has no parameter", model);
    return poise__unknown(r, key->place, what, key->text, n, known);
}

static int read_one(poise__reading *r, const poise__yaml *key, const poise__yaml *declaration,
                    const poise__yaml *given, const char *model, poise_place place,
                    poise__yaml *all)
{
    poise_error err;
    poise__param p;
    char type[300];
    int bad = poise__param_read(r, key, declaration, &p);
    poise__yaml *v = poise__yaml_get(given, key->text);
    if (v)
        bad |= check(r, &p, v);
    else if (!p.initial)
        bad =
            p.wrong
                ? -1
                : poise_diagnose(r->diag, place,
                                 "model %.60s needs a value for '%.80s' (%s): model: {use: %.60s, "
                                 "%.80s: ...}",
                                 model, p.name,
                                 p.help ? p.help : poise__param_type_text(&p, type, sizeof(type)),
                                 model, p.name);
    poise__yaml *value = poise__yaml_share(r->arena, v ? v : p.initial ? p.initial : key, &err);
    if (!value ||
        poise__yaml_append(r->arena, all, poise__yaml_share(r->arena, key, &err), value, &err) < 0)
        return poise_diagnose_error(r->diag, &err);
    value->wrong |= bad != 0;
    return bad;
}

poise__yaml *poise__params_read(poise__reading *r, const poise__yaml *declared,
                                const poise__yaml *given, const char *model, poise_place place,
                                int partial, int *bad)
{
    poise_error err;
    char show[120];
    poise__yaml *all = poise__node_map(r->arena, &err);
    if (!all) {
        *bad = poise_diagnose_error(r->diag, &err);
        return NULL;
    }
    if (declared && (declared->kind != POISE__MAP || declared->n > POISE__MOST_PARAMS)) {
        *bad = poise_diagnose(r->diag, declared->place,
                              "params is %s; it must be a mapping of at most %d names with values",
                              poise__yaml_show(declared, show, sizeof(show)), POISE__MOST_PARAMS);
        return NULL;
    }
    for (size_t i = 0; declared && i < declared->n; i++)
        *bad |= read_one(r, declared->key[i], declared->item[i], given, model, place, all);
    for (size_t i = 0; given && i < given->n; i++)
        if (!partial && !poise__yaml_get(declared, given->key[i]->text))
            *bad = unknown(r, declared, given->key[i], model);
    return all;
}

/* ---- changing declarations ---- */

poise__yaml *poise__param_with(poise__arena *a, const poise__yaml *declaration,
                               const poise__yaml *value, poise_error *err)
{
    if (declaration->kind != POISE__MAP)
        return poise__yaml_share(a, value, err);
    poise__yaml *to = poise__yaml_new(a, POISE__MAP, declaration->place, err);
    for (size_t i = 0; i < declaration->n; i++)
        if (poise__yaml_append(a, to, declaration->key[i], declaration->item[i], err) < 0)
            return NULL;
    return poise__yaml_set(a, to, "default", poise__yaml_share(a, value, err), err) < 0 ? NULL : to;
}

poise__yaml *poise__param_merge(poise__reading *r, const poise__yaml *key,
                                const poise__yaml *inherited, const poise__yaml *declaration)
{
    poise_error err;
    poise__param p;
    if (declaration->kind != POISE__MAP) {
        if (poise__param_read(r, key, inherited, &p) < 0 || check(r, &p, declaration) < 0)
            return NULL;
        poise__yaml *to = poise__param_with(r->arena, inherited, declaration, &err);
        return to ? to : (poise_diagnose_error(r->diag, &err), NULL);
    }
    poise__yaml *to = poise__yaml_new(r->arena, POISE__MAP, declaration->place, &err);
    int bad = 0;
    if (inherited->kind != POISE__MAP)
        bad = poise__yaml_set(r->arena, to, "default", poise__yaml_share(r->arena, inherited, &err),
                              &err);
    for (size_t i = 0; inherited->kind == POISE__MAP && i < inherited->n && !bad; i++)
        bad = poise__yaml_put(r->arena, to, inherited->key[i], inherited->item[i], &err);
    for (size_t i = 0; i < declaration->n && !bad; i++)
        bad = poise__yaml_put(r->arena, to, declaration->key[i], declaration->item[i], &err);
    if (bad) {
        poise_diagnose_error(r->diag, &err);
        return NULL;
    }
    return to;
}
