#include "condition.h"

#include <ctype.h>
#include <string.h>

#include "number.h"

enum { DEEP = 64 }; /* parentheses and nots inside each other */

/* ---- words ---- */

static int starts_word(char c)
{
    return isalpha((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

static int in_word(char c)
{
    return starts_word(c) || isdigit((unsigned char)c) || c == '.' || c == '-';
}

static size_t word_length(const char *s)
{
    size_t n = 0;
    while (starts_word(*s) && in_word(s[n]))
        n++;
    return n;
}

static int is_word(const char *s, const char *word)
{
    size_t n = strlen(word);
    return strncmp(s, word, n) == 0 && !in_word(s[n]);
}

int poise__is_condition(const char *text)
{
    static const char *const words[] = {"and", "or", "not", "in", "is"};
    if (strpbrk(text, "<>=!()"))
        return 1;
    for (const char *s = text; *s; s++)
        for (size_t k = 0; k < sizeof words / sizeof *words; k++) {
            int before = s == text ? k == 2 : s[-1] == ' ';
            if (before && is_word(s, words[k]) && s[strlen(words[k])] == ' ')
                return 1;
        }
    return 0;
}

/* ---- parsing ---- */

typedef struct parser {
    const char *text, *at;
    poise_place place;
    poise__arena *arena;
    poise__condition *out;
    poise_error *err;
    int deep;
} parser;

static int refuse(const parser *p, const char *wanted)
{
    poise_place place = p->place;
    if (place.line > 0)
        place.column += (uint32_t)(p->at - p->text);
    if (!*p->at)
        return poise_fail(p->err, POISE_E_SPEC, place, "the condition ends where %s should be",
                          wanted);
    return poise_fail(p->err, POISE_E_SPEC, place,
                      "in the condition stands '%.40s' where %s "
                      "should be",
                      p->at, wanted);
}

static void skip(parser *p)
{
    p->at += strspn(p->at, " \t");
}

static int take(parser *p, const char *mark)
{
    size_t n = strlen(mark);
    if (strncmp(p->at, mark, n) != 0)
        return 0;
    p->at += n;
    skip(p);
    return 1;
}

static int take_word(parser *p, const char *word)
{
    if (!is_word(p->at, word))
        return 0;
    p->at += strlen(word);
    skip(p);
    return 1;
}

static const char *copy(parser *p, const char *from, size_t n)
{
    char *to = poise__arena_alloc(p->arena, n + 1, 1, p->err);
    if (to)
        memcpy(to, from, n);
    return to;
}

/* A word or a quoted text; NULL with *err. */
static const char *take_text(parser *p, const char *quotes, const char *wanted)
{
    const char *open = p->at;
    size_t n;
    if (*open && strchr(quotes, *open)) {
        const char *close = strchr(open + 1, *open);
        if (!close) {
            refuse(p, "the text's closing quote");
            return NULL;
        }
        n = (size_t)(close - open) - 1;
        p->at = close + 1;
        skip(p);
        return copy(p, open + 1, n);
    }
    n = word_length(open);
    if (n == 0) {
        refuse(p, wanted);
        return NULL;
    }
    p->at += n;
    skip(p);
    return copy(p, open, n);
}

static int add_code(parser *p, int code)
{
    if (p->out->ncode >= 4 * POISE__TESTS)
        return refuse(p, "the end (it is too long)");
    p->out->code[p->out->ncode++] = (signed char)code;
    return 0;
}

/* A number, or a text; all values of a test are one or the other. */
static int value(parser *p, poise__test *t)
{
    const char *from = p->at;
    size_t n = strspn(p->at, "+-.0123456789eE"), k = (size_t)t->nvalue;
    if (t->nvalue >= POISE__TESTS)
        return refuse(p, "the end of the list (it is too long)");
    if (n > 0 && !starts_word(*from)) {
        if (in_word(from[n]))
            return refuse(p, "a number or a text in quotes");
        t->text[k] = copy(p, from, n);
        if (!t->text[k])
            return -1;
        if (!poise__number(t->text[k], n, &t->number[k]))
            return refuse(p, "a number or a text in quotes");
        p->at += n;
        skip(p);
        if (k > 0 && !t->numeric) {
            p->at = from;
            return refuse(p, "a text like the one before");
        }
        t->numeric = 1;
    } else {
        t->text[k] = take_text(p, "'\"", "a number, a word or a text in quotes");
        if (!t->text[k])
            return -1;
        if (t->numeric) {
            p->at = from;
            return refuse(p, "a number like the one before");
        }
    }
    t->nvalue++;
    return 0;
}

static int values(parser *p, poise__test *t)
{
    if (!take(p, "["))
        return refuse(p, "a list in [ ]");
    do {
        if (value(p, t) < 0)
            return -1;
    } while (take(p, ","));
    return take(p, "]") ? 0 : refuse(p, "a comma or ]");
}

/* What follows a name; *negated where it is to be turned round. */
static int test(parser *p, poise__test *t, int *negated)
{
    static const struct {
        const char *mark;
        poise__test_kind kind;
        int negated;
    } marks[] = {{"==", POISE__EQUAL, 0},      {"!=", POISE__EQUAL, 1},
                 {"<=", POISE__LESS_EQUAL, 0}, {">=", POISE__GREATER_EQUAL, 0},
                 {"<", POISE__LESS, 0},        {">", POISE__GREATER, 0},
                 {"=", POISE__EQUAL, 0}};
    for (size_t k = 0; k < sizeof marks / sizeof *marks; k++) {
        const char *at = p->at;
        if (!take(p, marks[k].mark))
            continue;
        t->kind = marks[k].kind;
        *negated = marks[k].negated;
        if (value(p, t) < 0)
            return -1;
        if (t->kind == POISE__EQUAL || t->numeric)
            return 0;
        p->at = at;
        return refuse(p, "== or != (a text has no order)");
    }
    if (take_word(p, "is")) {
        t->kind = POISE__IS_MISSING;
        *negated = take_word(p, "not");
        return take_word(p, "missing") ? 0 : refuse(p, "'missing'");
    }
    *negated = take_word(p, "not");
    if (take_word(p, "in"))
        return values(p, t);
    if (*negated)
        return refuse(p, "'in'");
    t->text[0] = "1"; /* a name alone */
    t->number[0] = 1;
    t->numeric = t->nvalue = 1;
    return 0;
}

static int comparison(parser *p)
{
    int negated = 0;
    if (p->out->ntest >= POISE__TESTS)
        return refuse(p, "the end (there are too many comparisons)");
    poise__test *t = &p->out->test[p->out->ntest];
    *t = (poise__test){.at = (size_t)(p->at - p->text)};
    t->text = poise__arena_alloc(p->arena, POISE__TESTS, sizeof *t->text, p->err);
    t->number = t->text ? poise__arena_alloc(p->arena, POISE__TESTS, sizeof(double), p->err) : NULL;
    if (!t->number)
        return -1;
    t->name = take_text(p, "`'\"", "a column's name");
    if (!t->name || test(p, t, &negated) < 0 || add_code(p, p->out->ntest++) < 0)
        return -1;
    return negated ? add_code(p, POISE__NOT) : 0;
}

static int either(parser *p);

static int one(parser *p)
{
    int done = -1;
    if (++p->deep > DEEP)
        return refuse(p, "the end (it is too deep)");
    if (take_word(p, "not"))
        done = one(p) < 0 ? -1 : add_code(p, POISE__NOT);
    else if (!take(p, "("))
        done = comparison(p);
    else if (either(p) == 0)
        done = take(p, ")") ? 0 : refuse(p, "and, or, or )");
    p->deep--;
    return done;
}

static int both(parser *p)
{
    if (one(p) < 0)
        return -1;
    while (take_word(p, "and"))
        if (one(p) < 0 || add_code(p, POISE__AND) < 0)
            return -1;
    return 0;
}

static int either(parser *p)
{
    if (both(p) < 0)
        return -1;
    while (take_word(p, "or"))
        if (both(p) < 0 || add_code(p, POISE__OR) < 0)
            return -1;
    return 0;
}

int poise__condition_parse(const char *text, poise_place place, poise__arena *a,
                           poise__condition *out, poise_error *err)
{
    parser p = {text, text, place, a, out, err, 0};
    *out = (poise__condition){0};
    out->test = poise__arena_alloc(a, POISE__TESTS, sizeof *out->test, err);
    out->code = out->test ? poise__arena_alloc(a, 4 * POISE__TESTS, 1, err) : NULL;
    if (!out->code)
        return -1;
    skip(&p);
    if (either(&p) < 0)
        return -1;
    return *p.at ? refuse(&p, "and, or, or the end") : 0;
}

/* ---- meaning ---- */

int poise__test_cell(const poise__test *t, const char *text, size_t length, int missing,
                     poise__truth *out)
{
    double x = 0;
    int holds = 0;
    if (t->kind == POISE__IS_MISSING || missing) {
        *out = t->kind != POISE__IS_MISSING ? POISE__UNKNOWN : missing ? POISE__TRUE : POISE__FALSE;
        return 0;
    }
    if (t->numeric && !poise__number(text, length, &x))
        return -1;
    switch (t->kind) {
    case POISE__EQUAL:
        for (int k = 0; k < t->nvalue && !holds; k++)
            holds =
                t->numeric ? x >= t->number[k] && x <= t->number[k] : strcmp(text, t->text[k]) == 0;
        break;
    case POISE__LESS:
        holds = x < t->number[0];
        break;
    case POISE__LESS_EQUAL:
        holds = x <= t->number[0];
        break;
    case POISE__GREATER:
        holds = x > t->number[0];
        break;
    case POISE__GREATER_EQUAL:
        holds = x >= t->number[0];
        break;
    case POISE__IS_MISSING:
        break;
    }
    *out = holds ? POISE__TRUE : POISE__FALSE;
    return 0;
}

static poise__truth least(poise__truth a, poise__truth b)
{
    if (a == POISE__FALSE || b == POISE__FALSE)
        return POISE__FALSE;
    return a == POISE__UNKNOWN || b == POISE__UNKNOWN ? POISE__UNKNOWN : POISE__TRUE;
}

static poise__truth opposite(poise__truth a)
{
    return a == POISE__UNKNOWN ? a : a == POISE__TRUE ? POISE__FALSE : POISE__TRUE;
}

poise__truth poise__condition_holds(const poise__condition *c, const poise__truth *test)
{
    poise__truth stack[POISE__TESTS + 1];
    int n = 0;
    for (int k = 0; k < c->ncode; k++) {
        if (c->code[k] >= 0)
            stack[n++] = test[c->code[k]];
        else if (c->code[k] == POISE__NOT)
            stack[n - 1] = opposite(stack[n - 1]);
        else {
            poise__truth a = stack[--n], b = stack[n - 1];
            stack[n - 1] =
                c->code[k] == POISE__AND ? least(a, b) : opposite(least(opposite(a), opposite(b)));
        }
    }
    return stack[0];
}
