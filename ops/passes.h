/* passes.h -- the rewrites that make a graph faster, and which of them run.
 *
 * A pass leaves what the graph computes as it is, up to the rounding of sums that it takes in another
 * order.  Passes run in the order of the table, after gradients were built and before a session is
 * made; after each what nobody needs is removed.
 *
 * To add one: a file rewrite_NAME.c with its function, a row here, a test that the values stay and
 * that fewer nodes run.
 */
#ifndef POISE_PASSES_H
#define POISE_PASSES_H

#include "../core/graph.h"

/* name, function, what it does */
#define POISE_PASSES(X)                                                                      \
    X(common, poise_rewrite_common, "what is equal is computed once")                        \
    X(siblings, poise_rewrite_siblings,                                                      \
      "narrow linear maps of one input (gates) are one product, and so are their gradients") \
    X(epilogue, poise_rewrite_epilogue, "a product applies the activation after it")         \
    X(accumulate, poise_rewrite_accumulate, "a product is added to where it is needed")      \
    X(stack, poise_rewrite_stack,                                                            \
      "small products of one shape (towers), and tasks' gradients, are one step")

enum {
#define X(name, run, about) POISE__PASS_##name,
    POISE_PASSES(X)
#undef X
        POISE_PASS_COUNT
};

/* A set of passes: bit k is row k. */
#define POISE_PASSES_ALL ((1U << POISE_PASS_COUNT) - 1U)

POISE_API const char *poise_pass_name(int pass);

/* Run all passes but those in `without`.  0, or -1 with *err. */
POISE_API int poise_passes_run(poise_graph *g, unsigned without, poise_error *err);

/* Linear maps of one input whose outputs are narrow (32 columns or fewer), which alone would be
 * products that no processor does well:
 *
 *     y_t = x w_t' + b_t                 slices of  x [w_1; w_2; ...]' + [b_1, b_2, ...]
 *     dw_t = dy_t' x                     slices of  [dy_1, dy_2, ...]' x
 *     dx = .. + dy_1 w_1 + dy_2 w_2      .. + [dy_1, dy_2, ...] [w_1; w_2; ...]
 *     dx = sum over t of s_t dy_t w_t    [s_1 dy_1, s_2 dy_2, ...] [w_1; w_2; ...]
 *
 * Parameters stay what and where they are: their copies side by side are made in every run, and are
 * small.  Returns how many products went, or -1. */
POISE_API int poise_rewrite_siblings(poise_graph *g, poise_error *err);

/* Products of one kind and one shape of which none depends on another, as those of the tasks' towers
 * and of their backward passes, run one after the other in one step, on several threads side by side:
 *
 *     y_t = act(x_t w_t' + b_t)     each_linear
 *     dx_t = dy_t w_t               each_data
 *     dw_t = dy_t' x_t              each_weights
 *
 * What the later ones read is computed before the first, so all that they read and make lives at the
 * same time.  Products of more than 64 MFLOP stay where they are: alone they reach the product's peak,
 * packing a matrix that several of them share is less than a hundredth of the work, and their operands
 * would leave the caches.  But for up to four of any size that share their second factor and whose
 * first ones one relu's backward made: they leave out their common zeros together (skip.h).  Returns
 * how many steps went, or -1. */
POISE_API int poise_rewrite_stack(poise_graph *g, poise_error *err);

#endif
