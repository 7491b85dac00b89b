/* signals.h -- from T task losses to one gradient per parameter, with a balancer in between.
 *
 * The balancer is a node of the graph.  What it needs comes before it, what its weights feed after:
 *
 *   losses only          w = balance(losses);  one backward pass seeded with w        (whole loss)
 *   losses, shared only  towers at weight 1; sum over t of w_t d loss_t at the boundary, one
 *                        backward pass below it
 *   norms or Gram        each task's backward down to the layers in scope; dW_t there; norms or
 *                        Gram; w = balance(...); sum over t of w_t dW_t, and one backward pass of
 *                        sum over t of w_t d loss_t below the scope
 *
 * What is shared is found: a parameter, node or value is shared when two or more of the losses
 * depend on it.  The *last shared layer* is the set of shared parameters from which no path to a
 * loss passes another shared parameter's layer: in MMoE, every expert's output layer.
 */
#ifndef POISE_SIGNALS_H
#define POISE_SIGNALS_H

#include "../core/graph.h"
#include "../models/spec.h"
#include "../ops/ops.h"

/* What the graph is to compute for the balancer. */
enum {
    POISE_SIGNAL_NORM = 1 << 0,   /* norm[T] of the scope's per-task gradients */
    POISE_SIGNAL_GRAM = 1 << 1,   /* gram[T, T] */
    POISE_SIGNAL_GROUPS = 1 << 2, /* gram[T, T] of every parameter in scope */
    POISE_SIGNAL_HALVES = 1 << 3  /* gram[2T, 2T] of the even rows' and the odd rows' losses */
};

typedef struct poise_signal_plan {
    unsigned signals;
    poise_scope scope; /* of the norms and Gram matrices; LAYERS: give `param` */
    /* A scope of the caller's own instead: store indices of shared parameters, NULL: `scope`. */
    int nparam;
    const int *param;
    int shared_only; /* 1: a weight scales the shared gradient alone; 0: the whole task loss */
    /* 1: the balancer's weights are [G, T], one row per parameter in scope; the scope must be ALL,
     * and shared_only 1. */
    int group_weights;
    /* 1: no balancer in the graph.  Every shared parameter's gradients of all tasks are outputs
     * (task_gradient), each task's own parameters have theirs at weight 1, and the caller combines.
     * The scope must be ALL. */
    int by_element;
    poise_value *const *half_loss; /* [2T] f32 [1], for POISE_SIGNAL_HALVES: even rows, odd rows */
    /* The node's host side; its `call` receives, in this order: loss[T] f32, labelled[T] f32, then
     * norm[T], gram[T, T], G times gram[T, T] and gram[2T, 2T], all f64, as far as they were asked
     * for, then the extra values.  G is not known to the caller before poise_find_shared. */
    const poise_balance_call *balance;
    int nextra;
    poise_value *const *extra;
} poise_signal_plan;

typedef struct poise_step_graph {
    poise_value *loss;     /* [T], an output */
    poise_value *labelled; /* [T], an output */
    poise_value *weight;   /* [T] or [G, T], an output; NULL with by_element */
    /* Outputs, NULL unless asked for. */
    poise_value *norm, *gram, *half_gram;
    poise_value **group_gram; /* [nscope] */
    int nparam;
    int *param;               /* [nparam] store indices of the trainable parameters */
    poise_gradient *gradient; /* [nparam]; value NULL: no loss depends on it, or by_element */
    int *owner;               /* [nparam] the one task it belongs to; -1: shared */
    int nscope;               /* G */
    int *scope;               /* [nscope] store indices of the parameters in scope, ascending */
    poise_gradient *task_gradient; /* [nscope, T] outputs with by_element, else NULL; value NULL:
                                      the task does not reach the parameter */
} poise_step_graph;

/* Append the balancer and the backward pass to a graph that holds the T losses (f32 [1] each) and
 * the sums of their weights.  Marks the outputs.  Arrays of *out belong to the caller:
 * poise_step_graph_done. */
POISE_API int poise_step_build(poise_graph *g, int ntask, poise_value *const *loss,
                               poise_value *const *labelled, const poise_signal_plan *plan,
                               poise_step_graph *out, poise_error *err);
POISE_API void poise_step_graph_done(poise_step_graph *s);

/* Store indices of the shared parameters and of the last shared layer, ascending; malloc'd. */
typedef struct poise_shared {
    int nshared, *shared;
    int nlast, *last;
} poise_shared;
POISE_API int poise_find_shared(const poise_graph *g, int ntask, poise_value *const *loss,
                                poise_shared *out, poise_error *err);
POISE_API void poise_shared_done(poise_shared *s);

#endif
