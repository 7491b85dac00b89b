#include "pages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../core/search.h"
#include "../models/about.h"
#include "../models/keys.h"
#include "../models/model.h"
#include "run.h"

enum { MAX_NAMES = 64 };

static int unknown(const tool_command *help, const char *what, const char *name, int n,
                   const char *const *names)
{
    const char *nearest = poise__nearest(name, n, names);
    const char *kind = strcmp(what, "spec") ? what : "section";

    if (nearest)
        return tool_wrong(help, "no %s '%s'; did you mean '%s'?", kind, name, nearest);
    return tool_wrong(help, "no %s '%s'; 'poise help %s' lists them", kind, name, what);
}

static void print_key(const poise_key *k)
{
    char type[256], help[400];

    printf("  %-18s %s", k->name, poise_key_type(k, type, sizeof type));
    if (k->required)
        printf("; required");
    else if (k->initial)
        printf("; default %s", k->initial);
    printf("\n  %-18s   %s\n", "", poise_key_help(k, help, sizeof help));
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

/* Text folded into lines that begin after `indent` blanks; `column` says how far the first is. */
static void print_folded(const char *text, int indent, int column)
{
    enum { WIDTH = 90 };

    for (int first = 1; *text; first = 0) {
        int n = (int)strcspn(text, " ");

        if (!first && column + 1 + n > WIDTH) {
            printf("\n");
            column = 0;
            first = 1;
        }
        if (column < indent)
            column += printf("%*s", indent - column, "");
        column += printf("%s%.*s", first ? "" : " ", n, text);
        text += n + (int)strspn(text + n, " ");
    }
    printf("\n");
}

static void print_parameter(const poise_parameter_about *p)
{
    printf("  %-12s %s; ", p->name, p->type);
    if (p->initial)
        printf("default %s\n", p->initial);
    else
        printf("every run must say it\n");
    if (p->help)
        print_folded(p->help, 17, 0);
}

static void print_part(const char *title, const char *text)
{
    printf("\n  %s\n", title);
    print_folded(text, 4, 0);
}

static void print_yaml(const char *title, const char *text)
{
    printf("\n%s\n", title);
    for (const char *line = text; *line;) {
        size_t n = strcspn(line, "\n");

        printf("  %.*s\n", (int)n, line);
        line += n + (line[n] == '\n');
    }
}

/* What it is, its parameters, its layers. */
static void print_about(const poise_model_about *m)
{
    printf("%s\n", m->name);
    if (m->about)
        print_folded(m->about, 2, 0);
    if (m->paper)
        print_part("paper", m->paper);
    if (m->when)
        print_part("when to use it", m->when);
    printf("\nparameters\n");
    for (int k = 0; k < m->nparameter; k++)
        print_parameter(&m->parameter[k]);
    if (!m->nparameter)
        printf("  none\n");
    print_yaml("network", m->network);
    if (*m->losses)
        print_yaml("outputs and losses", m->losses);
    printf("\n");
    for (int k = 0; k < m->nfile; k++)
        printf("%s%s\n", k ? "  which extends " : "", m->file[k]);
}

static void print_line(const poise_model_about *m)
{
    enum { INDENT = 16 };
    int column = printf("%-*s ", INDENT - 1, m->name);

    print_folded(m->about ? m->about : "", INDENT, column);
}

static int print_model(const char *name, int whole)
{
    poise_error err;
    poise_diagnostics *diag = poise_diagnostics_new(&err);
    poise_model_about *m = diag ? poise_model_about_read(name, diag) : NULL;

    if (!diag)
        return tool_failed(&err);
    tool_diagnostics_print(diag);
    if (m && whole)
        print_about(m);
    else if (m)
        print_line(m);
    poise_diagnostics_free(diag);
    poise_model_about_free(m);
    return m ? TOOL_OK : TOOL_FAILED;
}

static int is_path(const char *name)
{
    size_t length = strlen(name);

    return strchr(name, '/') || (length > 5 && !strcmp(name + length - 5, ".yaml"));
}

int tool_page_model(const tool_command *help, const char *model)
{
    poise_error err;
    char **names = poise_model_names(&err);
    int status = model ? TOOL_WRONG : TOOL_OK, n = 0;

    if (!names)
        return tool_failed(&err);
    if (model && is_path(model)) {
        poise_names_free(names);
        return print_model(model, 1);
    }
    for (; names[n]; n++) {
        if (!model && print_model(names[n], 0) != TOOL_OK)
            status = TOOL_FAILED;
        else if (model && !strcmp(names[n], model))
            status = print_model(model, 1);
    }
    if (status == TOOL_WRONG)
        unknown(help, "model", model, n, (const char *const *)names);
    poise_names_free(names);
    return status;
}
