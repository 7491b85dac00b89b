/* rig_golden.h -- a strategy fed with the signals of golden.h, its weights compared at every step. */
#ifndef RIG_GOLDEN_H
#define RIG_GOLDEN_H

#include "rig.h"
#include "golden.h"

static inline void rig_golden(const char *name, const rig_set *set,
                              const double want[GOLDEN_STEPS][GOLDEN_TASKS], double tolerance)
{
    char what[64];
    rig *r = rig_new(name, GOLDEN_TASKS, set);

    memcpy(r->loss_init, golden_loss[0], sizeof golden_loss[0]);
    for (uint32_t k = 0; k < GOLDEN_STEPS; k++) {
        memcpy(r->loss, golden_loss[k], sizeof golden_loss[k]);
        memcpy(r->grad_norm, golden_norm[k], sizeof golden_norm[k]);
        memcpy(r->kpi, golden_kpi[k], sizeof golden_kpi[k]);
        r->in.epoch = k / GOLDEN_EPOCH;
        rig_step(r);
        for (uint32_t t = 0; t < GOLDEN_TASKS; t++) {
            snprintf(what, sizeof what, "step %u: weight[%u]", (unsigned)k, (unsigned)t);
            rig_near(r->weight[t], want[k][t], tolerance, what);
        }
    }
    rig_free(r);
}

#endif
