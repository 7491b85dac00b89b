/* Gates: softmax, of all or of the largest; and DSelect-k.
 *
 *     z = dense(mlp(input)) / temperature
 *     softmax    weight = e^z / sum of e^z over the experts, over the `top` largest of them
 *     select     weight = sum over k of softmax(a)[k] select(S(c[k])): each of `select` selectors
 *                has a code c[k] of ceil(log2 experts) bits, a smooth step S, and a weight
 */
#include "activation.h"
#include "gate.h"

enum { MOST_BITS = 12, MOST_SELECTORS = 64 };

#define NETWORK(what)                                                                            \
    {.name = "input",                                                                            \
     .kind = POISE_KEY_REFERENCES,                                                               \
     .required = 1,                                                                              \
     POISE__INTO(poise__gate, input),                                                            \
     .help = what},                                                                              \
        {.name = "mlp",                                                                          \
         .kind = POISE_KEY_INTS,                                                                 \
         .min = 1,                                                                               \
         .max = 65536,                                                                           \
         POISE__INTO(poise__gate, mlp),                                                          \
         .help = "widths of hidden layers between the input and the gate"},                      \
    {                                                                                            \
        .name = "activation", .kind = POISE_KEY_CHOICE, .initial = "relu",                       \
        .choice = poise__activation_names, POISE__INTO(poise__gate, activation), .needs = "mlp", \
        .help = "after every hidden layer"                                                       \
    }

static const poise_key rows[] = {
    NETWORK("what it decides by; a list is put side by side"),
    {.name = "top",
     .kind = POISE_KEY_INT,
     .min = 1,
     .max = 1048576,
     POISE__INTO(poise__gate, top),
     .without = "select",
     .help = "only this many experts, those with the largest weights, count in a row; all are "
             "computed. Without it all count"},
    {.name = "temperature",
     .kind = POISE_KEY_NUMBER,
     .initial = "1",
     .min = 1e-3,
     .max = 1e3,
     POISE__INTO(poise__gate, temperature),
     .without = "select",
     .help = "what the softmax's input is divided by: below 1 sharper, above 1 more even"},
    {.name = "dropout",
     .kind = POISE_KEY_NUMBER,
     .initial = "0",
     .max = 0.99,
     POISE__INTO(poise__gate, dropout),
     .without = "select",
     .help = "probability that an expert is left out of a row in training; the weights of the "
             "others then sum to 1"},
    {.name = "select",
     .kind = POISE_KEY_INT,
     .min = 1,
     .max = MOST_SELECTORS,
     POISE__INTO(poise__gate, select),
     .help =
         "DSelect-k in place of softmax: this many selectors, each of which comes to choose one "
         "expert (Hazimeh et al., NeurIPS 2021)"},
    {.name = "smooth",
     .kind = POISE_KEY_NUMBER,
     .initial = "1",
     .min = 1e-6,
     .max = 1e6,
     POISE__INTO(poise__gate, smooth),
     .needs = "select",
     .help = "width of the selectors' smooth step; a bit is 0 or 1 beyond half of it"},
};
const poise_section poise__gate_section = {
    .name = "gate", .about = "what weighs the experts of a mixture", POISE__ROWS(rows)};

static const poise_key mask_rows[] = {
    NETWORK("what it decides by; a list is put side by side"),
};
const poise_section poise__mask_gate_section = {
    .name = "mask gate", .about = "what a mask is made from", POISE__ROWS(mask_rows)};

static int64_t bits_of(int64_t experts)
{
    int64_t bits = 1;
    while ((INT64_C(1) << bits) < experts)
        bits++;
    return bits;
}

/* ---- shapes ---- */

int64_t poise__gate_parameters(const poise__shaper *c, const poise__instance *i,
                               const poise__gate *k, int64_t outputs)
{
    poise__shape in;
    if (poise__concat_shape(c, i, "gate", &k->input, 0, &in) < 0)
        return -1;
    if (in.width == 0)
        return 0;
    const int64_t last = k->mlp.n ? k->mlp.value[k->mlp.n - 1] : in.width;
    if (k->select)
        outputs = k->select * (1 + bits_of(outputs));
    return poise__hidden_parameters(&k->mlp, in.width) + outputs * (last + 1);
}

int poise__gate_check(const poise__shaper *c, const poise__instance *i, const poise__gate *k,
                      int64_t experts)
{
    const char *name = i->layer->name;
    const poise_place place = k->input.n ? k->input.at[0].place : i->layer->place;
    if (k->top > experts || k->select > experts)
        return poise_diagnose(
            c->diag, place, "gate of '%s': %s is %lld, but there are %lld experts", name,
            k->top ? "top" : "select", (long long)(k->top + k->select), (long long)experts);
    if (k->select && bits_of(experts) > MOST_BITS)
        return poise_diagnose(c->diag, place, "gate of '%s': select is for at most %d experts",
                              name, 1 << MOST_BITS);
    return 0;
}

/* ---- values ---- */

static poise_value *hidden(poise__builder *b, const poise__instance *i, const poise__gate *k,
                           const char *path)
{
    return poise__hidden(b, poise__concat_value(b, i, &k->input), path, &k->mlp, k->activation);
}

poise_value *poise__gate_logits(poise__builder *b, const poise__instance *i, const poise__gate *k,
                                const char *path, int64_t outputs)
{
    poise_value *x = hidden(b, i, k, path);
    return x ? poise__linear(b, x, path, 0, x->dim[1], outputs, POISE__ACT_none) : NULL;
}

/* 0 for the experts that are left out of a row; NULL with *keep NULL where none ever is. */
static int left_out(poise__builder *b, const poise__gate *k, const char *path, int64_t experts,
                    poise_value **keep)
{
    *keep = NULL;
    if (k->dropout <= 0 || !poise_graph_training(b->g))
        return 0;
    poise_value *ones = poise_fill(b->g, 1, 2, (int64_t[]){b->batch, experts}, b->err);
    *keep = poise__dropped(b, ones, k->dropout, path);
    return *keep ? 0 : -1;
}

/* Codes start near 1/2 in every bit, as in the authors' program: beyond the step there is no slope. */
static poise_value *codes(poise__builder *b, poise_value *x, const char *path, int64_t bits,
                          double smooth)
{
    poise_init start = {.kind = POISE_INIT_UNIFORM, .value = smooth / 100};
    poise_init zero = {.kind = POISE_INIT_ZERO};
    const int64_t dim[] = {bits, x->dim[1]};
    poise_value *w = poise__parameter(b, path, "code/weight", POISE_DENSE, 2, dim, start);
    poise_value *bias =
        w ? poise__parameter(b, path, "code/bias", POISE_DENSE, 1, dim, zero) : NULL;
    return bias ? poise_linear(b->g, x, w, bias, b->err) : NULL;
}

static poise_value *selected(poise__builder *b, const poise__instance *i, const poise__gate *k,
                             const char *path, int64_t experts)
{
    const int64_t bits = bits_of(experts), dim[] = {b->batch, k->select, bits};
    poise_value *x = hidden(b, i, k, path);
    if (!x)
        return NULL;
    poise_value *share = poise__linear(b, x, path, 0, x->dim[1], k->select, POISE__ACT_none);
    poise_value *code = codes(b, x, path, k->select * bits, k->smooth);
    code = poise_smooth_step(b->g, code, k->smooth, b->err);
    poise_value *one =
        poise_select(b->g, poise_reshape(b->g, code, 3, dim, b->err), experts, b->err);
    return poise_mixture(b->g, poise_softmax(b->g, share, b->err), 1, &one, b->err);
}

poise_value *poise__gate_weights(poise__builder *b, const poise__instance *i, const poise__gate *k,
                                 const char *path, int64_t experts)
{
    poise_value *keep;
    if (k->select)
        return selected(b, i, k, path, experts);
    poise_value *z = poise__gate_logits(b, i, k, path, experts);
    z = poise_scale(b->g, z, 1 / k->temperature, b->err);
    if (left_out(b, k, path, experts, &keep) < 0)
        return NULL;
    if (!keep && (k->top == 0 || k->top == experts))
        return poise_softmax(b->g, z, b->err);
    return poise_sparse_softmax(b->g, z, keep, k->top ? k->top : experts, b->err);
}
