#include "table.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const poise__signal poise__signals[] = {
    {POISE_LOSS, "loss", offsetof(poise_signals, loss)},
    {POISE_LOSS_INIT, "loss_init", offsetof(poise_signals, loss_init)},
    {POISE_GRAD_NORM, "grad_norm", offsetof(poise_signals, grad_norm)},
    {POISE_GRAM, "gram", offsetof(poise_signals, gram)},
    {POISE_KPI, "kpi", offsetof(poise_signals, kpi)},
    {POISE_LOSS_AFTER, "loss_after", offsetof(poise_signals, loss_after)},
    {POISE_RATE, "rate", offsetof(poise_signals, rate)},
    {POISE_GROUP_GRAM, "group_gram", offsetof(poise_signals, group_gram)},
    {POISE_HALF_GRAM, "half_gram", offsetof(poise_signals, half_gram)},
    {0, NULL, 0},
};

/* What must be there at least: a table that can step, a row that can be checked. */
#define TABLE_PREFIX (offsetof(poise_balancer, step) + sizeof((poise_balancer *)0)->step)
#define PARAM_PREFIX (offsetof(poise_param, max) + sizeof((poise_param *)0)->max)

enum {
    FLAGS = POISE_SHARED_ONLY | POISE_SIGNED | POISE_GROUP_WEIGHTS | POISE_EDIT_SIGNALS,
    MAX_PARAM = 1000, /* more than this is a broken table */
    MAX_NAME = 64
};

uint32_t poise__signals_known(void)
{
    uint32_t all = 0;
    for (const poise__signal *s = poise__signals; s->bit; s++)
        all |= s->bit;
    return all;
}

const char *poise_signal_name(uint32_t bit)
{
    for (const poise__signal *s = poise__signals; s->bit; s++)
        if (s->bit == bit)
            return s->name;
    return NULL;
}

uint32_t poise__param_choices(const poise_param *row)
{
    uint32_t n = 0;
    while (row->choice && row->choice[n])
        n++;
    return n;
}

/* [a-z][a-z0-9_]*, and '-' too where `dash`. */
static int is_name(const char *s, int dash)
{
    if (!s || s[0] < 'a' || s[0] > 'z')
        return 0;
    size_t n = 1;
    for (; s[n]; n++) {
        char c = s[n];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || (dash && c == '-')))
            return 0;
    }
    return n <= MAX_NAME;
}

/* "epoch or " for a number that has words for 0, 1, ...; "" where it has none. */
static void number_words(const poise_param *row, char *buf, size_t size)
{
    size_t at = 0;

    buf[0] = '\0';
    for (uint32_t k = 0; k < poise__param_choices(row) && at < size; k++) {
        int put = snprintf(buf + at, size - at, "%s or ", row->choice[k]);
        at += put > 0 ? (size_t)put : 0;
    }
}

const char *poise__param_want(const poise_param *row, double value, char *buf, size_t size)
{
    switch (row->kind) {
    case POISE_BOOL:
        if (value == 0 || value == 1)
            return NULL;
        snprintf(buf, size, "true or false");
        return buf;
    case POISE_CHOICE: {
        uint32_t n = poise__param_choices(row);
        if (value >= 0 && value < n && value == floor(value))
            return NULL;
        size_t at = 0;
        for (uint32_t k = 0; k < n && at < size; k++) {
            int put = snprintf(buf + at, size - at, "%s%s",
                               !k           ? ""
                               : k + 1 == n ? " or "
                                            : ", ",
                               row->choice[k]);
            at += put > 0 ? (size_t)put : 0;
        }
        return buf;
    }
    default:
        if (isfinite(value) && value >= row->min && value <= row->max &&
            (row->kind == POISE_REAL || value == floor(value)))
            return NULL;
        const char *what = row->kind == POISE_INT ? "a whole number" : "a number";
        char words[96];
        number_words(row, words, sizeof words);
        if (isinf(row->max))
            snprintf(buf, size, "%s%s of at least %.10g", words, what, row->min);
        else
            snprintf(buf, size, "%s%s in [%.10g, %.10g]", words, what, row->min, row->max);
        return buf;
    }
}

static int bad(poise_error *err, const char *path, const char *what)
{
    return poise_fail(err, POISE_E_PLUGIN, POISE_NOWHERE, "%s: %s", path, what);
}

/* Keys of the spec's `balancer:` that are not the balancer's. */
static int is_taken(const char *name)
{
    static const char *const taken[] = {"use",     "signals", "shared_only",
                                        "weights", "clip",    "epochs"};
    for (size_t k = 0; k < sizeof taken / sizeof taken[0]; k++)
        if (!strcmp(taken[k], name))
            return 1;
    return 0;
}

/* Check row k of those read so far. */
static int check_param(const poise_param *row, uint32_t k, const char *path, poise_error *err)
{
    char what[256], want[160] = "";
    const poise_param *p = &row[k];

    if (!is_name(p->name, 0)) {
        snprintf(what, sizeof what,
                 "parameter %u has the name \"%.64s\"; it must be lower-case letters, digits and _",
                 (unsigned)k, p->name ? p->name : "");
        return bad(err, path, what);
    }
    const char *wrong = NULL;
    if (is_taken(p->name))
        wrong = "the spec has a key of that name itself; choose another";
    else if (!p->help || !p->help[0])
        wrong = "it has no help text";
    else if (p->kind < POISE_REAL || p->kind > POISE_CHOICE)
        wrong = "its kind is not known: rebuild the balancer or update Poise";
    else if (p->flags & ~(uint32_t)POISE_PER_TASK)
        wrong = "it has a flag that is not known: rebuild the balancer or update Poise";
    else if (p->kind == POISE_CHOICE && !poise__param_choices(p))
        wrong = "it is a choice without words";
    else if ((p->kind == POISE_REAL || p->kind == POISE_INT) && !(p->min <= p->max))
        wrong = "its range is empty: min must not be above max";
    else if (poise__param_want(p, p->value, want, sizeof want))
        wrong = "its default is not among its values";
    for (uint32_t j = 0; j < k && !wrong; j++)
        if (!strcmp(row[j].name, p->name))
            wrong = "an earlier parameter has that name";
    if (!wrong)
        return 0;
    snprintf(what, sizeof what, "parameter \"%s\": %s", p->name, wrong);
    return bad(err, path, what);
}

/* Replace b->param, whose rows are b->param_size apart, by checked rows of our size. */
static int read_params(poise_balancer *b, const char *path, poise__arena *arena, poise_error *err)
{
    char what[160];

    if (!b->nparam)
        return 0;
    if (!b->param || b->nparam > MAX_PARAM) {
        snprintf(what, sizeof what,
                 "it says that it has %u parameters, but its table of them is %s",
                 (unsigned)b->nparam, b->param ? "not that long in any sane balancer" : "NULL");
        return bad(err, path, what);
    }
    if (b->param_size < PARAM_PREFIX) {
        snprintf(what, sizeof what, "its parameter rows are %u bytes long; at least %zu are needed",
                 (unsigned)b->param_size, PARAM_PREFIX);
        return bad(err, path, what);
    }
    poise_param *row = poise__arena_alloc(arena, b->nparam, sizeof *row, err);
    if (!row)
        return -1;
    size_t known = b->param_size < sizeof *row ? b->param_size : sizeof *row;
    for (uint32_t k = 0; k < b->nparam; k++) {
        memcpy(&row[k], (const char *)b->param + (size_t)k * b->param_size, known);
        if (check_param(row, k, path, err) < 0)
            return -1;
    }
    b->param = row;
    b->param_size = sizeof *row;
    return 0;
}

/* Needs and flags are refused where a bit is not known. */
static int check_bits(const poise_balancer *b, const char *path, poise_error *err)
{
    char what[256];
    uint32_t need = b->needs & ~poise__signals_known(), flag = b->flags & ~(uint32_t)FLAGS;

    if (!need && !flag)
        return 0;
    snprintf(
        what, sizeof what,
        "it %s bit 0x%x, which this version of Poise does not %s: it was built for a newer one",
        need ? "needs the signal of" : "has the flag of", (unsigned)(need ? need : flag),
        need ? "give" : "know");
    return bad(err, path, what);
}

int poise__table_read(const poise_balancer *theirs, const char *path, poise_balancer *ours,
                      poise__arena *arena, poise_error *err)
{
    char what[200];

    if (!theirs)
        return bad(err, path, POISE_SYMBOL "() returned NULL");
    if (theirs->size < TABLE_PREFIX) {
        snprintf(what, sizeof what,
                 "its table is %u bytes long; at least %zu are needed (does it set POISE_SIZES?)",
                 (unsigned)theirs->size, TABLE_PREFIX);
        return bad(err, path, what);
    }
    memset(ours, 0, sizeof *ours);
    memcpy(ours, theirs, theirs->size < sizeof *ours ? theirs->size : sizeof *ours);
    ours->size = sizeof *ours;

    if (!is_name(ours->id, 1)) {
        snprintf(what, sizeof what,
                 "its id is \"%.64s\"; it must be lower-case letters, digits, _ and -",
                 ours->id ? ours->id : "");
        return bad(err, path, what);
    }
    if (!ours->version || !ours->about)
        return bad(err, path, "its table lacks `version` or `about`");
    if (!ours->step)
        return bad(err, path, "its table lacks `step`");
    if (check_bits(ours, path, err) < 0)
        return -1;
    return read_params(ours, path, arena, err);
}
