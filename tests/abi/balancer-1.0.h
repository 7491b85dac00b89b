/* balancer.h -- the whole contract between Poise and a loss balancer.
 *
 * Each training step has T task losses and one set of shared parameters.  A balancer turns what
 * the host measured into T task weights; the host then steps along the gradient of the sum over t
 * of weight[t] * loss[t].  The smallest one:
 *
 *     #include <poise/balancer.h>
 *     static int step(const poise_context *c, void *s, const poise_signals *in, double *weight)
 *     { return (void)c, (void)s, (void)in, (void)weight, 0; }         // leave them at 1.0
 *     static const poise_balancer plugin = {POISE_SIZES, .id = "mine", .version = "1.0.0",
 *                                           .about = "all weights 1", .step = step};
 *     POISE_BALANCER(plugin)                                // cc -shared -fPIC -o mine.so mine.c
 *
 * A balancer is one shared object with one exported function.  It allocates nothing, reads no
 * files and keeps no globals: all it remembers lies in a flat block that the host owns.
 *
 * Versions.  The major version is in the name of the exported function, so two majors can live
 * side by side.  The minor version is the `size` that opens every struct: fields are only ever
 * appended, and one past the other side's `size` is absent (zero, NULL).  A bit in `needs` or
 * `flags` that the host does not know refuses the load with a message; in `wants` it is ignored.
 *
 * Threads: calls on one state never overlap; calls on two states may.  Determinism: the same
 * context, state and signals give the same bits: no clock, no rand(), no address in the state.
 *
 * A task without labels.  labelled[t] == 0 says that no row of the batch had a label for task t:
 * its other signals mean nothing then.  Learn nothing from them: what the state holds on the task
 * stays as it is, and so does its weight, unless a sum that is kept moves it with the others; means
 * over the tasks go over the labelled ones.  Its weight has no effect in that step.
 */
#ifndef POISE_BALANCER_H
#define POISE_BALANCER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#define POISE_EXTERN extern "C"
#else
#define POISE_EXTERN
#endif
#ifdef __GNUC__
#define POISE_PRINTF __attribute__((format(printf, 2, 3)))
#define POISE_EXPORT __attribute__((visibility("default")))
#else
#define POISE_PRINTF
#define POISE_EXPORT
#endif

/* Signals, for `needs` and `wants`.  The host computes only those that are asked for; the field of
 * one not asked for is NULL.  The cost is per training step. */
enum {
    POISE_LOSS = 1 << 0,      /* free */
    POISE_LOSS_INIT = 1 << 1, /* free */
    POISE_GRAD_NORM = 1 << 2, /* each task's gradient down to the layers in scope */
    POISE_GRAM = 1 << 3,      /* as above, and T * T / 2 dot products */
    POISE_KPI = 1 << 4        /* free */
};

/* What the weights mean, for `flags`.  Without POISE_SHARED_ONLY a weight scales the whole task
 * loss, tower too; with it the gradient of the shared parameters alone, and each tower is trained
 * on its own loss at weight 1.  (A spec can override this.) */
enum {
    POISE_SHARED_ONLY = 1 << 0,
    POISE_SIGNED = 1 << 1 /* weights may be negative */
};

/* One parameter: a row.  The host reads its value from the spec, checks kind and range and reports
 * file:line:column: a balancer never sees a bad one.  Every kind arrives as double.  The names use,
 * signals and shared_only are taken: they are the spec's own keys beside the parameters. */
enum { POISE_REAL = 1, POISE_INT = 2, POISE_BOOL = 3, POISE_CHOICE = 4 };
enum { POISE_PER_TASK = 1 << 0 };

typedef struct poise_param {
    const char *name;          /* the key in the spec, [a-z][a-z0-9_]* */
    const char *help;          /* one line, with the unit */
    uint32_t kind;             /* POISE_REAL ... POISE_CHOICE */
    uint32_t flags;            /* POISE_PER_TASK: T values, one a task; or 0 */
    double value;              /* default; of a POISE_BOOL 0 or 1, of a POISE_CHOICE an index */
    double min, max;           /* of REAL and INT, inclusive; max may be INFINITY */
    const char *const *choice; /* of a POISE_CHOICE: the words, NULL last */
} poise_param;

/* What the host offers.  Texts are copied at once. */
typedef struct poise_host poise_host;
struct poise_host {
    uint32_t size;
    uint32_t reserved; /* 0 */
    /* Keep the message of a failure.  Returns -1, always: `return c->host->fail(c->host, ...)`.
     * The host adds the balancer, the step and the place. */
    POISE_PRINTF int (*fail)(const poise_host *h, const char *fmt, ...);
    /* A line for the run's log. */
    POISE_PRINTF void (*note)(const poise_host *h, const char *fmt, ...);
    /* A number for the run's log, such as a learnt sigma; task < T, or -1 for all. */
    void (*metric)(const poise_host *h, const char *key, int32_t task, double value);
};

/* Constant for the life of a state. */
typedef struct poise_context {
    uint32_t size;
    uint32_t ntask;             /* T >= 1 */
    const char *const *task;    /* [T] names, in the order of the spec */
    const double *const *param; /* param[i]: 1 value, or [T] with POISE_PER_TASK */
    uint64_t seed;              /* the only source of randomness allowed */
    const poise_host *host;
} poise_context;

/* One training step.  The arrays are the host's, valid during the call. */
typedef struct poise_signals {
    uint32_t size;
    uint32_t epoch; /* from 0 */
    uint64_t step;  /* from 0 over the whole run; gaps are allowed */
    const double
        *labelled;      /* [T] sum of the sample weights of the rows with a label; always there */
    const double *loss; /* [T] mean over those rows, unweighted, finite */
    const double *loss_init; /* [T] loss at the task's first labelled step */
    const double *grad_norm; /* [T] L2 norm of g_t = d loss[t] / d shared, unweighted */
    const double *gram;      /* [T * T] <g_i, g_j>, symmetric, row by row */
    const double *kpi;       /* [T] running quality on the training rows, in (0, 1]; NaN: unknown */
} poise_signals;

typedef struct poise_balancer {
    uint32_t size;            /* sizeof(poise_balancer) */
    uint32_t param_size;      /* sizeof(poise_param): the stride of `param` */
    const char *id;           /* its name, [a-z][a-z0-9_-]* */
    const char *version;      /* of this balancer, "1.2.0" */
    const char *about;        /* one line, with the paper it follows */
    uint32_t needs;           /* signals without which it cannot run */
    uint32_t wants;           /* signals that it uses where it gets them */
    uint32_t flags;           /* POISE_SHARED_ONLY | POISE_SIGNED */
    uint32_t min_task;        /* the smallest T it accepts; 0 is 1 */
    const poise_param *param; /* [nparam] rows */
    uint32_t nparam;
    uint32_t state_version; /* raise it when the layout of the state changes */

    /* Bytes of state for this context; NULL: none.  State is flat: no pointers in it.  The host
     * zeroes it, aligns it to 64 bytes, and checkpoints it byte for byte. */
    size_t (*state_size)(const poise_context *c);

    /* Fill a zeroed state; NULL if zero will do.  0, or host->fail(). */
    int (*init)(const poise_context *c, void *state);

    /* Set weight[T]: finite, and >= 0 without POISE_SIGNED.  On entry it holds those returned
     * last, 1.0 at first.  0, or host->fail(): the run stops. */
    int (*step)(const poise_context *c, void *state, const poise_signals *in, double *weight);

    /* Rebuild a zeroed state from a checkpoint of an older state_version.  NULL if that was never
     * needed: then such a checkpoint is refused.  0, or host->fail(). */
    int (*migrate)(const poise_context *c, void *state, uint32_t from, const void *old,
                   size_t old_size);
} poise_balancer;

/* Is a field that was appended after version 1.0 there?  POISE_HAS(poise_signals, in, name) */
#define POISE_HAS(type, p, field) ((p)->size >= offsetof(type, field) + sizeof((p)->field))

#define POISE_SYMBOL "poise_balancer_v1"
#define POISE_BALANCER(table)                                                \
    POISE_EXTERN POISE_EXPORT const poise_balancer *poise_balancer_v1(void); \
    const poise_balancer *poise_balancer_v1(void)                            \
    {                                                                        \
        return &(table);                                                     \
    }
#define POISE_SIZES    .size = sizeof(poise_balancer), .param_size = sizeof(poise_param)
#define POISE_COUNT(a) ((uint32_t)(sizeof(a) / sizeof((a)[0])))

#ifdef __cplusplus
}
#endif
#endif
