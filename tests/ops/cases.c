/* cases.c -- the table of cases, and how each builds its node. */
#include <stddef.h>
#include "cases.h"

int case_inputs(const op_case *c)
{
    int n = 0;
    while (n < MAX_INPUTS && c->in[n].fill != NONE)
        n++;
    return n;
}

int input_rank(const op_input *in)
{
    int rank = 0;
    while (rank < 4 && in->dim[rank] != 0)
        rank++;
    return rank;
}

int64_t input_count(const op_input *in)
{
    int64_t count = 1;
    for (int d = 0; d < input_rank(in); d++)
        count *= in->dim[d];
    return count;
}

#define BUILD(name, expression)                                                                 \
    static poise_value *name(const op_case *c, poise_graph *g, int nin, poise_value *const *in, \
                             poise_error *err)                                                  \
    {                                                                                           \
        (void)c;                                                                                \
        (void)nin;                                                                              \
        (void)in;                                                                               \
        return expression;                                                                      \
    }

static int answer(void *self, int nin, void *const *in, float *weight, const poise_run *r,
                  poise_error *err)
{
    (void)nin;
    (void)r;
    (void)err;
    for (int t = 0; t < *(const int *)self; t++)
        weight[t] = 2.0f * ((const float *)in[0])[t] + 1.0f;
    return 0;
}
static int three = 3;
static const poise_balance_call call = {answer, &three, 3};

BUILD(linear, poise_linear(g, in[0], in[1], in[2], err))
BUILD(batched, poise_batched_linear(g, in[0], in[1], in[2], err))
BUILD(embedding, poise_embedding(g, in[0], nin - 1, in + 1, err))
BUILD(bag, poise_embedding_bag(g, in[0], in[1], (poise_pool)c->i[0], err))
BUILD(list, poise_embedding_list(g, in[0], in[1], err))
BUILD(mask, poise_list_mask(g, in[0], err))
BUILD(pool, poise_list_pool(g, in[0], in[1], (poise_pool)c->i[0], err))
BUILD(concat, poise_concat(g, (int)c->i[0], nin, in, err))
BUILD(slice, poise_slice(g, in[0], (int)c->i[0], c->i[1], c->i[2], err))
BUILD(reshape, poise_reshape(g, in[0], (int)c->i[0], &c->i[1], err))
BUILD(fill, poise_fill(g, c->f[0], 2, c->i, err))
BUILD(add, poise_add(g, in[0], in[1], err))
BUILD(multiply, poise_multiply(g, in[0], in[1], err))
BUILD(square, poise_multiply(g, in[0], in[0], err))
BUILD(scale, poise_scale(g, in[0], c->f[0], err))
BUILD(scale_by, poise_scale_by(g, in[0], in[1], err))
BUILD(weighted, poise_weighted_sum(g, nin / 2, in + nin / 2, in, err))
BUILD(relu, poise_relu(g, in[0], err))
BUILD(leaky_relu, poise_leaky_relu(g, in[0], c->f[0], err))
BUILD(gelu, poise_gelu(g, in[0], err))
BUILD(silu, poise_silu(g, in[0], err))
BUILD(hyperbolic, poise_tanh(g, in[0], err))
BUILD(sigmoid, poise_sigmoid(g, in[0], err))
BUILD(softmax, poise_softmax(g, in[0], err))
BUILD(dropout, poise_dropout(g, in[0], c->f[0], UINT64_C(0x8123456789abcdef), err))
BUILD(stop, poise_stop_gradient(g, in[0], err))
BUILD(mixture, poise_mixture(g, in[0], nin - 1, in + 1, err))
BUILD(sparse, poise_sparse_softmax(g, in[0], in[1], c->i[0], err))
BUILD(smooth, poise_smooth_step(g, in[0], c->f[0], err))
BUILD(selected, poise_select(g, in[0], c->i[0], err))
BUILD(blend, poise_blend(g, in[0], nin - 1, in + 1, err))
BUILD(dots, poise_segment_dot(g, in[0], in[1], (int)c->i[0], c->i + 1, c->f[0] > 0.0, err))
BUILD(scaled, poise_segment_scale(g, in[0], in[1], (int)c->i[0], c->i + 1, c->f[0] > 0.0, err))
BUILD(factorise, poise_factorise(g, in[0], err))
BUILD(pairs, poise_pairs(g, in[0], in[1], err))
BUILD(own_pairs, poise_pairs(g, in[0], in[0], err))
BUILD(repeated, poise_repeat(g, in[0], c->i[0], err))
BUILD(log_sigmoid, poise_log_sigmoid(g, in[0], err))
BUILD(log_odds, poise_log_odds(g, in[0], err))
BUILD(logit, poise_logit(g, in[0], 1e-7, err))
BUILD(reciprocal, poise_reciprocal(g, in[0], 1e-3, err))
BUILD(layer_norm, poise_layer_norm(g, in[0], in[1], in[2], 1e-5, err))
BUILD(batch_norm, poise_batch_norm(g, in[0], in[1], in[2], in[3], in[4], in[5], 0.1, 1e-5, err))
BUILD(running, poise_batch_norm(g, in[0], NULL, in[1], in[2], in[3], in[4], 0.1, 1e-5, err))
BUILD(bce, poise_loss_bce(g, in[0], in[1], in[2], NULL, err))
BUILD(cross, poise_loss_softmax(g, in[0], in[1], in[2], NULL, err))
BUILD(squared, poise_loss_squared(g, in[0], in[1], in[2], NULL, err))
BUILD(huber, poise_loss_huber(g, in[0], in[1], in[2], c->f[0], NULL, err))
BUILD(bce_with, poise_loss_bce_with(g, in[0], in[1], in[2], c->f[0], c->f[1], NULL, err))
BUILD(focal, poise_loss_focal(g, in[0], in[1], in[2], c->f[0], c->f[1], 1.0 - c->f[1], NULL, err))
BUILD(poisson, poise_loss_poisson(g, in[0], in[1], in[2], NULL, err))
BUILD(mean, poise_loss_mean(g, in[0], in[1], in[2], NULL, err))
BUILD(smoothed, poise_loss_softmax_with(g, in[0], in[1], in[2], c->f[0], NULL, err))
BUILD(thresholds, poise_thresholds(g, in[0], in[1], err))
BUILD(ordinal, poise_loss_ordinal(g, in[0], in[1], in[2], NULL, err))
BUILD(gram, poise_gram(g, (int)c->i[0], nin / (int)c->i[0], in, err))
BUILD(norm, poise_grad_norm(g, (int)c->i[0], nin / (int)c->i[0], in, err))
BUILD(balance, poise_balance_node(g, &call, nin, in, err))

/* clang-format off */
/* An input and its shape; one whose numbers are below a limit. */
#define X(how, ...)        {.fill = how, .dim = {__VA_ARGS__}}
#define L(how, below, ...) {.fill = how, .dim = {__VA_ARGS__}, .limit = below}

const op_case op_cases[] = {
    {.op = "linear", .build = linear, .in = {X(NORMAL, 1, 1), X(NORMAL, 1, 1), X(NORMAL, 1)}},
    {.op = "linear", .build = linear, .in = {X(NORMAL, 3, 5), X(NORMAL, 7, 5), X(ABSENT, 1)}},
    {.op = "linear", .build = linear, .in = {X(NORMAL, 17, 9), X(NORMAL, 4, 9), X(NORMAL, 4)}},
    {.op = "linear", .build = linear, .in = {X(NORMAL, 600, 70), X(NORMAL, 90, 70), X(NORMAL, 90)}},
    {.op = "linear", .build = linear, .in = {X(NORMAL, 130, 300), X(NORMAL, 33, 300), X(NORMAL, 33)}},
    {.op = "batched_linear", .build = batched, .in = {X(NORMAL, 1, 1, 1), X(NORMAL, 1, 1, 1), X(NORMAL, 1, 1)}},
    {.op = "batched_linear", .build = batched, .in = {X(NORMAL, 5, 3, 4), X(NORMAL, 3, 7, 4), X(NORMAL, 3, 7)}},
    {.op = "batched_linear", .build = batched, .in = {X(NORMAL, 5, 4), X(NORMAL, 3, 7, 4), X(NORMAL, 3, 7)}},
    {.op = "batched_linear", .build = batched, .in = {X(NORMAL, 9, 2, 3), X(NORMAL, 2, 1, 3), X(ABSENT, 1)}},
    {.op = "batched_linear", .build = batched, .in = {X(NORMAL, 200, 5, 40), X(NORMAL, 5, 37, 40), X(NORMAL, 5, 37)}},
    {.op = "batched_linear", .build = batched, .in = {X(NORMAL, 200, 60), X(NORMAL, 5, 37, 60), X(NORMAL, 5, 37)}},
    {.op = "batched_linear", .build = batched, .in = {X(NORMAL, 100, 2, 200), X(NORMAL, 2, 31, 200), X(NORMAL, 2, 31)}},
    {.op = "embedding", .build = embedding, .in = {L(IDS, 1, 1, 1), X(TABLE, 1, 1)}},
    {.op = "embedding", .build = embedding, .in = {L(IDS, 4, 9, 2), X(TABLE, 4, 3), X(TABLE, 5, 1)}},
    {.op = "embedding", .build = embedding, .in = {L(IDS, 1000, 33, 3), X(TABLE, 1000, 4), X(TABLE, 2000, 3), X(TABLE, 1001, 5)}},
    {.op = "embedding", .build = embedding, .in = {L(IDS, 500, 3000, 2), X(TABLE, 500, 16), X(TABLE, 20000, 8)}},
    {.op = "embedding_bag", .build = bag, .in = {L(CLASS, 9, 11, 3), X(TABLE, 9, 4)}, .i = {0}},
    {.op = "embedding_bag", .build = bag, .in = {L(CLASS, 5000, 300, 13), X(TABLE, 30000, 20)}, .i = {0}},
    {.op = "embedding_bag", .build = bag, .in = {L(CLASS, 9, 11, 3), X(TABLE, 9, 4)}, .i = {1}},
    {.op = "embedding_bag", .build = bag, .in = {L(CLASS, 5000, 300, 13), X(TABLE, 30000, 20)}, .i = {1}},
    {.op = "embedding_bag", .build = bag, .in = {L(CLASS, 9, 11, 3), X(TABLE, 9, 4)}, .i = {2}},
    {.op = "embedding_bag", .build = bag, .in = {L(CLASS, 5000, 300, 13), X(TABLE, 30000, 20)}, .i = {2}},
    {.op = "embedding_bag", .build = bag, .in = {L(CLASS, 3, 7, 1), X(TABLE, 3, 1)}, .i = {1}},
    {.op = "embedding_bag", .build = bag, .in = {L(CLASS, 2, 1, 40), X(TABLE, 2, 3)}, .i = {2}},
    {.op = "embedding_list", .build = list, .in = {L(CLASS, 9, 5, 3), X(TABLE, 9, 4)}},
    {.op = "embedding_list", .build = list, .in = {L(CLASS, 400, 70, 31), X(TABLE, 400, 33)}},
    {.op = "list_mask", .build = mask, .in = {L(CLASS, 9, 5, 3)}},
    {.op = "list_pool", .build = pool, .in = {L(CLASS, 2, 7, 3), X(NORMAL, 7, 3, 5)}, .i = {0}},
    {.op = "list_pool", .build = pool, .in = {L(CLASS, 2, 100, 31), X(NORMAL, 100, 31, 33)}, .i = {0}},
    {.op = "list_pool", .build = pool, .in = {L(CLASS, 2, 7, 3), X(NORMAL, 7, 3, 5)}, .i = {1}},
    {.op = "list_pool", .build = pool, .in = {L(CLASS, 2, 100, 31), X(NORMAL, 100, 31, 33)}, .i = {1}},
    {.op = "list_pool", .build = pool, .in = {L(CLASS, 2, 7, 3), X(NORMAL, 7, 3, 5)}, .i = {2}},
    {.op = "list_pool", .build = pool, .in = {L(CLASS, 2, 100, 31), X(NORMAL, 100, 31, 33)}, .i = {2}},
    {.op = "concat", .build = concat, .in = {X(NORMAL, 1), X(NORMAL, 1), X(NORMAL, 1)}},
    {.op = "concat", .build = concat, .in = {X(NORMAL, 4, 3), X(NORMAL, 4, 1), X(NORMAL, 4, 5)}, .i = {1}},
    {.op = "concat", .build = concat, .in = {X(NORMAL, 2, 3, 5), X(NORMAL, 2, 4, 5)}, .i = {1}},
    {.op = "concat", .build = concat, .in = {X(NORMAL, 700, 64), X(NORMAL, 700, 50)}, .i = {1}},
    {.op = "slice", .build = slice, .in = {X(NORMAL, 1)}, .i = {0, 0, 1}},
    {.op = "slice", .build = slice, .in = {X(NORMAL, 3, 7)}, .i = {1, 2, 6}},
    {.op = "slice", .build = slice, .in = {X(NORMAL, 3, 5, 2)}, .i = {1, 4, 5}},
    {.op = "slice", .build = slice, .in = {X(NORMAL, 900, 100)}, .i = {1, 7, 97}},
    {.op = "reshape", .build = reshape, .in = {X(NORMAL, 2, 6)}, .i = {2, 4, 3}},
    {.op = "fill", .build = fill, .f = {1.5}, .i = {3, 5}},
    {.op = "add", .build = add, .in = {X(NORMAL, 1), X(NORMAL, 1)}},
    {.op = "add", .build = add, .in = {X(NORMAL, 3, 7), X(NORMAL, 3, 7)}},
    {.op = "add", .build = add, .in = {X(NORMAL, 300, 301), X(NORMAL, 300, 301)}},
    {.op = "multiply", .build = multiply, .in = {X(NORMAL, 3, 7), X(NORMAL, 3, 7)}},
    {.op = "multiply", .build = square, .in = {X(NORMAL, 3, 7)}},
    {.op = "scale", .build = scale, .in = {X(NORMAL, 3, 7)}, .f = {-0.7}},
    {.op = "scale_by", .build = scale_by, .in = {X(NORMAL, 5, 3), X(FACTOR, 1)}},
    {.op = "scale_by", .build = scale_by, .in = {X(NORMAL, 300, 300), X(FACTOR, 1)}},
    {.op = "weighted_sum", .build = weighted, .in = {X(FACTOR, 3, 5), X(FACTOR, 1)}},
    {.op = "weighted_sum", .build = weighted, .in = {X(FACTOR, 3, 5), X(FACTOR, 3, 5), X(FACTOR, 3, 5), X(FACTOR, 1), X(FACTOR, 1), X(FACTOR, 1)}},
    {.op = "weighted_sum", .build = weighted, .in = {X(FACTOR, 300, 300), X(FACTOR, 300, 300), X(FACTOR, 1), X(FACTOR, 1)}},
    {.op = "relu", .build = relu, .in = {X(AWAY, 1)}},
    {.op = "relu", .build = relu, .in = {X(AWAY, 5, 9)}},
    {.op = "leaky_relu", .build = leaky_relu, .in = {X(AWAY, 5, 9)}, .f = {0.1}},
    {.op = "leaky_relu", .build = leaky_relu, .in = {X(AWAY, 5, 9)}, .f = {0.0}},
    {.op = "gelu", .build = gelu, .in = {X(NORMAL, 5, 9)}},
    {.op = "silu", .build = silu, .in = {X(NORMAL, 5, 9)}},
    {.op = "tanh", .build = hyperbolic, .in = {X(NORMAL, 5, 9)}},
    {.op = "sigmoid", .build = sigmoid, .in = {X(NORMAL, 5, 9)}},
    {.op = "sigmoid", .build = sigmoid, .in = {X(NORMAL, 300, 300)}},
    {.op = "softmax", .build = softmax, .in = {X(NORMAL, 4, 1)}},
    {.op = "softmax", .build = softmax, .in = {X(NORMAL, 3, 5)}},
    {.op = "softmax", .build = softmax, .in = {X(NORMAL, 2, 3, 19)}},
    {.op = "softmax", .build = softmax, .in = {X(NORMAL, 9000, 8)}},
    {.op = "dropout", .build = dropout, .in = {X(NORMAL, 1)}, .f = {0.5}},
    {.op = "dropout", .build = dropout, .in = {X(NORMAL, 7, 13)}, .f = {0.3}},
    {.op = "dropout", .build = dropout, .in = {X(NORMAL, 300, 300)}, .f = {0.2}},
    {.op = "stop_gradient", .build = stop, .in = {X(NORMAL, 3, 2)}},
    {.op = "mixture", .build = mixture, .in = {X(GATE, 1, 1), X(NORMAL, 1, 1, 1)}},
    {.op = "mixture", .build = mixture, .in = {X(GATE, 5, 3), X(NORMAL, 5, 3, 7)}},
    {.op = "mixture", .build = mixture, .in = {X(GATE, 5, 8), X(NORMAL, 5, 3, 19), X(NORMAL, 5, 1, 19), X(NORMAL, 5, 4, 19)}},
    {.op = "mixture", .build = mixture, .in = {X(GATE, 500, 5), X(NORMAL, 500, 3, 40), X(NORMAL, 500, 2, 40)}},
    {.op = "sparse_softmax", .build = sparse, .in = {X(NORMAL, 3, 1), X(ABSENT, 1)}, .i = {1}},
    {.op = "sparse_softmax", .build = sparse, .in = {X(NORMAL, 5, 8), X(ABSENT, 1)}, .i = {3}},
    {.op = "sparse_softmax", .build = sparse, .in = {X(NORMAL, 5, 8), X(WEIGHT, 5, 8)}, .i = {8}},
    {.op = "sparse_softmax", .build = sparse, .in = {X(NORMAL, 5, 4), X(ZERO, 5, 4)}, .i = {2}},
    {.op = "sparse_softmax", .build = sparse, .in = {X(NORMAL, 900, 33), X(WEIGHT, 900, 33)}, .i = {5}},
    {.op = "smooth_step", .build = smooth, .in = {X(NORMAL, 5, 9)}, .f = {1.0}},
    {.op = "smooth_step", .build = smooth, .in = {X(NORMAL, 5, 9)}, .f = {4.0}},
    {.op = "select", .build = selected, .in = {X(NORMAL, 3, 1, 1)}, .i = {2}},
    {.op = "select", .build = selected, .in = {X(NORMAL, 3, 2, 1)}, .i = {1}},
    {.op = "select", .build = selected, .in = {X(GATE, 5, 2, 3)}, .i = {8}},
    {.op = "select", .build = selected, .in = {X(NORMAL, 5, 2, 3)}, .i = {5}},
    {.op = "select", .build = selected, .in = {X(NORMAL, 700, 4, 5)}, .i = {19}},
    {.op = "blend", .build = blend, .in = {X(NORMAL, 1), X(NORMAL, 3, 5)}},
    {.op = "blend", .build = blend, .in = {X(NORMAL, 3), X(NORMAL, 3, 5), X(NORMAL, 3, 5), X(NORMAL, 3, 5)}},
    {.op = "blend", .build = blend, .in = {X(NORMAL, 2), X(NORMAL, 300, 301), X(NORMAL, 300, 301)}},
    {.op = "segment_dot", .build = dots, .in = {X(NORMAL, 1, 1), X(NORMAL, 1, 1)}, .i = {1, 1}},
    {.op = "segment_dot", .build = dots, .in = {X(NORMAL, 5, 9), X(NORMAL, 5, 9)}, .i = {3, 2, 6, 1}},
    {.op = "segment_dot", .build = dots, .in = {X(NORMAL, 5, 37), X(ABSENT, 1)}, .i = {2, 30, 7}, .f = {1.0}},
    {.op = "segment_dot", .build = dots, .in = {X(NORMAL, 900, 80), X(NORMAL, 900, 80)}, .i = {2, 30, 50}, .f = {1.0}},
    {.op = "segment_scale", .build = scaled, .in = {X(NORMAL, 1, 1), X(NORMAL, 1, 1)}, .i = {1, 1}},
    {.op = "segment_scale", .build = scaled, .in = {X(NORMAL, 5, 9), X(NORMAL, 5, 3)}, .i = {3, 2, 6, 1}},
    {.op = "segment_scale", .build = scaled, .in = {X(NORMAL, 5, 37), X(NORMAL, 5, 2)}, .i = {2, 30, 7}, .f = {1.0}},
    {.op = "segment_scale", .build = scaled, .in = {X(NORMAL, 900, 80), X(NORMAL, 900, 2)}, .i = {2, 30, 50}},
    {.op = "factorise", .build = factorise, .in = {X(NORMAL, 2, 1, 3)}},
    {.op = "factorise", .build = factorise, .in = {X(NORMAL, 5, 4, 70)}},
    {.op = "factorise", .build = factorise, .in = {X(NORMAL, 600, 20, 8)}},
    {.op = "pairs", .build = pairs, .in = {X(NORMAL, 2, 2, 1), X(NORMAL, 2, 2, 1)}},
    {.op = "pairs", .build = pairs, .in = {X(NORMAL, 5, 5, 9), X(NORMAL, 5, 5, 9)}},
    {.op = "pairs", .build = own_pairs, .in = {X(NORMAL, 5, 4, 3)}},
    {.op = "pairs", .build = pairs, .in = {X(NORMAL, 200, 12, 8), X(NORMAL, 200, 12, 8)}},
    {.op = "repeat", .build = repeated, .in = {X(NORMAL, 1, 1)}, .i = {1}},
    {.op = "repeat", .build = repeated, .in = {X(NORMAL, 3, 5)}, .i = {4}},
    {.op = "repeat", .build = repeated, .in = {X(NORMAL, 300, 17)}, .i = {20}},
    {.op = "log_sigmoid", .build = log_sigmoid, .in = {X(NORMAL, 5, 9)}},
    {.op = "log_odds", .build = log_odds, .in = {X(NEGATIVE, 5, 9)}},
    {.op = "logit", .build = logit, .in = {X(GATE, 5, 9)}},
    {.op = "reciprocal", .build = reciprocal, .in = {X(GATE, 5, 9)}},
    {.op = "layer_norm", .build = layer_norm, .in = {X(NORMAL, 1, 5), X(POSITIVE, 5), X(NORMAL, 5)}},
    {.op = "layer_norm", .build = layer_norm, .in = {X(NORMAL, 2, 3, 19), X(POSITIVE, 19), X(NORMAL, 19)}},
    {.op = "layer_norm", .build = layer_norm, .in = {X(NORMAL, 700, 100), X(POSITIVE, 100), X(NORMAL, 100)}},
    {.op = "batch_norm", .build = batch_norm, .in = {X(NORMAL, 5, 3), X(ABSENT, 1), X(POSITIVE, 3), X(NORMAL, 3), X(STATE, 3), X(STATE, 3)}},
    {.op = "batch_norm", .build = batch_norm, .in = {X(NORMAL, 8, 70), X(WEIGHT, 8), X(POSITIVE, 70), X(NORMAL, 70), X(STATE, 70), X(STATE, 70)}},
    {.op = "batch_norm", .build = batch_norm, .in = {X(NORMAL, 4, 2), X(ZERO, 4), X(POSITIVE, 2), X(NORMAL, 2), X(STATE, 2), X(STATE, 2)}},
    {.op = "batch_norm", .build = batch_norm, .in = {X(NORMAL, 800, 99), X(WEIGHT, 800), X(POSITIVE, 99), X(NORMAL, 99), X(STATE, 99), X(STATE, 99)}},
    {.op = "batch_norm_running", .build = running, .in = {X(NORMAL, 5, 3), X(POSITIVE, 3), X(NORMAL, 3), X(STATE, 3), X(STATE, 3)}, .still = 1},
    {.op = "loss_bce", .build = bce, .in = {X(NORMAL, 1, 1), X(LABEL, 1), X(WEIGHT, 1)}},
    {.op = "loss_bce", .build = bce, .in = {X(NORMAL, 9, 1), X(LABEL, 9), X(WEIGHT, 9)}},
    {.op = "loss_bce", .build = bce, .in = {X(NORMAL, 301, 1), X(LABEL, 301, 1), X(WEIGHT, 301, 1)}},
    {.op = "loss_bce", .build = bce, .in = {X(NORMAL, 4, 1), X(LABEL, 4), X(ZERO, 4)}},
    {.op = "loss_softmax", .build = cross, .in = {X(NORMAL, 5, 1), L(CLASS, 1, 5), X(WEIGHT, 5)}},
    {.op = "loss_softmax", .build = cross, .in = {X(NORMAL, 9, 3), L(CLASS, 3, 9), X(WEIGHT, 9)}},
    {.op = "loss_softmax", .build = cross, .in = {X(NORMAL, 100, 70), L(CLASS, 70, 100), X(WEIGHT, 100)}},
    {.op = "loss_softmax", .build = cross, .in = {X(NORMAL, 1000, 70), L(CLASS, 70, 1000), X(WEIGHT, 1000)}},
    {.op = "loss_squared", .build = squared, .in = {X(NORMAL, 9, 1), X(LABEL, 9), X(WEIGHT, 9)}},
    {.op = "loss_huber", .build = huber, .in = {X(NORMAL, 33, 1), X(LABEL, 33), X(WEIGHT, 33)}, .f = {0.4}},
    {.op = "loss_bce", .build = bce_with, .in = {X(NORMAL, 33, 1), X(LABEL, 33), X(WEIGHT, 33)}, .f = {0.1, 3.0}},
    {.op = "loss_bce", .build = bce_with, .in = {X(NORMAL, 33, 1), X(LABEL, 33), X(WEIGHT, 33)}, .f = {0.0, 0.25}},
    {.op = "loss_softmax", .build = smoothed, .in = {X(NORMAL, 9, 3), L(CLASS, 3, 9), X(WEIGHT, 9)}, .f = {0.2}},
    {.op = "loss_softmax", .build = smoothed, .in = {X(NORMAL, 100, 70), L(CLASS, 70, 100), X(WEIGHT, 100)}, .f = {1.0}},
    {.op = "loss_focal", .build = focal, .in = {X(NORMAL, 33, 1), X(LABEL, 33), X(WEIGHT, 33)}, .f = {2.0, 0.25}},
    {.op = "loss_focal", .build = focal, .in = {X(NORMAL, 301, 1), X(LABEL, 301), X(WEIGHT, 301)}, .f = {0.0, 0.5}},
    {.op = "loss_mean", .build = mean, .in = {X(NORMAL, 33, 1), X(LABEL, 33), X(WEIGHT, 33)}},
    {.op = "loss_poisson", .build = poisson, .in = {X(NORMAL, 33, 1), X(LABEL, 33), X(WEIGHT, 33)}},
    {.op = "thresholds", .build = thresholds, .in = {X(NORMAL, 1, 1), X(NORMAL, 1)}},
    {.op = "thresholds", .build = thresholds, .in = {X(NORMAL, 9, 1), X(NORMAL, 4)}},
    {.op = "thresholds", .build = thresholds, .in = {X(NORMAL, 300), X(NORMAL, 9)}},
    {.op = "loss_ordinal", .build = ordinal, .in = {X(FALLING, 5, 1), L(CLASS, 2, 5), X(WEIGHT, 5)}},
    {.op = "loss_ordinal", .build = ordinal, .in = {X(FALLING, 33, 4), L(CLASS, 5, 33), X(WEIGHT, 33)}},
    {.op = "loss_ordinal", .build = ordinal, .in = {X(FALLING, 301, 2), L(CLASS, 3, 301), X(WEIGHT, 301)}},
    {.op = "gram", .build = gram, .in = {X(FACTOR, 1)}, .i = {1}},
    {.op = "gram", .build = gram, .in = {X(FACTOR, 3, 5), X(FACTOR, 3, 5), X(FACTOR, 7), X(FACTOR, 7)}, .i = {2}},
    {.op = "gram", .build = gram, .in = {X(FACTOR, 40, 90), X(ABSENT, 1), X(FACTOR, 40, 90), X(ABSENT, 1), X(ABSENT, 1), X(ABSENT, 1)}, .i = {3}},
    {.op = "gram", .build = gram, .in = {X(FACTOR, 333, 300), X(FACTOR, 333, 300), X(FACTOR, 30), X(FACTOR, 30)}, .i = {2}},
    {.op = "grad_norm", .build = norm, .in = {X(FACTOR, 3, 5), X(ABSENT, 1), X(FACTOR, 7), X(FACTOR, 7)}, .i = {2}},
    {.op = "grad_norm", .build = norm, .in = {X(FACTOR, 333, 300), X(FACTOR, 333, 300)}, .i = {2}},
    {.op = "balance", .build = balance, .in = {X(FACTOR, 3), X(FACTOR, 2, 2)}},
    {.op = NULL},
};
/* clang-format on */
