#include "pages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../core/search.h"
#include "../models/keys.h"
#include "../models/model.h"
#include "../models/network.h"
#include "../train/file.h"

enum { MAX_NAMES = 64 };

static int unknown(const tool_command *help, const char *what, const char *name, int n,
                   const char *const *names)
{
    const char *nearest = poise__nearest(name, n, names);

    if (nearest)
        return tool_wrong(help, "no %s '%s'; did you mean '%s'?", what, name, nearest);
    return tool_wrong(help, "no %s '%s'; 'poise help %s' lists them", what, name, what);
}

static void print_key(const poise_key *k)
{
    char type[256];

    printf("  %-18s %s", k->name, poise_key_type(k, type, sizeof type));
    if (k->required)
        printf("; required");
    else if (k->initial)
        printf("; default %s", k->initial);
    printf("\n  %-18s   %s\n", "", k->help);
}

static void print_section(const poise_section *s)
{
    printf("%s\n", s->name);
    if (s->about)
        printf("  %s\n", s->about);
    for (int k = 0; k < s->nkey; k++)
        print_key(&s->key[k]);
    if (s->other_help)
        printf("  %-18s %s\n", "...", s->other_help);
}

/* The section of a table called `name`, or NULL after the nearest one was told. */
static const poise_section *find(const tool_command *help, const char *what,
                                 const poise_section *const *table, const char *name)
{
    const char *names[MAX_NAMES];
    int n = 0;

    for (; *table; table++) {
        if (!strcmp((*table)->name, name))
            return *table;
        if (n < MAX_NAMES)
            names[n++] = (*table)->name;
    }
    unknown(help, what, name, n, names);
    return NULL;
}

static void print_sections(const poise_section *const *table)
{
    for (; *table; table++) {
        print_section(*table);
        printf("\n");
    }
}

int tool_page_spec(const tool_command *help, const char *section)
{
    const poise_section *s = NULL;

    if (!section) {
        print_sections(poise_spec_sections());
        printf("Layers of a model: poise help layer. One section: poise help spec NAME.\n");
        return TOOL_OK;
    }
    s = find(help, "spec", poise_spec_sections(), section);
    if (s)
        print_section(s);
    return s ? TOOL_OK : TOOL_WRONG;
}

int tool_page_layer(const tool_command *help, const char *kind)
{
    const poise_section *s;

    if (!kind) {
        for (const poise_section *const *k = poise_layer_kinds(); *k; k++)
            printf("%-21s %s\n", (*k)->name, (*k)->about ? (*k)->about : "");
        printf("\n");
        print_section(poise_layer_keys());
        return TOOL_OK;
    }
    s = find(help, "layer", poise_layer_kinds(), kind);
    if (!s)
        return TOOL_WRONG;
    print_section(s);
    printf("\n");
    for (int i = 0; i < s->nkey; i++)
        if (s->key[i].section) {
            print_section(s->key[i].section);
            printf("\n");
        }
    print_section(poise_layer_keys());
    return TOOL_OK;
}

/* ---- models -------------------------------------------------------------------------------- */

/* The file is its own page: what it is, its parameters with their defaults, its layers. */
static int print_model(const char *name)
{
    char path[4096], *text;
    size_t bytes;
    poise_error err;
    int found = poise__search_file(&poise__model_search, name, ".yaml", path, sizeof path, &err);

    if (found > 0)
        poise_fail(&err, POISE_E_SPEC, POISE_NOWHERE, "no model '%s'", name);
    text = found == 0 ? poise__file_read(path, &bytes, &err) : NULL;
    if (!text)
        return tool_failed(&err);
    printf("%s\n%s", path, text);
    free(text);
    return TOOL_OK;
}

int tool_page_model(const tool_command *help, const char *model)
{
    poise_error err;
    char **names = poise_model_names(&err);
    int status = model ? TOOL_WRONG : TOOL_OK, n = 0;

    if (!names)
        return tool_failed(&err);
    for (; names[n]; n++) {
        if (!model)
            printf("%s\n", names[n]);
        else if (!strcmp(names[n], model))
            status = print_model(model);
    }
    if (status == TOOL_WRONG)
        unknown(help, "model", model, n, (const char *const *)names);
    poise_names_free(names);
    return status;
}
