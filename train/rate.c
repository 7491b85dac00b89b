#include "rate.h"

#include <math.h>

static double cosine(const poise_rate_schedule *r, uint64_t s, uint64_t run)
{
    uint64_t left = run > (uint64_t)r->warmup ? run - (uint64_t)r->warmup : 0;
    uint64_t span = r->steps > 0 ? (uint64_t)r->steps : left;

    if (s >= span)
        return r->to;
    return r->to + (1 - r->to) * (1 + cos(acos(-1) * (double)s / (double)span)) / 2;
}

double poise_rate_factor(const poise_rate_schedule *r, uint64_t step, uint64_t run)
{
    uint64_t warmup = (uint64_t)r->warmup, s = step - warmup;

    if (step < warmup)
        return (double)(step + 1) / (double)warmup;
    switch (r->decay) {
    case POISE_COSINE:
        return cosine(r, s, run);
    case POISE_STEP:
        return pow(r->factor, (double)(s / (uint64_t)r->every));
    case POISE_EXPONENTIAL:
        return pow(r->factor, (double)s / (double)r->every);
    case POISE_DECAY_NONE:
        break;
    }
    return 1;
}
