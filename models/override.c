/* --set KEY=VALUE, applied to the tree before it is checked. */
#include <string.h>
#include "sections.h"

/* What a scalar short form is short for: `model: mmoe` is {use: mmoe}.  Others ({adam: {}}) name
 * the mapping that may follow. */
static const char *const opened[][2] = {{"model", "use"}, {"balancer", "use"}, {"label", "column"}};

static poise__yaml *open_scalar(poise__reading *r, const char *key, poise__yaml *scalar,
                                const char *next, poise_error *err)
{
    poise__yaml *map = poise__yaml_new(r->arena, POISE__MAP, scalar->place, err);
    for (int k = 0; k < POISE__COUNT(opened); k++)
        if (strcmp(opened[k][0], key) == 0)
            return poise__yaml_set(r->arena, map, opened[k][1], scalar, err) < 0 ? NULL : map;
    if (strcmp(scalar->text, next) != 0)
        return map;
    poise__yaml *inner = poise__yaml_new(r->arena, POISE__MAP, scalar->place, err);
    return poise__yaml_put(r->arena, map, scalar, inner, err) < 0 ? NULL : map;
}

static int set(poise__reading *r, poise__yaml *root, char *path, poise__yaml *value,
               poise_place place, poise_error *err)
{
    poise__yaml *map = root;
    for (;;) {
        char *dot = strchr(path, '.');
        if (dot)
            *dot = 0;
        if (path[0] == 0)
            return poise_fail(err, POISE_E_SPEC, place,
                              "a key is empty; write --set SECTION.KEY=VALUE");
        poise__yaml *key = poise__yaml_scalar(r->arena, path, 1, place, err);
        if (!dot)
            return poise__yaml_put(r->arena, map, key, value, err);
        poise__yaml *child = poise__yaml_get(map, path);
        poise__yaml *open = child;
        if (!child || (child->kind == POISE__SCALAR && poise__yaml_null(child)))
            open = poise__yaml_new(r->arena, POISE__MAP, place, err);
        else if (child->kind == POISE__SCALAR) {
            char *next = dot + 1, *end = strchr(next, '.');
            if (end)
                *end = 0;
            open = open_scalar(r, path, child, next, err);
            if (end)
                *end = '.';
        } else if (child->kind == POISE__LIST)
            return poise_fail(err, POISE_E_SPEC, place,
                              "'%.80s' is a list, which has no key '%.80s'; set the whole list",
                              path, dot + 1);
        if (open != child && poise__yaml_put(r->arena, map, key, open, err) < 0)
            return -1;
        map = open;
        path = dot + 1;
    }
}

static int apply(poise__reading *r, poise__yaml *root, const poise_override *o, const char *said)
{
    poise_error err;
    const char *file = said ? poise__arena_text(r->arena, said, &err)
                            : poise__arena_printf(r->arena, &err, "--set %s=%s", o->key, o->value);
    char *path = file ? poise__arena_text(r->arena, o->key, &err) : NULL;
    if (!path)
        return poise_diagnose_error(r->diag, &err);
    poise_place place = {file, 1, 1};
    if (o->value[0] == 0)
        return poise_diagnose(r->diag, place, "there is no value; write KEY=VALUE");
    poise__yaml *value = poise__yaml_parse(o->value, strlen(o->value), file, r->arena, r->diag);
    if (!value)
        return -1;
    if (set(r, root, path, value, place, &err) < 0)
        return poise_diagnose_error(r->diag, &err);
    return 0;
}

int poise__overrides(poise__reading *r, poise__yaml *root, int n, const poise_override *o)
{
    int bad = 0;
    for (int k = 0; k < n && root->kind == POISE__MAP; k++) /* else the file itself is refused */
        bad |= apply(r, root, &o[k], k == 0 ? r->options.first_override : NULL);
    return bad;
}
