#include "plugin.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../core/memory.h"
#include "../core/search.h"
#include "table.h"

struct poise_plugin {
    poise__arena *arena; /* holds all of it */
    const char *path;
    poise_balancer table; /* ours: checked, in our layout */
};

enum { MAX_PATH = 4096 };

static const poise__search where = {.variable = "POISE_BALANCER_PATH",
                                    .build = "balancers",
                                    .installed = POISE_INSTALLED_BALANCERS};

static const char ending[] = ".so";

/* ---- what there is ---- */

typedef struct found {
    const char *name, *path;
} found;

typedef struct list {
    poise__arena *arena;
    found *item;
    size_t count, cap;
} list;

static int list_has(const list *l, const char *name, size_t length)
{
    for (size_t k = 0; k < l->count; k++)
        if (!strncmp(l->item[k].name, name, length) && !l->item[k].name[length])
            return 1;
    return 0;
}

static int list_add(list *l, const char *folder, const char *file, poise_error *err)
{
    size_t length = strlen(file), end = sizeof ending - 1;
    if (length <= end || strcmp(file + length - end, ending) != 0 || file[0] == '.' ||
        list_has(l, file, length - end))
        return 0;
    found *grown = poise__grow(l->item, &l->cap, l->count + 1, sizeof *l->item, err);
    if (!grown)
        return -1;
    l->item = grown;
    found *f = &l->item[l->count];
    f->name = poise__arena_printf(l->arena, err, "%.*s", (int)(length - end), file);
    f->path = poise__arena_printf(l->arena, err, "%s/%s", folder, file);
    if (!f->name || !f->path)
        return -1;
    l->count++;
    return 0;
}

/* A folder that is not there holds nothing. */
static int list_folder(list *l, const char *folder, poise_error *err)
{
    DIR *d = opendir(folder);
    if (!d)
        return 0;
    int rc = 0;
    for (struct dirent *e; !rc && (e = readdir(d));)
        rc = list_add(l, folder, e->d_name, err);
    closedir(d);
    return rc;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const found *)a)->name, ((const found *)b)->name);
}

static void list_done(list *l)
{
    free(l->item);
    poise__arena_free(l->arena);
}

/* Every balancer once, in order of name; the first folder that has it wins. */
static int list_all(list *l, poise_error *err)
{
    char folder[MAX_PATH];

    *l = (list){.arena = poise__arena_new(err)};
    int rc = l->arena ? 1 : -1;
    for (int k = 0; rc > 0; k++) {
        rc = poise__search_folder(&where, k, folder, sizeof folder, err);
        if (rc > 0 && list_folder(l, folder, err) < 0)
            rc = -1;
    }
    if (rc < 0) {
        list_done(l);
        return -1;
    }
    if (l->count)
        qsort(l->item, l->count, sizeof *l->item, by_name);
    return 0;
}

int poise_plugin_list(int (*seen)(void *user, const char *name, const char *path), void *user,
                      poise_error *err)
{
    list l;
    if (list_all(&l, err) < 0)
        return -1;
    int rc = 0;
    for (size_t k = 0; k < l.count && !rc; k++)
        rc = seen(user, l.item[k].name, l.item[k].path);
    list_done(&l);
    return rc;
}

/* ---- finding one ---- */

static int is_path(const char *name)
{
    size_t length = strlen(name), end = sizeof ending - 1;
    return strchr(name, '/') || (length > end && !strcmp(name + length - end, ending));
}

/* 1 if one of the first k folders is this one. */
static int listed_before(const char *folder, int k)
{
    char other[MAX_PATH];
    struct stat a, b;
    for (int j = 0; j < k; j++) {
        if (poise__search_folder(&where, j, other, sizeof other, NULL) <= 0)
            continue;
        if (strcmp(folder, other) == 0 || (stat(folder, &a) == 0 && stat(other, &b) == 0 &&
                                           a.st_dev == b.st_dev && a.st_ino == b.st_ino))
            return 1;
    }
    return 0;
}

/* The error for a name that no folder has: the nearest one, and where it was looked for. */
static int not_found(const char *name, poise_error *err)
{
    list l;
    char hint[160] = "", folders[512] = "", folder[MAX_PATH];
    size_t at = 0;

    if (list_all(&l, err) < 0)
        return -1;
    const char **word = poise__calloc(l.count, sizeof *word, err);
    if (!word) {
        list_done(&l);
        return -1;
    }
    for (size_t k = 0; k < l.count; k++)
        word[k] = l.item[k].name;
    const char *near = poise__nearest(name, (int)l.count, word);
    if (near)
        snprintf(hint, sizeof hint, "; did you mean '%s'?", near);
    free(word);
    list_done(&l);

    for (int k = 0; at < sizeof folders; k++) {
        if (poise__search_folder(&where, k, folder, sizeof folder, NULL) <= 0)
            break;
        if (listed_before(folder, k))
            continue;
        int put = snprintf(folders + at, sizeof folders - at, "%s%s", k ? ", " : "", folder);
        at += put > 0 ? (size_t)put : 0;
    }
    return poise_fail(err, POISE_E_PLUGIN, POISE_NOWHERE,
                      "there is no balancer '%.100s'%s (looked for %.100s.so in %s; a path must "
                      "hold a / or end in .so)",
                      name, hint, name, folders[0] ? folders : "no folder");
}

/* The file to open, with a '/' in it so that dlopen takes it as it is. */
static int locate(const char *name, char *path, size_t size, poise_error *err)
{
    if (!is_path(name)) {
        int rc = poise__search_file(&where, name, ending, path, size, err);
        return rc > 0 ? not_found(name, err) : rc;
    }
    int put = snprintf(path, size, "%s%s", strchr(name, '/') ? "" : "./", name);
    if (put < 0 || (size_t)put >= size)
        return poise_fail(err, POISE_E_PLUGIN, POISE_NOWHERE,
                          "the path of the balancer is longer than %zu bytes", size - 1);
    if (access(path, R_OK) < 0)
        return poise_fail(err, POISE_E_PLUGIN, POISE_NOWHERE, "%s: cannot be read: %s", name,
                          strerror(errno));
    return 0;
}

/* ---- opening it ---- */

typedef const poise_balancer *(*entry_fn)(void);

static int entry(void *object, const char *path, entry_fn *fn, poise_error *err)
{
    char other[sizeof POISE_SYMBOL];

    *(void **)fn = dlsym(object, POISE_SYMBOL); /* the cast that POSIX prescribes */
    if (*fn)
        return 0;
    for (char major = '2'; major <= '9'; major++) {
        memcpy(other, POISE_SYMBOL, sizeof other);
        other[sizeof other - 2] = major;
        if (dlsym(object, other))
            return poise_fail(err, POISE_E_PLUGIN, POISE_NOWHERE,
                              "%s: it was built for version %c of the balancer interface; this "
                              "Poise has version 1: rebuild it against this <poise/balancer.h>",
                              path, major);
    }
    return poise_fail(err, POISE_E_PLUGIN, POISE_NOWHERE,
                      "%s: it does not export %s, so it is not a balancer (does it end with "
                      "POISE_BALANCER(table)?)",
                      path, POISE_SYMBOL);
}

/* Open `file`, which is what lies at `path` or a copy of it. */
static int open_object(poise_plugin *p, const char *path, const char *file,
                       const poise_balancer *table, poise_error *err)
{
    entry_fn fn;

    p->path = poise__arena_text(p->arena, path, err);
    if (!p->path)
        return -1;
    if (!file)
        return poise__table_read(table, p->path, &p->table, p->arena, err);
    /* Never closed: a balancer may have handed out pointers to its texts and functions. */
    void *object = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    if (!object) {
        const char *why = dlerror();
        return poise_fail(err, POISE_E_PLUGIN, POISE_NOWHERE,
                          "%s: it is not a shared object that can be loaded: %s", path,
                          why ? why : "no reason given");
    }
    if (entry(object, path, &fn, err) < 0)
        return -1;
    return poise__table_read(fn(), p->path, &p->table, p->arena, err);
}

/* Without a file: `table` is the balancer. */
static poise_plugin *new_plugin(const char *path, const char *file, const poise_balancer *table,
                                poise_error *err)
{
    poise__arena *arena = poise__arena_new(err);
    if (!arena)
        return NULL;
    poise_plugin *p = poise__arena_alloc(arena, 1, sizeof *p, err);
    if (p)
        p->arena = arena;
    if (!p || open_object(p, path, file, table, err) < 0) {
        poise__arena_free(arena);
        return NULL;
    }
    return p;
}

poise_plugin *poise_plugin_of(const poise_balancer *table, const char *name, poise_error *err)
{
    return new_plugin(name, NULL, table, err);
}

poise_plugin *poise_plugin_load(const char *name_or_path, poise_error *err)
{
    char path[MAX_PATH];

    if (!name_or_path || !name_or_path[0]) {
        poise_fail(err, POISE_E_PLUGIN, POISE_NOWHERE, "the name of the balancer is empty");
        return NULL;
    }
    if (locate(name_or_path, path, sizeof path, err) < 0)
        return NULL;
    return new_plugin(path, path, NULL, err);
}

/* ---- loading a file that has changed ---- */

static int copy_bytes(FILE *from, int to)
{
    char buf[65536];
    size_t n;

    while ((n = fread(buf, 1, sizeof buf, from)) > 0)
        for (size_t done = 0; done < n;) {
            ssize_t put = write(to, buf + done, n - done);
            if (put < 0)
                return -1;
            done += (size_t)put;
        }
    return ferror(from) ? -1 : 0;
}

/* The loader knows objects by name and file, so a changed file is opened through a copy. */
poise_plugin *poise_plugin_again(const poise_plugin *old, poise_error *err)
{
    const char *folder = getenv("TMPDIR");
    char copy[MAX_PATH];
    int put = snprintf(copy, sizeof copy, "%s/poise-XXXXXX", folder && folder[0] ? folder : "/tmp");
    poise_plugin *p = NULL;

    FILE *from = fopen(old->path, "rb");
    int to = from && put > 0 && put < (int)sizeof copy ? mkstemp(copy) : -1;
    if (to < 0 || copy_bytes(from, to) < 0)
        poise_fail(err, POISE_E_PLUGIN, POISE_NOWHERE, "%s: cannot be copied to be loaded: %s",
                   old->path, strerror(errno));
    else
        p = new_plugin(old->path, copy, NULL, err);
    if (from)
        (void)fclose(from);
    if (to >= 0) {
        (void)close(to);
        (void)unlink(copy);
    }
    return p;
}

void poise_plugin_free(poise_plugin *p)
{
    if (p)
        poise__arena_free(p->arena);
}

const poise_balancer *poise_plugin_get(const poise_plugin *p)
{
    return &p->table;
}

const char *poise_plugin_path(const poise_plugin *p)
{
    return p->path;
}

const poise_param *poise_plugin_param(const poise_plugin *p, uint32_t k)
{
    return k < p->table.nparam ? &p->table.param[k] : NULL;
}
