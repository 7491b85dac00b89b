#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "run.h"

enum { LINE = 1024, PLAIN_SECONDS = 10 };

/* ---- interruption -------------------------------------------------------------------------- */

static volatile sig_atomic_t interrupted;

static void remember(int signal)
{
    (void)signal;
    interrupted = 1;
}

void tool_interrupt_catch(void)
{
    struct sigaction act = {.sa_handler = remember};

    act.sa_flags = (int)SA_RESETHAND;
    sigemptyset(&act.sa_mask);
    sigaction(SIGINT, &act, NULL);
    sigaction(SIGTERM, &act, NULL);
}

int tool_interrupted(void)
{
    return interrupted != 0;
}

/* ---- lines --------------------------------------------------------------------------------- */

/* A text of bounded length that is written piece by piece; what does not fit is cut. */
typedef struct line {
    char text[LINE];
    size_t length;
} line;

static void put(line *l, const char *fmt, ...) POISE_FORMAT(2, 3);
static void put(line *l, const char *fmt, ...)
{
    va_list args;
    int n;

    va_start(args, fmt);
    n = vsnprintf(l->text + l->length, LINE - l->length, fmt, args);
    va_end(args);
    if (n > 0)
        l->length += (size_t)n < LINE - l->length ? (size_t)n : LINE - l->length - 1;
}

static void put_losses(line *l, const poise_progress *p)
{
    for (int t = 0; t < p->ntask; t++)
        put(l, " %s %.4f x %.2f", p->task[t], p->loss[t], p->weight[t]);
}

static void step_line(line *l, const poise_progress *p)
{
    char rate[32], left[32];
    double done = p->steps ? 100 * (double)p->step / (double)p->steps : 0;

    put(l, "epoch %d/%d %3.0f%%  %s left  %s samples/s ", p->epoch + 1, p->epochs, done,
        tool_time_text(p->seconds_left, left, sizeof left),
        tool_count_text(p->samples_per_second, rate, sizeof rate));
    put_losses(l, p);
}

/* The validation figures; without validation rows the last step's losses. */
static void epoch_line(line *l, const poise_progress *p)
{
    put(l, "epoch %d/%d ended ", p->epoch + 1, p->epochs);
    if (!p->figure) {
        put_losses(l, p);
        return;
    }
    for (int t = 0; t < p->ntask; t++) {
        put(l, " %s", p->task[t]);
        for (int f = 0; f < POISE_FIGURE_COUNT; f++)
            if (!isnan(p->figure[t].figure[f]))
                put(l, " %s %.5f", poise_figure_name((poise_figure)f), p->figure[t].figure[f]);
    }
    if (!isnan(p->monitor))
        put(l, "  monitor %.5f%s", p->monitor, p->best ? " (best)" : "");
}

static int terminal_width(void)
{
    struct winsize w;

    return ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 1 ? w.ws_col : 80;
}

static void say(tool_progress *p, const char *text)
{
    tool_progress_clear(p);
    fprintf(stderr, "%s\n", text);
}

static void show(tool_progress *p, const line *l)
{
    int length = (int)l->length, width = terminal_width() - 1;

    if (length > width)
        length = width;
    fprintf(stderr, "\r%.*s%*s", length, l->text, p->shown > length ? p->shown - length : 0, "");
    p->shown = length;
}

static int time_to_speak(tool_progress *p)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    if (now.tv_sec - p->spoke.tv_sec < PLAIN_SECONDS)
        return 0;
    p->spoke = now;
    return 1;
}

void tool_progress_init(tool_progress *p)
{
    *p = (tool_progress){.terminal = isatty(STDERR_FILENO)};
    clock_gettime(CLOCK_MONOTONIC, &p->spoke);
}

void tool_progress_clear(tool_progress *p)
{
    if (p->terminal && p->shown)
        fprintf(stderr, "\r%*s\r", p->shown, "");
    p->shown = 0;
}

int tool_progress_show(void *user, const poise_progress *now)
{
    tool_progress *p = user;
    line l = {.length = 0};

    p->step = now->step;
    if (now->note)
        say(p, now->note);
    if (now->ended) {
        epoch_line(&l, now);
        say(p, l.text);
    } else if (!now->note && p->terminal) {
        step_line(&l, now);
        show(p, &l);
    } else if (!now->note && time_to_speak(p)) {
        step_line(&l, now);
        say(p, l.text);
    }
    fflush(stderr);
    return tool_interrupted();
}
