/* check_table.c -- what a balancer says of itself, what it makes of an old state, and its time. */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../core/random.h"
#include "check_parts.h"

void poise__check_load(poise__checking *c)
{
    const poise_balancer *b = c->table;

    /* That it loaded is the check; what else a table can have wrong: */
    if (b->min_task > POISE__CHECK_TASKS)
        poise__find(c->report, POISE_CHECK_FAILURE, "it wants at least %u tasks",
                    (unsigned)b->min_task);
    if (b->keep && !b->edit && !b->blend)
        poise__find(c->report, POISE_CHECK_FAILURE,
                    "it has keep(), but no edit() or blend() that could use the numbers");
    if (b->flags & POISE_EDIT_SIGNALS && !b->edit)
        poise__find(c->report, POISE_CHECK_FAILURE,
                    "it has the flag POISE_EDIT_SIGNALS, but no edit()");
    if (b->migrate && !b->state_version)
        poise__find(c->report, POISE_CHECK_WARNING,
                    "it has migrate(), but state_version is 0: there is nothing older");
    poise__find(c->report, POISE_CHECK_NOTE, "%s %s, %u parameter%s", b->id, b->version,
                (unsigned)b->nparam, b->nparam == 1 ? "" : "s");
}

/* ---- texts ---- */

static int is_version(const char *s)
{
    for (int part = 0; part < 3; part++) {
        size_t digits = strspn(s, "0123456789");
        if (!digits)
            return 0;
        s += digits;
        if (part < 2 && *s++ != '.')
            return 0;
    }
    return *s == 0 || *s == '-' || *s == '+';
}

static void one_line(poise__checking *c, const char *what, const char *name, const char *text)
{
    if (!text[0])
        poise__find(c->report, POISE_CHECK_FAILURE, "%s%s is empty", what, name);
    for (const char *p = text; *p; p++)
        if ((unsigned char)*p < ' ') {
            poise__find(c->report, POISE_CHECK_FAILURE,
                        "%s%s has a line break or control character", what, name);
            return;
        }
    if (strlen(text) > 120)
        poise__find(c->report, POISE_CHECK_WARNING, "%s%s has %zu letters; one line is wanted",
                    what, name, strlen(text));
}

void poise__check_texts(poise__checking *c)
{
    const poise_balancer *b = c->table;
    const char *path = poise_plugin_path(c->plugin), *slash = strrchr(path, '/');
    const char *file = slash ? slash + 1 : path;
    size_t length = strlen(b->id);
    const struct {
        const char *name, *text;
    } wanted[] = {{"formula", b->formula}, {"paper", b->paper}, {"advice", b->advice}};

    if (!is_version(b->version))
        poise__find(c->report, POISE_CHECK_FAILURE, "its version is \"%.32s\"; wanted is \"1.2.0\"",
                    b->version);
    if (strncmp(file, b->id, length) != 0 || strcmp(file + length, ".so") != 0)
        poise__find(c->report, POISE_CHECK_WARNING,
                    "the file is %.80s, its id is %s: by name it is found as %.80s only", file,
                    b->id, file);
    one_line(c, "about", "", b->about);
    for (uint32_t k = 0; k < b->nparam; k++)
        one_line(c, "the help of ", b->param[k].name, b->param[k].help);
    for (size_t k = 0; k < sizeof wanted / sizeof wanted[0]; k++)
        if (!wanted[k].text || !wanted[k].text[0])
            poise__find(c->report, POISE_CHECK_WARNING, "it has no text `%s`", wanted[k].name);
}

/* ---- migrate ---- */

enum { ROOM = 8192 };

/* An old state of `size` bytes at the end of readable memory, filled in one of four ways. */
static const unsigned char *garbage(unsigned char *page_end, size_t size, int kind)
{
    unsigned char *old = page_end - size;

    for (size_t k = 0; k < size; k++) {
        uint32_t bits = poise_random_bits(1, 77, (uint32_t)kind, k);
        old[k] = (unsigned char)(kind == 0 ? 0 : kind == 1 ? 0xFF : kind == 2 ? 0x7F : bits);
    }
    return old;
}

static void migrate_one(poise__checking *c, uint32_t from, const unsigned char *old, size_t size,
                        int kind)
{
    static const char *const filled[] = {"0", "0xff", "0x7f", "random bytes"};
    poise__weather w = poise__ordinary;
    char name[96];
    poise__rig_options o = {
        .ntask = poise__tasks(c->table, 3), .param = c->table->nparam, .weather = &w, .fenced = 1};

    snprintf(name, sizeof name, "an old state of version %u: %zu bytes of %s", (unsigned)from, size,
             filled[kind]);
    w.name = name;
    poise__rig *r = poise__rig_new(c, &o, POISE_CHECK_FAILURE);
    if (!r)
        return;
    poise__end end = poise__rig_migrate(r, from, old, size);
    if (end == POISE__WRONG)
        poise__find(c->report, POISE_CHECK_FAILURE, "%s", r->message);
    if (end == POISE__DONE && poise__rig_step(r, 0) == POISE__WRONG)
        poise__find(c->report, POISE_CHECK_WARNING, "it takes any old state, and then %s",
                    r->message);
    poise__rig_free(r);
}

void poise__check_migrate(poise__checking *c)
{
    const poise_balancer *b = c->table;
    poise__rig_options o = {
        .ntask = poise__tasks(b, 3), .param = b->nparam, .weather = &poise__ordinary};

    if (!b->migrate || !b->state_version) {
        poise__find(c->report, POISE_CHECK_SKIPPED, "it has no migrate()");
        return;
    }
    poise__rig *r = poise__rig_new(c, &o, POISE_CHECK_FAILURE);
    size_t own = r ? r->state.size : 0;
    poise__rig_free(r);
    size_t page = (size_t)sysconf(_SC_PAGESIZE), room = (ROOM + page - 1) / page * page;
    unsigned char *base =
        mmap(NULL, room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED || mprotect(base + room, page, PROT_NONE) < 0) {
        poise__find(c->report, POISE_CHECK_FAILURE, "no memory for the check");
        return;
    }
    const size_t size[] = {0, 1, 8, own / 2, own - (own > 0), own, own + 8, ROOM};
    const uint32_t version[] = {0, b->state_version - 1};
    for (int v = version[1] == 0; v < 2; v++)
        for (size_t k = 0; k < sizeof size / sizeof size[0]; k++)
            for (int kind = 0; kind < 4 && size[k] <= room; kind++)
                migrate_one(c, version[v], garbage(base + room, size[k], kind), size[k], kind);
    munmap(base, room + page);
}

/* ---- time ---- */

void poise__check_speed(poise__checking *c)
{
    static const uint32_t wish[] = {2, 17, 64};
    static const double slow = 0.005, too_slow = 0.1;

    for (int k = 0; k < 3; k++) {
        poise__rig_options o = {.ntask = poise__tasks(c->table, wish[k]),
                                .param = c->table->nparam,
                                .weather = &poise__ordinary};
        poise__rig *r = poise__rig_new(c, &o, POISE_CHECK_FAILURE);
        uint64_t step = 0;
        if (r)
            r->seconds = 0; /* of init */
        while (r && step < 200 && r->seconds < 0.5 &&
               poise__rig_run(r, step, step + 1, POISE_CHECK_FAILURE))
            step++;
        double each = step ? r->seconds / (double)step : 0;
        poise__rig_free(r);
        if (each > too_slow)
            poise__find(c->report, POISE_CHECK_FAILURE,
                        "a step takes %.0f ms with %u tasks; it must be less than %.0f", 1e3 * each,
                        (unsigned)o.ntask, 1e3 * too_slow);
        else if (each > slow)
            poise__find(c->report, POISE_CHECK_WARNING, "a step takes %.1f ms with %u tasks",
                        1e3 * each, (unsigned)o.ntask);
        else if (step)
            poise__find(c->report, POISE_CHECK_NOTE, "%.2g us with %u task%s", 1e6 * each,
                        (unsigned)o.ntask, o.ntask == 1 ? "" : "s");
    }
}
