#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "layer.h"

const poise__search poise__model_search = {
    .variable = "POISE_MODEL_PATH", .build = "models", .installed = POISE_INSTALLED_MODELS};

/* ---- names ---- */

typedef struct name_list {
    char **name;
    size_t n, cap;
} name_list;

static int add_name(name_list *l, const char *file, poise_error *err)
{
    size_t n = strlen(file);
    if (n <= 5 || strcmp(file + n - 5, ".yaml") != 0)
        return 0;
    for (size_t k = 0; k < l->n; k++)
        if (strlen(l->name[k]) == n - 5 && strncmp(l->name[k], file, n - 5) == 0)
            return 0;
    char *copy = poise__calloc(n - 4, 1, err);
    char **grown = copy ? poise__grow(l->name, &l->cap, l->n + 2, sizeof(*grown), err) : NULL;
    if (!grown) {
        free(copy);
        return -1;
    }
    memcpy(copy, file, n - 5);
    l->name = grown;
    l->name[l->n++] = copy;
    l->name[l->n] = NULL;
    return 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

char **poise_model_names(poise_error *err)
{
    name_list l = {0};
    char folder[4096];
    int more;
    l.name = poise__grow(NULL, &l.cap, 1, sizeof(*l.name), err);
    if (!l.name)
        return NULL;
    l.name[0] = NULL;
    for (int k = 0;
         (more = poise__search_folder(&poise__model_search, k, folder, sizeof(folder), err)) > 0;
         k++) {
        DIR *d = opendir(folder);
        for (struct dirent *e; d && (e = readdir(d)) != NULL && more >= 0;)
            more = add_name(&l, e->d_name, err) < 0 ? -1 : more;
        if (d)
            closedir(d);
        if (more < 0)
            break;
    }
    if (more < 0) {
        poise_names_free(l.name);
        return NULL;
    }
    qsort(l.name, l.n, sizeof(*l.name), by_name);
    return l.name;
}

void poise_names_free(char **names)
{
    for (char **n = names; n && *n; n++)
        free(*n);
    free(names);
}

/* ---- description ---- */

static int describe_features(const poise_schema *s, poise_place place,
                             int (*line)(void *user, const poise_layer_info *l), void *user)
{
    char text[80];
    poise__shape all = {.width = poise__features_width(s)};
    poise_layer_info info = {.name = "features", .kind = "input", .repeats = 1, .place = place};
    for (int k = 0; k < s->nfeature && s->learnt; k++)
        info.parameters +=
            s->feature[k].table ? 0 : poise_feature_rows(&s->feature[k]) * s->feature[k].dim;
    info.shape = poise__shape_text(&all, text, sizeof(text));
    return line(user, &info);
}

int poise_model_reads(const poise_model *m, int feature)
{
    return !m->read || m->read[feature];
}

int poise_model_describe(const poise_model *m, const poise_schema *s,
                         int (*line)(void *user, const poise_layer_info *l), void *user,
                         poise_error *err)
{
    poise_diagnostics *diag = poise_diagnostics_new(err);
    poise__shape *shape = poise__calloc((size_t)m->ninstance, sizeof(*shape), err);
    int done = -1;
    if (!diag || !shape)
        goto out;
    if (poise__shapes(m, s, shape, diag) < 0) {
        *err = *poise_diagnostics_first(diag);
        goto out;
    }
    done = describe_features(s, m->place, line, user);
    for (int k = 0; k < m->nlayer && done == 0; k++) {
        const poise__layer *l = &m->layer[k];
        char text[80];
        poise_layer_info info = {
            .name = l->name,
            .kind = l->kind->section.name,
            .shape = poise__shape_text(&shape[l->instance[0].id], text, sizeof(text)),
            .place = l->place};
        for (int t = 0; t < l->ninstance; t++) {
            info.repeats += !l->instance[t].idle;
            info.parameters += shape[l->instance[t].id].parameters;
        }
        done = line(user, &info);
    }
out:
    free(shape);
    poise_diagnostics_free(diag);
    return done;
}

static int add_weights(void *user, const poise_layer_info *l)
{
    *(int64_t *)user += l->parameters;
    return 0;
}

int64_t poise_model_weights(const poise_model *m, const poise_schema *s, poise_error *err)
{
    int64_t all = 0;
    return poise_model_describe(m, s, add_weights, &all, err) < 0 ? -1 : all;
}

const char *poise_model_name(const poise_model *m)
{
    return m->name;
}
