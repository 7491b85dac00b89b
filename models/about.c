#include "about.h"
#include <stdlib.h>
#include <string.h>
#include "json_parts.h"
#include "model_file.h"
#include "params.h"
#include "sections.h"

/* A value as YAML in one line. */
static const char *value_text(poise__reading *r, const poise__yaml *v)
{
    poise_error err;
    char *text = poise__yaml_write(v, 0, &err), *copy = NULL;
    if (text) {
        size_t n = strlen(text);
        while (n > 0 && text[n - 1] == '\n')
            text[--n] = 0;
        copy = poise__arena_text(r->arena, text, &err);
    }
    if (!copy)
        poise_diagnose_error(r->diag, &err);
    free(text);
    return copy;
}

static const char *schema_text(poise__reading *r, const poise__param *p)
{
    poise_error err;
    json_t *schema = poise__json_param(p);
    char *text = schema ? json_dumps(schema, JSON_REAL_PRECISION(12)) : NULL;
    const char *kept = text ? poise__arena_text(r->arena, text, &err) : NULL;
    if (!text)
        poise_fail(&err, POISE_E_MEMORY, POISE_NOWHERE, "out of memory");
    if (!kept)
        poise_diagnose_error(r->diag, &err);
    free(text);
    json_decref(schema);
    return kept;
}

static int read_parameters(poise__reading *r, const poise__yaml *declared, poise_model_about *m)
{
    int n = declared ? (int)declared->n : 0;
    poise_parameter_about *all = poise__reading_alloc(r, (size_t)n, sizeof(*all));
    if (!all)
        return -1;
    for (int k = 0; k < n; k++) {
        poise__param p;
        poise_error err;
        char type[300];
        if (poise__param_read(r, declared->key[k], declared->item[k], &p) < 0)
            return -1;
        all[k] = (poise_parameter_about){.name = p.name, .help = p.help, .place = p.place};
        all[k].type =
            poise__arena_text(r->arena, poise__param_type_text(&p, type, sizeof(type)), &err);
        if (!all[k].type)
            return poise_diagnose_error(r->diag, &err);
        if (p.initial && !(all[k].initial = value_text(r, p.initial)))
            return -1;
        if (!(all[k].schema = schema_text(r, &p)))
            return -1;
    }
    m->nparameter = n;
    m->parameter = all;
    return 0;
}

static const char *yaml_text(poise__reading *r, const poise__yaml *node)
{
    poise_error err;
    char *text = poise__yaml_write(node, 1, &err);
    const char *kept = text ? poise__arena_text(r->arena, text, &err) : NULL;
    free(text);
    if (!kept)
        poise_diagnose_error(r->diag, &err);
    return kept;
}

static const char *losses_text(poise__reading *r, const poise__model_text *text)
{
    const struct {
        const char *key;
        const poise__yaml *value;
    } said[] = {
        {"output", text->output}, {"row_weight", text->row_weight}, {"penalty", text->penalty}};
    poise_error err;
    poise__yaml *map = poise__node_map(r->arena, &err);
    for (int k = 0; k < POISE__COUNT(said); k++)
        if (said[k].value &&
            poise__yaml_set(r->arena, map, said[k].key,
                            poise__yaml_share(r->arena, said[k].value, &err), &err) < 0)
            map = NULL;
    if (!map) {
        poise_diagnose_error(r->diag, &err);
        return NULL;
    }
    return map->n ? yaml_text(r, map) : "";
}

static int read(poise__reading *r, const char *use, poise_model_about *m)
{
    poise__model_text text;
    poise_error err;
    const char *file;
    const poise__yaml *tree = poise__model_open(r, use, NULL, POISE_NOWHERE, &file);
    if (!tree || poise__model_text_read(r, tree, file, &text) < 0)
        return -1;
    m->name = poise__arena_text(r->arena, use, &err);
    if (!m->name)
        return poise_diagnose_error(r->diag, &err);
    m->network = yaml_text(r, text.network);
    m->losses = losses_text(r, &text);
    if (!m->network || !m->losses)
        return -1;
    m->about = text.about;
    m->paper = text.paper;
    m->when = text.when;
    m->nfile = text.chain;
    m->file = text.file;
    return read_parameters(r, text.params, m);
}

poise_model_about *poise_model_about_read(const char *use, poise_diagnostics *diag)
{
    poise_error err;
    poise__arena *a = poise__arena_new(&err);
    poise_model_about *m = a ? poise__arena_alloc(a, 1, sizeof(*m), &err) : NULL;
    poise_schema *none = m ? poise_schema_new(&err) : NULL;
    if (!none) {
        poise__arena_free(a);
        poise_diagnose_error(diag, &err);
        return NULL;
    }
    poise_spec spec = {.schema = none, .arena = a, .path = ""};
    poise__reading r = {.arena = a, .diag = diag, .spec = &spec, .folder = "", .ncolumn = -1};
    m->arena = a;
    int done = read(&r, use, m);
    poise_schema_free(none);
    if (done == 0)
        return m;
    poise__arena_free(a);
    return NULL;
}

void poise_model_about_free(poise_model_about *m)
{
    if (m)
        poise__arena_free(m->arena);
}
