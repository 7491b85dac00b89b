/* Two tasks that learn the same from the same rows, however that is written.
 *
 * A label and a mask become a text that is the same for all spellings:
 *
 *     click   click == 1   (click = 1.0)   {column: click, positive: "1"}      `click` = 1
 *     "rating>=4"   not rating < 4.0                                           `rating` >= 4
 *     b and a and b                                                            (`a` = 1 & `b` = 1)
 */
#include <stdlib.h>
#include <string.h>
#include "../data/condition.h"
#include "../data/number.h"
#include "sections.h"

/* A part of a condition: one text, or what `and` or `or` joins. */
typedef struct part {
    int op; /* POISE__AND, POISE__OR; 0: one text */
    int negated, n;
    const char *text[POISE__TESTS];
} part;

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Texts in order, none twice, with `between` them. */
static const char *joined(poise__arena *a, int n, const char **text, const char *between)
{
    poise_error err;
    const char *all = NULL;
    qsort((void *)text, (size_t)n, sizeof(*text), by_text);
    for (int k = 0; k < n; k++)
        if (k == 0)
            all = text[k];
        else if (all && strcmp(text[k], text[k - 1]) != 0)
            all = poise__arena_printf(a, &err, "%s%s%s", all, between, text[k]);
    return all;
}

/* A number has one text, whichever way it was written and quoted. */
static const char *value_text(poise__arena *a, const char *text)
{
    poise_error err;
    double x;
    return poise__number(text, strlen(text), &x) ? poise__arena_printf(a, &err, "%.17g", x)
                                                 : poise__arena_printf(a, &err, "'%s'", text);
}

static const char *test_text(poise__arena *a, const poise__test *t, int negated)
{
    static const char *const mark[] = {"=", "<", "<=", ">", ">=", "missing"};
    static const poise__test_kind opposite[] = {
        [POISE__LESS] = POISE__GREATER_EQUAL,
        [POISE__LESS_EQUAL] = POISE__GREATER,
        [POISE__GREATER] = POISE__LESS_EQUAL,
        [POISE__GREATER_EQUAL] = POISE__LESS,
    };
    poise_error err;
    const char *value[POISE__TESTS], *list = "";
    poise__test_kind kind = t->kind;
    if (negated && kind != POISE__EQUAL && kind != POISE__IS_MISSING) {
        kind = opposite[kind];
        negated = 0;
    }
    for (int k = 0; k < t->nvalue; k++)
        if (!(value[k] = value_text(a, t->text[k])))
            return NULL;
    if (t->nvalue > 0 && !(list = joined(a, t->nvalue, value, ", ")))
        return NULL;
    return poise__arena_printf(a, &err, "%s`%s` %s %s", negated ? "not " : "", t->name, mark[kind],
                               list);
}

static const char *part_text(poise__arena *a, part *p)
{
    poise_error err;
    const char *inner =
        p->op ? joined(a, p->n, p->text, p->op == POISE__AND ? " & " : " | ") : p->text[0];
    return !inner || (!p->op && !p->negated)
               ? inner
               : poise__arena_printf(a, &err, "%s(%s)", p->negated ? "not " : "", inner);
}

/* The operands of a side join those of the same operation. */
static int join(poise__arena *a, part *to, part *side, int op)
{
    int n = side->op == op && !side->negated ? side->n : 1;
    if (side->op != op || side->negated)
        side->text[0] = part_text(a, side);
    for (int k = 0; k < n; k++) {
        if (!side->text[k])
            return -1;
        to->text[to->n++] = side->text[k];
    }
    return 0;
}

/* NULL where memory is out. */
static const char *condition_text(poise__arena *a, const poise__condition *c)
{
    poise_error err;
    part *stack = poise__arena_alloc(a, (size_t)c->ntest + 1, sizeof(*stack), &err);
    int n = 0;
    for (int k = 0; stack && k < c->ncode; k++) {
        int code = c->code[k], alone = k + 1 < c->ncode && c->code[k + 1] == POISE__NOT;
        if (code >= 0) { /* with the `not` that comes after it */
            stack[n] = (part){.n = 1};
            if (!(stack[n++].text[0] = test_text(a, &c->test[code], alone)))
                return NULL;
            k += alone;
        } else if (code == POISE__NOT)
            stack[n - 1].negated = !stack[n - 1].negated;
        else {
            part both = {.op = code};
            if (join(a, &both, &stack[n - 2], code) < 0 || join(a, &both, &stack[n - 1], code) < 0)
                return NULL;
            stack[--n - 1] = both;
        }
    }
    return stack ? part_text(a, &stack[0]) : NULL;
}

/* A column, or a condition where `tests`: NULL where it cannot be read. */
static const char *text_of(poise__arena *a, const char *text, int tests)
{
    poise_error err;
    poise__condition c;
    if (!tests)
        return poise__arena_printf(a, &err, "`%s` = 1", text);
    return poise__condition_parse(text, POISE_NOWHERE, a, &c, &err) < 0 ? NULL
                                                                        : condition_text(a, &c);
}

static const char *label_text(poise__arena *a, const poise_task *t)
{
    poise_error err;
    if (!t->label)
        return NULL;
    if (t->kind != POISE_BINARY) /* the number that is learnt, as it is */
        return poise__arena_printf(a, &err, "`%s`", t->label);
    if (!t->positive)
        return text_of(a, t->label, t->label_tests);
    const char *value = value_text(a, t->positive);
    return value ? poise__arena_printf(a, &err, "`%s` = %s", t->label, value) : NULL;
}

int poise__warn_twins(poise__reading *r)
{
    const poise_schema *s = r->spec->schema;
    size_t n = (size_t)s->ntask;
    const char **label = poise__reading_alloc(r, n, sizeof(*label));
    const char **when = poise__reading_alloc(r, n, sizeof(*when));
    if (!label || !when)
        return -1;
    for (int b = 0; b < s->ntask; b++) {
        const poise_task *t = &s->task[b];
        label[b] = label_text(r->arena, t);
        when[b] = t->when ? text_of(r->arena, t->when, t->when_tests) : "";
        for (int a = 0; a < b && label[b] && when[b]; a++) {
            if (!label[a] || !when[a] || strcmp(label[a], label[b]) != 0 ||
                strcmp(when[a], when[b]) != 0)
                continue;
            poise_warn(r->diag, t->place,
                       "task '%.80s' has the label of task '%.80s', and on the same rows", t->name,
                       s->task[a].name);
            poise_diagnose_note(r->diag, s->task[a].place, "'%.80s' is here", s->task[a].name);
            break;
        }
    }
    return 0;
}
