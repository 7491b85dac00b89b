/* balancer-shorter.h -- version 1 of the interface with every struct as short as it may be: what a
 * host must still be able to load.  Names and order are those of <poise/balancer.h>; the fields
 * behind are left out. */
#ifndef POISE_BALANCER_H
#define POISE_BALANCER_H

#include <stddef.h>
#include <stdint.h>

enum { POISE_LOSS = 1 << 0 };
enum { POISE_REAL = 1 };

typedef struct poise_param {
    const char *name, *help;
    uint32_t kind, flags;
    double value, min, max;
} poise_param;

typedef struct poise_host poise_host;
struct poise_host {
    uint32_t size, reserved;
    int (*fail)(const poise_host *h, const char *fmt, ...);
};

typedef struct poise_context {
    uint32_t size, ntask;
    const char *const *task;
    const double *const *param;
    uint64_t seed;
    const poise_host *host;
} poise_context;

typedef struct poise_signals {
    uint32_t size, epoch;
    uint64_t step;
    const double *labelled, *loss;
} poise_signals;

typedef struct poise_balancer {
    uint32_t size, param_size;
    const char *id, *version, *about;
    uint32_t needs, wants, flags, min_task;
    const poise_param *param;
    uint32_t nparam, state_version;
    size_t (*state_size)(const poise_context *c);
    int (*init)(const poise_context *c, void *state);
    int (*step)(const poise_context *c, void *state, const poise_signals *in, double *weight);
} poise_balancer;

#define POISE_BALANCER(table)                                                             \
    __attribute__((visibility("default"))) const poise_balancer *poise_balancer_v1(void); \
    const poise_balancer *poise_balancer_v1(void)                                         \
    {                                                                                     \
        return &(table);                                                                  \
    }
#define POISE_SIZES .size = sizeof(poise_balancer), .param_size = sizeof(poise_param)

#endif
