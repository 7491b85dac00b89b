#include "file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "../core/memory.h"

/* Of errno.  -1, always. */
static int refused(const char *what, const char *path, poise_error *err)
{
    return poise_fail(err, POISE_E_SYSTEM, POISE_NOWHERE, "%s cannot be %s: %s", path, what,
                      strerror(errno));
}

static int write_piece(int fd, const poise__piece *p)
{
    const char *at = p->data;
    size_t left = p->bytes;

    while (left) {
        /* the largest single write that every system takes */
        ssize_t n = write(fd, at, left < (1u << 30) ? left : (1u << 30));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        at += n;
        left -= (size_t)n;
    }
    return 0;
}

static int write_whole(const char *path, int n, const poise__piece *piece, int sync)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    int failed = 0, why;

    if (fd < 0)
        return -1;
    for (int k = 0; k < n && !failed; k++)
        failed = write_piece(fd, &piece[k]) < 0;
    failed = failed || (sync && fsync(fd) < 0);
    why = errno;
    if (close(fd) < 0 && !failed) {
        failed = 1;
        why = errno;
    }
    errno = why;
    return failed ? -1 : 0;
}

static int write_temporary(const char *path, int n, const poise__piece *piece)
{
    int why;

    if (write_whole(path, n, piece, 1) == 0)
        return 0;
    why = errno;
    unlink(path);
    errno = why;
    return -1;
}

/* A device, a pipe or a link, which a rename would put an end to. */
static int stays_in_place(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
}

/* Sync the folder that holds `path`; `copy` has room for the path and is written over. */
static int sync_folder(const char *path, char *copy)
{
    const char *slash = strrchr(path, '/');
    size_t n = slash ? (size_t)(slash - path) : 0;
    int fd, status;

    memcpy(copy, path, n);
    copy[n] = '\0';
    fd = open(!slash ? "." : n ? copy : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    status = fsync(fd);
    if (status < 0 && (errno == EINVAL || errno == ENOTSUP))
        status = 0; /* a file system without it */
    close(fd);
    return status;
}

int poise__file_replace(const char *path, int n, const poise__piece *piece, poise_error *err)
{
    size_t length = strlen(path);
    char *temporary = poise__calloc(length + sizeof ".tmp", 1, err);
    int status = -1;

    if (!temporary)
        return -1;
    memcpy(temporary, path, length);
    memcpy(temporary + length, ".tmp", sizeof ".tmp");
    if (stays_in_place(path)) {
        status = write_whole(path, n, piece, 0) < 0 ? refused("written", path, err) : 0;
    } else if (write_temporary(temporary, n, piece) < 0) {
        refused("written", temporary, err);
    } else if (rename(temporary, path) < 0) {
        int why = errno;

        unlink(temporary);
        errno = why;
        refused("replaced", path, err);
    } else if (sync_folder(path, temporary) < 0) {
        refused("synced (the folder's fsync failed)", path, err);
    } else {
        status = 0;
    }
    free(temporary);
    return status;
}

int poise__file_remove(const char *path, poise_error *err)
{
    return unlink(path) < 0 && errno != ENOENT ? refused("removed", path, err) : 0;
}

/* Read to the end of fd into *text, of *cap bytes; one byte stays free.  0, or -1 with *err. */
static int read_all(int fd, const char *path, char **text, size_t *cap, size_t *used,
                    poise_error *err)
{
    for (;;) {
        char *larger = *text;
        ssize_t n;

        if (*used + 1 >= *cap && !(larger = poise__grow(*text, cap, *cap + 4096, 1, err)))
            return -1;
        *text = larger;
        n = read(fd, *text + *used, *cap - *used - 1);
        if (n == 0)
            return 0;
        if (n < 0 && errno != EINTR)
            return refused("read", path, err);
        *used += n > 0 ? (size_t)n : 0;
    }
}

char *poise__file_read(const char *path, size_t *bytes, poise_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC), status;
    struct stat st;
    size_t cap = 4096, used = 0;
    char *text;

    if (fd < 0) {
        refused("opened", path, err);
        return NULL;
    }
    /* Room for the NUL, and for one byte more, so that the end is seen without growing. */
    if (fstat(fd, &st) == 0 && st.st_size > 0 && (uintmax_t)st.st_size < SIZE_MAX - 2)
        cap = (size_t)st.st_size + 2;
    text = poise__calloc(cap, 1, err);
    status = text ? read_all(fd, path, &text, &cap, &used, err) : -1;
    close(fd);
    if (status < 0) {
        free(text);
        return NULL;
    }
    text[used] = '\0';
    *bytes = used;
    return text;
}

static int is_folder(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

int poise__folder(const char *path, poise_error *err)
{
    size_t length = strlen(path);
    char *copy = poise__calloc(length + 1, 1, err);
    int status = 0;

    if (!copy)
        return -1;
    memcpy(copy, path, length);
    /* Every '/' that is not the first character ends a folder, and so does the end. */
    for (size_t k = 1; k <= length && status == 0; k++) {
        if (k < length && copy[k] != '/')
            continue;
        copy[k] = '\0';
        if (mkdir(copy, 0777) < 0) {
            int why = errno;

            if (!is_folder(copy)) {
                errno = why;
                status = refused("made", copy, err);
            }
        }
        if (k < length)
            copy[k] = '/';
    }
    free(copy);
    return status;
}
