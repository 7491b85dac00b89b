/* A file becomes columns: every use of a column is bound to its place in the record, then each
 * record's cells go where they are bound. */
#include "columns.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../core/memory.h"
#include "conditions.h"
#include "number.h"

enum {
    SEEN_MAX = 8,     /* texts of a label's column that a message can name */
    CLASS_MAX = 65535 /* classes are outputs of the network: more is a mistake in the data */
};

typedef enum use {
    USE_CATEGORY,
    USE_NUMBER,
    USE_LIST,
    USE_GAP,
    USE_LABEL,
    USE_WHEN,
    USE_TEST,
    USE_TASK_WEIGHT,
    USE_WEIGHT
} use;

typedef struct binding {
    use use;
    int column, index; /* of the record, of the feature or task */
} binding;

typedef struct reading {
    poise__delimited *text;
    const poise_schema *schema;
    poise__columns *out;
    poise__conditions conditions;
    binding *bound;
    int nbound;
    int64_t limit; /* rows; 0: all */
} reading;

static int bind(reading *r, use as, const char *what, const char *owner, const char *name,
                int index, poise_place at, poise_error *err)
{
    int column = poise__delimited_find(r->text, name);
    if (column < 0)
        return poise__no_column(what, owner, name, r->out->source,
                                poise__delimited_columns(r->text), poise__delimited_names(r->text),
                                at, err);
    r->bound[r->nbound++] = (binding){as, column, index};
    return 0;
}

static int bind_feature(reading *r, int f, poise_error *err)
{
    static const use of_kind[] = {USE_NUMBER, USE_CATEGORY, USE_GAP, USE_LIST};
    const poise_feature *p = &r->schema->feature[f];
    if (p->kind != POISE_MISSING_COUNT)
        return bind(r, of_kind[p->kind], "the feature ", p->name, poise_feature_column(p), f,
                    p->place, err);
    for (int k = 0; k < p->ncounted; k++)
        if (bind(r, USE_GAP, "the feature ", p->name, p->counted[k], f, p->place, err) < 0)
            return -1;
    return 0;
}

static int bind_task(reading *r, int t, poise_error *err)
{
    const poise_schema *s = r->schema;
    const poise_task *p = &s->task[t];
    if (!p->label_tests &&
        bind(r, USE_LABEL, "the label of task ", p->name, p->label, t, p->place, err) < 0)
        return -1;
    if (p->when && !p->when_tests && poise__when_task(s, t) < 0 &&
        bind(r, USE_WHEN, "`when` of task ", p->name, p->when, t, p->place, err) < 0)
        return -1;
    if (p->weight && bind(r, USE_TASK_WEIGHT, "the sample weight of task ", p->name, p->weight, t,
                          p->place, err) < 0)
        return -1;
    return 0;
}

static int has_column(const void *user, const char *name)
{
    const reading *r = user;
    return poise__delimited_find(r->text, name) >= 0;
}

static int bind_tests(reading *r, poise_error *err)
{
    for (int k = 0; k < r->conditions.n; k++) {
        const poise__condition_use *u = &r->conditions.use[k];
        const poise_task *p = &r->schema->task[u->owner];
        if (u->task < 0 && bind(r, USE_TEST, u->in_when ? "`when` of task " : "the label of task ",
                                p->name, u->test->name, k, p->place, err) < 0)
            return -1;
    }
    return 0;
}

static int bind_all(reading *r, poise_error *err)
{
    const poise_schema *s = r->schema;
    size_t most = (size_t)s->nfeature + 3 * (size_t)s->ntask + 1;
    if (r->out->labelled && poise__conditions_init(&r->conditions, s, has_column, r, err) < 0)
        return -1;
    most += (size_t)r->conditions.n;
    for (int f = 0; f < s->nfeature; f++)
        most += (size_t)s->feature[f].ncounted;
    r->bound = poise__calloc(most, sizeof *r->bound, err);
    if (!r->bound)
        return -1;
    for (int f = 0; f < s->nfeature; f++)
        if (bind_feature(r, f, err) < 0)
            return -1;
    for (int t = 0; r->out->labelled && t < s->ntask; t++)
        if (bind_task(r, t, err) < 0)
            return -1;
    if (bind_tests(r, err) < 0)
        return -1;
    if (r->out->labelled && s->weight)
        return bind(r, USE_WEIGHT, "the sample weight", "", s->weight, 0, POISE_NOWHERE, err);
    return 0;
}

static int bad(const reading *r, const poise__field *f, int column, const char *wanted,
               poise_error *err)
{
    char name[POISE__SHOWN], text[POISE__SHOWN];
    return poise_fail(err, POISE_E_DATA, poise__delimited_place(r->text, f), "column %s: %s %s",
                      poise__shown(poise__delimited_names(r->text)[column], name),
                      poise__shown(f->text, text), wanted);
}

/* The field's number; NaN when it is missing. */
static int number(const reading *r, const poise__field *f, int column, double *x, poise_error *err)
{
    *x = NAN;
    if (poise__delimited_missing(r->text, f))
        return 0;
    if (!poise__number(f->text, f->length, x)) {
        *x = NAN;
        if (f->text[strspn(f->text, " \t")] == 0)
            return 0;
        return bad(r, f, column, "is not a number; if it means \"missing\", list it in `missing:`",
                   err);
    }
    return 0;
}

static int read_number(const reading *r, const poise__field *f, const binding *b, int64_t row,
                       poise_error *err)
{
    double x;
    if (number(r, f, b->column, &x, err) < 0)
        return -1;
    double y = poise_feature_number(&r->schema->feature[b->index], x);
    if (fabs(y) > (double)FLT_MAX)
        return bad(r, f, b->column, "is too large; numbers are at most 3.4e38", err);
    r->out->feature[b->index].number[row] = y;
    return 0;
}

static int read_category(const reading *r, const poise__field *f, const binding *b, int64_t row,
                         poise_error *err)
{
    poise__feature_column *c = &r->out->feature[b->index];
    int missing = poise__delimited_missing(r->text, f);
    return poise__dictionary_code(c->words, missing ? "" : f->text, missing ? 0 : f->length,
                                  &c->code[row], err);
}

static int add_item(poise__feature_column *c, const char *text, size_t length, poise_error *err)
{
    uint32_t *grown = poise__grow(c->code, &c->item_cap, c->nitem + 1, sizeof *grown, err);
    if (!grown)
        return -1;
    c->code = grown;
    if (poise__dictionary_code(c->words, text, length, &grown[c->nitem], err) < 0)
        return -1;
    c->nitem++;
    return 0;
}

/* The texts between separators; empty ones are no items.  A dictionary wants a 0 after a text: it
 * takes the separator's place for as long. */
static int read_list(const reading *r, const poise__field *f, const binding *b, int64_t row,
                     poise_error *err)
{
    const poise_feature *p = &r->schema->feature[b->index];
    poise__feature_column *c = &r->out->feature[b->index];
    size_t first = c->nitem, most = (size_t)p->length, step = strlen(p->separator);
    int missing = poise__delimited_missing(r->text, f);
    for (char *at = f->text, *next; !missing && at; at = next) {
        char *cut = strstr(at, p->separator);
        size_t length = cut ? (size_t)(cut - at) : strlen(at);
        char kept = at[length];
        at[length] = 0;
        int status = length ? add_item(c, at, length, err) : 0;
        at[length] = kept;
        if (status < 0)
            return -1;
        next = cut ? cut + step : NULL;
    }
    if (c->nitem - first > most) {
        if (p->keep_last)
            memmove(c->code + first, c->code + c->nitem - most, most * sizeof *c->code);
        c->nitem = first + most;
    }
    c->end[row] = (int64_t)c->nitem;
    return 0;
}

static int read_positive(const reading *r, const poise__field *f, const binding *b, float *label,
                         poise_error *err)
{
    const poise_task *task = &r->schema->task[b->index];
    poise__task_column *c = &r->out->task[b->index];
    if (strcmp(f->text, task->positive) == 0) {
        *label = 1;
        return 0;
    }
    *label = poise__delimited_missing(r->text, f) ? NAN : 0;
    uint32_t code;
    if (!c->seen && !(c->seen = poise__dictionary_new(err)))
        return -1;
    if (poise__dictionary_count(c->seen) < SEEN_MAX)
        return poise__dictionary_code(c->seen, f->text, f->length, &code, err);
    return 0;
}

static int read_label(const reading *r, const poise__field *f, const binding *b, int64_t row,
                      poise_error *err)
{
    const poise_task *task = &r->schema->task[b->index];
    float *label = &r->out->task[b->index].label[row];
    double x;
    if (task->kind == POISE_BINARY && task->positive)
        return read_positive(r, f, b, label, err);
    if (number(r, f, b->column, &x, err) < 0)
        return -1;
    *label = (float)x;
    if (isnan(x))
        return 0;
    if (task->kind == POISE_BINARY && x != 0 && x != 1)
        return bad(r, f, b->column, "is neither 0 nor 1; a label of other values needs `positive:`",
                   err);
    if (!poise_task_classed(task) && fabs(x) > (double)FLT_MAX)
        return bad(r, f, b->column, "is too large; labels are at most 3.4e38", err);
    if (task->kind == POISE_COUNT && x < 0)
        return bad(r, f, b->column, "is not a count; counts are numbers from 0", err);
    if (!poise_task_classed(task))
        return 0;
    if (x < 0 || x > CLASS_MAX || x != floor(x))
        return bad(r, f, b->column, "is not a class; classes are whole numbers from 0 to 65535",
                   err);
    int unseen = r->schema->learnt && x >= (double)task->nclass;
    if (unseen && r->limit) /* the training rows that were left out may have it */
        *label = NAN;
    else if (unseen)
        return bad(r, f, b->column, "is a class that the training rows do not have", err);
    return 0;
}

static int read_when(const reading *r, const poise__field *f, const binding *b, int64_t row,
                     poise_error *err)
{
    double x;
    if (number(r, f, b->column, &x, err) < 0)
        return -1;
    if (!isnan(x) && x != 0 && x != 1)
        return bad(r, f, b->column, "is neither 0 nor 1; `when:` names a column of these", err);
    r->out->task[b->index].when[row] = x == 1;
    return 0;
}

static int read_test(const reading *r, const poise__field *f, const binding *b, poise_error *err)
{
    const poise__test *test = r->conditions.use[b->index].test;
    poise__truth *holds = &r->conditions.truth[b->index];
    int missing = poise__delimited_missing(r->text, f);
    if (poise__test_cell(test, f->text, f->length, missing, holds) == 0)
        return 0;
    if (f->text[strspn(f->text, " \t")] == 0)
        return poise__test_cell(test, "", 0, 1, holds);
    return bad(
        r, f, b->column,
        "is not a number, and a condition compares it with one; to compare texts, put quotes "
        "around the value",
        err);
}

static int read_weight(const reading *r, const poise__field *f, const binding *b, float *weight,
                       poise_error *err)
{
    double x;
    if (number(r, f, b->column, &x, err) < 0)
        return -1;
    if (!(x >= 0 && x <= (double)FLT_MAX))
        return bad(r, f, b->column, "is not a sample weight; weights are numbers from 0", err);
    *weight = (float)x;
    return 0;
}

static int read_cell(const reading *r, const poise__field *f, const binding *b, int64_t row,
                     poise_error *err)
{
    switch (b->use) {
    case USE_CATEGORY:
        return read_category(r, f, b, row, err);
    case USE_NUMBER:
        return read_number(r, f, b, row, err);
    case USE_LIST:
        return read_list(r, f, b, row, err);
    case USE_GAP:
        r->out->feature[b->index].number[row] += poise__delimited_missing(r->text, f);
        return 0;
    case USE_LABEL:
        return read_label(r, f, b, row, err);
    case USE_WHEN:
        return read_when(r, f, b, row, err);
    case USE_TEST:
        return read_test(r, f, b, err);
    case USE_WEIGHT:
        return read_weight(r, f, b, &r->out->weight[row], err);
    case USE_TASK_WEIGHT:
        return read_weight(r, f, b, &r->out->task[b->index].weight[row], err);
    }
    return 0;
}

/* Counts begin at 0 and are numbers like others when the record has been read. */
static void begin_counts(const reading *r, int64_t row)
{
    for (int f = 0; f < r->schema->nfeature; f++)
        if (r->schema->feature[f].kind == POISE_MISSING_COUNT)
            r->out->feature[f].number[row] = 0;
}

static void end_counts(const reading *r, int64_t row)
{
    for (int f = 0; f < r->schema->nfeature; f++) {
        const poise_feature *p = &r->schema->feature[f];
        double *x = r->out->feature[f].number;
        if (p->kind == POISE_MISSING_COUNT)
            x[row] = poise_feature_number(p, x[row]);
    }
}

static int read_rows(reading *r, poise_error *err)
{
    int64_t cap = 0, row = 0;
    const poise__field *field;
    int more = 1;
    while ((r->limit == 0 || row < r->limit) &&
           (more = poise__delimited_next(r->text, &field, err)) > 0) {
        if (row >= cap && poise__columns_reserve(r->out, r->schema, row + 1, &cap, err) < 0)
            return -1;
        begin_counts(r, row);
        for (int k = 0; k < r->nbound; k++)
            if (read_cell(r, &field[r->bound[k].column], &r->bound[k], row, err) < 0)
                return -1;
        end_counts(r, row);
        if (r->conditions.n > 0)
            poise__conditions_row(&r->conditions, r->schema, r->out, row);
        row++;
    }
    r->out->rows = row;
    return more < 0 ? -1 : 0;
}

int poise__columns_read(const poise_data_spec *d, const char *path, poise_place at,
                        const poise_schema *s, int labels, poise__columns *out, poise_error *err)
{
    reading r = {.schema = s, .out = out, .limit = d->limit};
    int status = -1;
    memset(out, 0, sizeof *out);
    r.text = poise__delimited_open(d, path, at, err);
    if (!r.text)
        return -1;
    if (poise__columns_init(out, s, labels, path, err) == 0 && bind_all(&r, err) == 0 &&
        read_rows(&r, err) == 0)
        status = 0;
    if (status < 0)
        poise__columns_done(out);
    free(r.bound);
    poise__conditions_done(&r.conditions);
    poise__delimited_free(r.text);
    return status;
}
