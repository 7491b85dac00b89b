#include "compared.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "file.h"

enum { PATH_SIZE = 4096 };

static int path_in(const char *folder, const char *name, char *path, poise_error *err)
{
    int n = snprintf(path, PATH_SIZE, "%s/%s", folder, name);

    return n > 0 && n < PATH_SIZE
               ? 0
               : poise_fail(err, POISE_E_SYSTEM, POISE_NOWHERE, "the path of a run is too long");
}

static json_t *read_json(const char *path, poise_error *err)
{
    json_error_t wrong;
    size_t bytes;
    char *text = poise__file_read(path, &bytes, err);
    json_t *o = text ? json_loadb(text, bytes, 0, &wrong) : NULL;

    if (text && !o)
        (void)poise_fail(err, POISE_E_FORMAT, (poise_place){path, 0, 0}, "this is no JSON: %s",
                         wrong.text);
    free(text);
    return o;
}

/* ---- compare.json ---- */

static int other(const char *path, const char *what, const char *there, const char *here,
                 poise_error *err)
{
    return poise_fail(
        err, POISE_E_SPEC, (poise_place){path, 0, 0},
        "the comparison here has %s %s; asked for is %s: give what it was begun with, "
        "or another folder",
        what, there, here);
}

static int same_number(const char *path, const json_t *o, const char *key, const char *what,
                       uint64_t wanted, poise_error *err)
{
    const json_t *v = json_object_get(o, key);
    char there[32], here[32];

    if (json_is_integer(v) && (uint64_t)json_integer_value(v) == wanted)
        return 0;
    (void)snprintf(there, sizeof there, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
    (void)snprintf(here, sizeof here, "%" PRIu64, wanted);
    return other(path, what, there, here, err);
}

/* "mmoe, ple" into text; as much of it as there is room for. */
static void add_name(char *text, size_t size, const char *name)
{
    size_t used = strlen(text);

    (void)snprintf(text + used, size - used, "%s%s", used ? ", " : "", name);
}

static int same_names(const char *path, const json_t *list, const char *what, int n,
                      const char *const *name, poise_error *err)
{
    char there[300] = "", here[300] = "";
    int same = (int)json_array_size(list) == n;

    for (size_t k = 0; k < json_array_size(list); k++) {
        const char *text = json_string_value(json_array_get(list, k));
        same = same && text && strcmp(text, name[k]) == 0;
        add_name(there, sizeof there, text ? text : "?");
    }
    for (int k = 0; k < n; k++)
        add_name(here, sizeof here, name[k]);
    return same ? 0 : other(path, what, *there ? there : "none", *here ? here : "none", err);
}

int poise__compared_same(const char *path, const poise_comparison *c, poise_error *err)
{
    int each = c->nbalancer ? c->nbalancer : 1, n = c->nmodel > each ? c->nmodel : each;
    const char **name = calloc((size_t)n, sizeof *name);
    json_t *o = name ? read_json(path, err) : NULL;
    int status = -1;

    if (!name)
        (void)poise_fail(err, POISE_E_MEMORY, POISE_NOWHERE, "out of memory");
    if (o) {
        const json_t *asked = json_object_get(o, "asked");

        for (int m = 0; m < c->nmodel; m++)
            name[m] = c->row[m * each].model;
        status = same_number(path, o, "repeat", "a repeat of", (uint64_t)c->repeat, err);
        if (status == 0)
            status = same_number(path, o, "seed", "the first seed", c->seed, err);
        if (status == 0)
            status = same_names(path, json_object_get(asked, "models"), "the models", c->nmodel,
                                name, err);
        for (int k = 0; k < c->nbalancer; k++)
            name[k] = c->row[k].balancer;
        if (status == 0)
            status = same_names(path, json_object_get(asked, "balancers"), "the balancers",
                                c->nbalancer, name, err);
    }
    json_decref(o);
    free((void *)name);
    return status;
}

/* ---- a run's settings ---- */

static const char *const threads = "  threads: ";

/* The next line of *text, without the one of threads; NULL at its end.  *n bytes. */
static const char *next_line(const char **text, size_t *n)
{
    const char *line = *text;

    *n = strcspn(line, "\n");
    *text += *n + (line[*n] == '\n');
    if (strncmp(line, threads, strlen(threads)) == 0)
        return next_line(text, n);
    return *line ? line : NULL;
}

/* A line of n bytes (or none) without its indentation, as the precision of %.*s wants it. */
static const char *shown(const char *line, size_t n, int *length)
{
    size_t indent = line ? strspn(line, " ") : 0;

    *length = line ? (int)(n - indent) : 0;
    return line ? line + indent : "";
}

/* 0, or -1 with the first line that differs. */
static int same_text(const char *path, const char *there, const char *here, poise_error *err)
{
    size_t n, m;
    const char *a, *b;
    int length[2];

    do {
        a = next_line(&there, &n);
        b = next_line(&here, &m);
    } while (a && b && n == m && memcmp(a, b, n) == 0);
    if (!a && !b)
        return 0;
    a = shown(a, n, &length[0]);
    b = shown(b, m, &length[1]);
    return poise_fail(err, POISE_E_SPEC, (poise_place){path, 0, 0},
                      "this run was begun with other settings: it has \"%.*s\", asked for is "
                      "\"%.*s\"",
                      length[0], a, length[1], b);
}

static int is_there(const char *folder, const char *name, char *path, int *there, poise_error *err)
{
    if (path_in(folder, name, path, err) < 0)
        return -1;
    *there = access(path, F_OK) == 0;
    return 0;
}

int poise__compared_run(const char *folder, const poise_spec *spec, poise__begun *begun,
                        poise_error *err)
{
    char path[PATH_SIZE];
    int settings, result, state;
    size_t bytes;

    if (is_there(folder, "result.json", path, &result, err) < 0 ||
        is_there(folder, "state.safetensors", path, &state, err) < 0 ||
        is_there(folder, "spec.yaml", path, &settings, err) < 0)
        return -1;
    *begun = settings && result  ? POISE__ENDED
             : settings && state ? POISE__STOPPED
                                 : POISE__NOT_BEGUN;
    if (!settings)
        return 0;
    char *there = poise__file_read(path, &bytes, err);
    char *here = there ? poise_spec_resolved(spec, err) : NULL;
    int status = here ? same_text(path, there, here, err) : -1;
    free(there);
    free(here);
    return status;
}

int poise__compared_forget(const char *folder, poise_error *err)
{
    char path[PATH_SIZE];

    return path_in(folder, "spec.yaml", path, err) < 0 ? -1 : poise__file_remove(path, err);
}

/* ---- its result ---- */

static double number(const json_t *o, const char *key)
{
    const json_t *v = json_object_get(o, key);

    return json_is_number(v) ? json_number_value(v) : (double)NAN;
}

int poise__compared_figures(const char *folder, const poise_comparison *c, double *figure,
                            int stride, double *seconds_per_epoch, poise_error *err)
{
    char path[PATH_SIZE];
    json_t *o = path_in(folder, "result.json", path, err) < 0 ? NULL : read_json(path, err);
    int status = o ? 0 : -1;

    *seconds_per_epoch = o ? number(o, "seconds_per_epoch") : 0;
    for (int t = 0; status == 0 && t < c->ntask; t++) {
        const json_t *task = json_object_get(json_object_get(o, "tasks"), c->task[t]);

        if (!task)
            status = poise_fail(err, POISE_E_FORMAT, (poise_place){path, 0, 0},
                                "there are no figures of task '%.80s'", c->task[t]);
        figure[t * stride] = number(task, poise_figure_name(c->figure[t]));
        c->best_possible[t] = number(task, "auc_best_possible");
    }
    json_decref(o);
    return status;
}
