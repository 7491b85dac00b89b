/* poise inspect -- experts, gates, the tasks' gradients and the weights of a run. */
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../train/safetensors.h"
#include "../train/usage.h"
#include "run.h"

#define ALIKE 0.95 /* linear CKA from which two experts are told of */

/* ---- log.jsonl ----------------------------------------------------------------------------- */

/* What the log says after an epoch: the epoch that was asked for, else the best one, else the last.
 * *best is the newest epoch that was the best.  NULL: the log has none. */
static json_t *read_log(const char *path, int epoch, int *best)
{
    FILE *f = fopen(path, "r");
    json_t *found = NULL, *last = NULL, *line;

    *best = 0;
    while (f && (line = json_loadf(f, JSON_DISABLE_EOF_CHECK, NULL)) != NULL) {
        int at = (int)json_integer_value(json_object_get(line, "epoch"));
        if (json_is_true(json_object_get(line, "best")))
            *best = at;
        if (json_object_get(line, "gates")) {
            json_decref(last);
            last = json_incref(line);
            if (epoch ? at == epoch : at == *best) {
                json_decref(found);
                found = json_incref(line);
            }
        }
        json_decref(line);
    }
    if (f)
        fclose(f);
    if (!found && !epoch)
        found = json_incref(last);
    json_decref(last);
    return found;
}

static double number(const json_t *o, const char *key)
{
    const json_t *v = json_object_get(o, key);
    return json_is_number(v) ? json_number_value(v) : (double)NAN;
}

/* ---- experts ------------------------------------------------------------------------------- */

static int widest(int least, const json_t *o)
{
    const char *key;
    json_t *v;

    json_object_foreach((json_t *)(uintptr_t)o, key, v) if ((int)strlen(key) > least) least =
        (int)strlen(key);
    return least;
}

/* One line per gate: entropy, the share of the row's first expert, and all experts' shares. */
static void print_gates(json_t *gates)
{
    int width = widest(14, gates);
    const char *key, *expert;
    json_t *gate, *share;

    printf("%-*s %8s %6s   share of its experts\n", width, "gate", "entropy", "top");
    json_object_foreach(gates, key, gate)
    {
        printf("%-*s", width, key);
        tool_print_figure(9, 3, number(gate, "entropy"));
        tool_print_figure(7, 3, number(gate, "top"));
        printf("  ");
        json_object_foreach(json_object_get(gate, "share"), expert, share)
            printf(" %s %.3f", expert, json_number_value(share));
        printf("\n");
    }
}

static void print_dead(json_t *pool)
{
    json_t *constant = json_object_get(pool, "constant"), *name;
    size_t k, j;

    json_array_foreach(json_object_get(pool, "dead"), k, name)
    {
        json_t *other;
        int same = 0;
        json_array_foreach(constant, j, other) same |= json_equal(name, other);
        printf("dead: %s, %s\n", json_string_value(name),
               same ? "whose output is the same in all rows"
                    : "which no gate gives a tenth of an equal share");
    }
}

/* The pairs that are alike, and the mean over all. */
static void print_alike(json_t *pool)
{
    json_t *names = json_object_get(pool, "name"), *cka = json_object_get(pool, "cka");
    size_t n = json_array_size(names);
    double sum = 0, most = -2;
    int pairs = 0;

    for (size_t a = 0; a < n; a++)
        for (size_t b = 0; b < a; b++) {
            const json_t *v = json_array_get(json_array_get(cka, a), b);
            if (!json_is_number(v))
                continue;
            double x = json_number_value(v);
            sum += x;
            most = fmax(most, x);
            pairs++;
            if (x >= ALIKE)
                printf("alike: %s and %s, CKA %.3f\n", json_string_value(json_array_get(names, b)),
                       json_string_value(json_array_get(names, a)), x);
        }
    if (pairs)
        printf("%s and %zu more: CKA of two experts %.3f in the mean, %.3f at most\n",
               json_string_value(json_array_get(names, 0)), n - 1, sum / pairs, most);
}

static void print_cosines(json_t *cosine)
{
    int width = widest(7, cosine);
    const char *a, *b;
    json_t *row, *v;

    printf("\n%-*s", width, "cosine");
    json_object_foreach(cosine, a, row) printf(" %*s", width, a);
    printf("   between the tasks' gradients of the last shared layer\n");
    json_object_foreach(cosine, a, row)
    {
        printf("%-*s", width, a);
        json_object_foreach(row, b, v)
            tool_print_figure(width + 1, 3, json_is_number(v) ? json_number_value(v) : (double)NAN);
        printf("\n");
    }
}

static void print_epoch(const json_t *o, int best)
{
    json_t *pool;
    size_t k;
    int epoch = (int)json_integer_value(json_object_get(o, "epoch"));

    printf("after epoch %d%s, of %lld rows\n\n", epoch, epoch == best ? " (best)" : "",
           (long long)json_integer_value(json_object_get(o, "rows")));
    if (json_object_size(json_object_get(o, "gates")))
        print_gates(json_object_get(o, "gates"));
    json_array_foreach(json_object_get(o, "experts"), k, pool)
    {
        printf(k ? "" : "\n");
        print_dead(pool);
        print_alike(pool);
    }
    if (json_object_get(o, "cosine"))
        print_cosines(json_object_get(o, "cosine"));
}

/* ---- weights ------------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
    return strcmp((*(const poise_tensor *const *)a)->name, (*(const poise_tensor *const *)b)->name);
}

static void print_tensor(int width, const poise_tensor *t)
{
    const float *x = t->data;
    size_t n = t->bytes / sizeof *x, used = 0;
    double squares = 0, most = 0;
    char shape[96] = "";

    for (size_t i = 0; i < n; i++) {
        squares += (double)x[i] * (double)x[i];
        most = fmax(most, fabs((double)x[i]));
    }
    for (int d = 0; d < t->rank && used < sizeof shape; d++)
        used += (size_t)snprintf(shape + used, sizeof shape - used, d ? " x %" PRId64 : "%" PRId64,
                                 t->dim[d]);
    printf("%-*s %-18s", width, t->name, shape);
    tool_print_figure(11, 4, sqrt(squares));
    tool_print_figure(11, 5, n ? sqrt(squares / (double)n) : (double)NAN);
    tool_print_figure(11, 4, most);
    printf("\n");
}

static int print_weights(const char *path)
{
    poise_error err;
    poise_safetensors *f = poise_safetensors_read(path, &err);
    int n = f ? poise_safetensors_count(f) : 0, width = 10;
    const poise_tensor **t = f ? calloc((size_t)n + 1, sizeof *t) : NULL;

    if (f && !t)
        poise_fail(&err, POISE_E_MEMORY, POISE_NOWHERE, "no memory for the list of weights");
    if (!t) {
        poise_safetensors_free(f);
        return tool_failed(&err);
    }
    for (int k = 0; k < n; k++) {
        t[k] = poise_safetensors_at(f, k);
        if ((int)strlen(t[k]->name) > width)
            width = (int)strlen(t[k]->name);
    }
    qsort((void *)t, (size_t)n, sizeof *t, by_name);
    printf("\n%-*s %-18s %10s %10s %10s\n", width, "weights", "", "norm", "rms", "largest");
    for (int k = 0; k < n; k++)
        if (t[k]->type == POISE_TENSOR_F32)
            print_tensor(width, t[k]);
    free((void *)t);
    poise_safetensors_free(f);
    return TOOL_OK;
}

/* ---- tables -------------------------------------------------------------------------------- */

static int print_tables(const char *folder)
{
    poise_usage u;
    poise_error err;
    int width = 10;

    if (poise_usage_read(folder, &u, &err) < 0) {
        poise_usage_done(&u);
        return tool_failed(&err);
    }
    for (int k = 0; k < u.n; k++)
        if ((int)strlen(u.table[k].name) > width)
            width = (int)strlen(u.table[k].name);
    if (u.n)
        printf("\n%-*s %10s %10s %6s   norm of the other rows: least, median, largest\n", width,
               "tables", "rows", "untouched", "share");
    for (int k = 0; k < u.n; k++) {
        const poise_table_usage *t = &u.table[k];

        printf("%-*s %10" PRId64 " %10" PRId64 " %6.3f", width, t->name, t->rows, t->untouched,
               (double)t->untouched / (double)t->rows);
        tool_print_figure(10, 4, t->least);
        tool_print_figure(10, 4, t->median);
        tool_print_figure(10, 4, t->largest);
        printf("\n");
    }
    poise_usage_done(&u);
    return TOOL_OK;
}

/* ---- the command --------------------------------------------------------------------------- */

static int run(const tool_arguments *a)
{
    char path[TOOL_PATH];
    uint64_t epoch = 0;
    int best, status = tool_number(a, "epoch", 1, 1000000, &epoch);

    if (status != TOOL_OK)
        return status;
    tool_join(a->word[0], "log.jsonl", path, sizeof path);
    if (!tool_exists(path))
        return tool_wrong(a->command, "%s is not there: %s is not a run's folder", path,
                          a->word[0]);
    json_t *o = read_log(path, (int)epoch, &best);
    if (!o && epoch)
        return tool_wrong(a->command, "%s says nothing of epoch %d", path, (int)epoch);
    if (tool_flag(a, "json")) {
        char *text = o ? json_dumps(o, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) : NULL;
        printf("%s\n", text ? text : "{}");
        free(text);
        json_decref(o);
        return TOOL_OK;
    }
    if (o)
        print_epoch(o, best);
    else
        printf(
            "the log says nothing of experts, gates and gradients: the run has not ended an epoch, "
            "has none, or train.diagnose is off\n");
    json_decref(o);
    tool_join(a->word[0], "model.safetensors", path, sizeof path);
    status = tool_exists(path) ? print_tables(a->word[0]) : TOOL_OK;
    return status == TOOL_OK && tool_exists(path) ? print_weights(path) : status;
}

static const tool_option options[] = {
    {"epoch", "N", "of the epoch that ended as the N-th; default: the best one", TOOL_ONCE},
    {"json", NULL, "print the log's object of that epoch", TOOL_ONCE},
    TOOL_OPTION_END};

const tool_command tool_inspect = {
    .name = "inspect",
    .words = "DIR",
    .min_words = 1,
    .max_words = 1,
    .summary = "experts, gates, gradients and weights of a run",
    .text =
        "After every epoch a run looks at 1024 validation rows: how each gate shares them out\n"
        "among its experts, which experts are dead or alike, and how the tasks' gradients lie\n"
        "to each other. This prints what log.jsonl has of it, the rows of embedding tables that\n"
        "training has not touched, and the norms of the weights in model.safetensors.\n",
    .option = options,
    .run = run};
