/* poise balancer new -- a folder with a strategy to start from, its build, its tests and a run. */
#include "balancer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "balancer_template.h"
#include "run.h"

/* As the loader wants a strategy's id, and no longer than a file's name may be. */
static int is_id(const char *name)
{
    size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-");

    return name[0] >= 'a' && name[0] <= 'z' && !name[length] && length <= 64;
}

/* NAME.c -> mine.c */
static const char *file_name(const char *template, const char *name, char *buf, size_t size)
{
    int named = !strncmp(template, "NAME", 4);

    snprintf(buf, size, "%s/%s%s", name, named ? name : "", named ? template + 4 : template);
    return buf;
}

static void write_text(FILE *f, const tool_template *t, const char *name)
{
    static const char token[] = "@NAME@";
    const size_t length = sizeof token - 1;

    for (size_t k = 0; k < t->size; k++)
        if (t->size - k >= length && !memcmp(t->text + k, token, length)) {
            fputs(name, f);
            k += length - 1;
        } else {
            fputc(t->text[k], f);
        }
}

static int write_file(const tool_template *t, const char *name, poise_error *err)
{
    char path[256];
    FILE *f = fopen(file_name(t->name, name, path, sizeof path), "wx");
    int failed = 1;

    if (f) {
        write_text(f, t, name);
        failed = ferror(f);
        failed |= fclose(f) != 0;
    }
    return failed ? poise_fail(err, POISE_E_SYSTEM, POISE_NOWHERE, "cannot write %s: %s", path,
                               strerror(errno))
                  : 0;
}

/* Where this program is installed, if it is: the folder above its own, with the header in it. */
static const char *prefix(char *buf, size_t size)
{
    char header[TOOL_PATH + 64];
    ssize_t length = readlink("/proc/self/exe", buf, size - 1);

    if (length <= 0)
        return NULL;
    buf[length] = 0;
    for (int up = 0; up < 2; up++) {
        char *slash = strrchr(buf, '/');
        if (!slash)
            return NULL;
        *slash = 0;
    }
    snprintf(header, sizeof header, "%s/include/poise/balancer.h", buf);
    return tool_exists(header) ? buf : NULL;
}

static void say_how(const char *name)
{
    char path[TOOL_PATH];
    const char *where = prefix(path, sizeof path);

    printf("%s/ holds a strategy to start from, %s.c, and its tests.\n\n", name, name);
    printf("  cmake -S %s -B %s/build -DCMAKE_PREFIX_PATH=%s\n", name, name,
           where ? where : "<where Poise is installed>");
    printf("  cmake --build %s/build\n\n", name);
    printf("  ctest --test-dir %s/build        its tests: weights by hand, and the contract\n",
           name);
    printf("  poise train %s/train.yaml        a small run with it\n", name);
}

int tool_balancer_word_new(const tool_arguments *a)
{
    const char *name = a->word[1];
    poise_error err;

    if (!is_id(name))
        return tool_wrong(a->command,
                          "'%s' cannot be a strategy's name: a letter, then up to 63 of a-z, 0-9, "
                          "_ and -",
                          name);
    if (mkdir(name, 0777) < 0) {
        if (errno == EEXIST)
            return tool_wrong(a->command, "%s is there already; nothing was written", name);
        poise_fail(&err, POISE_E_SYSTEM, POISE_NOWHERE, "cannot make the folder %s: %s", name,
                   strerror(errno));
        return tool_failed(&err);
    }
    for (const tool_template *t = tool_templates; t->name; t++)
        if (write_file(t, name, &err) < 0)
            return tool_failed(&err);
    say_how(name);
    return TOOL_OK;
}
