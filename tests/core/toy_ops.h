/* toy_ops.h -- a handful of operators to try the engine with, without the real ones.
 *
 *   add      y = a + b                     in place        mul     y = a b
 *   square   y = x x                       in place        sum     y[1] = sum of x
 *   spread   y[shape] = x[1]  (attr as fill; sum's gradient)
 *   fill     y[shape] = f[0]               reshape  view of x with shape i[1..]
 *   stop     y = x, no gradient            nograd   y = x, no backward rule
 *   split    y0 = 2 x, y1 = 3 x, two outputs
 *   embed    y[B, D] = table[ids[B], :]    its gradient comes by rows, merged in order of first use
 *   effect   y = x; counts its runs in *(int *)attr.p
 *   blend    y = x + state; state *= 0.5, an effect on a STATE parameter
 *   broken   fails when it runs
 */
#ifndef TOY_OPS_H
#define TOY_OPS_H

#include "core/graph.h"
#include "core/op.h"
#include "core/session.h"

#include <string.h>

#define TOY_KERNEL(name)                                                                         \
    static inline int toy_##name##_run(const poise_kernel *k, void *const *in, void *const *out, \
                                       void *scratch, const poise_run *r, poise_error *err)
#define TOY_BACKWARD(name)                                                             \
    static inline int toy_##name##_backward(poise_graph *g, const poise_node *n,       \
                                            poise_value *const *dout, const int *want, \
                                            poise_gradient *din, poise_error *err)
#define TOY_COMPILE(name)                                                                          \
    static inline int toy_##name##_compile(const poise_node *n, poise_kernel *k, poise_error *err) \
    {                                                                                              \
        (void)n, (void)err;                                                                        \
        k->run = toy_##name##_run;                                                                 \
        k->impl = "toy";                                                                           \
        k->flops = (double)poise_value_count(n->out[0]);                                           \
        return 0;                                                                                  \
    }
#define TOY_UNUSED_RUN (void)k, (void)in, (void)out, (void)scratch, (void)r, (void)err

static inline int64_t toy_count(const poise_kernel *k)
{
    return poise_value_count(k->node->out[0]);
}

static inline int toy_like(const poise_value *a, poise_value *b)
{
    b->dtype = a->dtype;
    b->rank = a->rank;
    memcpy(b->dim, a->dim, sizeof b->dim);
    return 0;
}

/* Every output is like in[0]; all inputs are alike. */
static inline int toy_same_shape(poise_node *n, poise_error *err)
{
    for (int k = 1; k < n->nin; k++)
        if (n->in[k]->rank != n->in[0]->rank ||
            memcmp(n->in[k]->dim, n->in[0]->dim, sizeof n->in[0]->dim) != 0)
            return poise_node_fail(n, POISE_E_SHAPE, err, "input %d has another shape", k);
    for (int k = 0; k < n->nout; k++)
        toy_like(n->in[0], n->out[k]);
    return 0;
}

static inline int toy_attr_shape(poise_node *n, poise_error *err)
{
    (void)err;
    n->out[0]->dtype = n->nin && n->in[0]->dtype == POISE_I32 ? POISE_I32 : POISE_F32;
    n->out[0]->rank = (int)n->attr.i[0];
    if (n->attr.i[0] >= 1 && n->attr.i[0] <= 4)
        memcpy(n->out[0]->dim, n->attr.i + 1, (size_t)n->attr.i[0] * sizeof(int64_t));
    return 0;
}

static inline poise_attr toy_attr(const poise_value *like, double f)
{
    poise_attr a = {.f = {f}, .i = {like->rank}};
    memcpy(a.i + 1, like->dim, (size_t)like->rank * sizeof *like->dim);
    return a;
}

static inline poise_value *toy1(poise_graph *g, const poise_op *op, poise_value *x,
                                poise_error *err)
{
    poise_node *n = x ? poise_apply(g, op, 1, &x, NULL, err) : NULL;
    return n ? n->out[0] : NULL;
}

static inline poise_value *toy2(poise_graph *g, const poise_op *op, poise_value *a, poise_value *b,
                                poise_error *err)
{
    poise_node *n = a && b ? poise_apply(g, op, 2, (poise_value *[]){a, b}, NULL, err) : NULL;
    return n ? n->out[0] : NULL;
}

static inline poise_value *toy_shaped(poise_graph *g, const poise_op *op, poise_value *x, double f,
                                      int rank, const int64_t *dim, poise_error *err)
{
    poise_attr a = {.f = {f}, .i = {rank}};
    memcpy(a.i + 1, dim, (size_t)rank * sizeof *dim);
    poise_node *n = poise_apply(g, op, x ? 1 : 0, &x, &a, err);
    return n ? n->out[0] : NULL;
}

/* ---- add ---- */
TOY_KERNEL(add)
{
    TOY_UNUSED_RUN;
    const float *a = in[0], *b = in[1];
    float *y = out[0];
    for (int64_t i = 0; i < toy_count(k); i++)
        y[i] = a[i] + b[i];
    return 0;
}
TOY_COMPILE(add)
TOY_BACKWARD(add)
{
    (void)g, (void)n, (void)want, (void)err;
    din[0].value = din[1].value = dout[0];
    return 0;
}
static const poise_op toy_add = {.name = "add",
                                 .formula = "y = a + b",
                                 .min_in = 2,
                                 .max_in = 2,
                                 .nout = 1,
                                 .flags = POISE_OP_INPLACE,
                                 .shape = toy_same_shape,
                                 .backward = toy_add_backward,
                                 .compile = toy_add_compile};

/* ---- mul ---- */
TOY_KERNEL(mul)
{
    TOY_UNUSED_RUN;
    const float *a = in[0], *b = in[1];
    float *y = out[0];
    for (int64_t i = 0; i < toy_count(k); i++)
        y[i] = a[i] * b[i];
    return 0;
}
TOY_COMPILE(mul)
static const poise_op toy_mul;
TOY_BACKWARD(mul)
{
    if (want[0] && !(din[0].value = toy2(g, &toy_mul, dout[0], n->in[1], err)))
        return -1;
    if (want[1] && !(din[1].value = toy2(g, &toy_mul, dout[0], n->in[0], err)))
        return -1;
    return 0;
}
static const poise_op toy_mul = {.name = "mul",
                                 .formula = "y = a b",
                                 .min_in = 2,
                                 .max_in = 2,
                                 .nout = 1,
                                 .shape = toy_same_shape,
                                 .backward = toy_mul_backward,
                                 .compile = toy_mul_compile};

/* ---- square ---- */
TOY_KERNEL(square)
{
    TOY_UNUSED_RUN;
    const float *x = in[0];
    float *y = out[0];
    for (int64_t i = 0; i < toy_count(k); i++)
        y[i] = x[i] * x[i];
    return 0;
}
TOY_COMPILE(square)
TOY_BACKWARD(square)
{
    (void)want;
    poise_value *half = toy2(g, &toy_mul, dout[0], n->in[0], err);
    return (din[0].value = toy2(g, &toy_add, half, half, err)) ? 0 : -1;
}
static const poise_op toy_square = {.name = "square",
                                    .formula = "y = x x",
                                    .min_in = 1,
                                    .max_in = 1,
                                    .nout = 1,
                                    .flags = POISE_OP_INPLACE,
                                    .shape = toy_same_shape,
                                    .backward = toy_square_backward,
                                    .compile = toy_square_compile};

/* ---- fill, spread ---- */
TOY_KERNEL(fill)
{
    TOY_UNUSED_RUN;
    float *y = out[0];
    for (int64_t i = 0; i < toy_count(k); i++)
        y[i] = k->node->nin ? *(const float *)in[0] : (float)k->node->attr.f[0];
    return 0;
}
TOY_COMPILE(fill)
static const poise_op toy_fill = {.name = "fill",
                                  .formula = "y = f",
                                  .nout = 1,
                                  .shape = toy_attr_shape,
                                  .compile = toy_fill_compile};
static const poise_op toy_spread = {.name = "spread",
                                    .formula = "y = x[1]",
                                    .min_in = 1,
                                    .max_in = 1,
                                    .nout = 1,
                                    .shape = toy_attr_shape,
                                    .compile = toy_fill_compile};

/* ---- sum ---- */
TOY_KERNEL(sum)
{
    TOY_UNUSED_RUN;
    const float *x = in[0];
    double y = 0;
    for (int64_t i = 0; i < poise_value_count(k->node->in[0]); i++)
        y += x[i];
    *(float *)out[0] = (float)y;
    return 0;
}
TOY_COMPILE(sum)
TOY_BACKWARD(sum)
{
    (void)want;
    poise_attr a = toy_attr(n->in[0], 0);
    poise_node *s = poise_apply(g, &toy_spread, 1, dout, &a, err);
    din[0].value = s ? s->out[0] : NULL;
    return s ? 0 : -1;
}
static inline int toy_sum_shape(poise_node *n, poise_error *err)
{
    (void)err;
    n->out[0]->dtype = n->in[0]->dtype;
    n->out[0]->rank = 1;
    n->out[0]->dim[0] = 1;
    return 0;
}
static const poise_op toy_sum = {.name = "sum",
                                 .formula = "y = sum x",
                                 .min_in = 1,
                                 .max_in = 1,
                                 .nout = 1,
                                 .shape = toy_sum_shape,
                                 .backward = toy_sum_backward,
                                 .compile = toy_sum_compile};

/* ---- reshape ---- */
static const poise_op toy_reshape;
TOY_BACKWARD(reshape)
{
    (void)want;
    poise_attr a = toy_attr(n->in[0], 0);
    poise_node *s = poise_apply(g, &toy_reshape, 1, dout, &a, err);
    din[0].value = s ? s->out[0] : NULL;
    return s ? 0 : -1;
}
static const poise_op toy_reshape = {.name = "reshape",
                                     .formula = "y = x",
                                     .min_in = 1,
                                     .max_in = 1,
                                     .nout = 1,
                                     .flags = POISE_OP_VIEW,
                                     .shape = toy_attr_shape,
                                     .backward = toy_reshape_backward};

/* ---- stop, nograd, copy-like ---- */
TOY_KERNEL(same)
{
    TOY_UNUSED_RUN;
    memcpy(out[0], in[0], (size_t)toy_count(k) * sizeof(float));
    return 0;
}
TOY_COMPILE(same)
static const poise_op toy_stop = {.name = "stop",
                                  .formula = "y = x",
                                  .min_in = 1,
                                  .max_in = 1,
                                  .nout = 1,
                                  .flags = POISE_OP_STOP,
                                  .shape = toy_same_shape,
                                  .compile = toy_same_compile};
static const poise_op toy_nograd = {.name = "nograd",
                                    .formula = "y = x",
                                    .min_in = 1,
                                    .max_in = 1,
                                    .nout = 1,
                                    .shape = toy_same_shape,
                                    .compile = toy_same_compile};

/* ---- split ---- */
TOY_KERNEL(split)
{
    TOY_UNUSED_RUN;
    const float *x = in[0];
    float *a = out[0], *b = out[1];
    for (int64_t i = 0; i < toy_count(k); i++) {
        a[i] = 2 * x[i];
        b[i] = 3 * x[i];
    }
    return 0;
}
TOY_COMPILE(split)
TOY_BACKWARD(split)
{
    (void)n, (void)want;
    poise_value *total = NULL;
    for (int o = 0; o < 2; o++) {
        if (!dout[o])
            continue;
        poise_attr a = toy_attr(dout[o], o == 0 ? 2 : 3);
        poise_node *f = poise_apply(g, &toy_fill, 0, NULL, &a, err);
        poise_value *part = f ? toy2(g, &toy_mul, dout[o], f->out[0], err) : NULL;
        total = total ? toy2(g, &toy_add, total, part, err) : part;
        if (!total)
            return -1;
    }
    din[0].value = total;
    return 0;
}
static const poise_op toy_split = {.name = "split",
                                   .formula = "y0 = 2 x, y1 = 3 x",
                                   .min_in = 1,
                                   .max_in = 1,
                                   .nout = 2,
                                   .shape = toy_same_shape,
                                   .backward = toy_split_backward,
                                   .compile = toy_split_compile};

/* ---- embed ---- */
TOY_KERNEL(embed)
{
    TOY_UNUSED_RUN;
    const int32_t *id = in[0];
    const float *table = in[1];
    float *y = out[0];
    int64_t width = k->node->out[0]->dim[1];
    for (int64_t b = 0; b < k->node->out[0]->dim[0]; b++)
        memcpy(y + b * width, table + id[b] * width, (size_t)width * sizeof *y);
    return 0;
}
TOY_COMPILE(embed)
static inline int toy_embed_shape(poise_node *n, poise_error *err)
{
    if (n->in[0]->dtype != POISE_I32)
        return poise_node_fail(n, POISE_E_SHAPE, err, "ids are wanted");
    n->out[0]->dtype = POISE_F32;
    n->out[0]->rank = 2;
    n->out[0]->dim[0] = n->in[0]->dim[0];
    n->out[0]->dim[1] = n->in[1]->dim[1];
    return 0;
}
TOY_KERNEL(embed_back)
{
    TOY_UNUSED_RUN;
    const int32_t *id = in[0];
    const float *dy = in[1];
    int32_t *row = out[0];
    float *value = out[1];
    int64_t batch = k->node->out[1]->dim[0], width = k->node->out[1]->dim[1], used = 0;
    memset(value, 0, (size_t)(batch * width) * sizeof *value);
    for (int64_t b = 0; b < batch; b++) {
        int64_t at = 0;
        while (at < used && row[at] != id[b])
            at++;
        if (at == used)
            row[used++] = id[b];
        for (int64_t d = 0; d < width; d++)
            value[at * width + d] += dy[b * width + d];
    }
    for (int64_t b = used; b < batch; b++)
        row[b] = -1;
    return 0;
}
TOY_COMPILE(embed_back)
static inline int toy_embed_back_shape(poise_node *n, poise_error *err)
{
    (void)err;
    toy_like(n->in[0], n->out[0]);
    toy_like(n->in[1], n->out[1]);
    return 0;
}
static const poise_op toy_embed_back = {.name = "embed_back",
                                        .formula = "rows, values",
                                        .min_in = 2,
                                        .max_in = 2,
                                        .nout = 2,
                                        .shape = toy_embed_back_shape,
                                        .compile = toy_embed_back_compile};
TOY_BACKWARD(embed)
{
    (void)want;
    poise_node *b =
        poise_apply(g, &toy_embed_back, 2, (poise_value *[]){n->in[0], dout[0]}, NULL, err);
    if (!b)
        return -1;
    din[1] = (poise_gradient){.value = b->out[1], .rows = b->out[0]};
    return 0;
}
static const poise_op toy_embed = {.name = "embed",
                                   .formula = "y = table[ids]",
                                   .min_in = 2,
                                   .max_in = 2,
                                   .nout = 1,
                                   .shape = toy_embed_shape,
                                   .backward = toy_embed_backward,
                                   .compile = toy_embed_compile};

/* ---- effect, blend, broken ---- */
TOY_KERNEL(effect)
{
    TOY_UNUSED_RUN;
    if (!r->dry)
        ++*(int *)(uintptr_t)k->node->attr.p;
    memcpy(out[0], in[0], (size_t)toy_count(k) * sizeof(float));
    return 0;
}
TOY_COMPILE(effect)
static const poise_op toy_effect = {.name = "effect",
                                    .formula = "y = x",
                                    .min_in = 1,
                                    .max_in = 1,
                                    .nout = 1,
                                    .flags = POISE_OP_EFFECT,
                                    .shape = toy_same_shape,
                                    .compile = toy_effect_compile};

TOY_KERNEL(blend)
{
    TOY_UNUSED_RUN;
    const float *x = in[0];
    float *state = in[1], *y = out[0];
    for (int64_t i = 0; i < toy_count(k); i++) {
        y[i] = x[i] + state[i];
        state[i] *= 0.5f;
    }
    return 0;
}
TOY_COMPILE(blend)
static const poise_op toy_blend = {.name = "blend",
                                   .formula = "y = x + state",
                                   .min_in = 2,
                                   .max_in = 2,
                                   .nout = 1,
                                   .flags = POISE_OP_EFFECT,
                                   .shape = toy_same_shape,
                                   .compile = toy_blend_compile};

TOY_KERNEL(broken)
{
    TOY_UNUSED_RUN;
    return poise_fail(err, POISE_E_DATA, POISE_NOWHERE, "id 7 is not in [0, 3)");
}
TOY_COMPILE(broken)
static const poise_op toy_broken = {.name = "broken",
                                    .formula = "none",
                                    .min_in = 1,
                                    .max_in = 1,
                                    .nout = 1,
                                    .shape = toy_same_shape,
                                    .compile = toy_broken_compile};

#endif
