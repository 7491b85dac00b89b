#include "conditions.h"

#include <math.h>
#include <string.h>

#include "../core/memory.h"

static int find_task(const poise_schema *s, const char *name)
{
    for (int t = 0; t < s->ntask; t++)
        if (s->task[t].kind == POISE_BINARY && strcmp(s->task[t].name, name) == 0)
            return t;
    return -1;
}

static int parse_all(poise__conditions *c, const poise_schema *s, poise_error *err)
{
    for (int t = 0; t < s->ntask; t++) {
        const poise_task *k = &s->task[t];
        poise_place nowhere = k->place; /* the text was checked where it stands in the spec */
        if (k->label_tests &&
            poise__condition_parse(k->label, nowhere, c->arena, &c->label[t], err) < 0)
            return -1;
        if (k->when_tests &&
            poise__condition_parse(k->when, nowhere, c->arena, &c->when[t], err) < 0)
            return -1;
        c->n += c->label[t].ntest + c->when[t].ntest;
    }
    return 0;
}

int poise__conditions_init(poise__conditions *c, const poise_schema *s,
                           int (*is_column)(const void *user, const char *name), const void *user,
                           poise_error *err)
{
    size_t ntask = (size_t)s->ntask;
    memset(c, 0, sizeof *c);
    c->arena = poise__arena_new(err);
    if (!c->arena || !(c->label = poise__arena_alloc(c->arena, ntask, sizeof *c->label, err)) ||
        !(c->when = poise__arena_alloc(c->arena, ntask, sizeof *c->when, err)) ||
        parse_all(c, s, err) < 0 ||
        !(c->use = poise__arena_alloc(c->arena, (size_t)c->n, sizeof *c->use, err)) ||
        !(c->truth = poise__arena_alloc(c->arena, (size_t)c->n, sizeof *c->truth, err)))
        return -1;
    int n = 0;
    for (int t = 0; t < s->ntask; t++)
        for (int in_when = 0; in_when < 2; in_when++) {
            const poise__condition *k = in_when ? &c->when[t] : &c->label[t];
            for (int i = 0; i < k->ntest; i++) {
                const char *name = k->test[i].name;
                int task = in_when && !is_column(user, name) ? find_task(s, name) : -1;
                c->use[n++] = (poise__condition_use){&k->test[i], t, in_when, task};
            }
        }
    return 0;
}

void poise__conditions_done(poise__conditions *c)
{
    if (c->arena)
        poise__arena_free(c->arena);
    memset(c, 0, sizeof *c);
}

static poise__truth truth_of(const poise__test *test, float label)
{
    poise__truth holds;
    char text[2] = {label == 1 ? '1' : '0', 0};
    if (poise__test_cell(test, text, 1, isnan(label), &holds) < 0)
        return POISE__UNKNOWN;
    return holds;
}

void poise__conditions_row(const poise__conditions *c, const poise_schema *s, poise__columns *out,
                           int64_t row)
{
    int first = 0;
    for (int t = 0; t < s->ntask; t++) {
        if (c->label[t].ntest > 0) {
            poise__truth holds = poise__condition_holds(&c->label[t], c->truth + first);
            out->task[t].label[row] = holds == POISE__UNKNOWN ? NAN : (float)holds;
        }
        first += c->label[t].ntest + c->when[t].ntest;
    }
    for (int k = 0; k < c->n; k++)
        if (c->use[k].task >= 0)
            c->truth[k] = truth_of(c->use[k].test, out->task[c->use[k].task].label[row]);
    first = 0;
    for (int t = 0; t < s->ntask; t++) {
        first += c->label[t].ntest;
        if (c->when[t].ntest > 0)
            out->task[t].when[row] =
                poise__condition_holds(&c->when[t], c->truth + first) == POISE__TRUE;
        first += c->when[t].ntest;
    }
}
