/* The kind mlp: dense layers one after the other. */
#include "activation.h"
#include "layer.h"

enum { WIDEST = 65536 };
enum { NORM_NONE, NORM_LAYER, NORM_BATCH };

typedef struct mlp_keys {
    poise__ints units;
    poise__references input;
    poise__ints activation, norm; /* one, or one for each of units */
    poise__numbers dropout;
} mlp_keys;

static const char *const norms[] = {"none", "layer", "batch", NULL};
static const poise_key rows[] = {
    {.name = "mlp",
     .kind = POISE_KEY_INTS,
     .required = 1,
     .min = 1,
     .max = WIDEST,
     POISE__INTO(mlp_keys, units),
     .help = "widths of its dense layers"},
    {.name = "input",
     .kind = POISE_KEY_REFERENCES,
     .required = 1,
     POISE__INTO(mlp_keys, input),
     .help = "what it reads; a list is put side by side"},
    {.name = "activation",
     .kind = POISE_KEY_CHOICES,
     .initial = "relu",
     .choice = poise__activation_names,
     POISE__INTO(mlp_keys, activation),
     .help = "after every dense layer (leaky_relu: slope 0.01); a list: after each its own"},
    {.name = "norm",
     .kind = POISE_KEY_CHOICES,
     .initial = "none",
     .choice = norms,
     POISE__INTO(mlp_keys, norm),
     .help = "normalisation between dense layer and activation"},
    {.name = "dropout",
     .kind = POISE_KEY_NUMBERS,
     .initial = "0",
     .max = 0.99,
     POISE__INTO(mlp_keys, dropout),
     .help = "after every activation, probability of a zero in training"},
};

/* Entry k of what is said once, or once for each dense layer. */
static int64_t choice_at(const poise__ints *of, int k)
{
    return of->value[of->n == 1 ? 0 : k];
}

static double number_at(const poise__numbers *of, int k)
{
    return of->value[of->n == 1 ? 0 : k];
}

/* Of what could not be read n is 0. */
static int check_entries(poise__reading *r, const poise__layer *l, const poise__ints *units,
                         const char *name, int n)
{
    if (n <= 1 || units->n == 0 || n == units->n)
        return 0;
    return poise_diagnose(r->diag, l->place,
                          "mlp '%s' has %d dense layer%s, but %d entries of %s; write one, or one "
                          "for each",
                          l->name, units->n, units->n == 1 ? "" : "s", n, name);
}

static int agree(poise__reading *r, const poise__layer *l, const void *own)
{
    const mlp_keys *k = own;
    int bad = check_entries(r, l, &k->units, "activation", k->activation.n);
    bad |= check_entries(r, l, &k->units, "norm", k->norm.n);
    return check_entries(r, l, &k->units, "dropout", k->dropout.n) | bad;
}

static int shape(const poise__shaper *c, const poise__instance *i, poise__shape *out)
{
    const mlp_keys *k = i->own;
    const int64_t copies = i->copies ? i->copies : 1;
    poise__shape in;
    *out = (poise__shape){.stack = i->copies};
    if (poise__concat_shape(c, i, "input", &k->input, i->copies, &in) < 0)
        return -1;
    out->width = k->units.value[k->units.n - 1];
    out->parameters = copies * poise__hidden_parameters(&k->units, in.width);
    for (int j = 0; j < k->units.n && in.width > 0; j++)
        if (choice_at(&k->norm, j) != NORM_NONE)
            out->parameters += 2 * copies * k->units.value[j];
    return 0;
}

static int output(poise__reading *r, const poise__instance *i)
{
    const mlp_keys *k = i->own;
    if (choice_at(&k->activation, k->units.n - 1) == POISE__ACT_none)
        return 0;
    return poise_diagnose(r->diag, i->layer->place,
                          "'%s' is the tasks' output: the losses want it without an activation "
                          "(activation: none, or a dense layer)",
                          i->layer->name);
}

static poise_value *build(poise__builder *b, const poise__instance *i)
{
    const mlp_keys *k = i->own;
    poise_value *x = poise__concat_value(b, i, &k->input);
    for (int j = 0; x && j < k->units.n; j++) {
        const int activation = (int)choice_at(&k->activation, j);
        const int64_t norm = choice_at(&k->norm, j);
        const char *path = poise_graph_text(b->g, b->err, "%s/%d", i->name, j);
        const char *norm_path = path ? poise_graph_text(b->g, b->err, "%s/norm", path) : NULL;
        if (!norm_path)
            return NULL;
        x = poise__linear(b, x, path, i->copies, x->dim[x->rank - 1], k->units.value[j],
                          activation);
        if (norm == NORM_LAYER)
            x = poise__layer_norm(b, x, norm_path);
        else if (norm == NORM_BATCH)
            x = poise__batch_norm(b, x, norm_path);
        x = x ? poise__activate(b->g, x, activation, b->err) : NULL;
        x = poise__dropped(b, x, number_at(&k->dropout, j), path);
    }
    return x;
}

const poise__layer_kind poise__mlp_kind = {
    .section = {.name = "mlp",
                .about = "dense layers one after the other, each with an activation",
                POISE__ROWS(rows)},
    .own = sizeof(mlp_keys),
    .copies = 1,
    .agree = agree,
    .shape = shape,
    .output = output,
    .build = build};
