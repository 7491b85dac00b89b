#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "../core/search.h"
#include "names.h"
#include "reading.h"

void *poise__reading_alloc(poise__reading *r, size_t count, size_t size)
{
    poise_error err;
    void *p = poise__arena_alloc(r->arena, count ? count : 1, size, &err);
    if (!p)
        poise_diagnose_error(r->diag, &err);
    return p;
}

const char *poise__reading_path(poise__reading *r, const char *path)
{
    poise_error err;
    const char *full = path[0] == '/' || r->folder[0] == 0
                           ? poise__arena_text(r->arena, path, &err)
                           : poise__arena_printf(r->arena, &err, "%s/%s", r->folder, path);
    if (!full)
        poise_diagnose_error(r->diag, &err);
    return full;
}

const char *poise__via(const poise__yaml *n, char *buf, size_t size)
{
    snprintf(buf, size, n->param ? " (for %.60s)" : "%s", n->param ? n->param : "");
    return buf;
}

void poise__note_use(poise__reading *r, const poise__yaml *n)
{
    if (n->param)
        poise_diagnose_note(r->diag, n->param_at, "%.80s is used here", n->param);
}

int poise__unknown(poise__reading *r, poise_place place, const char *what, const char *word, int n,
                   const char *const *known)
{
    /* Past what is shown, the search is not worth its time. */
    int many = poise_diagnostics_errors(r->diag) > 100;
    const char *near = many ? NULL : poise__nearest(word, n, known);
    if (near)
        return poise_diagnose(r->diag, place, "%s '%.80s'; did you mean '%s'?", what, word, near);
    char list[400] = "";
    size_t used = 0;
    int shown = 0;
    for (int k = 0; k < n; k++) {
        size_t len = known[k] ? strlen(known[k]) : 0;
        if (len == 0)
            continue;
        if (used + len + 8 > sizeof(list)) {
            snprintf(list + used, sizeof(list) - used, ", ...");
            break;
        }
        used +=
            (size_t)snprintf(list + used, sizeof(list) - used, shown++ ? ", %s" : "%s", known[k]);
    }
    if (!shown)
        return poise_diagnose(r->diag, place, "%s '%.80s'; there is none to choose from", what,
                              word);
    return poise_diagnose(r->diag, place, "%s '%.80s'; there is: %s", what, word, list);
}

static size_t number_text(double v, char *buf, size_t size)
{
    return (size_t)snprintf(buf, size, fabs(v) < 1e15 && floor(v) >= v ? "%.0f" : "%.9g", v);
}

static void range_text(const poise_key *k, char *buf, size_t size)
{
    char min[40], max[40];
    number_text(k->min, min, sizeof(min));
    number_text(k->max, max, sizeof(max));
    if (k->open)
        snprintf(buf, size, "above %s, below %s", min, max);
    else if (k->max >= 9e15)
        snprintf(buf, size, "%s or more", min);
    else
        snprintf(buf, size, "%s .. %s", min, max);
}

static void choice_text(const poise_key *k, const char *after, char *buf, size_t size)
{
    size_t used = 0;
    buf[0] = 0;
    for (int i = 0; k->choice[i] && used < size; i++)
        used += (size_t)snprintf(buf + used, size - used, i ? " | %s" : "%s", k->choice[i]);
    if (used < size)
        snprintf(buf + used, size - used, "%s", after);
}

const char *poise_key_type(const poise_key *k, char *buf, size_t size)
{
    char range[100], first[200];
    range_text(k, range, sizeof(range));
    switch (k->kind) {
    case POISE_KEY_TEXT:
        snprintf(buf, size, "text");
        break;
    case POISE_KEY_INT:
        snprintf(buf, size, "integer, %s", range);
        break;
    case POISE_KEY_NUMBER:
        snprintf(buf, size, "number, %s", range);
        break;
    case POISE_KEY_BOOL:
        snprintf(buf, size, "true | false");
        break;
    case POISE_KEY_CHOICE:
        choice_text(k, "", buf, size);
        break;
    case POISE_KEY_TEXTS:
        snprintf(buf, size, "list of texts");
        break;
    case POISE_KEY_INTS:
        snprintf(buf, size, "list of integers, each %s", range);
        break;
    case POISE_KEY_CHOICES:
        choice_text(k, ", or list", buf, size);
        break;
    case POISE_KEY_NUMBERS:
        snprintf(buf, size, "number, %s, or list", range);
        break;
    case POISE_KEY_REFERENCES:
        snprintf(buf, size, "reference, or list");
        break;
    case POISE_KEY_SECTION:
        snprintf(buf, size, "%s, or mapping (%s)",
                 poise_key_type(&k->section->key[0], first, sizeof(first)), k->section->name);
        break;
    case POISE_KEY_OWN:
        snprintf(buf, size, "%s", k->form);
        break;
    }
    return buf;
}

static const char *article(poise_key_kind kind)
{
    switch (kind) {
    case POISE_KEY_INT:
        return "an ";
    case POISE_KEY_BOOL:
    case POISE_KEY_CHOICE:
    case POISE_KEY_CHOICES:
    case POISE_KEY_OWN:
        return "";
    default:
        return "a ";
    }
}

/* "NAME is WHAT (for $param); it must be a TYPE" */
static int wrong(poise__reading *r, const poise_key *k, const poise__yaml *v)
{
    char type[300], show[120], via[80];
    poise_key_type(k, type, sizeof(type));
    poise_diagnose(r->diag, v->place, "%s is %s%s; it must be %s%s", k->name,
                   poise__yaml_show(v, show, sizeof(show)), poise__via(v, via, sizeof(via)),
                   article(k->kind), type);
    poise__note_use(r, v);
    return -1;
}

static void store_int(const poise_key *k, int64_t v, void *into)
{
    char *field = (char *)into + k->offset;
    if (k->size == sizeof(int)) {
        int small = (int)v;
        memcpy(field, &small, sizeof(small));
    } else
        memcpy(field, &v, sizeof(v));
}

static int read_int(poise__reading *r, const poise_key *k, const poise__yaml *v, void *into)
{
    int64_t x;
    if (poise__yaml_int(v, &x) < 0 || (double)x < k->min || (double)x > k->max)
        return wrong(r, k, v);
    store_int(k, x, into);
    return 0;
}

static int read_number(poise__reading *r, const poise_key *k, const poise__yaml *v, void *into)
{
    double x;
    if (poise__yaml_number(v, &x) < 0 || x < k->min || x > k->max ||
        (k->open && (x <= k->min || x >= k->max)))
        return wrong(r, k, v);
    memcpy((char *)into + k->offset, &x, sizeof(x));
    return 0;
}

static int read_choice(poise__reading *r, const poise_key *k, const poise__yaml *v, void *into)
{
    char what[80];
    int n = 0;
    if (v->kind != POISE__SCALAR || poise__yaml_null(v))
        return wrong(r, k, v);
    for (; k->choice[n]; n++)
        if (strcmp(k->choice[n], v->text) == 0) {
            memcpy((char *)into + k->offset, &n, sizeof(n));
            return 0;
        }
    snprintf(what, sizeof(what), "%s is", k->name);
    poise__unknown(r, v->place, what, v->text, n, k->choice);
    poise__note_use(r, v);
    return -1;
}

static int read_texts(poise__reading *r, const poise_key *k, const poise__yaml *v, void *into)
{
    if (v->kind != POISE__LIST)
        return wrong(r, k, v);
    const char **text = poise__reading_alloc(r, v->n, sizeof(*text));
    if (!text)
        return -1;
    int bad = 0;
    for (size_t i = 0; i < v->n; i++) {
        if (v->item[i]->kind != POISE__SCALAR) {
            bad = wrong(r, k, v->item[i]);
            continue;
        }
        text[i] = v->item[i]->text;
    }
    if (bad)
        return -1;
    poise__texts list = {(int)v->n, text};
    memcpy((char *)into + k->offset, &list, sizeof(list));
    return 0;
}

static int read_ints(poise__reading *r, const poise_key *k, const poise__yaml *v, void *into)
{
    if (v->kind != POISE__LIST || v->n == 0)
        return wrong(r, k, v);
    int64_t *value = poise__reading_alloc(r, v->n, sizeof(*value));
    if (!value)
        return -1;
    int bad = 0;
    for (size_t i = 0; i < v->n; i++)
        if (poise__yaml_int(v->item[i], &value[i]) < 0 || (double)value[i] < k->min ||
            (double)value[i] > k->max) {
            poise_key one = *k;
            one.kind = POISE_KEY_INT;
            poise__yaml item = *v->item[i];
            if (!item.param) {
                item.param = v->param;
                item.param_at = v->param_at;
            }
            bad = wrong(r, &one, &item);
        }
    poise__ints list = {(int)v->n, value};
    memcpy((char *)into + k->offset, &list, sizeof(list));
    return bad;
}

/* One, or a list of them: of `kind`, `size` bytes each. */
static int read_several(poise__reading *r, const poise_key *k, poise_key_kind kind, size_t size,
                        const poise__yaml *v, int *n, char **value)
{
    poise_key one = *k;
    one.kind = kind;
    one.offset = 0;
    one.size = size;
    *n = v->kind == POISE__LIST ? (int)v->n : 1;
    if (*n == 0)
        return wrong(r, k, v);
    *value = poise__reading_alloc(r, (size_t)*n, size);
    if (!*value)
        return -1;
    int bad = 0;
    for (int i = 0; i < *n; i++)
        bad |= poise__key_read(r, &one, v->kind == POISE__LIST ? v->item[i] : v,
                               *value + (size_t)i * size);
    return bad;
}

static int read_choices(poise__reading *r, const poise_key *k, const poise__yaml *v, void *into)
{
    int n;
    char *index = NULL;
    if (read_several(r, k, POISE_KEY_CHOICE, sizeof(int), v, &n, &index) < 0)
        return -1;
    int64_t *value = poise__reading_alloc(r, (size_t)n, sizeof(*value));
    if (!value)
        return -1;
    for (int i = 0; i < n; i++)
        value[i] = ((const int *)(const void *)index)[i];
    poise__ints list = {n, value};
    memcpy((char *)into + k->offset, &list, sizeof(list));
    return 0;
}

static int read_numbers(poise__reading *r, const poise_key *k, const poise__yaml *v, void *into)
{
    int n;
    char *value = NULL;
    if (read_several(r, k, POISE_KEY_NUMBER, sizeof(double), v, &n, &value) < 0)
        return -1;
    poise__numbers list = {n, (const double *)(const void *)value};
    memcpy((char *)into + k->offset, &list, sizeof(list));
    return 0;
}

/* What is no mapping is the section's first key; the others are as they start. */
static int read_section(poise__reading *r, const poise_key *k, const poise__yaml *v, void *into)
{
    void *inner = (char *)into + k->offset;
    if (v->kind == POISE__MAP)
        return poise__keys_read(r, v, k->name, k->section, inner);
    return poise__keys_read(r, NULL, k->name, k->section, inner) < 0
               ? -1
               : poise__key_read(r, &k->section->key[0], v, inner);
}

int poise__key_read(poise__reading *r, const poise_key *k, const poise__yaml *v, void *into)
{
    if (v->wrong)
        return -1;
    switch (k->kind) {
    case POISE_KEY_TEXT:
        if (v->kind != POISE__SCALAR || poise__yaml_null(v))
            return wrong(r, k, v);
        if (k->like && poise__name_check(r, poise__name_find(k->like), v->place, v->text) < 0)
            return -1;
        memcpy((char *)into + k->offset, &v->text, sizeof(v->text));
        return 0;
    case POISE_KEY_INT:
        return read_int(r, k, v, into);
    case POISE_KEY_NUMBER:
        return read_number(r, k, v, into);
    case POISE_KEY_BOOL: {
        int x;
        if (poise__yaml_bool(v, &x) < 0)
            return wrong(r, k, v);
        memcpy((char *)into + k->offset, &x, sizeof(x));
        return 0;
    }
    case POISE_KEY_CHOICE:
        return read_choice(r, k, v, into);
    case POISE_KEY_TEXTS:
        return read_texts(r, k, v, into);
    case POISE_KEY_INTS:
        return read_ints(r, k, v, into);
    case POISE_KEY_CHOICES:
        return read_choices(r, k, v, into);
    case POISE_KEY_NUMBERS:
        return read_numbers(r, k, v, into);
    case POISE_KEY_SECTION:
        return read_section(r, k, v, into);
    case POISE_KEY_REFERENCES:
        return poise__references_read(r, v, (void *)((char *)into + k->offset));
    case POISE_KEY_OWN:
        return k->read(r, v, into);
    }
    return -1;
}

static int known_keys(int nsection, const poise_section *const *s, const char **known, int most)
{
    int n = 0;
    for (int i = 0; i < nsection; i++)
        for (int k = 0; k < s[i]->nkey && n < most; k++)
            known[n++] = s[i]->key[k].name;
    return n;
}

static int unknown_key(poise__reading *r, const char *what, int nsection,
                       const poise_section *const *s, const poise__yaml *key)
{
    const char *known[64];
    char text[120];
    int n = known_keys(nsection, s, known, POISE__COUNT(known));
    snprintf(text, sizeof(text), "%.60s has no key", what);
    return poise__unknown(r, key->place, text, key->text, n, known);
}

static int set_defaults(poise__reading *r, const poise_section *s, void *into)
{
    for (int k = 0; k < s->nkey; k++) {
        const poise_key *row = &s->key[k];
        if (!row->initial)
            continue;
        poise__yaml v = {.kind = POISE__SCALAR, .text = row->initial, .plain = 1};
        if (poise__key_read(r, row, &v, into) < 0)
            return -1;
    }
    return 0;
}

int poise__misspelt(const poise__yaml *node, int nsection, const poise_section *const *s,
                    const char *name)
{
    const char *known[64];
    enum { MOST = 1000 }; /* past it the search is not worth its time */
    int n = known_keys(nsection, s, known, POISE__COUNT(known));
    if (poise__yaml_get(node, name))
        return 0;
    for (size_t i = 0; node && node->kind == POISE__MAP && i < node->n && i < MOST; i++) {
        const char *near = poise__key_find(nsection, s, node->key[i]->text, NULL)
                               ? NULL
                               : poise__nearest(node->key[i]->text, n, known);
        if (near && strcmp(near, name) == 0)
            return 1;
    }
    return 0;
}

int poise__keys_read_all(poise__reading *r, const poise__yaml *node, const char *what, int nsection,
                         const poise_section *const *s, void *const *into)
{
    int bad = 0, in;
    for (int i = 0; i < nsection; i++)
        if (set_defaults(r, s[i], into[i]) < 0)
            return -1;
    if (node && node->kind != POISE__MAP) {
        char show[120];
        return poise_diagnose(r->diag, node->place, "%s is %s; it must be a mapping of keys", what,
                              poise__yaml_show(node, show, sizeof(show)));
    }
    for (int i = 0; node && i < nsection; i++)
        for (int k = 0; k < s[i]->nkey; k++)
            if (s[i]->key[k].required && !poise__yaml_get(node, s[i]->key[k].name) &&
                (s[0]->other || !poise__misspelt(node, nsection, s, s[i]->key[k].name)))
                bad = poise_diagnose(r->diag, node->place, "%s has no '%s': %s", what,
                                     s[i]->key[k].name, s[i]->key[k].help);
    for (size_t i = 0; node && i < node->n; i++) {
        const poise_key *k = poise__key_find(nsection, s, node->key[i]->text, &in);
        if (k)
            bad |= poise__key_read(r, k, node->item[i], into[in]);
        else if (s[0]->other)
            bad |= s[0]->other(r, node->key[i], node->item[i], into[0]);
        else
            bad = unknown_key(r, what, nsection, s, node->key[i]);
    }
    bad |= node ? poise__keys_fit(r, node, what, nsection, s) : 0;
    return bad ? -1 : 0;
}

int poise__keys_read(poise__reading *r, const poise__yaml *node, const char *what,
                     const poise_section *s, void *into)
{
    return poise__keys_read_all(r, node, what, 1, &s, &into);
}

int poise__keys_pick(poise__reading *r, const poise__yaml *node, const char *what, int n,
                     const poise_section *const *s, const poise__yaml **inner)
{
    const char *known[16];
    char text[120], show[120];
    *inner = NULL;
    const poise__yaml *word = node;
    if (node->kind == POISE__MAP && node->n == 1) {
        word = node->key[0];
        *inner = node->item[0];
    }
    if (word->kind != POISE__SCALAR || poise__yaml_null(word))
        return poise_diagnose(r->diag, node->place,
                              "%s is %s; it must be a word such as '%s', or {%s: {...}}", what,
                              poise__yaml_show(node, show, sizeof(show)), s[0]->name, s[0]->name);
    for (int k = 0; k < n; k++) {
        if (strcmp(s[k]->name, word->text) == 0)
            return k;
        known[k] = s[k]->name;
    }
    snprintf(text, sizeof(text), "%.80s is", what);
    return poise__unknown(r, word->place, text, word->text, n, known);
}
