/* balance.c -- host code as a node: p is the poise_balance_call, which outlives the graph.
 *
 * The kernel keeps the last weights: a dry run repeats them (ones before the first call).
 */
#include <string.h>
#include "kernel.h"
#include "ops.h"
#include "shape.h"
#include "table.h"

static int shape(poise_node *n, poise_error *err)
{
    const poise_balance_call *c = n->attr.p;
    if (c == NULL || c->call == NULL || c->ntask < 1)
        return poise_node_fail(n, POISE_E_SHAPE, err, "there is no function to call, or no task");
    for (int k = 0; k < n->nin; k++)
        if (n->in[k] == NULL)
            return poise_node_fail(n, POISE_E_SHAPE, err, "input %d is missing", k);
    poise__out(n, 0, POISE_F32, 1, (int64_t[]){c->ntask});
    return 0;
}

static int run(POISE__RUN)
{
    (void)scratch;
    const poise_balance_call *c = k->node->attr.p;
    float *last = k->state, *weight = out[0];
    const size_t size = (size_t)c->ntask * sizeof *weight;
    if (r->dry) {
        memcpy(weight, last, size);
        return 0;
    }
    if (c->call(c->self, k->node->nin, in, weight, r, err) < 0)
        return -1;
    memcpy(last, weight, size);
    return 0;
}

static int compile(const poise_node *n, poise_kernel *k, poise_error *err)
{
    const poise_balance_call *c = n->attr.p;
    float *last = poise__kernel(k, (size_t)c->ntask * sizeof *last, run, err);
    if (last == NULL)
        return -1;
    for (int t = 0; t < c->ntask; t++)
        last[t] = 1.0f;
    return 0;
}

const poise_op poise__op_balance = {
    .name = "balance",
    .formula = "weight[T] = the balancer's answer to its inputs",
    .min_in = 0,
    .max_in = -1,
    .nout = 1,
    .flags = POISE_OP_EFFECT | POISE_OP_STOP,
    .shape = shape,
    .compile = compile,
};

poise_value *poise_balance_node(poise_graph *g, const poise_balance_call *call, int nin,
                                poise_value *const *in, poise_error *err)
{
    const poise_attr a = {.p = call};
    return poise__apply(g, &poise__op_balance, nin, nin, in, &a, err);
}
