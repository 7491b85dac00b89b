/* zoo.h -- every model that comes with Poise, and settings that make it small enough for a test under
 * the sanitizers.  A model file without a row here fails tests/models/test_zoo.c. */
#ifndef TEST_MODELS_ZOO_H
#define TEST_MODELS_ZOO_H

typedef struct zoo_row {
    const char *name, *settings;
} zoo_row;

static const zoo_row zoo[] = {
    {"aitm", "units: [16, 8]"},
    {"cgc", "shared: 2, own: 1, units: [16], tower: [8]"},
    {"cross_stitch", "units: [[16], [8]]"},
    {"dbmtl", "units: [16], tower: [8], relation: [8]"},
    {"dselect_k", "experts: 3, units: [16], tower: [8]"},
    {"esmm", "units: [16, 8]"},
    {"hmoe", "experts: 3, units: [16], tower: [8]"},
    {"mmoe", "experts: 3, units: [16], tower: [8]"},
    {"mmoe_dcn", "experts: 3, units: [16], tower: [8]"},
    {"mmoe_top_k", "experts: 3, units: [16], tower: [8]"},
    {"mtan", "units: [[16], [8]], tower: [8]"},
    {"omoe", "experts: 3, units: [16], tower: [8]"},
    {"pepnet", "units: [[16], [8]], gate: [8]"},
    {"ple", "shared: 2, own: 1, units: [[16], [16]], tower: [8]"},
    {"shared_bottom", "units: [16], tower: [8]"},
    {"single_task", "units: [16, 8]"},
    {"sluice", "units: 16"},
    {"stem", "shared: 2, own: 1, units: [16], tower: [8]"},
};

enum { ZOO = (int)(sizeof(zoo) / sizeof(zoo[0])) };

#endif
