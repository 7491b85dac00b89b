/* balance.c -- one balancer at work.
 *
 * A balancer is foreign code in our process.  Both blocks that it writes to, the state and the
 * answer, lie between guard bytes that are looked at after every call:
 *
 *     [guard 64][state, or T weights ...][guard 64]
 *
 * That catches the usual slip, an index past the end, at the step where it happens.
 */
#include "plugin.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../core/memory.h"
#include "settings.h"
#include "table.h"

enum { GUARD = 64, GUARD_BYTE = 0xA5 };

typedef struct block {
    unsigned char *base; /* owned: guard, size bytes, guard */
    size_t size;
} block;

struct poise_balance {
    poise_host host; /* first: what the balancer hands back leads here */
    char failure[512];
    int failed; /* host.fail was called */
    poise_balance_sink sink;

    const poise_plugin *plugin;
    const poise_balancer *table;
    poise_context context;
    poise__arena *arena; /* names, parameters */
    block state, answer; /* answer: double[nweight] */
    double *weight;      /* [nweight] the last ones that passed */
    uint32_t nweight;    /* T, or G * T */
    uint32_t signals;
};

/* ---- guarded blocks ---- */

static int block_new(block *b, size_t size, poise_error *err)
{
    if (size > SIZE_MAX - (size_t)2 * GUARD)
        return poise_fail(err, POISE_E_MEMORY, POISE_NOWHERE, "a state of %zu bytes is too large",
                          size);
    b->base = poise__alloc_aligned(size + (size_t)2 * GUARD, err);
    if (!b->base)
        return -1;
    b->size = size;
    memset(b->base, GUARD_BYTE, GUARD);
    memset(b->base + GUARD + size, GUARD_BYTE, GUARD);
    return 0;
}

static void *block_data(const block *b)
{
    return b->base + GUARD;
}

/* "in front of", "past the end of", or NULL when both guards are whole. */
static const char *block_damage(const block *b)
{
    const unsigned char *front = b->base, *behind = b->base + GUARD + b->size;
    for (int k = 0; k < GUARD; k++) {
        if (front[k] != GUARD_BYTE)
            return "in front of";
        if (behind[k] != GUARD_BYTE)
            return "past the end of";
    }
    return NULL;
}

/* ---- the host's side ---- */

static poise_balance *of_host(const poise_host *h)
{
    return (poise_balance *)(uintptr_t)h; /* made by new_balance, never const */
}

static int host_fail(const poise_host *h, const char *fmt, ...)
{
    poise_balance *b = of_host(h);
    va_list args;
    va_start(args, fmt);
    vsnprintf(b->failure, sizeof b->failure, fmt, args);
    va_end(args);
    b->failed = 1;
    return -1;
}

static void host_note(const poise_host *h, const char *fmt, ...)
{
    poise_balance *b = of_host(h);
    char text[512];
    if (!b->sink.note)
        return;
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    b->sink.note(b->sink.user, text);
}

static void host_metric(const poise_host *h, const char *key, int32_t task, double value)
{
    poise_balance *b = of_host(h);
    if (b->sink.metric)
        b->sink.metric(b->sink.user, key, task, value);
}

/* ---- messages ---- */

static int fault(const poise_balance *b, const char *when, poise_error *err, const char *fmt, ...)
    POISE_FORMAT(4, 5);

static int fault(const poise_balance *b, const char *when, poise_error *err, const char *fmt, ...)
{
    char text[640];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return poise_fail(err, POISE_E_PLUGIN, POISE_NOWHERE, "balancer \"%s\", %s: %s", b->table->id,
                      when, text);
}

/* callback NULL: the call is over. */
static void note_call(const poise_balance *b, const char *callback)
{
    if (!b->sink.where)
        return;
    b->sink.where->id = b->table->id;
    b->sink.where->callback = callback;
}

static void enter(poise_balance *b, const char *callback, const poise_signals *in)
{
    b->failed = 0;
    if (b->sink.where && in)
        b->sink.where->step = in->step;
    note_call(b, callback);
}

/* What a call left behind: its own failure first, then the guards. */
static int check_call(poise_balance *b, int rc, const char *when, poise_error *err)
{
    const char *where = block_damage(&b->state);

    note_call(b, NULL);
    if (where)
        return fault(b, when, err, "it wrote %s its state of %zu bytes (see its state_size)", where,
                     b->state.size);
    where = block_damage(&b->answer);
    if (where)
        return fault(b, when, err, "it wrote %s the %u weights", where, (unsigned)b->nweight);
    if (rc || b->failed)
        return fault(b, when, err, "%s",
                     b->failed ? b->failure : "it failed without a message (host->fail gives one)");
    return 0;
}

/* ---- making one ---- */

/* Copy n names into the arena. */
static const char *const *copy_names(poise_balance *b, uint32_t n, const char *const *from,
                                     poise_error *err)
{
    const char **name = poise__arena_alloc(b->arena, n, sizeof *name, err);
    for (uint32_t k = 0; name && k < n; k++) {
        name[k] = poise__arena_text(b->arena, from[k], err);
        if (!name[k])
            return NULL;
    }
    return name;
}

/* The blocks, the first weights, the state as init makes it. */
static int start(poise_balance *b, poise_error *err)
{
    const poise_balancer *table = b->table;
    uint32_t ntask = b->context.ntask, ngroup = b->context.ngroup;

    free(b->state.base);
    free(b->answer.base);
    b->state = b->answer = (block){NULL, 0};
    if (ngroup > UINT32_MAX / ntask)
        return poise_fail(err, POISE_E_MEMORY, POISE_NOWHERE, "%u groups of %u tasks are too many",
                          (unsigned)ngroup, (unsigned)ntask);
    b->nweight = table->flags & POISE_GROUP_WEIGHTS ? ngroup * ntask : ntask;
    enter(b, "state_size", NULL);
    size_t size = table->state_size ? table->state_size(&b->context) : 0;
    note_call(b, NULL);
    if (b->failed)
        return fault(b, "state_size", err, "%s", b->failure);
    b->weight = poise__arena_alloc(b->arena, b->nweight, sizeof *b->weight, err);
    if (!b->weight || block_new(&b->answer, b->nweight * sizeof(double), err) < 0 ||
        block_new(&b->state, size, err) < 0)
        return -1;
    for (uint32_t k = 0; k < b->nweight; k++)
        b->weight[k] = 1;
    enter(b, "init", NULL);
    int rc = table->init ? table->init(&b->context, block_data(&b->state)) : 0;
    return check_call(b, rc, "init", err);
}

static int prepare(poise_balance *b, const char *const *task, int nsetting,
                   const poise_setting *setting, poise_error *err)
{
    uint32_t ntask = b->context.ntask;

    if (ntask < 1 || ntask < b->table->min_task)
        return poise_fail(err, POISE_E_SPEC, POISE_NOWHERE,
                          "balancer \"%s\" needs at least %u task%s; there %s %u", b->table->id,
                          (unsigned)(b->table->min_task ? b->table->min_task : 1),
                          b->table->min_task > 1 ? "s" : "", ntask == 1 ? "is" : "are",
                          (unsigned)ntask);
    b->arena = poise__arena_new(err);
    static const char *const whole[] = {"shared"};
    if (!b->arena || !(b->context.task = copy_names(b, ntask, task, err)) ||
        !(b->context.group = copy_names(b, 1, whole, err)) ||
        poise__settings_read(b->table, ntask, b->context.task, nsetting, setting, &b->context.param,
                             b->arena, err) < 0)
        return -1;
    return start(b, err);
}

poise_balance *poise_balance_new(poise_plugin *p, uint32_t ntask, const char *const *task,
                                 uint64_t seed, int nsetting, const poise_setting *setting,
                                 const poise_balance_sink *sink, poise_error *err)
{
    poise_balance *b = poise__calloc(1, sizeof *b, err);
    if (!b)
        return NULL;
    b->host = (poise_host){sizeof b->host, 0, host_fail, host_note, host_metric};
    b->sink = sink ? *sink : (poise_balance_sink){NULL, NULL, NULL, NULL};
    b->plugin = p;
    b->table = poise_plugin_get(p);
    b->signals = (b->table->needs | b->table->wants) & poise__signals_known();
    b->context = (poise_context){
        .size = sizeof b->context, .ntask = ntask, .seed = seed, .host = &b->host, .ngroup = 1};
    if (prepare(b, task, nsetting, setting, err) < 0) {
        poise_balance_free(b);
        return NULL;
    }
    return b;
}

void poise_balance_free(poise_balance *b)
{
    if (!b)
        return;
    free(b->state.base);
    free(b->answer.base);
    poise__arena_free(b->arena);
    free(b);
}

const poise_plugin *poise_balance_plugin(const poise_balance *b)
{
    return b->plugin;
}

uint32_t poise_balance_signals(const poise_balance *b)
{
    return b->signals;
}

const double *poise_balance_weight(const poise_balance *b)
{
    return b->weight;
}

/* ---- a step ---- */

/* A copy of our size in which what was not asked for is NULL. */
static int signals_for(const poise_balance *b, const poise_signals *in, poise_signals *out,
                       const char *when, poise_error *err)
{
    memset(out, 0, sizeof *out);
    memcpy(out, in, in->size < sizeof *out ? in->size : sizeof *out);
    out->size = sizeof *out;
    if (!out->labelled)
        return fault(b, when, err, "the host did not give the signal labelled");
    for (const poise__signal *s = poise__signals; s->bit; s++) {
        const double *given, *none = NULL;
        memcpy(&given, (const char *)out + s->offset, sizeof given);
        if (!(b->signals & s->bit))
            memcpy((char *)out + s->offset, &none, sizeof none);
        else if (!given && (b->table->needs & s->bit))
            return fault(b, when, err, "the host did not give the signal %s", s->name);
    }
    return 0;
}

static int check_answer(const poise_balance *b, const double *w, const char *when, poise_error *err)
{
    for (uint32_t t = 0; t < b->nweight; t++) {
        const char *task = b->context.task[t % b->context.ntask];
        if (!isfinite(w[t]))
            return fault(b, when, err, "the weight of task \"%.100s\" is %g; it must be finite",
                         task, w[t]);
        if (fabs(w[t]) > (double)FLT_MAX)
            return fault(b, when, err,
                         "the weight of task \"%.100s\" is %g; gradients are single precision and "
                         "hold at most %g",
                         task, w[t], (double)FLT_MAX);
        if (w[t] < 0 && !(b->table->flags & POISE_SIGNED))
            return fault(b, when, err,
                         "the weight of task \"%.100s\" is %g; it must not be negative without "
                         "POISE_SIGNED",
                         task, w[t]);
    }
    return 0;
}

int poise_balance_step(poise_balance *b, const poise_signals *in, double *weight, poise_error *err)
{
    char when[48];
    poise_signals signals;
    double *answer = block_data(&b->answer);
    size_t bytes = b->nweight * sizeof *weight;

    snprintf(when, sizeof when, "step %" PRIu64, in->step);
    if (signals_for(b, in, &signals, when, err) < 0)
        return -1;
    memcpy(answer, b->weight, bytes);
    enter(b, "step", in);
    int rc = b->table->step(&b->context, block_data(&b->state), &signals, answer);
    if (check_call(b, rc, when, err) < 0 || check_answer(b, answer, when, err) < 0)
        return -1;
    memcpy(b->weight, answer, bytes);
    memcpy(weight, answer, bytes);
    return 0;
}

/* ---- groups and elements ---- */

int poise_balance_groups(poise_balance *b, uint32_t n, const char *const *name, poise_error *err)
{
    b->context.group = copy_names(b, n, name, err);
    b->context.ngroup = n;
    return b->context.group ? start(b, err) : -1;
}

uint32_t poise_balance_weights(const poise_balance *b)
{
    return b->nweight;
}

int poise_balance_by_element(const poise_balance *b)
{
    return b->table->edit || b->table->blend;
}

uint32_t poise_balance_keep(const poise_balance *b)
{
    note_call(b, "keep");
    uint32_t n = b->table->keep ? b->table->keep(&b->context) : 0;
    note_call(b, NULL);
    return n;
}

int poise_balance_edit(poise_balance *b, const poise_signals *in, const poise_stretch *s,
                       float *const *out, poise_error *err)
{
    char when[48];
    poise_signals signals;

    if (!b->table->edit) {
        for (uint32_t t = 0; t < b->context.ntask; t++)
            memcpy(out[t], s->grad[t], s->n * sizeof(float));
        return 0;
    }
    snprintf(when, sizeof when, "step %" PRIu64 ", edit", in->step);
    if (signals_for(b, in, &signals, when, err) < 0)
        return -1;
    enter(b, "edit", in);
    int rc = b->table->edit(&b->context, block_data(&b->state), &signals, s, out);
    return check_call(b, rc, when, err);
}

int poise_balance_blend(poise_balance *b, const poise_signals *in, const poise_stretch *s,
                        const double *weight, float *out, poise_error *err)
{
    char when[48];
    poise_signals signals;
    const double *w = weight;

    if (!b->table->blend) {
        if (b->table->flags & POISE_GROUP_WEIGHTS)
            w += (size_t)s->group * b->context.ntask;
        for (size_t k = 0; k < s->n; k++) {
            double sum = 0;
            for (uint32_t t = 0; t < b->context.ntask; t++)
                sum += w[t] * (double)s->grad[t][k];
            out[k] = (float)sum;
        }
        return 0;
    }
    snprintf(when, sizeof when, "step %" PRIu64 ", blend", in->step);
    if (signals_for(b, in, &signals, when, err) < 0)
        return -1;
    enter(b, "blend", in);
    int rc = b->table->blend(&b->context, block_data(&b->state), &signals, s, weight, out);
    return check_call(b, rc, when, err);
}

/* ---- checkpoints ---- */

const void *poise_balance_state(const poise_balance *b, size_t *size, uint32_t *version)
{
    *size = b->state.size;
    *version = b->table->state_version;
    return block_data(&b->state);
}

static int mismatch(const poise_balance *b, poise_error *err, uint32_t version, size_t size)
{
    const poise_balancer *t = b->table;
    if (version == t->state_version)
        return poise_fail(
            err, POISE_E_FORMAT, POISE_NOWHERE,
            "balancer \"%s\": the checkpoint holds %zu bytes of state, this run needs "
            "%zu: resume with the tasks and parameters that it was written with",
            t->id, size, b->state.size);
    return poise_fail(err, POISE_E_FORMAT, POISE_NOWHERE,
                      "balancer \"%s\": the checkpoint holds state of version %u, this balancer "
                      "(%s) has version %u and cannot read it: use the balancer of that run",
                      t->id, (unsigned)version, t->version, (unsigned)t->state_version);
}

int poise_balance_restore(poise_balance *b, uint32_t version, const void *state, size_t size,
                          const double *weight, poise_error *err)
{
    const poise_balancer *table = b->table;
    int same = version == table->state_version;

    if (same ? size != b->state.size : version > table->state_version || !table->migrate)
        return mismatch(b, err, version, size);
    if (check_answer(b, weight, "restore", err) < 0)
        return -1;
    memset(block_data(&b->state), 0, b->state.size);
    if (same) {
        if (size) /* state may be NULL then */
            memcpy(block_data(&b->state), state, size);
    } else {
        enter(b, "migrate", NULL);
        int rc = table->migrate(&b->context, block_data(&b->state), version, state, size);
        if (check_call(b, rc, "migrate", err) < 0)
            return -1;
    }
    memcpy(b->weight, weight, b->nweight * sizeof *weight);
    return 0;
}
