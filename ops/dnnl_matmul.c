/* dnnl_matmul.c -- the matrix product by oneDNN's matmul primitive.
 *
 * A primitive is made for one shape, with leading dimensions, and for c = A B or c += A B: once, by
 * open(), when a graph is compiled.  Its memory objects are pointed to the matrices of each run.  It
 * packs in memory of its own, as dnnl_sgemm does.
 */
#include <dnnl.h>
#include <stdlib.h>
#include "../core/memory.h"
#include "gemm_library.h"

enum { A, B, C, MATRICES };
static const int argument[MATRICES] = {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST};

typedef struct matmul {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    dnnl_primitive_t primitive;
    dnnl_memory_t memory[MATRICES];
} matmul;

/* ---- 2.x and 3.x ---- */

#if DNNL_VERSION_MAJOR < 3
typedef dnnl_memory_desc_t layout;

static dnnl_status_t make_layout(layout *l, const dnnl_dims_t dims, const dnnl_dims_t strides)
{
    return dnnl_memory_desc_init_by_strides(l, 2, dims, dnnl_f32, strides);
}

static void free_layout(layout *l)
{
    (void)l;
}

static dnnl_status_t make_memory(dnnl_memory_t *m, const layout *l, dnnl_engine_t engine)
{
    return dnnl_memory_create(m, l, engine, DNNL_MEMORY_NONE);
}

static dnnl_status_t make_descriptor(dnnl_primitive_desc_t *d, const layout *l,
                                     dnnl_engine_t engine, const_dnnl_primitive_attr_t attr)
{
    dnnl_matmul_desc_t m;
    const dnnl_status_t s = dnnl_matmul_desc_init(&m, &l[A], &l[B], NULL, &l[C]);
    return s != dnnl_success ? s : dnnl_primitive_desc_create(d, &m, attr, engine, NULL);
}

static dnnl_status_t add_sum(dnnl_post_ops_t ops)
{
    return dnnl_post_ops_append_sum(ops, 1.0f);
}
#else
typedef dnnl_memory_desc_t layout;

static dnnl_status_t make_layout(layout *l, const dnnl_dims_t dims, const dnnl_dims_t strides)
{
    return dnnl_memory_desc_create_with_strides(l, 2, dims, dnnl_f32, strides);
}

static void free_layout(layout *l)
{
    if (*l != NULL)
        dnnl_memory_desc_destroy(*l);
}

static dnnl_status_t make_memory(dnnl_memory_t *m, const layout *l, dnnl_engine_t engine)
{
    return dnnl_memory_create(m, *l, engine, DNNL_MEMORY_NONE);
}

static dnnl_status_t make_descriptor(dnnl_primitive_desc_t *d, const layout *l,
                                     dnnl_engine_t engine, const_dnnl_primitive_attr_t attr)
{
    return dnnl_matmul_primitive_desc_create(d, engine, l[A], l[B], NULL, l[C], attr);
}

static dnnl_status_t add_sum(dnnl_post_ops_t ops)
{
    return dnnl_post_ops_append_sum(ops, 1.0f, 0, dnnl_data_type_undef);
}
#endif

/* ---- making one ---- */

static dnnl_status_t make_attr(dnnl_primitive_attr_t *attr, int onto)
{
    dnnl_post_ops_t ops = NULL;
    dnnl_status_t s = dnnl_primitive_attr_create(attr);
    if (s == dnnl_success && onto) {
        s = dnnl_post_ops_create(&ops);
        if (s == dnnl_success)
            s = add_sum(ops);
        if (s == dnnl_success)
            s = dnnl_primitive_attr_set_post_ops(*attr, ops);
        if (ops != NULL)
            dnnl_post_ops_destroy(ops);
    }
    return s;
}

static dnnl_status_t make_layouts(layout *l, const poise__gemm *g)
{
    const dnnl_dims_t dims[MATRICES] = {{g->m, g->k}, {g->k, g->n}, {g->m, g->n}};
    const dnnl_dims_t strides[MATRICES] = {{g->ta ? 1 : g->lda, g->ta ? g->lda : 1},
                                           {g->tb ? 1 : g->ldb, g->tb ? g->ldb : 1},
                                           {g->ldc, 1}};
    dnnl_status_t s = dnnl_success;
    for (int k = 0; k < MATRICES && s == dnnl_success; k++)
        s = make_layout(&l[k], dims[k], strides[k]);
    return s;
}

static dnnl_status_t make(matmul *p, const poise__gemm *g, layout *l)
{
    dnnl_primitive_desc_t descriptor = NULL;
    dnnl_primitive_attr_t attr = NULL;
    dnnl_status_t s = dnnl_engine_create(&p->engine, dnnl_cpu, 0);
    if (s == dnnl_success)
        s = dnnl_stream_create(&p->stream, p->engine, dnnl_stream_default_flags);
    if (s == dnnl_success)
        s = make_attr(&attr, g->add != NULL);
    if (s == dnnl_success)
        s = make_layouts(l, g);
    if (s == dnnl_success)
        s = make_descriptor(&descriptor, l, p->engine, attr);
    if (s == dnnl_success)
        s = dnnl_primitive_create(&p->primitive, descriptor);
    for (int k = 0; k < MATRICES && s == dnnl_success; k++)
        s = make_memory(&p->memory[k], &l[k], p->engine);
    if (descriptor != NULL)
        dnnl_primitive_desc_destroy(descriptor);
    if (attr != NULL)
        dnnl_primitive_attr_destroy(attr);
    return s;
}

static void close(void *state)
{
    matmul *p = state;
    if (p == NULL)
        return;
    for (int k = 0; k < MATRICES; k++)
        if (p->memory[k] != NULL)
            dnnl_memory_destroy(p->memory[k]);
    if (p->primitive != NULL)
        dnnl_primitive_destroy(p->primitive);
    if (p->stream != NULL)
        dnnl_stream_destroy(p->stream);
    if (p->engine != NULL)
        dnnl_engine_destroy(p->engine);
    free(p);
}

static int open(const poise__gemm *g, void **state, poise_error *err)
{
    matmul *p = poise__calloc(1, sizeof *p, err);
    if (p == NULL)
        return -1;
    layout l[MATRICES] = {0};
    const dnnl_status_t s = make(p, g, l);
    for (int k = 0; k < MATRICES; k++)
        free_layout(&l[k]);
    if (s != dnnl_success) {
        close(p);
        return poise__gemm_refused(g, "oneDNN", (int)s, err);
    }
    *state = p;
    return 0;
}

/* ---- running ---- */

/* The library takes pointers to what it only reads as it does those to what it writes. */
static void *pointer(const float *x)
{
    union {
        const float *in;
        void *out;
    } u = {.in = x};
    return u.out;
}

static int run(const poise__gemm *g, void *scratch, poise_error *err)
{
    (void)scratch;
    const matmul *p = g->state;
    void *const matrix[MATRICES] = {pointer(g->a), pointer(g->b), g->c};
    dnnl_exec_arg_t arg[MATRICES];
    dnnl_status_t s = dnnl_success;
    poise__gemm_before(g);
    for (int k = 0; k < MATRICES && s == dnnl_success; k++) {
        arg[k] = (dnnl_exec_arg_t){argument[k], p->memory[k]};
        s = dnnl_memory_set_data_handle(p->memory[k], matrix[k]);
    }
    if (s == dnnl_success)
        s = dnnl_primitive_execute(p->primitive, p->stream, MATRICES, arg);
    if (s == dnnl_success)
        s = dnnl_stream_wait(p->stream);
    if (s != dnnl_success)
        return poise__gemm_refused(g, "oneDNN", (int)s, err);
    poise__gemm_after(g);
    return 0;
}

static int allocates(const poise__gemm *g)
{
    (void)g;
    return 1;
}

static size_t scratch(const poise__gemm *g)
{
    (void)g;
    return 0;
}

const poise__gemm_backend poise__gemm_matmul = {
    .name = "dnnl:matmul",
    .allocates = allocates,
    .scratch = scratch,
    .open = open,
    .close = close,
    .run = run,
};
