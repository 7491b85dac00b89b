/* cases.h -- what every operator is tried on: small shapes with sizes of 1, odd sizes, rows of
 * weight 0 and labels that are missing; and shapes large enough to be cut into parts. */
#ifndef TESTS_OPS_CASES_H
#define TESTS_OPS_CASES_H

#include "ops/ops.h"

/* How an input is filled.  A gradient is asked for those up to TABLE. */
typedef enum op_fill {
    NONE,     /* after the last input */
    NORMAL,   /* within -1.5 .. 1.5 */
    AWAY,     /* the same, but 0.1 or more from 0: where a function has a kink there */
    POSITIVE, /* 0.5 .. 1.5 */
    NEGATIVE, /* -1.5 .. -0.5 */
    GATE,     /* positive, rows sum to 1 */
    FALLING,  /* each row falls from its first number to its last */
    TABLE,    /* NORMAL, an embedding table of the store */
    FACTOR,   /* NORMAL, no gradient */
    IDS,      /* i32 0 .. limit - 1, with repetitions */
    LABEL,    /* 0 .. 1, every fourth NaN */
    CLASS,    /* i32 0 .. limit - 1, every fourth -1 */
    WEIGHT,   /* 0.5 .. 1.5, every third 0 */
    ZERO,     /* all 0 */
    STATE,    /* POSITIVE, a parameter that is not trained */
    ABSENT    /* NULL */
} op_fill;

enum { MAX_INPUTS = 8 };

typedef struct op_input {
    op_fill fill;
    int64_t dim[4]; /* as many as are not 0 */
    int64_t limit;
} op_input;

typedef struct op_case op_case;
struct op_case {
    const char *op;
    poise_value *(*build)(const op_case *c, poise_graph *g, int nin, poise_value *const *in,
                          poise_error *err);
    op_input in[MAX_INPUTS];
    double f[2];
    int64_t i[4];
    int still; /* 1: the graph does not train */
};

extern const op_case op_cases[]; /* ended by a NULL op */

int case_inputs(const op_case *c);
int input_rank(const op_input *in);
int64_t input_count(const op_input *in);

#endif
