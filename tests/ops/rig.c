/* rig.c -- builds, fills and runs a case. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "core/random.h"
#include "rig.h"

poise_run rig_run(int threads)
{
    return (poise_run){.seed = UINT64_C(0x123456789abcdef), .step = 5, .threads = threads};
}

static poise_value *make_input(rig *r, int k)
{
    const op_input *in = &r->c->in[k];
    const char *name = poise_graph_text(r->g, &r->err, "in%d", k);
    const int rank = input_rank(in);
    if (name == NULL || in->fill == ABSENT)
        return NULL;
    if (in->fill == TABLE || in->fill == STATE)
        return poise_weight(r->g, name, in->fill == TABLE ? POISE_TABLE : POISE_STATE, rank,
                            in->dim, (poise_init){.kind = POISE_INIT_ZERO}, &r->err);
    const int whole = in->fill == IDS || in->fill == CLASS;
    return poise_input(r->g, name, whole ? POISE_I32 : POISE_F32, rank, in->dim, &r->err);
}

static double uniform(const rig *r, int k, int64_t i)
{
    return poise_random_uniform((uint64_t)k, poise_random_stream(r->c->op), 0, (uint64_t)i);
}

static void fill_whole(const rig *r, int k, int32_t *x, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        x[i] = (int32_t)(uniform(r, k, i) * (double)r->c->in[k].limit);
        if (r->c->in[k].fill == CLASS && i % 4 == 2)
            x[i] = -1;
    }
}

static void fill_real(const rig *r, int k, float *x, int64_t count)
{
    const op_input *in = &r->c->in[k];
    for (int64_t i = 0; i < count; i++) {
        const double u = uniform(r, k, i), around = 3.0 * u - 1.5;
        switch (in->fill) {
        case AWAY:
            x[i] = (float)(around + (around > 0.0 ? 0.1 : -0.1));
            break;
        case LABEL:
            x[i] = i % 4 == 2 ? NAN : (float)u;
            break;
        case WEIGHT:
            x[i] = i % 3 == 1 ? 0.0f : (float)(0.5 + u);
            break;
        case POSITIVE:
        case GATE:
        case STATE:
            x[i] = (float)(0.5 + u);
            break;
        case NEGATIVE:
            x[i] = (float)(-0.5 - u);
            break;
        case ZERO:
            x[i] = 0.0f;
            break;
        case FALLING:
            x[i] = (float)(1.0 + 0.2 * around - 0.7 * (double)(i % in->dim[1]));
            break;
        default:
            x[i] = (float)around;
        }
    }
    if (in->fill != GATE)
        return;
    const int64_t width = in->dim[1];
    for (int64_t i = 0; i < count; i += width) {
        float sum = 0.0f;
        for (int64_t e = 0; e < width; e++)
            sum += x[i + e];
        for (int64_t e = 0; e < width; e++)
            x[i + e] /= sum;
    }
}

int rig_wants(const rig *r, int k)
{
    return r->c->in[k].fill >= NORMAL && r->c->in[k].fill <= TABLE;
}

static int add_gradients(rig *r)
{
    poise_value *x[MAX_INPUTS], *y = r->node->out[0];
    poise_gradient dx[MAX_INPUTS];
    int n = 0;
    for (int k = 0; k < r->nin; k++)
        if (rig_wants(r, k))
            x[n++] = r->in[k];
    if (n == 0 || (r->node->op->flags & POISE_OP_STOP))
        return 0;
    r->dy = poise_input(r->g, "dy", POISE_F32, y->rank, y->dim, &r->err);
    if (r->dy == NULL || poise_backward(r->g, 1, &y, &r->dy, n, x, dx, &r->err) < 0)
        return -1;
    n = 0;
    for (int k = 0; k < r->nin; k++) {
        if (!rig_wants(r, k))
            continue;
        r->din[k] = dx[n++];
        if ((r->din[k].value && poise_graph_output(r->g, r->din[k].value, &r->err) < 0) ||
            (r->din[k].rows && poise_graph_output(r->g, r->din[k].rows, &r->err) < 0))
            return -1;
    }
    return 0;
}

static void fill_all(rig *r)
{
    for (int k = 0; k < r->nin; k++) {
        if (r->in[k] == NULL)
            continue;
        void *data = poise_session_data(r->s, r->in[k]);
        if (r->in[k]->dtype == POISE_I32)
            fill_whole(r, k, data, input_count(&r->c->in[k]));
        else
            fill_real(r, k, data, input_count(&r->c->in[k]));
    }
    if (r->dy == NULL)
        return;
    float *dy = poise_session_data(r->s, r->dy);
    for (int64_t i = 0; i < poise_value_count(r->dy); i++)
        dy[i] = (float)(2.0 * uniform(r, 100, i) - 1.0);
}

int rig_make(rig *r, const op_case *c)
{
    *r = (rig){.c = c, .nin = case_inputs(c)};
    r->store = poise_store_new(&r->err);
    r->g = r->store ? poise_network_graph(r->store, &r->err) : NULL;
    if (r->g == NULL)
        return -1;
    poise_graph_train(r->g, !c->still);
    for (int k = 0; k < r->nin; k++)
        r->in[k] = make_input(r, k);
    poise_value *y = c->build(c, r->g, r->nin, r->in, &r->err);
    if (y == NULL)
        return -1;
    r->node = y->producer;
    for (int o = 0; o < r->node->nout; o++)
        if (poise_graph_output(r->g, r->node->out[o], &r->err) < 0)
            return -1;
    if (add_gradients(r) < 0 || poise_store_seal(r->store, 1, &r->err) < 0)
        return -1;
    r->s = poise_session_new(r->g, NULL, &r->err);
    if (r->s == NULL)
        return -1;
    fill_all(r);
    return 0;
}

void rig_done(rig *r)
{
    poise_session_free(r->s);
    poise_graph_free(r->g);
    poise_store_free(r->store);
}

const char *rig_text(const rig *r, char *buf, size_t size)
{
    size_t at = (size_t)snprintf(buf, size, "%s", r->c->op);
    for (int k = 0; k < r->nin && at < size; k++) {
        char text[80] = "none";
        if (r->in[k] != NULL)
            poise_value_text(r->in[k], text, sizeof text);
        at += (size_t)snprintf(buf + at, size - at, " %s", text);
    }
    return buf;
}

double rig_at(const rig *r, poise_value *v, int64_t i)
{
    const void *data = poise_session_data(r->s, v);
    switch (v->dtype) {
    case POISE_I32:
        return (double)((const int32_t *)data)[i];
    case POISE_F64:
        return ((const double *)data)[i];
    default:
        return (double)((const float *)data)[i];
    }
}
