/* table.h -- every operator, once.  Internal.
 *
 * F(name): an operator of ops.h.  It needs a double-precision reference and cases in tests/ops.
 * B(name): one that only backward rules append.  The tests fail where no case has run it.
 * R(name): one that only rewrites make (core/graph.h).
 *
 * To add an operator: a row here, a file with `const poise_op poise__op_NAME`, a builder in ops.h,
 * a reference and a case in tests/ops; the walk over this table asks for what is missing.
 */
#ifndef POISE_TABLE_H
#define POISE_TABLE_H

#include "../core/op.h"

#define POISE__OPS(F, B, R)    \
    F(linear)                  \
    B(linear_data)             \
    B(linear_weights)          \
    R(linear_data_onto)        \
    R(linear_weights_onto)     \
    F(batched_linear)          \
    B(batched_linear_data)     \
    B(batched_linear_weights)  \
    R(batched_data_onto)       \
    R(batched_weights_onto)    \
    R(each_linear)             \
    R(each_data)               \
    R(each_weights)            \
    B(column_sum)              \
    F(embedding)               \
    B(group_rows)              \
    B(row_sum)                 \
    F(embedding_bag)           \
    F(embedding_list)          \
    B(bag_rows)                \
    F(list_mask)               \
    F(list_pool)               \
    B(list_pool_backward)      \
    F(concat)                  \
    F(slice)                   \
    B(pad)                     \
    F(reshape)                 \
    F(fill)                    \
    F(add)                     \
    F(multiply)                \
    F(scale)                   \
    F(scale_by)                \
    F(weighted_sum)            \
    F(relu)                    \
    B(relu_backward)           \
    F(leaky_relu)              \
    B(leaky_relu_backward)     \
    F(gelu)                    \
    B(gelu_backward)           \
    F(silu)                    \
    B(silu_backward)           \
    F(tanh)                    \
    B(tanh_backward)           \
    F(sigmoid)                 \
    B(sigmoid_backward)        \
    F(softmax)                 \
    B(softmax_backward)        \
    F(dropout)                 \
    F(stop_gradient)           \
    F(mixture)                 \
    B(mixture_gate)            \
    B(mixture_expert)          \
    F(sparse_softmax)          \
    F(smooth_step)             \
    B(smooth_step_backward)    \
    F(select)                  \
    B(select_backward)         \
    F(blend)                   \
    B(blend_term)              \
    B(blend_weights)           \
    F(repeat)                  \
    B(repeat_backward)         \
    F(segment_dot)             \
    F(segment_scale)           \
    F(factorise)               \
    B(factorise_backward)      \
    F(pairs)                   \
    B(pairs_left)              \
    B(pairs_right)             \
    F(log_sigmoid)             \
    B(log_sigmoid_backward)    \
    F(log_odds)                \
    B(log_odds_backward)       \
    F(logit)                   \
    B(logit_backward)          \
    F(reciprocal)              \
    B(reciprocal_backward)     \
    F(layer_norm)              \
    B(layer_norm_data)         \
    B(layer_norm_gamma)        \
    F(batch_norm)              \
    B(batch_norm_data)         \
    B(batch_norm_gamma)        \
    F(batch_norm_running)      \
    B(batch_norm_running_data) \
    F(loss_bce)                \
    B(loss_bce_backward)       \
    F(loss_softmax)            \
    B(loss_softmax_backward)   \
    F(loss_squared)            \
    B(loss_squared_backward)   \
    F(loss_huber)              \
    B(loss_huber_backward)     \
    F(loss_focal)              \
    B(loss_focal_backward)     \
    F(loss_poisson)            \
    B(loss_poisson_backward)   \
    F(loss_mean)               \
    B(loss_mean_backward)      \
    F(thresholds)              \
    B(thresholds_data)         \
    B(thresholds_raw)          \
    F(loss_ordinal)            \
    B(loss_ordinal_backward)   \
    F(gram)                    \
    F(grad_norm)               \
    F(balance)

#define X(name) extern const poise_op poise__op_##name;
POISE__OPS(X, X, X)
#undef X

#endif
