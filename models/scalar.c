/* What nodes mean, and making them by hand. */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "yaml.h"

poise__yaml *poise__yaml_new(poise__arena *a, poise__yaml_kind kind, poise_place place,
                             poise_error *err)
{
    poise__yaml *n = poise__arena_alloc(a, 1, sizeof(*n), err);
    if (n) {
        n->kind = kind;
        n->place = place;
    }
    return n;
}

poise__yaml *poise__yaml_scalar(poise__arena *a, const char *text, int plain, poise_place place,
                                poise_error *err)
{
    poise__yaml *n = poise__yaml_new(a, POISE__SCALAR, place, err);
    if (!n)
        return NULL;
    n->text = poise__arena_text(a, text, err);
    n->plain = plain;
    return n->text ? n : NULL;
}

poise__yaml *poise__yaml_share(poise__arena *a, const poise__yaml *n, poise_error *err)
{
    poise__yaml *s = n ? poise__yaml_new(a, n->kind, n->place, err) : NULL;
    if (s)
        *s = *n;
    return s;
}

static poise__yaml **grown(poise__arena *a, poise__yaml **old, size_t n, size_t cap,
                           poise_error *err)
{
    poise__yaml **to = poise__arena_alloc(a, cap, sizeof(*to), err);
    if (to && n > 0 && old)
        memcpy(to, old, n * sizeof(*to));
    return to;
}

int poise__yaml_push(poise__arena *a, poise__yaml *list, poise__yaml *item, poise_error *err)
{
    if (!list || !item)
        return -1;
    if (list->n == list->cap) {
        size_t cap = list->cap ? list->cap * 2 : 4;
        poise__yaml **to = grown(a, list->item, list->n, cap, err);
        if (!to)
            return -1;
        list->item = to;
        if (list->kind == POISE__MAP && !(list->key = grown(a, list->key, list->n, cap, err)))
            return -1;
        list->cap = cap;
    }
    list->item[list->n++] = item;
    return 0;
}

int poise__yaml_append(poise__arena *a, poise__yaml *map, poise__yaml *key, poise__yaml *item,
                       poise_error *err)
{
    if (!key || poise__yaml_push(a, map, item, err) < 0)
        return -1;
    map->key[map->n - 1] = key;
    return 0;
}

int poise__yaml_put(poise__arena *a, poise__yaml *map, poise__yaml *key, poise__yaml *item,
                    poise_error *err)
{
    if (!map || !key || !item)
        return -1;
    for (size_t i = 0; i < map->n; i++)
        if (strcmp(map->key[i]->text, key->text) == 0) {
            map->key[i] = key;
            map->item[i] = item;
            return 0;
        }
    return poise__yaml_append(a, map, key, item, err);
}

int poise__yaml_set(poise__arena *a, poise__yaml *map, const char *key, poise__yaml *item,
                    poise_error *err)
{
    if (!map || !item)
        return -1;
    poise__yaml *k = poise__yaml_scalar(a, key, poise__yaml_plain(key), item->place, err);
    return poise__yaml_put(a, map, k, item, err);
}

poise__yaml *poise__yaml_get(const poise__yaml *map, const char *key)
{
    if (map && map->kind == POISE__MAP)
        for (size_t i = 0; i < map->n; i++)
            if (strcmp(map->key[i]->text, key) == 0)
                return map->item[i];
    return NULL;
}

int poise__yaml_equal(const poise__yaml *a, const poise__yaml *b)
{
    if (!a || !b || a == b)
        return a == b;
    if (a->kind != b->kind || a->n != b->n)
        return 0;
    if (a->kind == POISE__SCALAR)
        return strcmp(a->text, b->text) == 0;
    int equal = 1;
    for (size_t i = 0; i < a->n && equal; i++)
        equal = poise__yaml_equal(
            a->item[i], a->kind == POISE__MAP ? poise__yaml_get(b, a->key[i]->text) : b->item[i]);
    return equal;
}

/* Digits, with a point and an exponent where `real`. */
static int is_decimal(const char *s)
{
    s += *s == '+' || *s == '-';
    int digits = 0;
    for (; isdigit((unsigned char)*s); s++)
        digits = 1;
    if (*s == '.')
        for (s++; isdigit((unsigned char)*s); s++)
            digits = 1;
    if (!digits)
        return 0;
    if (*s == 'e' || *s == 'E') {
        s++;
        s += *s == '+' || *s == '-';
        if (!isdigit((unsigned char)*s))
            return 0;
        while (isdigit((unsigned char)*s))
            s++;
    }
    return *s == 0;
}

static int is_whole(const char *s)
{
    s += *s == '+' || *s == '-';
    if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X'))
        return s[2] != 0 && s[2 + strspn(s + 2, "0123456789abcdefABCDEF")] == 0;
    return *s != 0 && s[strspn(s, "0123456789")] == 0;
}

int poise__yaml_int(const poise__yaml *n, int64_t *value)
{
    if (!n || n->kind != POISE__SCALAR || !n->plain)
        return -1;
    if (is_whole(n->text)) {
        const char *s = n->text + (n->text[0] == '+' || n->text[0] == '-');
        int hex = s[0] == '0' && (s[1] == 'x' || s[1] == 'X');
        errno = 0;
        long long v = strtoll(n->text, NULL, hex ? 16 : 10);
        if (errno)
            return -1;
        *value = v;
        return 0;
    }
    if (!is_decimal(n->text))
        return -1;
    double d = strtod(n->text, NULL);
    if (!(fabs(d) <= 9007199254740992.0) || floor(d) < d)
        return -1;
    *value = (int64_t)d;
    return 0;
}

int poise__yaml_number(const poise__yaml *n, double *value)
{
    int64_t whole;
    if (!n || n->kind != POISE__SCALAR || !n->plain)
        return -1;
    if (is_whole(n->text) && poise__yaml_int(n, &whole) == 0) {
        *value = (double)whole;
        return 0;
    }
    if (!is_decimal(n->text))
        return -1;
    double d = strtod(n->text, NULL);
    if (!isfinite(d))
        return -1;
    *value = d;
    return 0;
}

int poise__yaml_bool(const poise__yaml *n, int *value)
{
    if (!n || n->kind != POISE__SCALAR || !n->plain)
        return -1;
    int yes = strcmp(n->text, "true") == 0;
    if (!yes && strcmp(n->text, "false") != 0)
        return -1;
    *value = yes;
    return 0;
}

int poise__yaml_null(const poise__yaml *n)
{
    return n->kind == POISE__SCALAR && n->plain &&
           (n->text[0] == 0 || strcmp(n->text, "~") == 0 || strcmp(n->text, "null") == 0);
}

int poise__yaml_plain(const char *text)
{
    static const char *const words[] = {"true", "false", "null"};
    if (!isalpha((unsigned char)text[0]) && text[0] != '_')
        return 0;
    for (const char *c = text; *c; c++)
        if (!isalnum((unsigned char)*c) && *c != '_' && *c != '-' && *c != '.')
            return 0;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(text, words[i]) == 0)
            return 0;
    return 1;
}

const char *poise__yaml_show(const poise__yaml *n, char *buf, size_t size)
{
    if (n->kind == POISE__MAP)
        snprintf(buf, size, n->n ? "a mapping" : "an empty mapping");
    else if (n->kind == POISE__LIST && n->n == 0)
        snprintf(buf, size, "an empty list");
    else if (n->kind == POISE__LIST)
        snprintf(buf, size, "a list of %zu", n->n);
    else if (poise__yaml_null(n))
        snprintf(buf, size, "empty");
    else
        snprintf(buf, size, n->plain ? "'%.80s'" : "the text '%.80s'", n->text);
    return buf;
}
