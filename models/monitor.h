/* monitor.h -- the figures of a task, and the expression over them that chooses the best epoch.
 *
 *     monitor: mean auc
 *     monitor: buy rmse
 *     monitor: {click.auc: 1, buy.auc: 2, mean.logloss: 0.5}
 *
 * The value is the sum of factor x figure; higher is better, so figures of which less is better count
 * with a minus.
 */
#ifndef POISE_MONITOR_H
#define POISE_MONITOR_H

#include "../core/error.h"
#include "../data/schema.h"

#define POISE__OF(kind) (1U << POISE_##kind)

/* Figure, name, 1 where more is better and -1 where less is, the kinds of task that have it.  A
 * kind's headline is its first, its own loss its last. */
#define POISE_FIGURES(X)                                                                      \
    X(AUC, "auc", 1, POISE__OF(BINARY))                                                       \
    X(ACCURACY, "accuracy", 1, POISE__OF(MULTICLASS))                                         \
    X(MAE, "mae", -1, POISE__OF(ORDINAL) | POISE__OF(REGRESSION))                             \
    X(LOGLOSS, "logloss", -1, POISE__OF(BINARY) | POISE__OF(MULTICLASS) | POISE__OF(ORDINAL)) \
    X(RMSE, "rmse", -1, POISE__OF(REGRESSION))                                                \
    X(DEVIANCE, "deviance", -1, POISE__OF(COUNT))

typedef enum poise_figure {
#define X(figure, name, better, of) POISE_##figure,
    POISE_FIGURES(X)
#undef X
        POISE_FIGURE_COUNT
} poise_figure;

POISE_API const char *poise_figure_name(poise_figure f);
POISE_API int poise_figure_better(poise_figure f); /* 1: more is better, -1: less */
POISE_API int poise_figure_of(poise_figure f, poise_task_kind kind); /* 1: it has the figure */
/* What tasks of a kind are compared by: auc, rmse, accuracy, mae, deviance. */
POISE_API poise_figure poise_figure_headline(poise_task_kind kind);

typedef struct poise_monitor_term {
    int task; /* -1: the mean over the tasks that have the figure */
    poise_figure figure;
    double factor; /* above 0 */
} poise_monitor_term;

typedef struct poise_monitor {
    int n; /* 1 or more */
    const poise_monitor_term *term;
} poise_monitor;

struct poise__reading;
struct poise__yaml;
struct poise__arena;
int poise__monitor_read(struct poise__reading *r, const struct poise__yaml *v, poise_monitor *m);
/* As a spec says it; NULL and *err when memory is out. */
struct poise__yaml *poise__monitor_write(struct poise__arena *a, const poise_schema *s,
                                         const poise_monitor *m, poise_error *err);

#endif
