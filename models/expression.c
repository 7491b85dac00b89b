#include "expression.h"
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEEPEST = 50, LONGEST = 100 };
static const double largest_whole = 9007199254740992.0; /* 2^53 */

typedef struct reader {
    poise__reading *r;
    poise__scope *s;
    const poise__yaml *node;  /* the scalar */
    const char *c;            /* what is left of its text */
    const poise__yaml *first; /* the first parameter's value: where the number came from */
    int depth;
} reader;

static int is_name(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '-';
}

static void blanks(reader *e)
{
    while (*e->c == ' ')
        e->c++;
}

static const poise__yaml *failed(reader *e, const char *message)
{
    poise_diagnose(e->r->diag, e->node->place, "'%.80s' %s", e->node->text, message);
    return NULL;
}

static int begins_expression(const char *text)
{
    return (text[0] && strchr("$(-.", text[0])) || isdigit((unsigned char)text[0]) ||
           strncmp(text, "length(", 7) == 0;
}

/* ---- names ---- */

static const poise__yaml *no_parameter(reader *e, const char *name)
{
    const poise__yaml *p = e->s->params;
    const char *known[POISE__MOST_PARAMS];
    int n = 0;
    if (e->s->partial)
        return NULL;
    for (size_t i = 0; p && i < p->n && n < POISE__MOST_PARAMS; i++)
        known[n++] = p->key[i]->text;
    poise__unknown(e->r, e->node->place, "there is no parameter", name, n, known);
    return NULL;
}

static const poise__yaml *text_node(reader *e, const char *text)
{
    poise_error err;
    poise__yaml *n =
        poise__yaml_scalar(e->r->arena, text, poise__yaml_plain(text), e->node->place, &err);
    if (!n)
        poise_diagnose_error(e->r->diag, &err);
    return n;
}

static const poise__yaml *task_list(reader *e)
{
    poise_error err;
    const poise_schema *s = e->r->spec->schema;
    poise__yaml *list = poise__yaml_new(e->r->arena, POISE__LIST, e->node->place, &err);
    for (int t = 0; list && t < s->ntask; t++)
        if (poise__yaml_push(
                e->r->arena, list,
                poise__yaml_scalar(e->r->arena, s->task[t].name, 1, s->task[t].place, &err),
                &err) < 0)
            list = NULL;
    if (!list)
        poise_diagnose_error(e->r->diag, &err);
    return list;
}

static const poise__yaml *find(reader *e, const char *name)
{
    const poise__yaml *p = e->s->params;
    for (size_t k = 0; p && k < p->n; k++)
        if (strcmp(p->key[k]->text, name) == 0) {
            e->s->used[k] = 1;
            if (p->item[k]->wrong) /* which was said there */
                return NULL;
            if (!e->first)
                e->first = p->item[k];
            return p->item[k];
        }
    if (strcmp(name, "tasks") == 0)
        return task_list(e);
    if (strcmp(name, "each") == 0)
        return e->s->each ? text_node(e, e->s->each)
                          : failed(e, "has a name only in a layer with each");
    return NULL;
}

static int known(const reader *e, const char *name)
{
    return strcmp(name, "tasks") == 0 || strcmp(name, "each") == 0 ||
           poise__yaml_get(e->s->params, name) != NULL;
}

/* "$name": a minus may belong to the name or come after it; the longest name that there is. */
static const poise__yaml *named(reader *e, char name[LONGEST])
{
    const char *from = ++e->c;
    size_t most = 0;
    while (is_name(from[most]))
        most++;
    if (most == 0 || most >= LONGEST || from[0] == '-')
        return failed(e, "is no parameter; write $name, or $name[0] for an entry of a list");
    size_t n = most;
    do {
        memcpy(name, from, n);
        name[n] = 0;
        if (known(e, name)) {
            e->c = from + n;
            return find(e, name);
        }
        while (n > 0 && from[n - 1] != '-')
            n--;
        n -= n > 0;
    } while (n > 0);
    memcpy(name, from, most);
    name[most] = 0;
    return no_parameter(e, name);
}

/* ---- values ---- */

static const poise__yaml *sum(reader *e);

/* "[0]" after a list; -1 is its last. */
static const poise__yaml *entry(reader *e, const poise__yaml *list, const char *name)
{
    char show[120];
    int64_t k;
    e->c++;
    blanks(e);
    const poise__yaml *index = begins_expression(e->c) ? sum(e) : NULL;
    if (!index || *e->c != ']' || poise__yaml_int(index, &k) < 0) {
        poise_diagnose(e->r->diag, e->node->place, "'%.80s' is no entry; write $%s[0]",
                       e->node->text, name);
        return NULL;
    }
    e->c++;
    int64_t n = list->kind == POISE__LIST ? (int64_t)list->n : 0;
    if (k < -n || k >= n) {
        poise_diagnose(e->r->diag, e->node->place, "'%.80s' does not exist: %s is %s",
                       e->node->text, name, poise__yaml_show(list, show, sizeof(show)));
        return NULL;
    }
    return list->item[k < 0 ? n + k : k];
}

static const poise__yaml *parameter(reader *e)
{
    char name[LONGEST];
    const poise__yaml *v = named(e, name);
    while (v && *e->c == '[')
        v = entry(e, v, name);
    return v;
}

static const poise__yaml *number(reader *e, double v, int whole)
{
    poise_error err;
    if (!(fabs(v) <= (whole ? largest_whole : HUGE_VAL)) || isinf(v))
        return failed(e, "comes to a number that is too large");
    poise__yaml *n = whole ? poise__node_int(e->r->arena, (int64_t)v, &err)
                           : poise__node_number(e->r->arena, v, &err);
    if (!n) {
        poise_diagnose_error(e->r->diag, &err);
        return NULL;
    }
    n->place = e->first ? e->first->place : e->node->place;
    return n;
}

static const poise__yaml *literal(reader *e)
{
    char *end;
    double v = strtod(e->c, &end);
    int whole = strcspn(e->c, ".eE") >= (size_t)(end - e->c);
    e->c = end;
    return number(e, v, whole);
}

/* A number that arithmetic is to be done with. */
static int operand(reader *e, const poise__yaml *n, double *v, int *whole)
{
    char show[120];
    int64_t i;
    *whole = poise__yaml_int(n, &i) == 0 && !strpbrk(n->text, ".eE");
    if (poise__yaml_number(n, v) == 0)
        return 0;
    return poise_diagnose(e->r->diag, e->node->place,
                          "'%.80s' cannot be worked out: there is %s where a number must be",
                          e->node->text, poise__yaml_show(n, show, sizeof(show)));
}

static const poise__yaml *length(reader *e)
{
    e->c += strlen("length(");
    const poise__yaml *v = sum(e);
    if (!v)
        return NULL;
    if (*e->c != ')')
        return failed(e, "has no ')' where one must be");
    e->c++;
    return v->kind == POISE__LIST ? number(e, (double)v->n, 1)
                                  : failed(e, "asks for the length of what is no list");
}

static const poise__yaml *factor(reader *e)
{
    blanks(e);
    const poise__yaml *v = NULL;
    if (++e->depth > DEEPEST)
        failed(e, "is nested too deep");
    else if (*e->c == '$')
        v = parameter(e);
    else if (isdigit((unsigned char)*e->c) || *e->c == '.')
        v = literal(e);
    else if (strncmp(e->c, "length(", 7) == 0)
        v = length(e);
    else if (*e->c == '(') {
        e->c++;
        v = sum(e);
        if (v && *e->c != ')')
            v = failed(e, "has no ')' where one must be");
        e->c += v != NULL;
    } else if (*e->c == '-') {
        double x;
        int whole;
        e->c++;
        v = factor(e);
        v = v && operand(e, v, &x, &whole) == 0 ? number(e, -x, whole) : NULL;
    } else
        failed(e, "cannot be worked out: write $name, numbers, + - * / and ( )");
    e->depth--;
    if (v)
        blanks(e);
    return v;
}

static const poise__yaml *combined(reader *e, const poise__yaml *a, char sign, const poise__yaml *b)
{
    double x, y;
    int x_whole, y_whole;
    if (!a || !b || operand(e, a, &x, &x_whole) < 0 || operand(e, b, &y, &y_whole) < 0)
        return NULL;
    int whole = x_whole && y_whole;
    switch (sign) {
    case '+':
        return number(e, x + y, whole);
    case '-':
        return number(e, x - y, whole);
    case '*':
        return number(e, x * y, whole);
    default:
        if (fabs(y) <= 0)
            return failed(e, "divides by 0");
        return number(e, x / y, whole && fabs(fmod(x, y)) <= 0);
    }
}

static const poise__yaml *product(reader *e)
{
    const poise__yaml *v = factor(e);
    while (v && (*e->c == '*' || *e->c == '/')) {
        char sign = *e->c++;
        v = combined(e, v, sign, factor(e));
    }
    return v;
}

static const poise__yaml *sum(reader *e)
{
    const poise__yaml *v = product(e);
    while (v && (*e->c == '+' || *e->c == '-')) {
        char sign = *e->c++;
        v = combined(e, v, sign, product(e));
    }
    return v;
}

/* "tower[$click]": every $name gives its text. */
static const poise__yaml *inside(reader *e)
{
    char text[300], show[120];
    size_t n = 0;
    while (*e->c && n + 1 < sizeof(text)) {
        if (*e->c != '$') {
            text[n++] = *e->c++;
            continue;
        }
        const poise__yaml *v = parameter(e);
        if (!v)
            return NULL;
        if (v->kind != POISE__SCALAR || poise__yaml_null(v)) {
            poise_diagnose(
                e->r->diag, e->node->place,
                "'%.80s' cannot be made out: inside a name stands a text, but there is %s",
                e->node->text, poise__yaml_show(v, show, sizeof(show)));
            return NULL;
        }
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s", v->text);
    }
    if (n + 1 >= sizeof(text))
        return failed(e, "comes to a name that is too long");
    text[n] = 0;
    return text_node(e, text);
}

/* ---- trees ---- */

static int text_needs_each(const char *text)
{
    for (const char *c = text; (c = strstr(c, "$each")) != NULL; c++)
        if (!is_name(c[5]))
            return 1;
    return 0;
}

int poise__needs_each(const poise__yaml *tree)
{
    if (tree->kind == POISE__SCALAR)
        return text_needs_each(tree->text);
    for (size_t i = 0; i < tree->n; i++)
        if (poise__needs_each(tree->item[i]))
            return 1;
    return 0;
}

/* What waits for $each uses its other parameters already. */
static void mark_used(const char *text, poise__scope *s)
{
    for (size_t k = 0; s->params && k < s->params->n; k++) {
        const char *name = s->params->key[k]->text, *c = text;
        size_t n = strlen(name);
        for (; (c = strchr(c, '$')) != NULL; c++)
            s->used[k] |= strncmp(c + 1, name, n) == 0 && !is_name(c[n + 1]);
    }
}

/* The value of a scalar; itself where it is no expression; NULL after a diagnosis. */
static const poise__yaml *value_of(poise__reading *r, const poise__yaml *n, poise__scope *s)
{
    if (!strchr(n->text, '$') && !(strncmp(n->text, "length(", 7) == 0))
        return n;
    if (!s->each && text_needs_each(n->text)) {
        mark_used(n->text, s);
        return n;
    }
    reader e = {.r = r, .s = s, .node = n, .c = n->text};
    if (!begins_expression(n->text))
        return inside(&e);
    const poise__yaml *v = sum(&e);
    return !v || *e.c == 0
               ? v
               : failed(&e, "is no expression; write $name, or $name[0] for an entry of a list");
}

typedef struct walk {
    poise__reading *r;
    poise__scope *s;
    int bad;
} walk;

static poise__yaml *scalar(walk *w, const poise__yaml *n)
{
    poise_error err;
    const poise__yaml *from = value_of(w->r, n, w->s);
    poise__yaml *to = poise__yaml_share(w->r->arena, from ? from : n, &err);
    if (!to) {
        poise_diagnose_error(w->r->diag, &err);
        return NULL;
    }
    if (!from) {
        to->wrong = 1;
        w->bad = -1;
    } else if (from != n) {
        to->param = n->text;
        to->param_at = n->place;
    }
    return to;
}

static poise__yaml *evaluate(walk *w, const poise__yaml *n)
{
    poise_error err;
    if (n->kind == POISE__SCALAR)
        return scalar(w, n);
    poise__yaml *to = poise__yaml_share(w->r->arena, n, &err);
    if (!to) {
        poise_diagnose_error(w->r->diag, &err);
        return NULL;
    }
    to->n = to->cap = 0;
    to->key = to->item = NULL;
    for (size_t i = 0; i < n->n; i++) {
        poise__yaml *key = NULL, *item = evaluate(w, n->item[i]);
        if (!item)
            return NULL;
        to->wrong |= n->kind == POISE__LIST && item->wrong;
        if (n->kind == POISE__MAP) {
            key = n->key[i]->text[0] == '$' ? scalar(w, n->key[i]) : n->key[i];
            if (!key)
                return NULL;
            if (key != n->key[i] && key->kind == POISE__SCALAR && poise__yaml_get(to, key->text))
                w->bad = poise_diagnose(w->r->diag, n->key[i]->place,
                                        "key '%.80s' comes to '%.80s', which is there already",
                                        n->key[i]->text, key->text);
            if (key->kind != POISE__SCALAR) {
                w->bad = poise_diagnose(w->r->diag, n->key[i]->place,
                                        "key '%.80s' is a list; a key is a word", n->key[i]->text);
                key = n->key[i];
            }
        }
        if ((key ? poise__yaml_append(w->r->arena, to, key, item, &err)
                 : poise__yaml_push(w->r->arena, to, item, &err)) < 0) {
            poise_diagnose_error(w->r->diag, &err);
            return NULL;
        }
    }
    return to;
}

poise__yaml *poise__evaluate(poise__reading *r, const poise__yaml *tree, poise__scope *s, int *bad)
{
    walk w = {.r = r, .s = s};
    poise__yaml *to = evaluate(&w, tree);
    if (!to || w.bad)
        *bad = -1;
    return to;
}
