#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "params.h"
#include "sections.h"

enum { MOST_PARAMS = 200 };

static int is_whole(const poise__yaml *n)
{
    int64_t v;
    return poise__yaml_int(n, &v) == 0 && !strpbrk(n->text, ".eE");
}

/* The type of a default in words, and whether a value has it. */
static const char *scalar_type(const poise__yaml *like, const poise__yaml *v, int *fits)
{
    int64_t i;
    double d;
    int b;
    if (is_whole(like)) {
        *fits = poise__yaml_int(v, &i) == 0;
        return "an integer";
    }
    if (poise__yaml_number(like, &d) == 0) {
        *fits = poise__yaml_number(v, &d) == 0;
        return "a number";
    }
    if (poise__yaml_bool(like, &b) == 0) {
        *fits = poise__yaml_bool(v, &b) == 0;
        return "true or false";
    }
    *fits = v->kind == POISE__SCALAR && !poise__yaml_null(v);
    return "a text";
}

static int check_like(poise__reading *r, const char *name, const poise__yaml *v,
                      const poise__yaml *like)
{
    char show[120], default_show[120];
    poise__yaml_show(v, show, sizeof(show));
    if (like->kind == POISE__LIST) {
        if (v->kind != POISE__LIST || v->n == 0)
            return poise_diagnose(
                r->diag, v->place,
                "parameter '%.80s' has %s where its default has a list; write [...]", name, show);
        int bad = 0;
        for (size_t i = 0; i < v->n && like->n > 0; i++)
            bad |= check_like(r, name, v->item[i], like->item[0]);
        return bad;
    }
    int fits;
    const char *type = scalar_type(like, v, &fits);
    if (fits)
        return 0;
    return poise_diagnose(r->diag, v->place,
                          "parameter '%.80s' has %s; it must be %s, as its default %s", name, show,
                          type, poise__yaml_show(like, default_show, sizeof(default_show)));
}

static int check_default(poise__reading *r, const poise__yaml *key, const poise__yaml *v)
{
    char show[120];
    if (strcmp(key->text, "use") == 0)
        return poise_diagnose(r->diag, key->place,
                              "'use' cannot be a parameter: it stands beside the model's name");
    if (v->kind == POISE__MAP || (v->kind == POISE__SCALAR && poise__yaml_null(v)) ||
        (v->kind == POISE__LIST && v->n == 0))
        return poise_diagnose(r->diag, v->place,
                              "parameter '%.80s' is %s; its default must be a value, or a list of "
                              "at least one",
                              key->text, poise__yaml_show(v, show, sizeof(show)));
    if (v->kind == POISE__SCALAR)
        return 0;
    int bad = 0;
    for (size_t i = 0; i < v->n && !bad; i++)
        bad = check_default(r, key, v->item[i]);
    for (size_t i = 1; i < v->n && !bad; i++)
        bad = check_like(r, key->text, v->item[i], v->item[0]);
    return bad;
}

static int unknown(poise__reading *r, const poise__yaml *params, poise_place place,
                   const char *what, const char *name)
{
    const char *known[MOST_PARAMS];
    int n = 0;
    for (size_t i = 0; params && i < params->n && n < MOST_PARAMS; i++)
        known[n++] = params->key[i]->text;
    return poise__unknown(r, place, what, name, n, known);
}

poise__yaml *poise__params_read(poise__reading *r, const poise__yaml *defaults,
                                const poise__yaml *given, const char *model, int *bad)
{
    poise_error err;
    char show[120], what[120];
    poise__yaml *all = poise__node_map(r->arena, &err);
    if (!all) {
        *bad = poise_diagnose_error(r->diag, &err);
        return NULL;
    }
    if (defaults && (defaults->kind != POISE__MAP || defaults->n > MOST_PARAMS)) {
        *bad = poise_diagnose(r->diag, defaults->place,
                              "params is %s; it must be a mapping of at most %d names with values",
                              poise__yaml_show(defaults, show, sizeof(show)), MOST_PARAMS);
        return NULL;
    }
    for (size_t i = 0; defaults && i < defaults->n; i++) {
        if (check_default(r, defaults->key[i], defaults->item[i]) < 0)
            *bad = -1;
        if (poise__yaml_put(r->arena, all, defaults->key[i], defaults->item[i], &err) < 0) {
            *bad = poise_diagnose_error(r->diag, &err);
            return NULL;
        }
    }
    for (size_t i = 0; given && i < given->n; i++) {
        const poise__yaml *like = poise__yaml_get(defaults, given->key[i]->text);
        if (!like) {
            snprintf(what, sizeof(what), "model %.60s has no parameter", model);
            *bad = unknown(r, defaults, given->key[i]->place, what, given->key[i]->text);
        } else if (check_like(r, given->key[i]->text, given->item[i], like) < 0)
            *bad = -1;
        else if (poise__yaml_put(r->arena, all, given->key[i], given->item[i], &err) < 0)
            *bad = poise_diagnose_error(r->diag, &err);
    }
    return all;
}

typedef struct substitution {
    poise__reading *r;
    const poise__yaml *params;
    char used[MOST_PARAMS];
    int bad;
} substitution;

/* "$name[1][0]": the value, NULL after a diagnosis. */
static const poise__yaml *look_up(substitution *s, const poise__yaml *n)
{
    char name[100];
    const char *from = n->text + 1, *c = from;
    while (isalnum((unsigned char)*c) || *c == '_' || *c == '-')
        c++;
    size_t length = (size_t)(c - from);
    if (length == 0 || length >= sizeof(name) || (*c && *c != '[')) {
        poise_diagnose(s->r->diag, n->place,
                       "'%.80s' is no parameter; write $name, or $name[0] for an entry of a list",
                       n->text);
        return NULL;
    }
    memcpy(name, from, length);
    name[length] = 0;
    size_t k = 0;
    while (s->params && k < s->params->n && strcmp(s->params->key[k]->text, name) != 0)
        k++;
    if (!s->params || k == s->params->n) {
        unknown(s->r, s->params, n->place, "there is no parameter", name);
        return NULL;
    }
    s->used[k] = 1;
    const poise__yaml *v = s->params->item[k];
    while (*c) {
        char *end;
        unsigned long index = isdigit((unsigned char)c[1]) ? strtoul(c + 1, &end, 10) : 0;
        if (*c != '[' || !isdigit((unsigned char)c[1]) || *end != ']') {
            poise_diagnose(s->r->diag, n->place, "'%.80s' is no entry; write $%s[0]", n->text,
                           name);
            return NULL;
        }
        if (v->kind != POISE__LIST || index >= v->n) {
            char show[120];
            poise_diagnose(s->r->diag, n->place, "'%.80s' does not exist: %s is %s", n->text, name,
                           poise__yaml_show(v, show, sizeof(show)));
            return NULL;
        }
        v = v->item[index];
        c = end + 1;
    }
    return v;
}

static poise__yaml *substitute(substitution *s, const poise__yaml *n)
{
    poise_error err;
    const poise__yaml *from = n;
    if (n->kind == POISE__SCALAR && n->text[0] == '$')
        from = look_up(s, n);
    poise__yaml *to = poise__yaml_new(s->r->arena, n->kind, n->place, &err);
    if (!to) {
        poise_diagnose_error(s->r->diag, &err);
        return NULL;
    }
    *to = from ? *from : *n;
    if (!from) {
        to->wrong = 1;
        s->bad = -1;
        return to;
    }
    if (from != n) {
        to->param = n->text;
        to->param_at = n->place;
    }
    if (n->kind == POISE__SCALAR)
        return to;
    to->n = to->cap = 0;
    to->key = to->item = NULL;
    for (size_t i = 0; i < n->n; i++) {
        poise__yaml *item = substitute(s, n->item[i]);
        if (!item)
            return NULL;
        to->wrong |= n->kind == POISE__LIST && item->wrong;
        if ((n->kind == POISE__MAP ? poise__yaml_append(s->r->arena, to, n->key[i], item, &err)
                                   : poise__yaml_push(s->r->arena, to, item, &err)) < 0) {
            poise_diagnose_error(s->r->diag, &err);
            return NULL;
        }
    }
    return to;
}

poise__yaml *poise__params_apply(poise__reading *r, const poise__yaml *tree,
                                 const poise__yaml *params, int *bad)
{
    substitution s = {.r = r, .params = params};
    poise__yaml *to = substitute(&s, tree);
    if (!to || s.bad)
        *bad = -1;
    for (size_t k = 0; params && k < params->n; k++)
        if (!s.used[k])
            poise_warn(r->diag, params->key[k]->place, "no layer uses parameter '%.80s'",
                       params->key[k]->text);
    return to;
}
