/* fill.c -- a constant: f[0] is the value, i[0] the rank, i[1..] the dimensions. */
#include "kernel.h"
#include "ops.h"
#include "shape.h"
#include "table.h"

static int shape(poise_node *n, poise_error *err)
{
    int64_t count;
    if (poise__want_shape(n, 0, &count, err) < 0)
        return -1;
    poise__out(n, 0, POISE_F32, (int)n->attr.i[0], &n->attr.i[1]);
    return 0;
}

static int run(POISE__RUN)
{
    (void)in;
    (void)scratch;
    (void)r;
    (void)err;
    const int64_t count = poise_value_count(k->node->out[0]);
    const float value = (float)k->node->attr.f[0];
    float *y = out[0];
    for (int64_t i = 0; i < count; i++)
        y[i] = value;
    return 0;
}

static int compile(const poise_node *n, poise_kernel *k, poise_error *err)
{
    (void)n;
    (void)err;
    k->run = run;
    k->impl = "own";
    return 0;
}

const poise_op poise__op_fill = {
    .name = "fill",
    .formula = "y = value",
    .min_in = 0,
    .max_in = 0,
    .nout = 1,
    .flags = POISE_OP_STOP,
    .shape = shape,
    .compile = compile,
};

poise_value *poise_fill(poise_graph *g, double value, int rank, const int64_t *dim,
                        poise_error *err)
{
    poise_attr a = poise__attr_shape(rank, dim);
    a.f[0] = value;
    return poise__apply(g, &poise__op_fill, 0, 0, NULL, &a, err);
}
