/* check.h -- does a balancer keep the contract of balancer.h?
 *
 * A list of checks, each of which loads the object afresh and tries one property.  A check calls
 * foreign code that may crash, hang or overwrite the report's neighbours, so the caller runs each
 * one in a process of its own, with the report in memory that both processes see:
 *
 *     poise_check_report *r = mmap(..., MAP_SHARED | MAP_ANONYMOUS, ...);
 *     if (!(child = fork()))  { poise_check_run(k, "./mine.so", r); _exit(0); }
 *     waitpid(child, ...)     // r->done == 0: it did not come to its end; r says where it was
 *
 * `poise balancer check` does that (tools/balancer_check.c).
 *
 * What is handed to the balancer is always consistent: gradients are made first, and norms and
 * Gram matrices, of groups and of halves, are those of the gradients.  A balancer that refuses an
 * absurd input with a message (losses of 0, say) is warned of; on ordinary input that is a failure.
 */
#ifndef POISE_CHECK_H
#define POISE_CHECK_H

#include "plugin.h"

typedef enum poise_check_kind {
    POISE_CHECK_NOTE,    /* a figure */
    POISE_CHECK_SKIPPED, /* it does not apply to this balancer, or not on this machine */
    POISE_CHECK_WARNING,
    POISE_CHECK_FAILURE
} poise_check_kind;

enum { POISE_CHECK_FINDINGS = 12, POISE_CHECK_TEXT = 400, POISE_CHECK_SCENE = 160 };

typedef struct poise_check_finding {
    poise_check_kind kind;
    char text[POISE_CHECK_TEXT];
    char scene[POISE_CHECK_SCENE]; /* where: "3 tasks, alpha = 10, step 4"; "" for none */
} poise_check_finding;

/* Plain data without pointers.  Zero it before the run. */
typedef struct poise_check_report {
    int done; /* the check came to its end */
    char id[65], version[33];
    /* What is being tried now. */
    char scene[POISE_CHECK_SCENE];
    char callback[16]; /* the function of the balancer that runs; "" for none */
    int nfinding;      /* kept; */
    int more;          /* and so many that there was no room for */
    poise_check_finding finding[POISE_CHECK_FINDINGS];
} poise_check_report;

/* The k-th check's name ("losses") and property ("losses of 0, ..."); NULL past the last. */
POISE_API const char *poise_check_name(int k);
POISE_API const char *poise_check_about(int k);

/* Run the k-th check on the object.  An object that does not load is one failure of the check 0,
 * "load"; the others are skipped then. */
POISE_API void poise_check_run(int k, const char *path, poise_check_report *report);

/* The worst kind among the findings; POISE_CHECK_NOTE where there is none. */
POISE_API poise_check_kind poise_check_worst(const poise_check_report *r);

#endif
