/* layout.c -- freezes version 1 of balancer.h.
 *
 * A balancer that was built years ago must still load.  A field may be appended to a struct, with a
 * line here; a line that fails says that existing objects would be misread. */
#include <assert.h>

#include "balancer.h"

#define AT(type, field, offset) \
    static_assert(offsetof(type, field) == (offset), #type "." #field " has moved")

#if UINTPTR_MAX == UINT64_MAX
AT(poise_param, name, 0);
AT(poise_param, help, 8);
AT(poise_param, kind, 16);
AT(poise_param, flags, 20);
AT(poise_param, value, 24);
AT(poise_param, min, 32);
AT(poise_param, max, 40);
AT(poise_param, choice, 48);

AT(poise_host, size, 0);
AT(poise_host, fail, 8);
AT(poise_host, note, 16);
AT(poise_host, metric, 24);

AT(poise_context, size, 0);
AT(poise_context, ntask, 4);
AT(poise_context, task, 8);
AT(poise_context, param, 16);
AT(poise_context, seed, 24);
AT(poise_context, host, 32);

AT(poise_context, group, 40);
AT(poise_context, ngroup, 48);

AT(poise_signals, size, 0);
AT(poise_signals, epoch, 4);
AT(poise_signals, step, 8);
AT(poise_signals, labelled, 16);
AT(poise_signals, loss, 24);
AT(poise_signals, loss_init, 32);
AT(poise_signals, grad_norm, 40);
AT(poise_signals, gram, 48);
AT(poise_signals, kpi, 56);
AT(poise_signals, loss_after, 64);
AT(poise_signals, rate, 72);
AT(poise_signals, group_gram, 80);
AT(poise_signals, half_gram, 88);

AT(poise_stretch, size, 0);
AT(poise_stretch, group, 4);
AT(poise_stretch, first, 8);
AT(poise_stretch, n, 16);
AT(poise_stretch, grad, 24);
AT(poise_stretch, keep, 32);

AT(poise_balancer, size, 0);
AT(poise_balancer, param_size, 4);
AT(poise_balancer, id, 8);
AT(poise_balancer, version, 16);
AT(poise_balancer, about, 24);
AT(poise_balancer, needs, 32);
AT(poise_balancer, wants, 36);
AT(poise_balancer, flags, 40);
AT(poise_balancer, min_task, 44);
AT(poise_balancer, param, 48);
AT(poise_balancer, nparam, 56);
AT(poise_balancer, state_version, 60);
AT(poise_balancer, state_size, 64);
AT(poise_balancer, init, 72);
AT(poise_balancer, step, 80);
AT(poise_balancer, migrate, 88);
AT(poise_balancer, formula, 96);
AT(poise_balancer, paper, 104);
AT(poise_balancer, differs, 112);
AT(poise_balancer, advice, 120);
AT(poise_balancer, keep, 128);
AT(poise_balancer, edit, 136);
AT(poise_balancer, blend, 144);
#endif

/* The numbers that objects carry. */
static_assert(POISE_LOSS == 1 && POISE_LOSS_INIT == 2 && POISE_GRAD_NORM == 4 && POISE_GRAM == 8 &&
                  POISE_KPI == 16 && POISE_LOSS_AFTER == 32 && POISE_RATE == 64 &&
                  POISE_GROUP_GRAM == 128 && POISE_HALF_GRAM == 256,
              "a signal has another bit");
static_assert(POISE_SHARED_ONLY == 1 && POISE_SIGNED == 2 && POISE_GROUP_WEIGHTS == 4 &&
                  POISE_EDIT_SIGNALS == 8 && POISE_PER_TASK == 1,
              "a flag has another bit");
static_assert(POISE_REAL == 1 && POISE_INT == 2 && POISE_BOOL == 3 && POISE_CHOICE == 4,
              "a kind has another number");
