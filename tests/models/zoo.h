/* zoo.h -- every model that comes with Poise, and settings that make it small enough for a test under
 * the sanitizers.  A model file without a row here fails tests/models/test_zoo.c. */
#ifndef TEST_MODELS_ZOO_H
#define TEST_MODELS_ZOO_H

typedef struct zoo_row {
    const char *name, *settings;
    const char *must; /* settings that every run must say, for the generator's tasks */
    const char *tasks,
        *here; /* for rows of this folder: the tasks, where click and buy do not do, and
                                 what must be said of them */
} zoo_row;

static const zoo_row zoo[] = {
    {"aitm", "units: [16, 8]", "", NULL, ""},
    {"cgc", "shared: 2, own: 1, units: [16], tower: [8]", "", NULL, ""},
    {"cross_stitch", "units: [[16], [8]]", "", NULL, ""},
    {"dbmtl", "units: [16], tower: [8], relation: [8]", "", NULL, ""},
    {"dselect_k", "experts: 3, units: [16], tower: [8]", "", NULL, ""},
    {"esmm", "units: [16, 8]", "", NULL, ""},
    {"escm2_ips", "units: [16, 8]", "click: click, conversion: detail, both: favourite, ",
     "{click: {label: click}, then: {label: buy}, buy: {label: buy}}",
     "click: click, conversion: then, both: buy, "},
    {"hmoe", "experts: 3, units: [16], tower: [8]", "", NULL, ""},
    {"mmoe", "experts: 3, units: [16], tower: [8]", "", NULL, ""},
    {"mmoe_dcn", "experts: 3, units: [16], tower: [8]", "", NULL, ""},
    {"mmoe_top_k", "experts: 3, units: [16], tower: [8]", "", NULL, ""},
    {"mtan", "units: [[16], [8]], tower: [8]", "", NULL, ""},
    {"omoe", "experts: 3, units: [16], tower: [8]", "", NULL, ""},
    {"pepnet", "units: [[16], [8]], gate: [8]", "", NULL, ""},
    {"ple", "shared: 2, own: 1, units: [[16], [16]], tower: [8]", "", NULL, ""},
    {"shared_bottom", "units: [16], tower: [8]", "", NULL, ""},
    {"single_task", "units: [16, 8]", "", NULL, ""},
    {"sluice", "units: 16", "", NULL, ""},
    {"stem", "shared: 2, own: 1, units: [16], tower: [8]", "", NULL, ""},
};

enum { ZOO = (int)(sizeof(zoo) / sizeof(zoo[0])) };

#endif
