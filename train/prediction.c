#include "prediction.h"

#include <math.h>

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

double poise__prediction(poise_task_kind kind, const float *z, int64_t width)
{
    int64_t best = 0;
    double grade = 0;

    switch (kind) {
    case POISE_BINARY:
        return sigmoid((double)z[0]);
    case POISE_MULTICLASS:
        for (int64_t c = 1; c < width; c++)
            best = z[c] > z[best] ? c : best;
        return (double)best;
    case POISE_ORDINAL:
        for (int64_t k = 0; k < width; k++)
            grade += sigmoid((double)z[k]);
        return grade;
    case POISE_COUNT:
        return exp((double)z[0]);
    case POISE_REGRESSION:
        break;
    }
    return (double)z[0];
}
