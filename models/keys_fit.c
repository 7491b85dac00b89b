/* Which keys of a mapping go with which: the rules that rows (keys.h: needs, without) and sections
 * (one_of, some_of) declare. */
#include <stdio.h>
#include <string.h>
#include "reading.h"

const poise_key *poise__key_find(int n, const poise_section *const *s, const char *name,
                                 int *section)
{
    for (int i = 0; i < n; i++)
        for (int k = 0; k < s[i]->nkey; k++)
            if (strcmp(s[i]->key[k].name, name) == 0) {
                if (section)
                    *section = i;
                return &s[i]->key[k];
            }
    return NULL;
}

const char *poise__key_condition(const char *text, char *buf, size_t size)
{
    size_t n = strcspn(text, ":");
    snprintf(buf, size, "%.*s", (int)n, text);
    return text[n] ? text + n + 2 : NULL;
}

const char *poise__word_next(const char *words, char *buf, size_t size)
{
    size_t n;
    if (!words)
        return NULL;
    words += strspn(words, " ");
    n = strcspn(words, " ");
    snprintf(buf, size, "%.*s", (int)n, words);
    return n ? words + n : NULL;
}

const char *poise_key_help(const poise_key *k, char *buf, size_t size)
{
    snprintf(buf, size, "%s%s%s%s%s", k->help, k->needs ? "; needs " : "", k->needs ? k->needs : "",
             k->without ? "; not beside " : "", k->without ? k->without : "");
    return buf;
}

/* ---- one key and another ---- */

static int is_initial(const poise_key *k, const poise__yaml *v)
{
    poise__yaml initial = {.kind = POISE__SCALAR, .text = k->initial, .plain = 1};
    double is, was;
    if (!k->initial || v->kind != POISE__SCALAR)
        return 0;
    if (poise__yaml_number(v, &is) == 0 && poise__yaml_number(&initial, &was) == 0)
        return is >= was && is <= was;
    return strcmp(v->text, k->initial) == 0;
}

/* 1 if the key, with `v` (NULL: it is not there), is what a condition asks for. */
static int holds(const poise_key *k, const poise__yaml *v, const char *value)
{
    if (v && v->wrong)
        return 1;
    if (!value)
        return v && !is_initial(k, v);
    if (!v)
        return k->initial && strcmp(k->initial, value) == 0;
    return v->kind == POISE__SCALAR && strcmp(v->text, value) == 0;
}

static int check_key(poise__reading *r, const poise__yaml *node, const poise__yaml *key,
                     const poise_key *row, int nsection, const poise_section *const *s)
{
    const char *const text[] = {row->needs, row->without};
    char name[80];
    int bad = 0;
    for (int k = 0; k < 2; k++) {
        const char *value = text[k] ? poise__key_condition(text[k], name, sizeof(name)) : NULL;
        const poise_key *other = text[k] ? poise__key_find(nsection, s, name, NULL) : NULL;
        if (!other || holds(other, poise__yaml_get(node, name), value) == (k == 0) ||
            poise__misspelt(node, nsection, s, name))
            continue;
        bad = poise_diagnose(r->diag, key->place,
                             k == 0 ? "'%s' does nothing without '%s' beside it"
                                    : "'%s' does nothing beside '%s'; leave out one of the two",
                             row->name, text[k]);
    }
    return bad;
}

int poise__key_idle(poise__arena *a, const poise_section *s, const poise_key *k, const void *from)
{
    const char *const text[] = {k->needs, k->without};
    char name[80];
    poise_error err;
    for (int i = 0; i < 2; i++) {
        const char *value = text[i] ? poise__key_condition(text[i], name, sizeof(name)) : NULL;
        const poise_key *other = text[i] ? poise__key_find(1, &s, name, NULL) : NULL;
        int skip;
        if (!other)
            continue;
        const poise__yaml *v =
            poise__key_write(a, other, (const char *)from + other->offset, &skip, &err);
        if (v && holds(other, v, value) != (i == 0))
            return 1;
    }
    return 0;
}

/* ---- what must be there ---- */

/* "neither 'a' nor 'b'", "none of a, b, c" */
static void none_of(const char *words, char *buf, size_t size)
{
    char name[80];
    size_t used = 0;
    int n = 0, k = 0;
    for (const char *next = words; (next = poise__word_next(next, name, sizeof(name))) != NULL;)
        n++;
    if (n != 2)
        used = (size_t)snprintf(buf, size, "none of ");
    for (const char *next = words;
         used < size && (next = poise__word_next(next, name, sizeof(name))) != NULL; k++)
        used += (size_t)(n == 2 ? snprintf(buf + used, size - used, "%s '%s'",
                                           k ? " nor" : "neither", name)
                                : snprintf(buf + used, size - used, k ? ", %s" : "%s", name));
}

/* `unknown`: there is a key of no section, which may be meant for what is missing. */
static int check_section(poise__reading *r, const poise__yaml *node, const char *what,
                         const poise_section *s, int unknown)
{
    const char *words = s->one_of ? s->one_of : s->some_of;
    char name[80], first[80] = "", none[300];
    int bad = 0;
    if (!words)
        return 0;
    for (const char *next = words; (next = poise__word_next(next, name, sizeof(name))) != NULL;) {
        if (!poise__yaml_get(node, name))
            continue;
        if (s->one_of && first[0])
            bad = poise_diagnose(r->diag, poise__yaml_get(node, name)->place,
                                 "%s has '%s' and '%s'; it is one or the other", what, first, name);
        else
            snprintf(first, sizeof(first), "%s", name);
    }
    if (first[0] || unknown)
        return bad;
    none_of(words, none, sizeof(none));
    return poise_diagnose(r->diag, node->place, "%s has %s; one of them must be there", what, none);
}

int poise__keys_fit(poise__reading *r, const poise__yaml *node, const char *what, int nsection,
                    const poise_section *const *s)
{
    int bad = 0, unknown = 0;
    for (size_t i = 0; i < node->n; i++) {
        const poise_key *row = poise__key_find(nsection, s, node->key[i]->text, NULL);
        unknown |= !row;
        if (row && !r->resolved)
            bad |= check_key(r, node, node->key[i], row, nsection, s);
    }
    for (int i = 0; i < nsection; i++)
        bad |= check_section(r, node, what, s[i], unknown);
    return bad;
}
