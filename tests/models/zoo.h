/* zoo.h -- every model that comes with Poise, and settings that make it small enough for a test under
 * the sanitizers.  A model file without a row here fails tests/models/test_zoo.c. */
#ifndef TEST_MODELS_ZOO_H
#define TEST_MODELS_ZOO_H

typedef struct zoo_row {
    const char *name, *settings;
} zoo_row;

static const zoo_row zoo[] = {
    {"cgc", "shared: 2, own: 1, units: [16], tower: [8]"},
    {"mmoe", "experts: 3, units: [16], tower: [8]"},
    {"omoe", "experts: 3, units: [16], tower: [8]"},
    {"ple", "shared: 2, own: 1, units: [[16], [16]], tower: [8]"},
    {"shared_bottom", "units: [16], tower: [8]"},
    {"single_task", "units: [16, 8]"},
};

enum { ZOO = (int)(sizeof(zoo) / sizeof(zoo[0])) };

#endif
