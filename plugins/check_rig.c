/* check_rig.c -- one balancer at work under a check.
 *
 * Every block that the balancer sees is a mapping of its own:
 *
 *     [page][.. guard bytes .. | data, 64-aligned | guard bytes][page]
 *
 * Fenced, the pages in front and behind are closed, so that reading or writing past the end is
 * caught by the processor, and what the balancer only reads is closed to writing. */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "check_parts.h"

enum { GUARD_BYTE = 0xA5, ALIGN = 64, MAX_KEEP = 1024, MAX_STATE = 1 << 30 };
enum { T = POISE__CHECK_TASKS, N = POISE__CHECK_ELEMENTS };

/* ---- fenced blocks ---- */

static size_t page_size(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

static int fenced_new(poise__fenced *f, size_t size, int closed)
{
    size_t page = page_size(), room = (size + ALIGN - 1) / ALIGN * ALIGN;
    size_t inner = (room + page - 1) / page * page;

    if (!inner)
        inner = page;
    f->bytes = inner + 2 * page;
    void *base = mmap(NULL, f->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED)
        return -1;
    f->base = base;
    f->size = size;
    f->data = f->base + page + inner - room;
    memset(f->base + page, GUARD_BYTE, inner);
    memset(f->data, 0, size);
    if (closed && (mprotect(f->base, page, PROT_NONE) < 0 ||
                   mprotect(f->base + page + inner, page, PROT_NONE) < 0))
        return -1;
    return 0;
}

static void fenced_free(poise__fenced *f)
{
    if (f->base)
        munmap(f->base, f->bytes);
    f->base = NULL;
}

static void fenced_access(const poise__fenced *f, int writable)
{
    size_t page = page_size();

    mprotect(f->base + page, f->bytes - 2 * page, writable ? PROT_READ | PROT_WRITE : PROT_READ);
}

/* "in front of", "past the end of", or NULL. */
static const char *fenced_damage(const poise__fenced *f)
{
    size_t page = page_size();
    const unsigned char *end = f->base + f->bytes - page;

    for (const unsigned char *p = f->base + page; p < f->data; p++)
        if (*p != GUARD_BYTE)
            return "in front of";
    for (const unsigned char *p = f->data + f->size; p < end; p++)
        if (*p != GUARD_BYTE)
            return "past the end of";
    return NULL;
}

/* ---- the host's side ---- */

static poise__rig *of_host(const poise_host *h)
{
    return (poise__rig *)(uintptr_t)h; /* made by poise__rig_new, never const */
}

static int host_fail(const poise_host *h, const char *fmt, ...)
{
    poise__rig *r = of_host(h);
    va_list args;

    va_start(args, fmt);
    vsnprintf(r->message, sizeof r->message, fmt, args);
    va_end(args);
    r->failed = 1;
    return -1;
}

static void host_note(const poise_host *h, const char *fmt, ...)
{
    (void)h, (void)fmt;
}

static void host_metric(const poise_host *h, const char *key, int32_t task, double value)
{
    (void)h, (void)key, (void)task, (void)value;
}

static poise__end wrong(poise__rig *r, const char *fmt, ...) POISE_FORMAT(2, 3);

static poise__end wrong(poise__rig *r, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(r->message, sizeof r->message, fmt, args);
    va_end(args);
    return POISE__WRONG;
}

/* Of this thread alone: what else the machine does is not the strategy's. */
static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double enter(poise__rig *r, const char *callback)
{
    if (r->report)
        snprintf(r->report->callback, sizeof r->report->callback, "%s", callback);
    r->failed = 0;
    if (r->o.fenced)
        fenced_access(&r->feed, 0);
    return now();
}

/* What a call left behind. */
static poise__end leave(poise__rig *r, double since, const char *callback, int rc)
{
    static const char *const what[] = {"its state", "the weights", "its output gradients",
                                       "its kept numbers"};
    const poise__fenced *block[] = {&r->state, &r->weight, &r->out, &r->keep};

    r->seconds += now() - since;
    if (r->o.fenced) {
        fenced_access(&r->feed, 1);
        for (size_t k = 0; k < sizeof block / sizeof block[0]; k++) {
            const char *where = block[k]->base ? fenced_damage(block[k]) : NULL;
            if (where)
                return wrong(r, "%s() wrote %s %s (%zu bytes)", callback, where, what[k],
                             block[k]->size);
        }
    }
    if (r->report)
        r->report->callback[0] = 0;
    if (r->failed)
        return POISE__REFUSED;
    return rc ? wrong(r, "%s() failed without a message (host->fail gives one)", callback)
              : POISE__DONE;
}

/* ---- making one ---- */

static const char *const task_names[T] = {
#define FOUR(a) a "0", a "1", a "2", a "3"
    FOUR("a"), FOUR("b"), FOUR("c"), FOUR("d"), FOUR("e"), FOUR("f"), FOUR("g"), FOUR("h"),
    FOUR("i"), FOUR("j"), FOUR("k"), FOUR("l"), FOUR("m"), FOUR("n"), FOUR("o"), FOUR("p"),
#undef FOUR
};
static const char *const group_names[POISE__CHECK_GROUPS] = {"embedding", "bottom", "top"};

static int fill_params(poise__rig *r)
{
    const poise_balancer *b = r->table;
    size_t n = (size_t)b->nparam * r->o.ntask;

    r->param_at = calloc((size_t)b->nparam + 1, sizeof *r->param_at);
    if (!r->param_at || fenced_new(&r->param, n * sizeof(double), r->o.fenced) < 0)
        return -1;
    double *value = (double *)(void *)r->param.data;
    for (uint32_t k = 0; k < b->nparam; k++) {
        double x = k == r->o.param ? r->o.value : b->param[k].value;
        uint32_t count = b->param[k].flags & POISE_PER_TASK ? r->o.ntask : 1;
        for (uint32_t t = 0; t < count; t++)
            value[t] = x;
        r->param_at[k] = value;
        value += count;
    }
    if (r->o.fenced)
        fenced_access(&r->param, 0);
    r->context.param = r->param_at;
    return 0;
}

static int has_hooks(const poise_balancer *b)
{
    return b->edit || b->blend || b->keep;
}

/* state_size, keep and init; the blocks. */
static poise__end start(poise__rig *r)
{
    const poise_balancer *b = r->table;
    size_t size = 0;
    poise__end end;

    if (fenced_new(&r->feed, sizeof(poise__feed), r->o.fenced) < 0 || fill_params(r) < 0 ||
        fenced_new(&r->weight, r->nweight * sizeof(double), r->o.fenced) < 0)
        return wrong(r, "no memory for the check");
    if (b->state_size) {
        double since = enter(r, "state_size");
        size = b->state_size(&r->context);
        end = leave(r, since, "state_size", 0);
        if (end != POISE__DONE)
            return end;
        if (size > MAX_STATE)
            return wrong(r, "state_size() gives %zu bytes", size);
        if (b->state_size(&r->context) != size)
            return wrong(r, "state_size() gives another size when it is asked again");
    }
    if (b->keep) {
        double since = enter(r, "keep");
        r->nkeep = b->keep(&r->context);
        end = leave(r, since, "keep", 0);
        if (end != POISE__DONE)
            return end;
        if (r->nkeep > MAX_KEEP)
            return wrong(r, "keep() wants %u numbers per element", (unsigned)r->nkeep);
    }
    if (fenced_new(&r->state, size, r->o.fenced) < 0 ||
        (has_hooks(b) &&
         (fenced_new(&r->out, (size_t)r->o.ntask * N * sizeof(float), r->o.fenced) < 0 ||
          fenced_new(&r->keep, (size_t)r->nkeep * N * sizeof(float), r->o.fenced) < 0)))
        return wrong(r, "no memory for a state of %zu bytes", size);
    double *weight = (double *)(void *)r->weight.data;
    for (uint32_t k = 0; k < r->nweight; k++)
        weight[k] = 1;
    double since = enter(r, "init");
    int rc = b->init ? b->init(&r->context, r->state.data) : 0;
    return leave(r, since, "init", rc);
}

static void set_scene(const poise__rig *r)
{
    const poise_balancer *b = r->table;
    char set[96] = "";

    if (r->o.param < b->nparam) {
        const poise_param *p = &b->param[r->o.param];
        if (p->kind == POISE_CHOICE)
            snprintf(set, sizeof set, ", %.60s = %.24s", p->name, p->choice[(size_t)r->o.value]);
        else
            snprintf(set, sizeof set, ", %.60s = %.10g", p->name, r->o.value);
    }
    poise__scene(r->report, "%u task%s%s, %s", (unsigned)r->o.ntask, r->o.ntask == 1 ? "" : "s",
                 set, r->o.weather->name);
}

static void tell_end(poise_check_report *report, const poise__rig *r, poise__end end,
                     poise__refusal refusal)
{
    if (end == POISE__WRONG)
        poise__find(report, POISE_CHECK_FAILURE, "%s", r->message);
    else if (refusal != POISE_CHECK_NOTE)
        poise__find(report, refusal, "it refuses: %s", r->message);
}

poise__rig *poise__rig_new(poise__checking *c, const poise__rig_options *o, poise__refusal refusal)
{
    poise__rig *r = calloc(1, sizeof *r);

    if (!r) {
        poise__find(c->report, POISE_CHECK_FAILURE, "no memory for the check");
        return NULL;
    }
    r->o = *o;
    r->table = c->table;
    r->report = o->quiet ? NULL : c->report;
    r->host = (poise_host){sizeof r->host, 0, host_fail, host_note, host_metric};
    r->signals = r->table->needs | r->table->wants;
    int grouped = has_hooks(r->table) || r->signals & POISE_GROUP_GRAM ||
                  r->table->flags & POISE_GROUP_WEIGHTS;
    r->context = (poise_context){.size = sizeof r->context,
                                 .ntask = o->ntask,
                                 .task = task_names,
                                 .seed = 7,
                                 .host = &r->host,
                                 .group = group_names,
                                 .ngroup = grouped ? POISE__CHECK_GROUPS : 1};
    r->nweight = o->ntask * (r->table->flags & POISE_GROUP_WEIGHTS ? r->context.ngroup : 1);
    set_scene(r);
    poise__end end = start(r);
    if (end == POISE__DONE)
        return r;
    tell_end(c->report, r, end, refusal);
    poise__rig_free(r);
    return NULL;
}

void poise__rig_free(poise__rig *r)
{
    if (!r)
        return;
    fenced_free(&r->state);
    fenced_free(&r->weight);
    fenced_free(&r->out);
    fenced_free(&r->feed);
    fenced_free(&r->keep);
    fenced_free(&r->param);
    free(r->param_at);
    free(r);
}

/* ---- element by element ---- */

typedef struct slice {
    const float *grad[T];
    float *out[T];
    float *keep[MAX_KEEP];
    poise_stretch stretch;
} slice;

static void slice_make(const poise__rig *r, slice *s, uint32_t group, uint32_t first, uint32_t n)
{
    const poise__feed *feed = (const poise__feed *)(const void *)r->feed.data;
    float *out = (float *)(void *)r->out.data, *keep = (float *)(void *)r->keep.data;

    for (uint32_t t = 0; t < r->o.ntask; t++) {
        s->grad[t] = feed->grad[t] + first;
        s->out[t] = out + (size_t)t * N + first;
    }
    for (uint32_t k = 0; k < r->nkeep; k++)
        s->keep[k] = keep + (size_t)k * N + first;
    s->stretch = (poise_stretch){sizeof s->stretch, group, first, n, s->grad, s->keep};
}

static int slice_call(poise__rig *r, slice *s, const poise_signals *in, int blend)
{
    const poise_balancer *b = r->table;
    const double *weight = (const double *)(const void *)r->weight.data;

    return blend ? b->blend(&r->context, r->state.data, in, &s->stretch, weight, s->out[0])
                 : b->edit(&r->context, r->state.data, in, &s->stretch, s->out);
}

/* edit() or blend() over all slices, in the order that the rig was made for. */
static poise__end over_slices(poise__rig *r, const poise_signals *in, int blend)
{
    const char *name = blend ? "blend" : "edit";
    float *out = (float *)(void *)r->out.data;
    uint32_t cut[N + 1], group[N], ncut = 0;
    slice s;

    for (size_t k = 0; k < (size_t)r->o.ntask * N; k++)
        out[k] = NAN;
    for (uint32_t g = 0; g < r->context.ngroup; g++) {
        uint32_t first, end;
        poise__feed_group(g, r->context.ngroup, &first, &end);
        while (first < end) {
            uint32_t n = r->o.slice && r->o.slice < end - first ? r->o.slice : end - first;
            group[ncut] = g;
            cut[ncut++] = first;
            first += n;
        }
    }
    cut[ncut] = N;
    for (uint32_t j = 0; j < ncut; j++) {
        uint32_t k = r->o.backwards ? ncut - 1 - j : j;
        slice_make(r, &s, group[k], cut[k], cut[k + 1] - cut[k]);
        double since = enter(r, name);
        poise__end end = leave(r, since, name, slice_call(r, &s, in, blend));
        if (end != POISE__DONE)
            return end;
    }
    for (size_t k = 0; k < (size_t)(blend ? 1 : r->o.ntask) * N; k++)
        if (!isfinite(out[k]))
            return wrong(r, "%s() left element %zu of %s without a finite value", name, k % N,
                         blend ? "the gradient" : task_names[k / N]);
    return POISE__DONE;
}

/* edit(), and the signals again, of what it made. */
static poise__end edit(poise__rig *r, const poise_signals *in)
{
    poise__feed *feed = (poise__feed *)(void *)r->feed.data;
    poise__end end = over_slices(r, in, 0);
    float original[T][N];

    if (end != POISE__DONE)
        return end;
    memcpy(original, feed->grad, sizeof original);
    for (uint32_t t = 0; t < r->o.ntask; t++)
        memcpy(feed->grad[t], r->out.data + (size_t)t * N * sizeof(float), sizeof feed->grad[t]);
    poise__feed_products(feed, r->o.weather, r->o.ntask, r->context.ngroup);
    if (r->table->flags & POISE_EDIT_SIGNALS)
        memcpy(feed->grad, original, sizeof original);
    return POISE__DONE;
}

/* ---- a step ---- */

static poise__end check_answer(poise__rig *r)
{
    const double *w = (const double *)(const void *)r->weight.data;

    for (uint32_t k = 0; k < r->nweight; k++) {
        const char *task = task_names[k % r->o.ntask];
        if (!isfinite(w[k]))
            return wrong(r, "the weight of task %s is %g; it must be finite", task, w[k]);
        if (w[k] < 0 && !(r->table->flags & POISE_SIGNED))
            return wrong(r,
                         "the weight of task %s is %g; only with POISE_SIGNED may it be negative",
                         task, w[k]);
    }
    return POISE__DONE;
}

poise__end poise__rig_step(poise__rig *r, uint64_t k)
{
    poise__feed *feed = (poise__feed *)(void *)r->feed.data;
    poise_signals in;

    poise__feed_make(feed, r->o.weather, r->o.ntask, r->context.ngroup, k, r->signals, &in);
    poise__end end = r->table->edit ? edit(r, &in) : POISE__DONE;
    if (end == POISE__DONE) {
        double since = enter(r, "step");
        int rc = r->table->step(&r->context, r->state.data, &in, (double *)(void *)r->weight.data);
        end = leave(r, since, "step", rc);
    }
    if (end == POISE__DONE)
        end = check_answer(r);
    if (end == POISE__DONE && r->table->blend)
        end = over_slices(r, &in, 1);
    return end;
}

int poise__rig_run(poise__rig *r, uint64_t from, uint64_t to, poise__refusal refusal)
{
    for (uint64_t k = from; k < to; k++) {
        if (r->report) {
            set_scene(r);
            size_t length = strlen(r->report->scene);
            snprintf(r->report->scene + length, sizeof r->report->scene - length, ", step %" PRIu64,
                     k);
        }
        poise__end end = poise__rig_step(r, k);
        if (end == POISE__DONE)
            continue;
        if (r->report)
            tell_end(r->report, r, end, refusal);
        return 0;
    }
    return 1;
}

/* ---- checkpoints and comparisons ---- */

poise__end poise__rig_migrate(poise__rig *r, uint32_t from, const void *old, size_t size)
{
    memset(r->state.data, 0, r->state.size);
    double since = enter(r, "migrate");
    int rc = r->table->migrate(&r->context, r->state.data, from, old, size);
    return leave(r, since, "migrate", rc);
}

void poise__rig_copy(poise__rig *to, const poise__rig *from)
{
    memcpy(to->state.data, from->state.data, from->state.size);
    memcpy(to->weight.data, from->weight.data, from->weight.size);
    if (from->keep.base)
        memcpy(to->keep.data, from->keep.data, from->keep.size);
}

static uint64_t hash(uint64_t h, const poise__fenced *f, size_t size)
{
    for (size_t k = 0; f->base && k < size; k++)
        h = (h ^ f->data[k]) * UINT64_C(1099511628211);
    return h;
}

uint64_t poise__rig_weights_hash(const poise__rig *r)
{
    uint64_t h = hash(UINT64_C(14695981039346656037), &r->weight, r->weight.size);
    return hash(h, &r->out, r->table->blend ? N * sizeof(float) : 0);
}

uint64_t poise__rig_state_hash(const poise__rig *r)
{
    uint64_t h = hash(UINT64_C(14695981039346656037), &r->state, r->state.size);
    return hash(h, &r->keep, r->keep.size);
}

int poise__task_counts(const poise_balancer *b, uint32_t n[5])
{
    static const uint32_t all[5] = {1, 2, 3, 17, 64};
    int count = 0;

    for (int k = 0; k < 5; k++)
        if (all[k] >= b->min_task)
            n[count++] = all[k];
    return count;
}

uint32_t poise__tasks(const poise_balancer *b, uint32_t wish)
{
    uint32_t n = wish > b->min_task ? wish : b->min_task;
    return n < T ? n : T;
}
