/* Files are replaced whole or not at all: after every failure the old content stands and nothing
 * else lies in the folder. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include "train/file.h"

/* A folder of its own for every test, with one file "old" in it. */
typedef struct fixture {
    char folder[64];
    char path[128]; /* folder/old */
} fixture;

static const char old[] = "what was there";

static char *in(const fixture *f, const char *name, char *buf, size_t size)
{
    snprintf(buf, size, "%s/%s", f->folder, name);
    return buf;
}

static int setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    FILE *out;

    if (!f)
        return -1;
    strcpy(f->folder, "/tmp/poise-file-XXXXXX");
    if (!mkdtemp(f->folder))
        return -1;
    in(f, "old", f->path, sizeof f->path);
    out = fopen(f->path, "w");
    if (!out || fputs(old, out) < 0 || fclose(out) != 0)
        return -1;
    *state = f;
    return 0;
}

static void remove_all(const char *folder)
{
    DIR *d = opendir(folder);
    struct dirent *e;
    char path[512];

    while (d && (e = readdir(d))) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        if (unlink(path) < 0)
            remove_all(path);
    }
    if (d)
        closedir(d);
    rmdir(folder);
}

static int teardown(void **state)
{
    fixture *f = *state;

    remove_all(f->folder);
    free(f);
    return 0;
}

static int entries(const char *folder)
{
    DIR *d = opendir(folder);
    int n = 0;

    assert_non_null(d);
    while (readdir(d))
        n++;
    closedir(d);
    return n - 2; /* "." and ".." */
}

static void holds(const char *path, const char *want, size_t bytes)
{
    poise_error err = {0};
    size_t n = 0;
    char *text = poise__file_read(path, &n, &err);

    if (!text)
        fail_msg("%s", err.message);
    assert_int_equal(n, bytes);
    assert_memory_equal(text, want, bytes);
    assert_int_equal(text[n], 0);
    free(text);
}

static int replace(const char *path, const char *text, poise_error *err)
{
    return poise__file_replace(path, 1, &(poise__piece){text, strlen(text)}, err);
}

static void failed(const poise_error *err, const char *word)
{
    assert_int_equal(err->code, POISE_E_SYSTEM);
    if (!strstr(err->message, word))
        fail_msg("\"%s\" does not say \"%s\"", err->message, word);
}

static void pieces_follow_each_other(void **state)
{
    const fixture *f = *state;
    const poise__piece pieces[] = {{"ab", 2}, {NULL, 0}, {"\0c", 2}, {"def", 3}};
    char path[128];
    poise_error err = {0};

    assert_int_equal(poise__file_replace(in(f, "new", path, sizeof path), 4, pieces, &err), 0);
    holds(path, "ab\0cdef", 7);
    assert_int_equal(poise__file_replace(f->path, 4, pieces, &err), 0);
    holds(f->path, "ab\0cdef", 7);
    assert_int_equal(poise__file_replace(f->path, 0, NULL, &err), 0);
    holds(f->path, "", 0);
    assert_int_equal(entries(f->folder), 2);
}

static void large_file_comes_back(void **state)
{
    enum { SIZE = 3000001 };
    const fixture *f = *state;
    char *large = malloc(SIZE);
    poise_error err = {0};

    assert_non_null(large);
    for (int k = 0; k < SIZE; k++)
        large[k] = (char)(k * 7 + k / 1000);
    assert_int_equal(poise__file_replace(f->path, 1, &(poise__piece){large, SIZE}, &err), 0);
    holds(f->path, large, SIZE);
    free(large);
}

/* A path without a '/' is in the current folder, one in "/" too is found. */
static void path_may_have_no_folder(void **state)
{
    const fixture *f = *state;
    char before[1024];
    poise_error err = {0};

    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(f->folder), 0);
    assert_int_equal(replace("old", "new text", &err), 0);
    holds("old", "new text", 8);
    assert_int_equal(chdir(before), 0);
}

static void left_over_of_a_killed_writer_is_overwritten(void **state)
{
    const fixture *f = *state;
    char path[128];
    poise_error err = {0};
    FILE *out = fopen(in(f, "old.tmp", path, sizeof path), "w");

    assert_non_null(out);
    fputs("half a file, longer than the new one", out);
    fclose(out);
    assert_int_equal(replace(f->path, "short", &err), 0);
    holds(f->path, "short", 5);
    assert_int_equal(entries(f->folder), 1);
}

static void full_disk_keeps_the_old_file(void **state)
{
    enum { SIZE = 100000 };
    const fixture *f = *state;
    char *large = calloc(SIZE, 1);
    const poise__piece pieces[] = {{"head", 4}, {large, SIZE}};
    struct rlimit before, small;
    struct sigaction ignore = {.sa_handler = SIG_IGN}, saved;
    poise_error err = {0};
    int status;

    assert_non_null(large);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 4096;
    sigaction(SIGXFSZ, &ignore, &saved);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    status = poise__file_replace(f->path, 2, pieces, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    sigaction(SIGXFSZ, &saved, NULL);
    assert_int_equal(status, -1);
    failed(&err, f->path);
    failed(&err, strerror(EFBIG));
    holds(f->path, old, strlen(old));
    assert_int_equal(entries(f->folder), 1);
    free(large);
}

static void missing_folder_is_named(void **state)
{
    const fixture *f = *state;
    char path[128];
    poise_error err = {0};

    assert_int_equal(replace(in(f, "no/such", path, sizeof path), "x", &err), -1);
    failed(&err, path);
    failed(&err, strerror(ENOENT));
    assert_int_equal(entries(f->folder), 1);
}

static void file_is_no_folder(void **state)
{
    const fixture *f = *state;
    char path[128];
    poise_error err = {0};

    assert_int_equal(replace(in(f, "old/x", path, sizeof path), "x", &err), -1);
    failed(&err, strerror(ENOTDIR));
    holds(f->path, old, strlen(old));
}

static void folder_is_not_replaced(void **state)
{
    const fixture *f = *state;
    char path[128];
    poise_error err = {0};

    assert_int_equal(mkdir(in(f, "dir", path, sizeof path), 0777), 0);
    assert_int_equal(replace(path, "x", &err), -1);
    failed(&err, path);
    assert_int_equal(entries(f->folder), 2); /* no dir.tmp */
}

static void folder_in_the_way_of_the_temporary_file(void **state)
{
    const fixture *f = *state;
    char path[128];
    poise_error err = {0};

    assert_int_equal(mkdir(in(f, "old.tmp", path, sizeof path), 0777), 0);
    assert_int_equal(replace(f->path, "x", &err), -1);
    failed(&err, "old.tmp");
    holds(f->path, old, strlen(old));
}

/* Root may write everywhere, so it becomes somebody else for a moment. */
static void folder_without_permission(void **state)
{
    enum { NOBODY = 65534 };
    const fixture *f = *state;
    uid_t before = geteuid();
    char path[128];
    poise_error err = {0}, why = {0};
    int status, made;

    assert_int_equal(chmod(f->folder, 0555), 0);
    if (before == 0 && seteuid(NOBODY) < 0)
        skip();
    status = replace(f->path, "x", &err);
    made = poise__folder(in(f, "below", path, sizeof path), &why);
    assert_int_equal(seteuid(before), 0);
    assert_int_equal(chmod(f->folder, 0777), 0);
    assert_int_equal(status, -1);
    failed(&err, strerror(EACCES));
    assert_int_equal(made, -1);
    failed(&why, strerror(EACCES));
    holds(f->path, old, strlen(old));
    assert_int_equal(entries(f->folder), 1);
}

/* A rename would leave a plain file where the link was; of /dev/stdout, say. */
static void link_stays_a_link(void **state)
{
    const fixture *f = *state;
    char path[128];
    struct stat st;
    poise_error err = {0};

    assert_int_equal(symlink("old", in(f, "link", path, sizeof path)), 0);
    assert_int_equal(poise__file_replace(path, 1, &(poise__piece){"new", 3}, &err), 0);
    assert_int_equal(lstat(path, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    holds(f->path, "new", 3);
    assert_int_equal(entries(f->folder), 2);

    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("none/below", path), 0);
    assert_int_equal(poise__file_replace(path, 1, &(poise__piece){"new", 3}, &err), -1);
    failed(&err, path);
    assert_int_equal(lstat(path, &st), 0);
}

static void pipe_stays_a_pipe(void **state)
{
    const fixture *f = *state;
    char path[128], got[8];
    struct stat st;
    poise_error err = {0};
    int fd;

    assert_int_equal(mkfifo(in(f, "pipe", path, sizeof path), 0600), 0);
    fd = open(path, O_RDONLY | O_NONBLOCK);
    assert_true(fd >= 0);
    assert_int_equal(poise__file_replace(path, 1, &(poise__piece){"new", 3}, &err), 0);
    assert_int_equal(read(fd, got, sizeof got), 3);
    assert_memory_equal(got, "new", 3);
    close(fd);
    assert_int_equal(lstat(path, &st), 0);
    assert_true(S_ISFIFO(st.st_mode));
    assert_int_equal(entries(f->folder), 2);
}

static void reading_what_is_not_there(void **state)
{
    const fixture *f = *state;
    char path[128];
    size_t n = 77;
    poise_error err = {0};

    assert_null(poise__file_read(in(f, "none", path, sizeof path), &n, &err));
    failed(&err, path);
    failed(&err, strerror(ENOENT));
    assert_null(poise__file_read(f->folder, &n, &err));
    failed(&err, strerror(EISDIR));
    assert_int_equal(n, 77);
}

/* What has no size that stat knows is read to its end all the same. */
static void pipe_is_read_whole(void **state)
{
    enum { SIZE = 20000 };
    int fd[2];
    char path[64], text[SIZE];
    poise_error err = {0};
    size_t n = 0;
    char *got;

    (void)state;
    assert_int_equal(pipe(fd), 0);
    for (int k = 0; k < SIZE; k++)
        text[k] = (char)(k % 251);
    assert_int_equal(write(fd[1], text, SIZE), SIZE);
    close(fd[1]);
    snprintf(path, sizeof path, "/dev/fd/%d", fd[0]);
    if (access(path, R_OK) < 0)
        skip();
    got = poise__file_read(path, &n, &err);
    assert_non_null(got);
    assert_int_equal(n, SIZE);
    assert_memory_equal(got, text, SIZE);
    free(got);
    close(fd[0]);
}

static void folders_are_made_on_the_way(void **state)
{
    static const char *const paths[] = {"a", "a", "a/b/c", "a//b/d/", "a/b/c/../e"};
    const fixture *f = *state;
    char path[128];
    struct stat st;
    poise_error err = {0};

    for (size_t k = 0; k < sizeof paths / sizeof *paths; k++) {
        in(f, paths[k], path, sizeof path);
        assert_int_equal(poise__folder(path, &err), 0);
        assert_int_equal(stat(path, &st), 0);
        assert_true(S_ISDIR(st.st_mode));
    }
    assert_int_equal(poise__folder("/", &err), 0);
    assert_int_equal(poise__folder(".", &err), 0);
}

static void file_in_the_way_of_a_folder(void **state)
{
    const fixture *f = *state;
    char path[128];
    poise_error err = {0};

    assert_int_equal(poise__folder(f->path, &err), -1);
    failed(&err, f->path);
    assert_int_equal(poise__folder(in(f, "old/below", path, sizeof path), &err), -1);
    failed(&err, f->path);
    holds(f->path, old, strlen(old));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(pieces_follow_each_other),
        TEST(large_file_comes_back),
        TEST(path_may_have_no_folder),
        TEST(left_over_of_a_killed_writer_is_overwritten),
        TEST(full_disk_keeps_the_old_file),
        TEST(missing_folder_is_named),
        TEST(file_is_no_folder),
        TEST(folder_is_not_replaced),
        TEST(folder_in_the_way_of_the_temporary_file),
        TEST(folder_without_permission),
        TEST(link_stays_a_link),
        TEST(pipe_stays_a_pipe),
        TEST(reading_what_is_not_there),
        TEST(pipe_is_read_whole),
        TEST(folders_are_made_on_the_way),
        TEST(file_in_the_way_of_a_folder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
