#include <stdio.h>
#include <string.h>
#include "sections.h"

static int read_signals(poise__reading *r, const poise__yaml *v, void *into);
static int read_shared_only(poise__reading *r, const poise__yaml *v, void *into);
static int read_setting(poise__reading *r, const poise__yaml *key, const poise__yaml *v,
                        void *into);

typedef struct balancer_keys {
    poise_balancer_spec spec; /* first: the sections' fields are its */
    poise_setting *setting;   /* [the mapping's entries] */
} balancer_keys;

static const poise_key balancer_rows[] = {
    {.name = "use",
     .kind = POISE_KEY_TEXT,
     .required = 1,
     POISE__INTO(balancer_keys, spec.use),
     .help = "name of a strategy, or path of its shared object, relative to the spec's folder"},
    {.name = "signals",
     .kind = POISE_KEY_OWN,
     .read = read_signals,
     .form = "mapping (signals)",
     .help = "what the gradient norms and products are of"},
    {.name = "shared_only",
     .kind = POISE_KEY_OWN,
     .read = read_shared_only,
     .form = "true | false",
     .help = "true: a weight scales the shared gradient alone; false: the whole task loss; without "
             "it: as the strategy says"},
};
const poise_section poise__balancer_section = {
    .name = "balancer",
    .about = "how the tasks' losses are weighed: a name, or this mapping",
    POISE__ROWS(balancer_rows),
    .other = read_setting,
    .other_help = "every other key is a setting of the strategy: one value, or {task: value}"};

static const char *const scopes[] = {"last", "all", NULL}; /* as poise_scope */
static const poise_key signals_rows[] = {
    {.name = "scope",
     .kind = POISE_KEY_CHOICE,
     .initial = "last",
     .choice = scopes,
     POISE__INTO(balancer_keys, spec.scope),
     .help = "gradients of the last shared layer, or of all shared layers"},
};
const poise_section poise__signals_section = {
    .name = "signals", .about = "what the strategy measures", POISE__ROWS(signals_rows)};

static int read_signals(poise__reading *r, const poise__yaml *v, void *into)
{
    return poise__keys_read(r, v, "signals", &poise__signals_section, into);
}

static int read_shared_only(poise__reading *r, const poise__yaml *v, void *into)
{
    static const poise_key row = {.name = "shared_only",
                                  .kind = POISE_KEY_BOOL,
                                  POISE__INTO(balancer_keys, spec.shared_only)};
    return poise__key_read(r, &row, v, into);
}

static int setting_text(poise__reading *r, const char *name, const poise__yaml *v)
{
    char show[120];
    if (v->kind == POISE__SCALAR && !poise__yaml_null(v))
        return 0;
    return poise_diagnose(r->diag, v->place,
                          "setting '%.80s' is %s; it must be one value, or {task: value, ...}",
                          name, poise__yaml_show(v, show, sizeof(show)));
}

/* Kept as texts with places: the strategy's own table decides later what they may be. */
static int read_setting(poise__reading *r, const poise__yaml *key, const poise__yaml *v, void *into)
{
    balancer_keys *k = into;
    int many = v->kind == POISE__MAP && v->n > 0;
    size_t n = many ? v->n : 1;
    const char **text = poise__reading_alloc(r, n, sizeof(*text));
    const char **task = poise__reading_alloc(r, n, sizeof(*task));
    poise_place *at = poise__reading_alloc(r, n, sizeof(*at));
    if (!text || !task || !at)
        return -1;
    int bad = 0;
    for (size_t i = 0; i < n; i++) {
        const poise__yaml *item = many ? v->item[i] : v;
        bad |= setting_text(r, key->text, item);
        text[i] = item->text;
        at[i] = item->place;
        if (!many)
            continue;
        task[i] = v->key[i]->text;
        if (poise__task_find(r->spec->schema, task[i]) < 0)
            bad |= poise__task_unknown(r, v->key[i]->place, "there is no task", task[i]);
    }
    k->setting[k->spec.nsetting++] = (poise_setting){.name = key->text,
                                                     .place = key->place,
                                                     .n = (int)n,
                                                     .task = many ? task : NULL,
                                                     .text = text,
                                                     .at = at};
    return bad;
}

/* With a '/' in it: without one the system would look elsewhere. */
static const char *object_path(poise__reading *r, const char *use)
{
    poise_error err;
    const char *path = poise__reading_path(r, use);
    if (!path || strchr(path, '/'))
        return path;
    path = poise__arena_printf(r->arena, &err, "./%s", path);
    if (!path)
        poise_diagnose_error(r->diag, &err);
    return path;
}

int poise__read_balancer(poise__reading *r, const poise__yaml *node)
{
    balancer_keys k = {.spec = {.use = "equal", .shared_only = -1, .every = 1}};
    int bad = 0;
    if (node) {
        k.spec.place = node->place;
        k.setting = poise__reading_alloc(r, node->n, sizeof(*k.setting));
        if (!k.setting)
            return -1;
        k.spec.setting = k.setting;
        if (node->kind == POISE__MAP)
            bad = poise__keys_read(r, node, "balancer", &poise__balancer_section, &k);
        else {
            poise_key row = balancer_rows[0];
            row.name = "balancer";
            bad = poise__key_read(r, &row, node, &k);
        }
        const poise__yaml *use = poise__yaml_get(node, "use");
        if (use)
            k.spec.place = use->place;
    }
    if (bad)
        return -1;
    size_t length = strlen(k.spec.use);
    int path = strchr(k.spec.use, '/') || (length > 3 && !strcmp(k.spec.use + length - 3, ".so"));
    if (path && !(k.spec.use = object_path(r, k.spec.use)))
        return -1;
    poise_balancer_spec *phase = poise__reading_alloc(r, 1, sizeof(*phase));
    if (!phase)
        return -1;
    *phase = k.spec;
    r->spec->balancer = k.spec;
    r->spec->phase = phase;
    r->spec->nphase = 1;
    return 0;
}
