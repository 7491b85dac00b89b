/* poise balancer check -- each check of plugins/check.h in a process of its own.
 *
 *     parent                          child
 *     map a report that both see
 *     fork ------------------------>  load the object, run the check, fill the report, _exit
 *     wait, at most --limit seconds
 *     crashed, hung, or done: read the report
 *
 * The parent never loads the object. */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */

#include "balancer.h"

#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "../core/search.h"
#include "../plugins/check.h"
#include "run.h"

static const char *const result_name[] = {[POISE_CHECK_NOTE] = "ok",
                                          [POISE_CHECK_SKIPPED] = "skipped",
                                          [POISE_CHECK_WARNING] = "warning",
                                          [POISE_CHECK_FAILURE] = "FAILED"};

/* ---- one check ---- */

typedef struct outcome {
    poise_check_report report;
    double seconds;
    char output[600]; /* what the child wrote, its beginning */
} outcome;

static void find(poise_check_report *r, poise_check_kind kind, const char *fmt, ...)
    POISE_FORMAT(3, 4);

static void find(poise_check_report *r, poise_check_kind kind, const char *fmt, ...)
{
    va_list args;
    poise_check_finding *f =
        &r->finding[r->nfinding < POISE_CHECK_FINDINGS ? r->nfinding++ : POISE_CHECK_FINDINGS - 1];

    f->kind = kind;
    va_start(args, fmt);
    vsnprintf(f->text, sizeof f->text, fmt, args);
    va_end(args);
    memcpy(f->scene, r->scene, sizeof f->scene);
}

static void child(int check, const char *path, poise_check_report *report, FILE *output)
{
    const struct rlimit none = {0, 0};

    setrlimit(RLIMIT_CORE, &none);
    if (dup2(fileno(output), STDOUT_FILENO) < 0 || dup2(fileno(output), STDERR_FILENO) < 0)
        _exit(3);
    poise_check_run(check, path, report);
    fflush(NULL);
    _exit(0);
}

static double seconds_since(const struct timespec *from)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - from->tv_sec) + 1e-9 * (double)(now.tv_nsec - from->tv_nsec);
}

/* 1 if the child ended by itself, with its status; else it was killed at the limit. */
static int wait_for(pid_t pid, const struct timespec *start, double limit, int *status)
{
    const struct timespec nap = {0, 1000000};
    pid_t got;

    while ((got = waitpid(pid, status, WNOHANG)) == 0 || (got < 0 && errno == EINTR)) {
        if (seconds_since(start) > limit) {
            kill(pid, SIGKILL);
            while (waitpid(pid, status, 0) < 0 && errno == EINTR) {
            }
            return 0;
        }
        nanosleep(&nap, NULL);
    }
    return 1;
}

static const char *where_text(const poise_check_report *r, char *buf, size_t size)
{
    if (r->callback[0] == '(')
        snprintf(buf, size, "while it was loaded");
    else
        snprintf(buf, size, r->callback[0] ? "in %s()" : "outside of its functions", r->callback);
    return buf;
}

/* What the way it ended says. */
static void judge(outcome *o, int ended, int status, double limit)
{
    poise_check_report *r = &o->report;
    char where[64];

    where_text(r, where, sizeof where);
    if (!ended)
        find(r, POISE_CHECK_FAILURE, "it hangs %s: no end within %g s", where, limit);
    else if (WIFSIGNALED(status))
        find(r, POISE_CHECK_FAILURE, "it crashes %s: %s", where, strsignal(WTERMSIG(status)));
    else if (!r->done)
        find(r, POISE_CHECK_FAILURE, "it ends the process %s, with status %d", where,
             WEXITSTATUS(status));
    else if (o->output[0])
        find(r, POISE_CHECK_WARNING, "it writes to the terminal: use host->note()");
}

static void read_output(FILE *output, char *buf, size_t size)
{
    rewind(output);
    buf[fread(buf, 1, size - 1, output)] = 0;
}

/* 0, or -1 with *err when no process can be made. */
static int run_check(int check, const char *path, double limit, outcome *o, poise_error *err)
{
    struct timespec start;
    int status = 0, ended, failure;
    void *shared =
        mmap(NULL, sizeof o->report, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    FILE *output = shared == MAP_FAILED ? NULL : tmpfile();
    pid_t pid = -1;

    *o = (outcome){.seconds = 0};
    clock_gettime(CLOCK_MONOTONIC, &start);
    if (output) {
        fflush(NULL);
        pid = fork();
        if (pid == 0)
            child(check, path, shared, output);
    }
    failure = errno;
    if (pid > 0) {
        ended = wait_for(pid, &start, limit, &status);
        memcpy(&o->report, shared, sizeof o->report);
        o->seconds = seconds_since(&start);
        read_output(output, o->output, sizeof o->output);
        judge(o, ended, status, limit);
    }
    if (output)
        fclose(output);
    if (shared != MAP_FAILED)
        munmap(shared, sizeof o->report);
    return pid > 0 ? 0
                   : poise_fail(err, POISE_E_SYSTEM, POISE_NOWHERE,
                                "no process can be made for a check: %s", strerror(failure));
}

/* ---- the report ---- */

static void print_finding(const poise_check_finding *f)
{
    printf("                 %s%s%s\n", f->text, f->scene[0] ? "\n                   at " : "",
           f->scene);
}

static void print_outcome(int check, const outcome *o)
{
    enum { SHOWN = 5 };
    const poise_check_report *r = &o->report;
    poise_check_kind worst = poise_check_worst(r);
    int shown = 0, left = r->more;
    const char *and = "";

    printf("  %-12s  %-7s  ", poise_check_name(check), result_name[worst]);
    if (worst <= POISE_CHECK_SKIPPED) {
        for (int k = 0; k < r->nfinding; k++, and = ", ")
            printf("%s%s", and, r->finding[k].text);
        printf("%s\n", r->nfinding ? "" : poise_check_about(check));
        return;
    }
    printf("%s\n", poise_check_about(check));
    for (poise_check_kind kind = POISE_CHECK_FAILURE; kind >= POISE_CHECK_WARNING; kind--)
        for (int k = 0; k < r->nfinding; k++) {
            if (r->finding[k].kind != kind)
                continue;
            if (shown < SHOWN)
                print_finding(&r->finding[k]);
            else
                left++;
            shown++;
        }
    if (left)
        printf("                 and %d more\n", left);
    if (o->output[0])
        printf("                 it wrote: %.*s\n", (int)strcspn(o->output, "\n"), o->output);
}

static json_t *outcome_json(int check, const outcome *o)
{
    const poise_check_report *r = &o->report;
    json_t *findings = json_array();

    for (int k = 0; k < r->nfinding; k++)
        json_array_append_new(findings,
                              json_pack("{s:s, s:s, s:s}", "kind",
                                        r->finding[k].kind == POISE_CHECK_NOTE
                                            ? "note"
                                            : result_name[r->finding[k].kind],
                                        "text", r->finding[k].text, "at", r->finding[k].scene));
    return json_pack("{s:s, s:s, s:s, s:f, s:o}", "name", poise_check_name(check), "about",
                     poise_check_about(check), "result", result_name[poise_check_worst(r)],
                     "seconds", o->seconds, "findings", findings);
}

typedef struct tally {
    int ran, warned, failed;
    char id[65], version[33];
    json_t *json; /* an array, NULL unless asked for */
} tally;

static void add(tally *t, int check, const outcome *o)
{
    poise_check_kind worst = poise_check_worst(&o->report);

    t->ran++;
    t->warned += worst == POISE_CHECK_WARNING;
    t->failed += worst == POISE_CHECK_FAILURE;
    if (o->report.id[0]) {
        memcpy(t->id, o->report.id, sizeof t->id);
        memcpy(t->version, o->report.version, sizeof t->version);
    }
    if (t->json)
        json_array_append_new(t->json, outcome_json(check, o));
    else
        print_outcome(check, o);
}

static int finish(tally *t, const char *path)
{
    if (t->json) {
        json_t *all = json_pack("{s:s, s:s, s:s, s:i, s:i, s:i, s:O}", "balancer", t->id, "version",
                                t->version, "file", path, "checks", t->ran, "warned", t->warned,
                                "failed", t->failed, "results", t->json);
        json_dumpf(all, stdout, JSON_INDENT(1));
        printf("\n");
        json_decref(all);
        json_decref(t->json);
    } else {
        printf("\n%s: %d check%s, %d warned, %d failed\n", t->id[0] ? t->id : path, t->ran,
               t->ran == 1 ? "" : "s", t->warned, t->failed);
    }
    return t->failed ? TOOL_FAILED : TOOL_OK;
}

static int find_check(const tool_arguments *a, const char *name)
{
    const char *known[64], *nearest;
    int n = 0;

    for (; poise_check_name(n) && n < 64; n++) {
        known[n] = poise_check_name(n);
        if (!strcmp(known[n], name))
            return n;
    }
    nearest = poise__nearest(name, n, known);
    tool_wrong(a->command, "there is no check '%s'%s%s%s", name, nearest ? "; did you mean '" : "",
               nearest ? nearest : "", nearest ? "'?" : "");
    return -1;
}

int tool_balancer_word_check(const tool_arguments *a)
{
    const char *only = tool_value(a, "only");
    char path[TOOL_PATH];
    uint64_t limit = 60;
    poise_error err;
    tally t = {0};
    outcome o;
    int first = 0, end = INT32_MAX, status = tool_number(a, "limit", 1, 86400, &limit);

    if (status != TOOL_OK)
        return status;
    if (only) {
        first = find_check(a, only);
        if (first < 0)
            return TOOL_WRONG;
        end = first + 1;
    }
    if (tool_balancer_path(a->word[1], path, sizeof path, &err) < 0)
        return tool_failed(&err);
    if (tool_flag(a, "json"))
        t.json = json_array();
    for (int k = first; k < end && poise_check_name(k); k++) {
        if (run_check(k, path, (double)limit, &o, &err) < 0) {
            json_decref(t.json);
            return tool_failed(&err);
        }
        add(&t, k, &o);
        if (k == 0 && poise_check_worst(&o.report) == POISE_CHECK_FAILURE && !t.id[0])
            break; /* nothing to check: it does not load */
    }
    return finish(&t, path);
}
