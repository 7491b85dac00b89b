/* files.h -- small files in a temporary folder, and specs and schemas made by hand. */
#ifndef TEST_FILES_H
#define TEST_FILES_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "data/dataset.h"

/* A file of this program's own: two programs run at the same time. */
static inline const char *file_path(const char *name)
{
    static char path[4][256];
    static int turn;
    char *p = path[turn++ & 3];
    const char *folder = getenv("TMPDIR");
    snprintf(p, sizeof path[0], "%s/poise-test-%ld-%s", folder ? folder : "/tmp", (long)getpid(),
             name);
    return p;
}

static inline const char *file_write(const char *name, const void *bytes, size_t n)
{
    const char *path = file_path(name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
    return path;
}

static inline const char *file_text(const char *name, const char *text)
{
    return file_write(name, text, strlen(text));
}

static inline const char *file_gzip(const char *name, const char *text)
{
    const char *path = file_path(name);
    gzFile f = gzopen(path, "wb");
    assert_non_null(f);
    if (*text)
        assert_int_equal(gzwrite(f, text, (unsigned)strlen(text)), strlen(text));
    assert_int_equal(gzclose(f), Z_OK);
    return path;
}

static inline poise_data_spec spec_of(const char *train)
{
    return (poise_data_spec){
        .place = {"run.yaml", 1, 1},
        .train = train,
        .train_at = {"run.yaml", 2, 10},
        .valid_at = {"run.yaml", 3, 10},
        .test_at = {"run.yaml", 4, 10},
        .separator = ",",
        .header_in_file = 1,
        .quoted = 1,
    };
}

static inline poise_feature numeric(const char *name)
{
    return (poise_feature){.name = name,
                           .kind = POISE_NUMERIC,
                           .place = {"run.yaml", 7, 3},
                           .standardise = 1,
                           .missing = NAN};
}

static inline poise_feature categorical(const char *name)
{
    return (poise_feature){.name = name,
                           .kind = POISE_CATEGORICAL,
                           .place = {"run.yaml", 7, 3},
                           .missing = NAN,
                           .dim = 4,
                           .min_count = 1};
}

static inline poise_task binary(const char *name, const char *label, const char *positive)
{
    return (poise_task){.name = name,
                        .kind = POISE_BINARY,
                        .place = {"run.yaml", 9, 3},
                        .label = label,
                        .positive = positive,
                        .loss_weight = 1};
}

/* A schema on borrowed arrays; the arena is its own. */
static inline poise_schema *schema_of(int nfeature, poise_feature *feature, int ntask,
                                      poise_task *task)
{
    poise_error err;
    poise_schema *s = poise_schema_new(&err);
    assert_non_null(s);
    s->nfeature = nfeature;
    s->feature = feature;
    s->ntask = ntask;
    s->task = task;
    return s;
}

static inline void near(double got, double want)
{
    if (!(fabs(got - want) <= 1e-6 * (1 + fabs(want))))
        fail_msg("%.9g is not %.9g", got, want);
}

static inline void open_or_fail(const poise_data_spec *d, poise_schema *s, poise_data *data)
{
    poise_error err;
    char text[POISE_ERROR_TEXT];
    if (poise_data_open(d, s, data, &err) < 0)
        fail_msg("%s", poise_error_text(&err, text, sizeof text));
}

/* Did it fail with exactly this text?  NAME in `want` stands for the file's path. */
static inline void assert_error(const poise_error *err, const char *path, const char *want)
{
    char got[POISE_ERROR_TEXT], text[POISE_ERROR_TEXT * 2];
    poise_error_text(err, got, sizeof got);
    size_t n = 0;
    for (const char *p = want; *p && n < sizeof text - 300;) {
        if (strncmp(p, "NAME", 4) == 0) {
            n += (size_t)snprintf(text + n, sizeof text - n, "%s", path);
            p += 4;
        } else {
            text[n++] = *p++;
        }
    }
    text[n] = 0;
    assert_string_equal(got, text);
}

#endif
