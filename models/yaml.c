#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>
#include "yaml.h"

/* The loader: libyaml's events become nodes on a stack of open collections. */

typedef struct anchor {
    const char *name;
    poise__yaml *node;
    int open; /* still being read: an alias to it would be endless */
    struct anchor *next;
} anchor;

typedef struct frame {
    poise__yaml *node;
    poise__yaml *key; /* of a mapping: read, its item not yet */
    anchor *anchor;
} frame;

typedef struct loader {
    yaml_parser_t parser;
    poise__arena *arena;
    poise_diagnostics *diag;
    const char *file, *text;
    size_t size;
    frame stack[POISE__YAML_DEPTH];
    int depth, documents;
    size_t nodes;
    poise__yaml *root;
    anchor *anchors;
    int nanchor;
    poise_error err; /* memory */
} loader;

static poise_place at(const loader *l, yaml_mark_t m)
{
    return (poise_place){l->file, (uint32_t)m.line + 1, (uint32_t)m.column + 1};
}

static poise__yaml *count(loader *l, poise_place place, poise__yaml *n)
{
    if (!n)
        poise_diagnose_error(l->diag, &l->err);
    else if (++l->nodes > POISE__YAML_NODES) {
        poise_diagnose(l->diag, place,
                       "the file has more than %d values, aliases expanded; a spec needs fewer",
                       POISE__YAML_NODES);
        return NULL;
    }
    return n;
}

/* Where libyaml stopped.  Its reader knows the offset in bytes only. */
static int syntax_error(loader *l)
{
    const yaml_parser_t *p = &l->parser;
    const char *problem = p->problem ? p->problem : "this is not YAML";
    if (p->error == YAML_MEMORY_ERROR)
        return poise_diagnose(l->diag, POISE_NOWHERE, "out of memory");
    if (p->error == YAML_READER_ERROR) {
        size_t end = p->problem_offset < l->size ? p->problem_offset : l->size;
        uint32_t line = 1, column = 1;
        for (size_t i = 0; i < end; i++) {
            unsigned char c = (unsigned char)l->text[i];
            if (c == '\n')
                line++, column = 1;
            else if ((c & 0xC0) != 0x80)
                column++;
        }
        return poise_diagnose(l->diag, (poise_place){l->file, line, column},
                              "%s; a spec is UTF-8 text", problem);
    }
    size_t i = 0, line = 0, column = 0;
    for (; i < l->size && line < p->problem_mark.line; i++)
        line += l->text[i] == '\n';
    for (; i < l->size && column < p->problem_mark.column; i++)
        column += ((unsigned char)l->text[i] & 0xC0) != 0x80;
    const char *hint = i > 0 && i < l->size && l->text[i] == '[' && l->text[i - 1] > ' '
                           ? "; inside { } and [ ] a name with brackets is quoted: \"$units[0]\""
                           : "";
    if (p->context)
        return poise_diagnose(l->diag, at(l, p->problem_mark), "%s, %s that begins at %lu:%lu%s",
                              problem, p->context, (unsigned long)p->context_mark.line + 1,
                              (unsigned long)p->context_mark.column + 1, hint);
    return poise_diagnose(l->diag, at(l, p->problem_mark), "%s%s", problem, hint);
}

/* A finished scalar or alias, or a collection that begins, takes its place in what holds it. */
static int attach(loader *l, poise__yaml *n, poise_place place)
{
    if (l->depth == 0) {
        l->root = n;
        return 0;
    }
    frame *f = &l->stack[l->depth - 1];
    int done;
    if (f->node->kind == POISE__LIST)
        done = poise__yaml_push(l->arena, f->node, n, &l->err);
    else if (!f->key) {
        if (n->kind != POISE__SCALAR)
            return poise_diagnose(l->diag, place, "a key must be a word, not a list or a mapping");
        f->key = n;
        return 0;
    } else {
        poise__yaml *map = f->node, *key = f->key;
        f->key = NULL;
        /* Not put: duplicates stay, and are reported when the mapping ends. */
        done = poise__yaml_append(l->arena, map, key, n, &l->err);
    }
    return done < 0 ? poise_diagnose_error(l->diag, &l->err) : 0;
}

static int remember(loader *l, const yaml_char_t *name, poise__yaml *n, int open, anchor **out)
{
    if (!name)
        return 0;
    if (++l->nanchor > POISE__YAML_ANCHORS)
        return poise_diagnose(l->diag, n->place, "more than %d anchors; a spec needs fewer",
                              POISE__YAML_ANCHORS);
    anchor *a = poise__arena_alloc(l->arena, 1, sizeof(*a), &l->err);
    char *copy = a ? poise__arena_text(l->arena, (const char *)name, &l->err) : NULL;
    if (!copy)
        return poise_diagnose_error(l->diag, &l->err);
    *a = (anchor){copy, n, open, l->anchors};
    l->anchors = a;
    if (out)
        *out = a;
    return 0;
}

static poise__yaml *copy(loader *l, const poise__yaml *n, int depth, poise_place use)
{
    if (depth > POISE__YAML_DEPTH) {
        poise_diagnose(l->diag, use, "nested deeper than %d levels", POISE__YAML_DEPTH);
        return NULL;
    }
    poise__yaml *c = count(l, use, poise__yaml_new(l->arena, n->kind, n->place, &l->err));
    if (!c)
        return NULL;
    *c = *n;
    if (n->n == 0)
        return c;
    c->cap = n->n;
    c->item = poise__arena_alloc(l->arena, n->n, sizeof(*c->item), &l->err);
    c->key = n->key ? poise__arena_alloc(l->arena, n->n, sizeof(*c->key), &l->err) : NULL;
    if (!c->item || (n->key && !c->key)) {
        poise_diagnose_error(l->diag, &l->err);
        return NULL;
    }
    for (size_t i = 0; i < n->n; i++) {
        if (n->key)
            c->key[i] = n->key[i];
        c->item[i] = copy(l, n->item[i], depth + 1, use);
        if (!c->item[i])
            return NULL;
    }
    return c;
}

static int alias(loader *l, const yaml_event_t *e)
{
    const char *name = (const char *)e->data.alias.anchor;
    poise_place place = at(l, e->start_mark);
    const anchor *a = l->anchors;
    while (a && strcmp(a->name, name) != 0)
        a = a->next;
    if (!a)
        return poise_diagnose(l->diag, place, "alias '*%s' names no anchor before it", name);
    if (a->open)
        return poise_diagnose(l->diag, place, "alias '*%s' stands inside what it names", name);
    poise__yaml *n = copy(l, a->node, l->depth + 1, place);
    return n ? attach(l, n, place) : -1;
}

static int by_text(const void *a, const void *b)
{
    const poise__yaml *x = *(poise__yaml *const *)a, *y = *(poise__yaml *const *)b;
    int c = strcmp(x->text, y->text);
    if (c != 0)
        return c;
    if (x->place.line != y->place.line)
        return x->place.line < y->place.line ? -1 : 1;
    return x->place.column < y->place.column ? -1 : x->place.column > y->place.column;
}

static int find_duplicates(loader *l, const poise__yaml *map)
{
    if (map->n < 2)
        return 0;
    poise__yaml **key = poise__calloc(map->n, sizeof(*key), &l->err);
    if (!key)
        return poise_diagnose_error(l->diag, &l->err);
    memcpy(key, map->key, map->n * sizeof(*key));
    qsort(key, map->n, sizeof(*key), by_text);
    const poise__yaml *first = key[0];
    for (size_t i = 1; i < map->n; i++) {
        if (strcmp(first->text, key[i]->text) != 0)
            first = key[i];
        else
            poise_diagnose(l->diag, key[i]->place, "key '%s' is given twice; the first is at %u:%u",
                           first->text, first->place.line, first->place.column);
    }
    free(key);
    return 0;
}

static int scalar(loader *l, const yaml_event_t *e)
{
    poise_place place = at(l, e->start_mark);
    const char *text = (const char *)e->data.scalar.value;
    if (strlen(text) != e->data.scalar.length)
        return poise_diagnose(l->diag, place, "the text holds a NUL character; leave it out");
    if (e->data.scalar.tag)
        poise_diagnose(l->diag, place, "tags such as '%s' are not used in a spec; leave it out",
                       (const char *)e->data.scalar.tag);
    poise__yaml *n =
        count(l, place,
              poise__yaml_scalar(l->arena, text, e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE,
                                 place, &l->err));
    if (!n || remember(l, e->data.scalar.anchor, n, 0, NULL) < 0)
        return -1;
    return attach(l, n, place);
}

static int open_collection(loader *l, const yaml_event_t *e, poise__yaml_kind kind)
{
    poise_place place = at(l, e->start_mark);
    const yaml_char_t *name =
        kind == POISE__LIST ? e->data.sequence_start.anchor : e->data.mapping_start.anchor;
    const yaml_char_t *tag =
        kind == POISE__LIST ? e->data.sequence_start.tag : e->data.mapping_start.tag;
    if (tag)
        poise_diagnose(l->diag, place, "tags such as '%s' are not used in a spec; leave it out",
                       (const char *)tag);
    if (l->depth == POISE__YAML_DEPTH)
        return poise_diagnose(l->diag, place, "nested deeper than %d levels", POISE__YAML_DEPTH);
    poise__yaml *n = count(l, place, poise__yaml_new(l->arena, kind, place, &l->err));
    anchor *a = NULL;
    if (!n || remember(l, name, n, 1, &a) < 0 || attach(l, n, place) < 0)
        return -1;
    l->stack[l->depth++] = (frame){.node = n, .anchor = a};
    return 0;
}

static int close_collection(loader *l)
{
    frame *f = &l->stack[--l->depth];
    if (f->anchor)
        f->anchor->open = 0;
    return f->node->kind == POISE__MAP ? find_duplicates(l, f->node) : 0;
}

static int event(loader *l, const yaml_event_t *e)
{
    switch (e->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (l->documents++ > 0)
            return poise_diagnose(l->diag, at(l, e->start_mark),
                                  "a second document begins here; a spec is one document");
        return 0;
    case YAML_ALIAS_EVENT:
        return alias(l, e);
    case YAML_SCALAR_EVENT:
        return scalar(l, e);
    case YAML_SEQUENCE_START_EVENT:
        return open_collection(l, e, POISE__LIST);
    case YAML_MAPPING_START_EVENT:
        return open_collection(l, e, POISE__MAP);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        return close_collection(l);
    default:
        return 0;
    }
}

poise__yaml *poise__yaml_parse(const char *text, size_t size, const char *file, poise__arena *a,
                               poise_diagnostics *diag)
{
    loader l = {.arena = a, .diag = diag, .file = file, .text = text, .size = size};
    if (size > POISE__YAML_BYTES) {
        poise_diagnose(diag, (poise_place){file, 1, 1},
                       "the file is larger than %d bytes; a spec is smaller", POISE__YAML_BYTES);
        return NULL;
    }
    if (!yaml_parser_initialize(&l.parser)) {
        poise_diagnose(diag, POISE_NOWHERE, "out of memory");
        return NULL;
    }
    poise_diagnostics_source(diag, file, text, size); /* without it no lines are shown */
    yaml_parser_set_input_string(&l.parser, (const unsigned char *)text, size);
    int done = 0;
    while (done == 0) {
        yaml_event_t e;
        if (!yaml_parser_parse(&l.parser, &e)) {
            done = syntax_error(&l);
            break;
        }
        int end = e.type == YAML_STREAM_END_EVENT;
        done = event(&l, &e);
        yaml_event_delete(&e);
        if (end)
            break;
    }
    yaml_parser_delete(&l.parser);
    if (done == 0 && !l.root)
        done = poise_diagnose(diag, (poise_place){file, 1, 1}, "there is nothing in the file");
    return done == 0 ? l.root : NULL;
}

poise__yaml *poise__yaml_read(const char *path, poise_place from, poise__arena *a,
                              poise_diagnostics *diag)
{
    poise_error err;
    const char *name = poise__arena_text(a, path, &err);
    char *text = name ? poise__calloc(POISE__YAML_BYTES + 1, 1, &err) : NULL;
    if (!text) {
        poise_diagnose_error(diag, &err);
        return NULL;
    }
    poise__yaml *root = NULL;
    FILE *f = fopen(path, "rb");
    size_t size = f ? fread(text, 1, POISE__YAML_BYTES + 1, f) : 0;
    if (!f || ferror(f))
        poise_diagnose(diag, from, "cannot open \"%s\": %s", path, strerror(errno));
    else
        root = poise__yaml_parse(text, size, name, a, diag);
    if (f)
        fclose(f);
    free(text);
    return root;
}
