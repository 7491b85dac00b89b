/* The kind cross: the cross layers of DCN-v2 (Wang et al., WWW 2021).
 *
 *     x_0     = input
 *     x_l+1   = x_0 (W_l x_l + b_l) + x_l, element by element; W_l = U_l V_l where it has a rank
 *
 * Layer l is the dense layer PATH/l; with a rank, V is PATH/l/down, without a bias, and U PATH/l. */
#include "../ops/ops.h"
#include "activation.h"
#include "layer.h"

typedef struct cross_keys {
    int64_t depth, rank; /* rank 0: full */
    poise__references input;
} cross_keys;

static const poise_key rows[] = {
    {.name = "cross",
     .kind = POISE_KEY_INT,
     .required = 1,
     .min = 1,
     .max = 64,
     POISE__INTO(cross_keys, depth),
     .help = "how many cross layers one after the other"},
    {.name = "input",
     .kind = POISE_KEY_REFERENCES,
     .required = 1,
     POISE__INTO(cross_keys, input),
     .help = "what it reads; a list is put side by side"},
    {.name = "rank",
     .kind = POISE_KEY_INT,
     .min = 1,
     .max = 65536,
     POISE__INTO(cross_keys, rank),
     .help = "of the matrices: fewer than the input is wide saves time; without it they are full"},
};

static int shape(const poise__shaper *c, const poise__instance *i, poise__shape *out)
{
    const cross_keys *k = i->own;
    const int64_t copies = i->copies ? i->copies : 1;
    if (poise__concat_shape(c, i, "input", &k->input, i->copies, out) < 0)
        return -1;
    const int64_t w = out->width;
    *out = (poise__shape){.stack = i->copies, .width = w};
    out->parameters = copies * k->depth * (w + (k->rank ? 2 * k->rank * w : w * w));
    return 0;
}

static poise_value *down(poise__builder *b, const poise__instance *i, poise_value *x,
                         const char *path)
{
    const int64_t rank = ((const cross_keys *)i->own)->rank, in = x->dim[x->rank - 1];
    const int64_t dim[] = {i->copies, rank, in};
    const int one = i->copies == 0;
    poise_init init = {.kind = POISE_INIT_GLOROT, .fan_in = in, .fan_out = rank};
    poise_value *w =
        poise__parameter(b, path, "down/weight", POISE_DENSE, 3 - one, dim + one, init);
    if (!w)
        return NULL;
    return one ? poise_linear(b->g, x, w, NULL, b->err)
               : poise_batched_linear(b->g, x, w, NULL, b->err);
}

/* Copies that read one input see it first as it is, in one wide product, then each beside its own. */
static poise_value *build(poise__builder *b, const poise__instance *i)
{
    const cross_keys *k = i->own;
    poise_value *in = poise__concat_value(b, i, &k->input), *first = in;
    if (in && i->copies && in->rank == 2)
        first = poise_repeat(b->g, in, i->copies, b->err);
    poise_value *x = first;
    for (int64_t l = 0; l < k->depth && x; l++) {
        const char *path = poise_graph_text(b->g, b->err, "%s/%d", i->name, (int)l);
        poise_value *y = l == 0 ? in : x;
        y = k->rank && path ? down(b, i, y, path) : y;
        if (!path || !y)
            return NULL;
        y = poise__linear(b, y, path, i->copies, y->dim[y->rank - 1], x->dim[x->rank - 1],
                          POISE__ACT_none);
        x = poise_add(b->g, poise_multiply(b->g, first, y, b->err), x, b->err);
    }
    return x;
}

const poise__layer_kind poise__cross_kind = {
    .section = {.name = "cross",
                .about =
                    "the cross layers of DCN-v2: products of the input's columns, of ever more "
                    "of them",
                POISE__ROWS(rows)},
    .own = sizeof(cross_keys),
    .copies = 1,
    .shape = shape,
    .build = build};
