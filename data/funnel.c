/* funnel -- impressions on a shop's page: shown, clicked, read in detail, made a favourite.
 *
 *     P(click)             = s(z0)                      about 10 % of the impressions
 *     P(detail)            = s(z0) s(z1)                        3 %
 *     P(favourite)         = s(z0) s(z1) s(z2)                  1 %        s: the logistic function
 *
 * A row is an impression of item i to user u at a slot of a page.  An item has a category and a
 * brand, a user a segment and a city, and what they do to the logits adds up from those and a
 * little of its own, so that rare items are not lost.  The tasks share what they look at, and part
 * company in what they make of it: what draws clicks (relevance, a loud brand) disappoints those
 * who read on, a high price does nothing to clicks and a lot to favourites, and the two tastes in
 * which a segment may match a category weigh differently at each stage.
 *
 * The world (who is who, all effects) is drawn once from a fixed key; the seed chooses the
 * impressions.  Row i uses the Philox blocks (i, 0 .. 3) under the seed.
 */
#include "generator.h"

#include <math.h>
#include <stdlib.h>

#include "../core/memory.h"
#include "../core/random.h"

enum { STAGES = 3, TASTE = 2 };
enum { USERS = 3000, ITEMS = 2000, SEGMENTS = 12, CITIES = 100, CATEGORIES = 30, BRANDS = 200 };
enum { SLOTS = 8, DEVICES = 4 };

/* One row per column: name, number of values (0: numeric), transform, width of an embedding. */
#define COLUMNS(X)                                                          \
    X(relevance, 0, POISE_AS_IS, 0) /* of the item to the query: normal */  \
    X(quality, 0, POISE_AS_IS, 0)   /* of the offer: normal */              \
    X(price, 0, POISE_LOG1P, 0)     /* log-normal */                        \
    X(activity, 0, POISE_LOG1P, 0)  /* of the user lately: log-normal */    \
    X(age, 0, POISE_LOG1P, 0)       /* of the offer in days: exponential */ \
    X(hour, 0, POISE_AS_IS, 0)      /* of the day: uniform in [0, 24) */    \
    X(user, USERS, POISE_AS_IS, 8)                                          \
    X(item, ITEMS, POISE_AS_IS, 8)                                          \
    X(segment, SEGMENTS, POISE_AS_IS, 4)                                    \
    X(city, CITIES, POISE_AS_IS, 4)                                         \
    X(category, CATEGORIES, POISE_AS_IS, 4)                                 \
    X(brand, BRANDS, POISE_AS_IS, 8)                                        \
    X(slot, SLOTS, POISE_AS_IS, 4)                                          \
    X(device, DEVICES, POISE_AS_IS, 4)                                      \
    X(click, 0, POISE_AS_IS, 0)                                             \
    X(detail, 0, POISE_AS_IS, 0)                                            \
    X(favourite, 0, POISE_AS_IS, 0)

typedef enum column {
#define X(name, values, transform, dim) COLUMN_##name,
    COLUMNS(X)
#undef X
        COLUMN_COUNT
} column;

static const char *const names[] = {
#define X(name, values, transform, dim) #name,
    COLUMNS(X)
#undef X
};
static const int64_t values[] = {
#define X(name, values, transform, dim) values,
    COLUMNS(X)
#undef X
};
static const poise_transform transforms[] = {
#define X(name, values, transform, dim) transform,
    COLUMNS(X)
#undef X
};
static const int64_t dims[] = {
#define X(name, values, transform, dim) dim,
    COLUMNS(X)
#undef X
};

typedef struct world {
    int segment[USERS], city[USERS], category[ITEMS], brand[ITEMS];
    double user[USERS][STAGES], item[ITEMS][STAGES]; /* effects on the three logits */
    double slot[SLOTS][STAGES], device[DEVICES][STAGES];
    double likes[SEGMENTS][TASTE], is[CATEGORIES][TASTE];
} world;

/* Numbers of the world, one after the other. */
typedef struct source {
    uint64_t stream, at;
} source;

static const uint64_t WORLD = 20180819; /* the fixed key */

static double normal(source *s)
{
    return poise_random_normal(WORLD, s->stream, 0, s->at++);
}

static int below(source *s, int n)
{
    return (int)(poise_random_uniform(WORLD, s->stream, 0, s->at++) * n);
}

/* Effects of one value; what helps the first stage partly hurts the next two. */
static void effects(source *s, double size, double out[STAGES])
{
    double a = normal(s), b = normal(s), c = normal(s);
    out[0] = size * a;
    out[1] = size * (-0.6 * a + 0.8 * b);
    out[2] = size * (-0.3 * a + 0.8 * b + 0.5 * c);
}

static void sum(double out[STAGES], const double x[STAGES])
{
    for (int k = 0; k < STAGES; k++)
        out[k] += x[k];
}

static void tastes(source *s, int n, double out[][TASTE])
{
    for (int i = 0; i < n; i++)
        for (int j = 0; j < TASTE; j++)
            out[i][j] = normal(s);
}

static void *world_new(poise_error *err)
{
    world *w = poise__calloc(1, sizeof *w, err);
    if (!w)
        return NULL;
    source s = {poise_random_stream("funnel/world"), 0};
    double city[CITIES][STAGES], category[CATEGORIES][STAGES], brand[BRANDS][STAGES];
    for (int i = 0; i < CITIES; i++)
        effects(&s, 0.1, city[i]);
    for (int i = 0; i < CATEGORIES; i++)
        effects(&s, 0.25, category[i]);
    for (int i = 0; i < BRANDS; i++)
        effects(&s, 0.2, brand[i]);
    for (int i = 0; i < SLOTS; i++)
        effects(&s, 0.15, w->slot[i]);
    for (int i = 0; i < SLOTS; i++)
        w->slot[i][0] -= 0.2 * i; /* further down the page */
    for (int i = 0; i < DEVICES; i++)
        effects(&s, 0.3, w->device[i]);
    for (int i = 0; i < USERS; i++) {
        effects(&s, 0.1, w->user[i]);
        w->segment[i] = below(&s, SEGMENTS);
        w->city[i] = below(&s, CITIES);
        sum(w->user[i], city[w->city[i]]);
    }
    for (int i = 0; i < ITEMS; i++) {
        effects(&s, 0.1, w->item[i]);
        w->category[i] = below(&s, CATEGORIES);
        w->brand[i] = below(&s, BRANDS);
        sum(w->item[i], category[w->category[i]]);
        sum(w->item[i], brand[w->brand[i]]);
    }
    tastes(&s, SEGMENTS, w->likes);
    tastes(&s, CATEGORIES, w->is);
    return w;
}

/* Four uniform numbers in (0, 1) of block `block` of a row. */
static void draw(uint64_t seed, uint64_t row, uint32_t block, double u[4])
{
    uint32_t counter[4] = {(uint32_t)row, (uint32_t)(row >> 32), block, 0x66756e6eu};
    uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    poise_philox(counter, key);
    for (int i = 0; i < 4; i++)
        u[i] = ((double)counter[i] + 0.5) * 0x1p-32;
}

/* Two normal numbers of two uniform ones (Box and Muller, 1958). */
static void box_muller(double u, double v, double *x, double *y)
{
    const double turn = 6.283185307179586;
    double r = sqrt(-2 * log(u));
    *x = r * cos(turn * v);
    *y = r * sin(turn * v);
}

/* Value k of n with probability log((k + 2) / (k + 1)) / log(n + 1), nearly Zipf's 1 / (k + 1). */
static int zipf(double u, int n)
{
    int k = (int)(exp(u * log(n + 1.0)) - 1);
    return k < n ? k : n - 1;
}

static double logistic(double z)
{
    return 1 / (1 + exp(-z));
}

static void make(const void *of, uint64_t seed, uint64_t row, double *value, double *truth)
{
    const world *w = of;
    double g[4], h[4], who[4], coin[4];
    double relevance, quality, price, activity;
    draw(seed, row, 0, g);
    draw(seed, row, 1, h);
    draw(seed, row, 2, who);
    draw(seed, row, 3, coin);
    box_muller(g[0], g[1], &relevance, &quality);
    box_muller(g[2], g[3], &price, &activity);
    double age = -log(h[0]), turn = 6.283185307179586 * h[1];
    int user = zipf(who[0], USERS), item = zipf(who[1], ITEMS);
    int slot = (int)(who[2] * SLOTS), device = zipf(who[3], DEVICES);
    int segment = w->segment[user], category = w->category[item];

    /* Two tastes that a segment may share with a category: each stage weighs them in its own way. */
    double show = w->likes[segment][0] * w->is[category][0];
    double use = w->likes[segment][1] * w->is[category][1];
    double z[STAGES];
    z[0] = -1.88 + 1.1 * relevance + 0.3 * relevance * tanh(quality) - 0.6 * age + 0.4 * sin(turn) +
           0.2 * show + 0.1 * use;
    z[1] = -0.17 - 0.5 * relevance + 1.1 * quality - 0.5 * fabs(price) +
           0.3 * activity * sin(turn) - 0.1 * show + 0.2 * use;
    z[2] = -0.75 + 1.1 * price + 0.4 * activity * quality - 0.4 * relevance + 0.2 * use;
    double p = 1;
    int happened = 1;
    for (int k = 0; k < STAGES; k++) {
        z[k] += w->user[user][k] + w->item[item][k] + w->slot[slot][k] + w->device[device][k];
        double q = logistic(z[k]);
        happened = happened && coin[k] < q;
        truth[k] = p *= q;
        value[COLUMN_click + k] = happened;
    }
    value[COLUMN_relevance] = relevance;
    value[COLUMN_quality] = quality;
    value[COLUMN_price] = exp(3 + 0.8 * price);
    value[COLUMN_activity] = exp(1.5 + 0.7 * activity);
    value[COLUMN_age] = 10 * age;
    value[COLUMN_hour] = 24 * h[1];
    value[COLUMN_user] = user;
    value[COLUMN_item] = item;
    value[COLUMN_segment] = segment;
    value[COLUMN_city] = w->city[user];
    value[COLUMN_category] = category;
    value[COLUMN_brand] = w->brand[item];
    value[COLUMN_slot] = slot;
    value[COLUMN_device] = device;
}

const poise__generator poise__funnel = {
    .name = "funnel",
    .ncolumn = COLUMN_COUNT,
    .nlabel = STAGES,
    .column = names,
    .values = values,
    .transform = transforms,
    .dim = dims,
    .world = world_new,
    .make = make,
};
_Static_assert((int)COLUMN_COUNT <= (int)POISE__GENERATOR_COLUMNS, "a row of values is this long");
