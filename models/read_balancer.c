#include <stdio.h>
#include <string.h>
#include "network.h"
#include "sections.h"

static int read_scope(poise__reading *r, const poise__yaml *v, void *into);
static int read_initial(poise__reading *r, const poise__yaml *v, void *into);
static int read_signals(poise__reading *r, const poise__yaml *v, void *into);
static int read_weights(poise__reading *r, const poise__yaml *v, void *into);
static int read_shared_only(poise__reading *r, const poise__yaml *v, void *into);
static int read_setting(poise__reading *r, const poise__yaml *key, const poise__yaml *v,
                        void *into);

typedef struct balancer_keys {
    poise_balancer_spec spec; /* first: the rows' fields are its */
    poise_setting *setting;   /* [the mapping's entries] */
} balancer_keys;

static const poise_key balancer_rows[] = {
    {.name = "use",
     .kind = POISE_KEY_TEXT,
     .required = 1,
     POISE__INTO(poise_balancer_spec, use),
     .help = "name of a strategy, or path of its shared object, relative to the spec's folder"},
    {.name = "signals",
     .kind = POISE_KEY_OWN,
     .read = read_signals,
     .form = "mapping (signals)",
     .schema = "<signals>",
     .help = "what the strategy measures"},
    {.name = "shared_only",
     .kind = POISE_KEY_OWN,
     .read = read_shared_only,
     .form = "true | false",
     .schema = "boolean",
     .help = "true: a weight scales the shared gradient alone; false: the whole task loss; without "
             "it: as the strategy says"},
    {.name = "weights",
     .kind = POISE_KEY_OWN,
     .read = read_weights,
     .form = "mapping (weights)",
     .schema = "<weights>",
     .help = "what is done with the weights that the strategy says"},
    {.name = "clip",
     .kind = POISE_KEY_NUMBER,
     .initial = "0",
     .min = 0,
     .max = 1e30,
     POISE__INTO(poise_balancer_spec, clip),
     .help = "bound on the L2 norm of the combined gradient of the shared parameters; 0: none"},
    {.name = "epochs",
     .kind = POISE_KEY_INT,
     .min = 1,
     .max = 1e6,
     POISE__INTO(poise_balancer_spec, epochs),
     .help = "in a list: how many epochs this one weighs before the next; not for the last"},
};
const poise_section poise__balancer_section = {
    .name = "balancer",
    .about = "how the tasks' losses are weighed: a name, this mapping, or a list of them",
    POISE__ROWS(balancer_rows),
    .other = read_setting,
    .other_help = "every other key is a setting of the strategy: one value, or {task: value}",
    .other_schema = "text | map of text"};

/* as poise_scope, poise_initial; the last of each is written in its own form */
const char *const poise__scopes[] = {"last", "all", "representation", NULL};
const char *const poise__initials[] = {"first", "base_rate", NULL};

static const poise_key signals_rows[] = {
    {.name = "scope",
     .kind = POISE_KEY_OWN,
     .initial = "last",
     .read = read_scope,
     .form = "last | all | representation | list of layers",
     .schema = "'last' | 'all' | 'representation' | list of text",
     .help = "gradients of the last shared layer, of all shared layers, of the shared layers' "
             "outputs, or of the layers named"},
    {.name = "initial",
     .kind = POISE_KEY_OWN,
     .initial = "first",
     .read = read_initial,
     .form = "first | base_rate | {mean: N}",
     .schema = "'first' | 'base_rate' | {mean: integer 1 1e9}",
     .help = "the loss that progress is measured from: a task's first, that of predicting the "
             "label's rate, or the mean of the first N steps"},
};
const poise_section poise__signals_section = {
    .name = "signals", .about = "what the strategy measures", POISE__ROWS(signals_rows)};

static const char *const normalises[] = {"none", "sum", "mean", NULL}; /* as poise_normalise */
static const poise_key weights_rows[] = {
    {.name = "normalise",
     .kind = POISE_KEY_CHOICE,
     .initial = "none",
     .choice = normalises,
     POISE__INTO(poise_balancer_spec, normalise),
     .help = "sum: the weights are scaled to sum to 1; mean: to have the mean 1"},
    {.name = "every",
     .kind = POISE_KEY_INT,
     .initial = "1",
     .min = 1,
     .max = 1e9,
     POISE__INTO(poise_balancer_spec, every),
     .help = "steps that weights are used for before the strategy says new ones"},
    {.name = "smooth",
     .kind = POISE_KEY_NUMBER,
     .initial = "0",
     .min = 0,
     .max = 0.9999999,
     POISE__INTO(poise_balancer_spec, smooth),
     .help = "a: w = a w + (1 - a) of the strategy's new weights; 0: off"},
};
const poise_section poise__weights_section = {.name = "weights",
                                              .about =
                                                  "what is done with the weights of any strategy",
                                              POISE__ROWS(weights_rows)};

static int read_signals(poise__reading *r, const poise__yaml *v, void *into)
{
    return poise__keys_read(r, v, "signals", &poise__signals_section, into);
}

static int read_weights(poise__reading *r, const poise__yaml *v, void *into)
{
    return poise__keys_read(r, v, "weights", &poise__weights_section, into);
}

static int read_shared_only(poise__reading *r, const poise__yaml *v, void *into)
{
    static const poise_key row = {.name = "shared_only",
                                  .kind = POISE_KEY_BOOL,
                                  POISE__INTO(poise_balancer_spec, shared_only)};
    return poise__key_read(r, &row, v, into);
}

/* The index of a word in a NULL-terminated list, or -1 after a diagnosis. */
static int word(poise__reading *r, const char *what, const poise__yaml *v, const char *const *known)
{
    int n = 0;
    for (; known[n]; n++)
        if (strcmp(known[n], v->text) == 0)
            return n;
    return poise__unknown(r, v->place, what, v->text, n, known);
}

/* One name of `scope: [...]`; `known` are the layers of the model, where those could be read; `shared`
 * tells for each whether two tasks need it, and is NULL where the model is wrong. */
static int check_layer(poise__reading *r, const poise__yaml *v, int n, const char *const *before,
                       const char *const *known, const int *shared)
{
    const poise_model *m = r->spec->model;
    char show[120];
    if (v->kind != POISE__SCALAR || poise__yaml_null(v))
        return poise_diagnose(r->diag, v->place, "scope names %s; it must be a layer's name",
                              poise__yaml_show(v, show, sizeof(show)));
    for (int k = 0; k < n; k++)
        if (before[k] && strcmp(before[k], v->text) == 0)
            return poise_diagnose(r->diag, v->place, "scope names '%.80s' twice", v->text);
    for (int k = 0; r->layers_read && k < m->nlayer; k++)
        if (strcmp(known[k], v->text) == 0)
            return !shared || shared[k]
                       ? 0
                       : poise_diagnose(r->diag, v->place,
                                        "layer '%.80s' is not shared by two tasks; scope is "
                                        "of shared layers",
                                        v->text);
    return r->layers_read
               ? poise__unknown(r, v->place, "the model has no layer", v->text, m->nlayer, known)
               : 0;
}

static int read_layers(poise__reading *r, const poise__yaml *v, poise_balancer_spec *b)
{
    const poise_model *m = r->spec->model;
    size_t nlayer = r->layers_read ? (size_t)m->nlayer : 0;
    poise_error err;
    if (v->n == 0)
        return poise_diagnose(r->diag, v->place,
                              "scope is an empty list; name at least one shared layer");
    const char **layer = poise__reading_alloc(r, v->n, sizeof(*layer));
    const char **known = poise__reading_alloc(r, nlayer, sizeof(*known));
    int *shared = poise__reading_alloc(r, nlayer, sizeof(*shared)), bad = 0;
    if (!layer || !known || !shared)
        return -1;
    for (size_t k = 0; k < nlayer; k++)
        known[k] = m->layer[k].name;
    if (r->model_read && poise__shared_layers(m, shared, &err) < 0)
        return poise_diagnose_error(r->diag, &err);
    for (size_t i = 0; i < v->n; i++) {
        bad |= check_layer(r, v->item[i], (int)i, layer, known, r->model_read ? shared : NULL);
        layer[i] = v->item[i]->text;
    }
    b->scope = POISE_SCOPE_LAYERS;
    b->nlayer = (int)v->n;
    b->layer = layer;
    return bad;
}

static int read_scope(poise__reading *r, const poise__yaml *v, void *into)
{
    poise_balancer_spec *b = into;
    char show[120];
    if (v->kind == POISE__LIST)
        return read_layers(r, v, b);
    if (v->kind == POISE__MAP || poise__yaml_null(v))
        return poise_diagnose(r->diag, v->place,
                              "scope is %s; it must be last, all, representation or a list of "
                              "layers",
                              poise__yaml_show(v, show, sizeof(show)));
    int k = word(r, "scope is", v, poise__scopes);
    b->scope = k < 0 ? POISE_SCOPE_LAST : (poise_scope)k;
    return k < 0 ? -1 : 0;
}

static int read_initial(poise__reading *r, const poise__yaml *v, void *into)
{
    static const poise_key mean = {.name = "mean",
                                   .kind = POISE_KEY_INT,
                                   .min = 1,
                                   .max = 1e9,
                                   POISE__INTO(poise_balancer_spec, initial_steps)};
    poise_balancer_spec *b = into;
    char show[120];
    if (v->kind == POISE__MAP && v->n == 1 && strcmp(v->key[0]->text, mean.name) == 0) {
        b->initial = POISE_INITIAL_MEAN;
        return poise__key_read(r, &mean, v->item[0], b);
    }
    if (v->kind != POISE__SCALAR || poise__yaml_null(v) || strcmp(v->text, mean.name) == 0)
        return poise_diagnose(r->diag, v->place,
                              "initial is %s; it must be first, base_rate or {mean: N}, N steps",
                              poise__yaml_show(v, show, sizeof(show)));
    int k = word(r, "initial is", v, poise__initials);
    b->initial = k == 1 ? POISE_INITIAL_BASE_RATE : POISE_INITIAL_FIRST;
    return k < 0 ? -1 : 0;
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
    if (bad) /* the strategy hears of what is right */
        return -1;
    k->setting[k->spec.nsetting++] = (poise_setting){.name = key->text,
                                                     .place = key->place,
                                                     .n = (int)n,
                                                     .task = many ? task : NULL,
                                                     .text = text,
                                                     .at = at};
    return 0;
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

/* One entry; NULL: the default.  After a diagnosis to->use is NULL where there is nothing to go on
 * with. */
static int read_one(poise__reading *r, const poise__yaml *node, poise_balancer_spec *to)
{
    balancer_keys k = {.spec = {.use = node ? NULL : "equal", .shared_only = -1, .every = 1}};
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
    if (!k.spec.use)
        return -1;
    size_t length = strlen(k.spec.use);
    int path = strchr(k.spec.use, '/') || (length > 3 && !strcmp(k.spec.use + length - 3, ".so"));
    if (path && !(k.spec.use = object_path(r, k.spec.use)))
        return -1;
    *to = k.spec;
    return bad;
}

/* Every entry but the last says how long it weighs. */
static int check_epochs(poise__reading *r, const poise__yaml *node, int k, int n)
{
    const poise__yaml *epochs = poise__yaml_get(node, "epochs");
    if (k < n - 1 && !epochs)
        return poise_diagnose(r->diag, node->place,
                              "balancer %d of %d has no 'epochs': only the last one weighs to the "
                              "end",
                              k + 1, n);
    if (k == n - 1 && epochs)
        return poise_diagnose(r->diag, epochs->place,
                              "%s weighs to the end; leave out 'epochs', or put another after it "
                              "in a list",
                              n > 1 ? "the last balancer" : "the only balancer");
    return 0;
}

int poise__read_balancer(poise__reading *r, const poise__yaml *node)
{
    int many = node && node->kind == POISE__LIST, bad = 0;
    char show[120];
    if (many && node->n == 0)
        return poise_diagnose(r->diag, node->place,
                              "balancer is an empty list; name at least one strategy");
    int n = many ? (int)node->n : 1;
    poise_balancer_spec *phase = poise__reading_alloc(r, (size_t)n, sizeof(*phase));
    if (!phase)
        return -1;
    int kept = 0;
    for (int k = 0; k < n; k++) {
        const poise__yaml *entry = many ? node->item[k] : node;
        if (entry && entry->kind == POISE__LIST) {
            bad = poise_diagnose(r->diag, entry->place,
                                 "balancer %d of %d is %s; it must be a name or a mapping", k + 1,
                                 n, poise__yaml_show(entry, show, sizeof(show)));
            continue;
        }
        bad |= read_one(r, entry, &phase[kept]);
        kept += phase[kept].use != NULL;
        bad |= entry ? check_epochs(r, entry, k, n) : 0;
    }
    r->spec->balancer = phase[0];
    r->spec->phase = phase;
    r->spec->nphase = kept;
    return bad;
}

void poise__check_schedule(poise__reading *r)
{
    const poise_spec *s = r->spec;
    int64_t begins = 0;
    for (int k = 0; k + 1 < s->nphase; k++) {
        begins += s->phase[k].epochs;
        if (begins >= s->train.epochs) {
            poise_warn(r->diag, s->phase[k + 1].place,
                       "balancer %d of %d begins after %lld epochs, but train.epochs is %d: it is "
                       "never used",
                       k + 2, s->nphase, (long long)begins, s->train.epochs);
            return;
        }
    }
}
