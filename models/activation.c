#include "activation.h"

const char *const poise__activation_names[] = {
#define X(name, init, apply) #name,
    POISE__ACTIVATIONS(X)
#undef X
        NULL};

poise_init_kind poise__activation_init(int activation)
{
    static const poise_init_kind init[] = {
#define X(name, init, apply) init,
        POISE__ACTIVATIONS(X)
#undef X
    };
    return init[activation];
}

poise_value *poise__activate(poise_graph *g, poise_value *x, int activation, poise_error *err)
{
    switch (activation) {
#define X(name, init, apply) \
    case POISE__ACT_##name:  \
        return apply;
        POISE__ACTIVATIONS(X)
#undef X
    default:
        return NULL;
    }
}
