/* search.c -- folders relative to the library, and the nearest word. */
#define _GNU_SOURCE /* dladdr, program_invocation_name */
#include "search.h"

#include <ctype.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int too_long(size_t size, poise_error *err)
{
    return poise_fail(err, POISE_E_SYSTEM, POISE_NOWHERE,
                      "a path is longer than the %zu bytes there are for it", size);
}

/* The folder of the shared object, or of the program, that holds this function; malloc'd. */
static char *own_folder(poise_error *err)
{
    Dl_info info;
    int (*self)(const poise__search *, int, char *, size_t, poise_error *) = poise__search_folder;
    void *address;
    memcpy(&address, &self, sizeof address); /* ISO C has no cast from function to object pointer */
    char *path = NULL;
    if (dladdr(address, &info) && info.dli_fname)
        /* For the program itself that name is argv[0], which a shell has looked up in PATH. */
        path = realpath(strcmp(info.dli_fname, program_invocation_name) == 0 ? "/proc/self/exe"
                                                                             : info.dli_fname,
                        NULL);
    if (!path) {
        poise_fail(err, POISE_E_SYSTEM, POISE_NOWHERE,
                   "the folder of this program cannot be found: %s", strerror(errno));
        return NULL;
    }
    char *slash = strrchr(path, '/');
    slash[slash == path] = '\0'; /* "/libpoise.so" is in "/" */
    return path;
}

/* The k-th non-empty folder of a ':'-separated list: its length and *at; or 0, *k reduced by how
 * many there were. */
static size_t list_item(const char *list, int *k, const char **at)
{
    for (; list && *list; list += *list == ':') {
        size_t n = strcspn(list, ":");
        if (n && (*k)-- == 0) {
            *at = list;
            return n;
        }
        list += n;
    }
    return 0;
}

int poise__search_folder(const poise__search *s, int k, char *buf, size_t size, poise_error *err)
{
    const char *at;
    size_t n = list_item(s->variable ? getenv(s->variable) : NULL, &k, &at);
    if (n) {
        if (n >= size)
            return too_long(size, err);
        memcpy(buf, at, n);
        buf[n] = '\0';
        return 1;
    }
    if (k == 0) {
        at = s->build;
        n = strlen(at);
    } else {
        k--;
        n = list_item(s->installed, &k, &at);
        if (!n)
            return 0;
    }
    char *own = own_folder(err);
    if (!own)
        return -1;
    int written = snprintf(buf, size, "%s/%.*s", own, (int)n, at);
    free(own);
    return written < 0 || (size_t)written >= size ? too_long(size, err) : 1;
}

int poise__search_file(const poise__search *s, const char *name, const char *suffix, char *buf,
                       size_t size, poise_error *err)
{
    for (int k = 0, more; (more = poise__search_folder(s, k, buf, size, err)) != 0; k++) {
        if (more < 0)
            return -1;
        size_t at = strlen(buf);
        int written = snprintf(buf + at, size - at, "/%s%s", name, suffix);
        if (written < 0 || (size_t)written >= size - at)
            return too_long(size, err);
        struct stat st;
        if (stat(buf, &st) == 0 && S_ISREG(st.st_mode) && access(buf, R_OK) == 0)
            return 0;
    }
    return 1;
}

enum { WORD = 64 }; /* longer words have no neighbours */

/* Edits from a to b: insert, delete, replace, or swap two neighbours (optimal string alignment). */
static int distance(const char *a, const char *b)
{
    int row[3][WORD + 1];
    int *before = row[0], *above = row[1], *now = row[2];
    int n = (int)strlen(b);
    for (int j = 0; j <= n; j++)
        now[j] = j;
    for (int i = 1; a[i - 1]; i++) {
        int *spare = before;
        before = above;
        above = now;
        now = spare;
        now[0] = i;
        for (int j = 1; j <= n; j++) {
            int best = above[j - 1] + (a[i - 1] != b[j - 1]);
            if (above[j] + 1 < best)
                best = above[j] + 1;
            if (now[j - 1] + 1 < best)
                best = now[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                before[j - 2] + 1 < best)
                best = before[j - 2] + 1;
            now[j] = best;
        }
    }
    return now[n];
}

static int same_letters(const char *a, const char *b)
{
    while (*a && tolower((unsigned char)*a) == tolower((unsigned char)*b))
        a++, b++;
    return !*a && !*b;
}

const char *poise__nearest(const char *word, int n, const char *const *words)
{
    size_t length = strlen(word);
    if (length > WORD)
        return NULL;
    int limit = length < 6 ? 1 : (int)(length / 3);
    const char *best = NULL;
    for (int k = 0; k < n; k++) {
        if (!words[k] || strlen(words[k]) > WORD)
            continue;
        if (same_letters(word, words[k]))
            return words[k];
        int d = distance(word, words[k]);
        if (d <= limit && d < (int)length && (!best || d < distance(word, best)))
            best = words[k];
    }
    return best;
}
