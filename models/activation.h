/* activation.h -- the activations a layer may have, as one table.  Internal. */
#ifndef POISE_ACTIVATION_H
#define POISE_ACTIVATION_H

#include "../ops/ops.h"

/* X(name, how weights before it start, the function of poise_graph *g, poise_value *x, err) */
#define POISE__ACTIVATIONS(X)                                       \
    X(none, POISE_INIT_GLOROT, x)                                   \
    X(relu, POISE_INIT_HE, poise_relu(g, x, err))                   \
    X(leaky_relu, POISE_INIT_HE, poise_leaky_relu(g, x, 0.01, err)) \
    X(gelu, POISE_INIT_HE, poise_gelu(g, x, err))                   \
    X(silu, POISE_INIT_HE, poise_silu(g, x, err))                   \
    X(tanh, POISE_INIT_GLOROT, poise_tanh(g, x, err))               \
    X(sigmoid, POISE_INIT_GLOROT, poise_sigmoid(g, x, err))

enum {
#define X(name, init, apply) POISE__ACT_##name,
    POISE__ACTIVATIONS(X)
#undef X
};

extern const char *const poise__activation_names[]; /* NULL-terminated */
poise_init_kind poise__activation_init(int activation);
poise_value *poise__activate(poise_graph *g, poise_value *x, int activation, poise_error *err);

#endif
