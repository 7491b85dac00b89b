/* signal_read.c -- JSON lines to signals. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "../core/search.h"
#include "signal_rows.h"

enum { MAX_TASKS = 1000, MAX_GROUPS = 100000 };

/* Keys that are not arrays of numbers. */
static const char *const other_keys[] = {"step", "epoch", "task", "group", "weights"};

enum { OTHERS = sizeof other_keys / sizeof other_keys[0] };

static size_t count(enum tool_shape shape, size_t ntask, size_t ngroup)
{
    return shape == ONE        ? 1
           : shape == PER_TASK ? ntask
           : shape == PER_PAIR ? ntask * ntask
                               : ngroup * ntask * ntask;
}

struct tool_signals_reader {
    FILE *file;
    char *path, *line;
    size_t room;
    uint32_t number; /* of the line in `line`, from 1 */
    int pending;     /* `line` was read, but not handed out yet */
    uint32_t ntask, ngroup;
    char **task, **group;
    double *value[ROWS];
    double *loss_init; /* [T] remembered; NaN: not yet */
    uint64_t step;
    uint32_t epoch;
};

poise_place tool_signals_place(const tool_signals_reader *r)
{
    return (poise_place){r->path, r->number, 0};
}

/* The next line that is not blank: 1, 0 at the end, -1. */
static int read_line(tool_signals_reader *r, poise_error *err)
{
    ssize_t length;

    while ((length = getline(&r->line, &r->room, r->file)) > 0) {
        r->number++;
        if (r->line[strspn(r->line, " \t\r\n")])
            return 1;
    }
    if (ferror(r->file))
        return poise_fail(err, POISE_E_SYSTEM, tool_signals_place(r), "cannot be read: %s",
                          strerror(errno));
    return 0;
}

static int check_keys(const tool_signals_reader *r, json_t *line, poise_error *err)
{
    const char *known[ROWS + OTHERS];
    int n = 0;

    for (; n < ROWS; n++)
        known[n] = tool_signal_rows[n].key;
    for (int k = 0; k < OTHERS; k++)
        known[n++] = other_keys[k];
    for (void *i = json_object_iter(line); i; i = json_object_iter_next(line, i)) {
        const char *key = json_object_iter_key(i), *nearest;
        int k = 0;
        while (k < n && strcmp(known[k], key) != 0)
            k++;
        if (k < n)
            continue;
        nearest = poise__nearest(key, n, known);
        return poise_fail(err, POISE_E_DATA, tool_signals_place(r), "unknown key '%.60s'%s%s%s",
                          key, nearest ? "; did you mean '" : "", nearest ? nearest : "",
                          nearest ? "'?" : "");
    }
    return 0;
}

static json_t *parse(const tool_signals_reader *r, poise_error *err)
{
    json_error_t error;
    json_t *line = json_loads(r->line, JSON_REJECT_DUPLICATES, &error);

    if (!line) {
        poise_place place = tool_signals_place(r);
        place.column = error.column > 0 ? (uint32_t)error.column : 0;
        poise_fail(err, POISE_E_DATA, place, "it is not JSON: %s", error.text);
        return NULL;
    }
    if (!json_is_object(line))
        poise_fail(err, POISE_E_DATA, tool_signals_place(r),
                   "a line must be an object, as {\"loss\": [0.7, 0.2]}");
    else if (check_keys(r, line, err) == 0)
        return line;
    json_decref(line);
    return NULL;
}

/* `n` numbers of one list into out; `what` names the list in messages. */
static int read_list(const tool_signals_reader *r, json_t *list, const char *what, size_t n,
                     double *out, poise_error *err)
{
    if (!json_is_array(list) || json_array_size(list) != n)
        return poise_fail(err, POISE_E_DATA, tool_signals_place(r),
                          "%s must be a list of %zu numbers%s", what, n,
                          json_is_array(list) ? "; it has another length" : "");
    for (size_t k = 0; k < n; k++) {
        json_t *x = json_array_get(list, k);
        if (!json_is_number(x) && !json_is_null(x))
            return poise_fail(err, POISE_E_DATA, tool_signals_place(r),
                              "%s[%zu] must be a number, or null for one that is not known", what,
                              k);
        out[k] = json_is_null(x) ? NAN : json_number_value(x);
    }
    return 0;
}

static int read_square(const tool_signals_reader *r, json_t *list, const char *what, double *out,
                       poise_error *err)
{
    size_t n = r->ntask;
    char inner[64];

    if (!json_is_array(list) || json_array_size(list) != n)
        return poise_fail(err, POISE_E_DATA, tool_signals_place(r),
                          "%s must be a list of %zu lists of %zu numbers", what, n, n);
    for (size_t k = 0; k < n; k++) {
        snprintf(inner, sizeof inner, "%.40s[%zu]", what, k);
        if (read_list(r, json_array_get(list, k), inner, n, out + k * n, err) < 0)
            return -1;
    }
    return 0;
}

static int read_row(const tool_signals_reader *r, const tool_signal_row *row, json_t *x,
                    double *out, poise_error *err)
{
    char inner[64];

    switch (row->shape) {
    case ONE:
        if (!json_is_number(x))
            return poise_fail(err, POISE_E_DATA, tool_signals_place(r), "%s must be a number",
                              row->key);
        out[0] = json_number_value(x);
        return 0;
    case PER_TASK:
        return read_list(r, x, row->key, r->ntask, out, err);
    case PER_PAIR:
        return read_square(r, x, row->key, out, err);
    default:
        if (!json_is_array(x) || json_array_size(x) != r->ngroup)
            return poise_fail(err, POISE_E_DATA, tool_signals_place(r),
                              "%s must be a list of %u matrices, one a group", row->key,
                              (unsigned)r->ngroup);
        for (size_t g = 0; g < r->ngroup; g++) {
            snprintf(inner, sizeof inner, "%s[%zu]", row->key, g);
            if (read_square(r, json_array_get(x, g), inner, out + g * r->ntask * r->ntask, err) < 0)
                return -1;
        }
        return 0;
    }
}

/* What is said of a task with labels must be a number; a Gram matrix must be one. */
static int check_row(const tool_signals_reader *r, const tool_signal_row *row, poise_error *err)
{
    const double *x = r->value[row - tool_signal_rows], *labelled = r->value[LABELLED];
    size_t n = r->ntask;
    int symmetric = row->bit == POISE_GRAM || row->bit == POISE_GROUP_GRAM;

    if (row->shape == PER_TASK && !row->maybe_unknown)
        for (size_t t = 0; t < n; t++)
            if (isnan(x[t]) && (row == &tool_signal_rows[LABELLED] || labelled[t] > 0))
                return poise_fail(err, POISE_E_DATA, tool_signals_place(r),
                                  "%s of task \"%.60s\" is null, but the task has labels", row->key,
                                  r->task[t]);
    if (row->shape != PER_PAIR && row->shape != PER_GROUP_PAIR)
        return 0;
    for (size_t k = 0; k < count(row->shape, n, r->ngroup); k++) {
        const double *m = x + k / (n * n) * n * n;
        size_t i = k % (n * n) / n, j = k % n;
        if (!(labelled[i] > 0 && labelled[j] > 0))
            continue;
        double a = m[i * n + j], b = m[j * n + i];
        if (isnan(a) || (symmetric && i == j && a < 0) ||
            (symmetric && fabs(a - b) > 1e-6 * (fabs(a) + fabs(b)) + 1e-300))
            return poise_fail(err, POISE_E_DATA, tool_signals_place(r),
                              "%s[%zu][%zu] is %g and [%zu][%zu] is %g: that is no Gram matrix",
                              row->key, i, j, a, j, i, b);
    }
    return 0;
}

/* ---- what can be derived ---- */

static void derive(tool_signals_reader *r, int has[ROWS])
{
    size_t n = r->ntask, square = n * n;
    double *gram = r->value[GRAM], *group = r->value[GROUP_GRAM];

    if (!has[GRAM] && has[GROUP_GRAM]) {
        memset(gram, 0, square * sizeof *gram);
        for (size_t k = 0; k < r->ngroup * square; k++)
            gram[k % square] += group[k];
        has[GRAM] = 1;
    }
    if (!has[GROUP_GRAM] && has[GRAM] && r->ngroup == 1) {
        memcpy(group, gram, square * sizeof *gram);
        has[GROUP_GRAM] = 1;
    }
    if (!has[GRAD_NORM] && has[GRAM]) {
        for (size_t t = 0; t < n; t++)
            r->value[GRAD_NORM][t] = sqrt(gram[t * n + t]);
        has[GRAD_NORM] = 1;
    }
    if (!has[LOSS_INIT] && has[LOSS]) {
        memcpy(r->value[LOSS_INIT], r->loss_init, n * sizeof(double));
        has[LOSS_INIT] = 1;
    }
}

static void remember_first_losses(tool_signals_reader *r, const int has[ROWS])
{
    for (uint32_t t = 0; has[LOSS] && t < r->ntask; t++)
        if (isnan(r->loss_init[t]) && r->value[LABELLED][t] > 0)
            r->loss_init[t] = r->value[LOSS][t];
}

static int read_count(const tool_signals_reader *r, json_t *line, const char *key, uint64_t max,
                      uint64_t *out, poise_error *err)
{
    json_t *x = json_object_get(line, key);

    if (!x)
        return 0;
    if (!json_is_integer(x) || json_integer_value(x) < 0 || (uint64_t)json_integer_value(x) > max)
        return poise_fail(err, POISE_E_DATA, tool_signals_place(r),
                          "%s must be a whole number that is not negative", key);
    *out = (uint64_t)json_integer_value(x);
    return 0;
}

static int read_step(tool_signals_reader *r, json_t *line, uint32_t signals, poise_signals *in,
                     poise_error *err)
{
    int has[ROWS];
    uint64_t epoch = r->epoch;

    for (int k = 0; k < ROWS; k++) {
        json_t *x = json_object_get(line, tool_signal_rows[k].key);
        has[k] = x != NULL;
        if (x && read_row(r, &tool_signal_rows[k], x, r->value[k], err) < 0)
            return -1;
        if (k == LABELLED && !x)
            for (uint32_t t = 0; t < r->ntask; t++)
                r->value[k][t] = 1;
        if (x && check_row(r, &tool_signal_rows[k], err) < 0)
            return -1;
    }
    if (read_count(r, line, "step", INT64_MAX, &r->step, err) < 0 ||
        read_count(r, line, "epoch", UINT32_MAX, &epoch, err) < 0)
        return -1;
    r->epoch = (uint32_t)epoch;
    remember_first_losses(r, has);
    derive(r, has);
    *in = (poise_signals){.size = sizeof *in, .step = r->step++, .epoch = r->epoch};
    for (int k = 0; k < ROWS; k++) {
        const double *x =
            k == LABELLED || (has[k] && signals & tool_signal_rows[k].bit) ? r->value[k] : NULL;
        memcpy((char *)in + tool_signal_rows[k].offset, &x, sizeof x);
    }
    return 0;
}

int tool_signals_next(tool_signals_reader *r, uint32_t signals, poise_signals *in, poise_error *err)
{
    int got = r->pending ? 1 : read_line(r, err);
    json_t *line;

    r->pending = 0;
    if (got <= 0)
        return got;
    line = parse(r, err);
    if (!line)
        return -1;
    got = read_step(r, line, signals, in, err) < 0 ? -1 : 1;
    json_decref(line);
    return got;
}

/* ---- opening ---- */

static void free_names(char **name, uint32_t n)
{
    for (uint32_t k = 0; name && k < n; k++)
        free(name[k]);
    free(name);
}

/* n names: those of the list, or "task0", "task1", ... where there is none. */
static char **names(const tool_signals_reader *r, json_t *list, const char *what, uint32_t n,
                    poise_error *err)
{
    char **name = calloc(n, sizeof *name), text[32];

    for (uint32_t k = 0; name && k < n; k++) {
        const char *given = json_string_value(json_array_get(list, k));
        snprintf(text, sizeof text, "%s%u", what, (unsigned)k);
        name[k] = strdup(given ? given : text);
        if (list && !given)
            poise_fail(err, POISE_E_DATA, tool_signals_place(r), "%s must be a list of names",
                       what);
        else if (!name[k])
            poise_fail(err, POISE_E_MEMORY, POISE_NOWHERE, "no memory for names");
        else
            continue;
        free_names(name, n);
        return NULL;
    }
    return name;
}

/* The numbers of tasks and groups, from the first line that has been read. */
static int measure(tool_signals_reader *r, json_t *line, poise_error *err)
{
    json_t *task = json_object_get(line, "task"), *group = json_object_get(line, "group");
    json_t *any = task, *grams = json_object_get(line, "group_gram");
    size_t ntask, ngroup;

    for (int k = 0; !any && k < ROWS; k++)
        if (tool_signal_rows[k].shape == PER_TASK || tool_signal_rows[k].shape == PER_PAIR)
            any = json_object_get(line, tool_signal_rows[k].key);
    if (!any && json_is_array(grams))
        any = json_array_get(grams, 0);
    ntask = json_array_size(any);
    ngroup = group ? json_array_size(group) : grams ? json_array_size(grams) : 1;
    if (!ntask || ntask > MAX_TASKS)
        return poise_fail(err, POISE_E_DATA, tool_signals_place(r),
                          "the number of tasks is not told: the first line must have a list with "
                          "an entry for each task, as \"loss\": [0.7, 0.2]");
    if (!ngroup || ngroup > MAX_GROUPS / ntask / ntask + 1)
        return poise_fail(err, POISE_E_DATA, tool_signals_place(r),
                          "it has %zu groups of parameters; there must be 1 or more, and not that "
                          "many",
                          ngroup);
    r->ntask = (uint32_t)ntask;
    r->ngroup = (uint32_t)ngroup;
    r->task = names(r, task, "task", r->ntask, err);
    r->group = r->task ? names(r, group, "group", r->ngroup, err) : NULL;
    return r->group ? 0 : -1;
}

static int allocate(tool_signals_reader *r, poise_error *err)
{
    r->loss_init = calloc(r->ntask, sizeof(double));
    for (uint32_t t = 0; r->loss_init && t < r->ntask; t++)
        r->loss_init[t] = NAN;
    int ok = r->loss_init != NULL;
    for (int k = 0; k < ROWS; k++) {
        r->value[k] = calloc(count(tool_signal_rows[k].shape, r->ntask, r->ngroup), sizeof(double));
        ok &= r->value[k] != NULL;
    }
    return ok ? 0 : poise_fail(err, POISE_E_MEMORY, POISE_NOWHERE, "no memory for signals");
}

static int start(tool_signals_reader *r, poise_error *err)
{
    int got = read_line(r, err);

    if (got == 0)
        return poise_fail(
            err, POISE_E_DATA, (poise_place){r->path, 0, 0},
            "it is empty; a line has the signals of a step, as {\"loss\": [0.7, 0.2]}");
    json_t *line = got > 0 ? parse(r, err) : NULL;
    if (!line)
        return -1;
    int status = measure(r, line, err) < 0 || allocate(r, err) < 0 ? -1 : 0;
    json_decref(line);
    r->pending = 1;
    return status;
}

tool_signals_reader *tool_signals_open(const char *path, poise_error *err)
{
    tool_signals_reader *r = calloc(1, sizeof *r);

    if (!r || !(r->path = strdup(path))) {
        free(r);
        poise_fail(err, POISE_E_MEMORY, POISE_NOWHERE, "no memory for signals");
        return NULL;
    }
    r->file = fopen(path, "r");
    if (!r->file)
        poise_fail(err, POISE_E_SYSTEM, (poise_place){path, 0, 0}, "cannot be read: %s",
                   strerror(errno));
    if (!r->file || start(r, err) < 0) {
        tool_signals_close(r);
        return NULL;
    }
    return r;
}

void tool_signals_close(tool_signals_reader *r)
{
    if (!r)
        return;
    if (r->file)
        fclose(r->file);
    for (int k = 0; k < ROWS; k++)
        free(r->value[k]);
    free_names(r->task, r->ntask);
    free_names(r->group, r->ngroup);
    free(r->loss_init);
    free(r->line);
    free(r->path);
    free(r);
}

void tool_signals_continue(tool_signals_reader *r, uint64_t step, uint32_t epoch,
                           const double *loss_init)
{
    r->step = step;
    r->epoch = epoch;
    memcpy(r->loss_init, loss_init, r->ntask * sizeof *loss_init);
}

uint32_t tool_signals_tasks(const tool_signals_reader *r)
{
    return r->ntask;
}

const char *const *tool_signals_task_names(const tool_signals_reader *r)
{
    return (const char *const *)(const void *)r->task;
}

uint32_t tool_signals_groups(const tool_signals_reader *r)
{
    return r->ngroup;
}

const char *const *tool_signals_group_names(const tool_signals_reader *r)
{
    return (const char *const *)(const void *)r->group;
}

const double *tool_signals_loss_init(const tool_signals_reader *r)
{
    return r->loss_init;
}
