/* Which columns become features: by name, by pattern, and several of one column. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "groups.h"
#include "sections.h"

enum { MOST_FEATURES = 65536 };

typedef struct gathering {
    poise__reading *r;
    poise_feature *feature; /* malloc'd; copied to the schema when all are known */
    size_t n, cap;
    char *label; /* [ncolumn] 1: a label, `when` or weight */
    char *taken; /* [ncolumn] 1: not for patterns */
} gathering;

static void mark_label(void *user, const char *column)
{
    gathering *g = user;
    int c = poise__column_find(g->r, column);
    if (c >= 0)
        g->label[c] = 1;
}

/* Which columns may not be taken by a glob: 1 for labels, `when` and the weights. */
static void mark_labels(gathering *g)
{
    const poise_schema *s = g->r->spec->schema;
    if (s->weight)
        mark_label(g, s->weight);
    for (int t = 0; t < s->ntask; t++)
        poise__task_columns(g->r, &s->task[t], 1, mark_label, g);
}

static int is_pattern(const char *text)
{
    return strpbrk(text, "*?") != NULL;
}

/* One feature called `name`, read from `column` (NULL: of its name). */
static int add(gathering *g, const poise__yaml *key, const poise_feature *f, const char *name,
               const char *column)
{
    poise__reading *r = g->r;
    poise_error err;
    if (g->n >= MOST_FEATURES)
        return poise_diagnose(r->diag, key->place, "there are more than %d features",
                              MOST_FEATURES);
    poise_feature *grown = poise__grow(g->feature, &g->cap, g->n + 1, sizeof *grown, &err);
    if (!grown)
        return poise_diagnose_error(r->diag, &err);
    g->feature = grown;
    poise_feature *to = &grown[g->n];
    *to = *f;
    to->place = key->place;
    to->name = poise__arena_text(r->spec->schema->arena, name, &err);
    to->column = column && strcmp(column, name) != 0
                     ? poise__arena_text(r->spec->schema->arena, column, &err)
                     : NULL;
    if (f->separator &&
        !(to->separator = poise__arena_text(r->spec->schema->arena, f->separator, &err)))
        return poise_diagnose_error(r->diag, &err);
    if (f->table && !(to->table = poise__arena_text(r->spec->schema->arena, f->table, &err)))
        return poise_diagnose_error(r->diag, &err);
    if (!to->name || (column && strcmp(column, name) != 0 && !to->column))
        return poise_diagnose_error(r->diag, &err);
    g->n++;
    return 0;
}

typedef struct answer {
    const char *column;
    int seen;
} answer;

static void is_answer(void *user, const char *column)
{
    answer *a = user;
    a->seen |= strcmp(a->column, column) == 0;
}

static void warn_answer(poise__reading *r, const poise_feature *f)
{
    const poise_schema *s = r->spec->schema;
    char reads[120] = "is";
    if (f->column)
        snprintf(reads, sizeof(reads), "reads '%.80s',", f->column);
    for (int t = 0; t < s->ntask; t++) {
        answer a = {poise_feature_column(f), 0};
        poise__task_columns(r, &s->task[t], 0, is_answer, &a);
        if (a.seen)
            poise_warn(r->diag, f->place,
                       "feature '%.80s' %s the label of task '%s': the model sees the answer",
                       f->name, reads, s->task[t].name);
    }
}

void poise__warn_answers(poise__reading *r)
{
    const poise_schema *s = r->spec->schema;
    const char *read = r->spec->model ? r->spec->model->read : NULL;
    for (int k = 0; k < s->nfeature && r->ncolumn >= 0 && !r->of_run; k++)
        if (s->feature[k].kind != POISE_MISSING_COUNT && (!read || read[k]))
            warn_answer(r, &s->feature[k]);
}

/* `"*_id": categorical`: every column that the feature's name matches. */
static int add_matches(gathering *g, const poise__yaml *key, const poise__feature_keys *k)
{
    poise__reading *r = g->r;
    int matched = 0, took = 0;
    for (int c = 0; c < r->ncolumn; c++) {
        if (!poise__glob_match(key->text, r->column[c]))
            continue;
        matched++;
        if (g->taken[c])
            continue;
        g->taken[c] = 1;
        took++;
        if (!k->ignore && add(g, key, &k->feature, r->column[c], NULL) < 0)
            return -1;
    }
    if (!matched)
        return poise_diagnose(r->diag, key->place, "'%.80s' matches no column", key->text);
    if (!took)
        poise_warn(r->diag, key->place,
                   "'%.80s' takes no column: those that it matches are labels or taken already",
                   key->text);
    return 0;
}

/* The feature's name with its first * replaced by a column's; NULL after a diagnosis. */
static const char *name_for(gathering *g, const poise__yaml *key, const char *column)
{
    poise_error err;
    const char *star = strchr(key->text, '*');
    const char *name =
        !star ? key->text
              : poise__arena_printf(g->r->arena, &err, "%.*s%s%s", (int)(star - key->text),
                                    key->text, column, star + 1);
    if (!name)
        poise_diagnose_error(g->r->diag, &err);
    return name;
}

/* `"*_bin": {column: [age, "*_days"], ...}`: one feature for each column of the list. */
static int add_columns(gathering *g, const poise__yaml *key, const poise__feature_keys *k)
{
    poise__reading *r = g->r;
    int took = 0;
    int several = k->column.n > 1 ||
                  (poise__column_find(r, *k->column.text) < 0 && is_pattern(*k->column.text));
    if (several && !strchr(key->text, '*'))
        return poise_diagnose(r->diag, key->place,
                              "'%.80s' would be the name of several features; put a * where the "
                              "column's name is to stand, as in \"*_%.40s\"",
                              key->text, key->text);
    for (int i = 0; i < k->column.n; i++) {
        const char *text = k->column.text[i];
        int pattern = poise__column_find(r, text) < 0 && is_pattern(text);
        if (!pattern && poise__column_check(r, k->column_at, "column", text) < 0)
            return -1;
        for (int c = 0; c < r->ncolumn; c++) {
            const char *column = r->column[c];
            if (pattern ? g->label[c] || !poise__glob_match(text, column)
                        : strcmp(text, column) != 0)
                continue;
            const char *name = name_for(g, key, column);
            took++;
            if (!name || (!k->ignore && add(g, key, &k->feature, name, column) < 0))
                return -1;
        }
    }
    if (!took)
        return poise_diagnose(r->diag, k->column_at, "column: this matches no column");
    return 0;
}

static int add_feature(gathering *g, const poise__yaml *key, const poise__feature_keys *k)
{
    poise__reading *r = g->r;
    int known = r->ncolumn >= 0;
    if (r->of_run) /* its own words: every name is one feature's */
        return k->ignore
                   ? 0
                   : add(g, key, &k->feature, key->text, k->column.n ? *k->column.text : NULL);
    if (k->column.n)
        return known ? add_columns(g, key, k) : 0;
    if (k->kind == POISE_MISSING_COUNT)
        return add(g, key, &k->feature, key->text, NULL);
    if (!known)
        return is_pattern(key->text) || k->ignore ? 0 : add(g, key, &k->feature, key->text, NULL);
    if (poise__column_find(r, key->text) < 0)
        return is_pattern(key->text) ? add_matches(g, key, k)
                                     : poise__column_check(r, key->place, "feature", key->text);
    if (k->ignore)
        return 0;
    return add(g, key, &k->feature, key->text, NULL);
}

/* Columns that features name are not for patterns. */
static void mark_taken(gathering *g, const poise__yaml *key, const poise__feature_keys *k)
{
    const poise__reading *r = g->r;
    int own = poise__column_find(r, key->text);
    if (own >= 0 && !k->column.n)
        g->taken[own] = 1;
    for (int i = 0; i < k->column.n; i++)
        for (int c = 0; c < r->ncolumn; c++)
            if (strcmp(k->column.text[i], r->column[c]) == 0 ||
                poise__glob_match(k->column.text[i], r->column[c]))
                g->taken[c] = 1;
}

/* ---- missing_count ---- */

static int is_read(const gathering *g, const char *column)
{
    for (size_t k = 0; k < g->n; k++)
        if (g->feature[k].kind != POISE_MISSING_COUNT &&
            strcmp(poise_feature_column(&g->feature[k]), column) == 0)
            return 1;
    return 0;
}

static int is_counted(const gathering *g, const poise__texts *list, int c)
{
    const char *column = g->r->column[c];
    if (list->n == 0)
        return is_read(g, column);
    for (int i = 0; i < list->n; i++)
        if (strcmp(list->text[i], column) == 0 ||
            (!g->label[c] && poise__glob_match(list->text[i], column)))
            return 1;
    return 0;
}

/* The columns that a missing_count counts, once it is known what features read. */
static int find_counted(gathering *g, poise_feature *f, const poise__texts *list)
{
    poise__reading *r = g->r;
    poise_error err;
    int most = r->of_run ? list->n : r->ncolumn;
    f->counted = poise__arena_alloc(r->spec->schema->arena, most > 0 ? (size_t)most : 1,
                                    sizeof *f->counted, &err);
    for (int c = 0; f->counted && c < most; c++)
        if (r->of_run || is_counted(g, list, c)) {
            const char *name = r->of_run ? list->text[c] : r->column[c];
            f->counted[f->ncounted++] = poise__arena_text(r->spec->schema->arena, name, &err);
            if (!f->counted[f->ncounted - 1])
                return poise_diagnose_error(r->diag, &err);
        }
    for (int i = 0; f->counted && i < list->n && r->ncolumn >= 0; i++)
        if (!is_pattern(list->text[i]) &&
            poise__column_check(r, f->place, "missing_count", list->text[i]) < 0)
            return -1;
    if (f->counted && f->ncounted == 0 && r->ncolumn >= 0)
        return poise_diagnose(r->diag, f->place, "'%.80s' counts no column", f->name);
    return f->counted ? 0 : poise_diagnose_error(r->diag, &err);
}

/* ---- all of them ---- */

static int by_name(const void *a, const void *b)
{
    const poise_feature *const *x = a, *const *y = b;
    int c = strcmp((*x)->name, (*y)->name);
    return c ? c : (*x > *y) - (*x < *y);
}

/* Two features of one name: `"*_bin"` may make what another line has made. */
static int check_names(gathering *g)
{
    poise__reading *r = g->r;
    const poise_feature **sorted = poise__reading_alloc(r, g->n, sizeof(*sorted));
    int bad = 0;
    if (!sorted)
        return -1;
    for (size_t k = 0; k < g->n; k++)
        sorted[k] = &g->feature[k];
    qsort((void *)sorted, g->n, sizeof(*sorted), by_name);
    for (size_t k = 1; k < g->n; k++)
        if (strcmp(sorted[k - 1]->name, sorted[k]->name) == 0)
            bad = poise_diagnose(r->diag, sorted[k]->place,
                                 "there is a feature '%.80s' already, from line %u",
                                 sorted[k]->name, sorted[k - 1]->place.line);
    return bad;
}

static int keep(gathering *g)
{
    poise_schema *s = g->r->spec->schema;
    poise_error err;
    s->feature = poise__arena_alloc(s->arena, g->n + 1, sizeof(*s->feature), &err);
    if (!s->feature)
        return poise_diagnose_error(g->r->diag, &err);
    for (size_t k = 0; k < g->n; k++)
        s->feature[k] = g->feature[k];
    s->nfeature = (int)g->n;
    return 0;
}

/* Names are unique: which line of the file made the feature. */
static const poise__texts *counted_of(const poise__yaml *node, const poise__feature_keys *keys,
                                      const poise_feature *f)
{
    for (size_t i = 0; i < node->n; i++)
        if (strcmp(node->key[i]->text, f->name) == 0)
            return &keys[i].counted;
    return NULL;
}

static int gather(gathering *g, const poise__yaml *node, poise__feature_keys *keys)
{
    poise__reading *r = g->r;
    int bad = 0;
    for (size_t i = 0; i < node->n; i++)
        if (poise__read_kind(r, node->key[i]->text, node->item[i], &keys[i]) < 0) {
            keys[i].kind = -1;
            bad = -1;
        }
    for (size_t i = 0; i < node->n; i++)
        mark_taken(g, node->key[i], &keys[i]);
    for (size_t i = 0; i < node->n; i++)
        if (keys[i].kind >= 0)
            bad |= add_feature(g, node->key[i], &keys[i]);
    for (size_t k = 0; k < g->n; k++) {
        const poise__texts *list = g->feature[k].kind == POISE_MISSING_COUNT
                                       ? counted_of(node, keys, &g->feature[k])
                                       : NULL;
        if (list)
            bad |= find_counted(g, &g->feature[k], list);
    }
    bad |= check_names(g);
    if (!bad && r->ncolumn >= 0 && g->n == 0)
        bad = poise_diagnose(r->diag, node->place, "there is no feature; name at least one column");
    return bad;
}

static int has_name(const poise__yaml *map, const char *name)
{
    for (size_t i = 0; map->kind == POISE__MAP && i < map->n; i++)
        if (poise__glob_match(map->key[i]->text, name) ||
            (poise__yaml_get(map->item[i], "group") &&
             has_name(poise__yaml_get(map->item[i], "group"), name)))
            return 1;
    return 0;
}

int poise__feature_wrong(const poise__reading *r, const char *name)
{
    const char *inner = strncmp(name, "features.", 9) == 0 ? name + 9 : name;
    /* Past what is shown, the search is not worth its time. */
    return r->features_wrong &&
           (poise_diagnostics_errors(r->diag) > 100 || has_name(r->features, inner));
}

int poise__read_features(poise__reading *r, const poise__yaml *node)
{
    char show[120];
    if (!node)
        return 0;
    if (node->kind != POISE__MAP)
        return poise_diagnose(r->diag, node->place,
                              "features is %s; it must be a mapping of column: kind",
                              poise__yaml_show(node, show, sizeof(show)));
    poise__groups_text groups;
    int bad = 0;
    r->features = node;
    r->features_wrong = 1;
    node = poise__groups_open(r, node, &groups, &bad);
    if (!node)
        return -1;
    if (node->n == 0 && groups.n > 0) { /* of the generator's features */
        r->features_wrong = bad != 0;
        bad |= poise__groups_read(r, &groups);
        r->features_wrong = bad != 0;
        return bad ? -1 : 0;
    }
    size_t ncolumn = r->ncolumn > 0 ? (size_t)r->ncolumn : 0;
    gathering g = {.r = r};
    g.label = poise__reading_alloc(r, ncolumn, 1);
    g.taken = poise__reading_alloc(r, ncolumn, 1);
    poise__feature_keys *keys = poise__reading_alloc(r, node->n, sizeof *keys);
    r->spec->schema->nfeature = 0;
    if (!g.label || !g.taken || !keys)
        return -1;
    mark_labels(&g);
    if (ncolumn)
        memcpy(g.taken, g.label, ncolumn);
    bad |= gather(&g, node, keys);
    bad |= keep(&g);
    bad |= poise__read_tables(r, !bad);
    free(g.feature);
    r->features_wrong = bad != 0;
    if (r->ncolumn >= 0 || r->of_run)
        bad |= poise__groups_read(r, &groups);
    r->features_wrong = bad != 0;
    return bad ? -1 : 0;
}
