/* A run file, an override and a model file of any bytes: a spec that can be written, read back and
 * drawn, or reasons why not, each of which can be shown.
 *
 *     RUN NUL KEY=VALUE NUL MODEL        the second and third may be left out
 *
 * MODEL is what the run finds as ./model.yaml, to use or to extend; rows.csv lies beside it. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "models/expand.h"
#include "models/sections.h"
#include "models/show.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static void check(int ok)
{
    if (!ok)
        abort();
}

/* ---- the folder of the run ---- */

static char folder[200], run_path[240], model_path[240];

static void write_file(const char *path, const void *bytes, size_t size)
{
    FILE *f = fopen(path, "wb");
    check(f != NULL);
    check(fwrite(bytes, 1, size, f) == size);
    check(fclose(f) == 0);
}

static void clean_up(void)
{
    char path[240];
    remove(model_path);
    snprintf(path, sizeof(path), "%s/rows.csv", folder);
    remove(path);
    rmdir(folder);
}

/* In memory where the system has such a place: a file is written for every input. */
static void make_folder(void)
{
    static const char rows[] = "age,city_code,job_code,click,buy,stars,kind,w\n"
                               "31,5,teacher,1,0,4.5,a,1\n";
    char path[240];
    if (folder[0])
        return;
    snprintf(folder, sizeof(folder), "%s/poise-fuzz-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    check(mkdtemp(folder) != NULL);
    atexit(clean_up);
    snprintf(run_path, sizeof(run_path), "%s/run.yaml", folder);
    snprintf(model_path, sizeof(model_path), "%s/model.yaml", folder);
    snprintf(path, sizeof(path), "%s/rows.csv", folder);
    write_file(path, rows, sizeof(rows) - 1);
    setenv("POISE_MODEL_PATH", FUZZ_MODELS, 0);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    make_folder();
    return 0;
}

/* ---- what must hold ---- */

/* What is written is a spec, and writes itself. */
static void read_back(const poise_spec *s, char *(*write)(const poise_spec *, poise_error *))
{
    poise_error err;
    char *once = write(s, &err);
    check(once != NULL);
    poise_diagnostics *diag = poise_diagnostics_new(&err);
    poise_spec *again = poise__spec_parse("again.yaml", once, strlen(once), 0, NULL, diag);
    check(again != NULL);
    char *twice = write(again, &err);
    check(twice != NULL && strcmp(once, twice) == 0);
    free(once);
    free(twice);
    poise_spec_free(again);
    poise_diagnostics_free(diag);
}

static void draw(const poise_spec *s)
{
    poise_error err;
    char *tree = poise_show_tree(s, &err), *dot = poise_show_dot(s, &err);
    check(tree != NULL && dot != NULL);
    check(strncmp(dot, "digraph ", 8) == 0);
    free(tree);
    free(dot);
}

static void show_all(const poise_diagnostics *diag)
{
    poise_error err;
    char text[POISE_DIAGNOSTIC_TEXT], *json;
    for (int k = 0; k < poise_diagnostics_count(diag); k++) {
        const poise_diagnostic *d = poise_diagnostics_get(diag, k);
        check(d->error.message[0] != 0);
        poise_diagnostics_show(diag, k, text, sizeof(text));
        check(strlen(text) < sizeof(text) - 1 && text[strlen(text) - 1] == '\n');
    }
    json = poise_diagnostics_json(diag, &err);
    check(json != NULL);
    free(json);
}

/* The part up to a NUL, copied; *bytes and *size go past it. */
static char *next_part(const uint8_t **bytes, size_t *size)
{
    const uint8_t *nul = *size ? memchr(*bytes, 0, *size) : NULL;
    size_t n = nul ? (size_t)(nul - *bytes) : *size;
    char *copy = calloc(n + 1, 1);
    check(copy != NULL);
    if (n > 0)
        memcpy(copy, *bytes, n);
    *bytes += n + (nul != NULL);
    *size -= n + (nul != NULL);
    return copy;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    poise_error err;
    make_folder();
    char *run = next_part(&bytes, &size), *override = next_part(&bytes, &size);
    write_file(model_path, bytes, size);
    char *equal = strchr(override, '=');
    if (equal)
        *equal = 0;
    poise_override o = {override, equal ? equal + 1 : ""};
    poise_diagnostics *diag = poise_diagnostics_new(&err);
    poise_spec *s = poise__spec_parse(run_path, run, strlen(run), equal != NULL, &o, diag);
    check((s == NULL) == (poise_diagnostics_errors(diag) > 0));
    show_all(diag);
    if (s) {
        read_back(s, poise_spec_resolved);
        read_back(s, poise_spec_expanded);
        draw(s);
    }
    poise_spec_free(s);
    poise_diagnostics_free(diag);
    free(run);
    free(override);
    return 0;
}
