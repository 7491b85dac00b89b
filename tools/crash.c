/* crash.c -- a handler may call nothing that allocates or locks, so every word goes out by write(). */
#define _XOPEN_SOURCE 700 /* sigaltstack */

#include "crash.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

enum { STACK = 32768 }; /* the handler's own: the crash may be that of a full stack */

static poise_train_where where;
static _Alignas(64) unsigned char stack[STACK];

static void say(const char *text)
{
    size_t left = strlen(text);

    while (left) {
        ssize_t n = write(STDERR_FILENO, text, left);
        if (n <= 0)
            return;
        text += n;
        left -= (size_t)n;
    }
}

static void say_number(uint64_t n)
{
    char digits[21], *at = digits + sizeof digits - 1;

    *at = 0;
    do
        *--at = (char)('0' + n % 10);
    while (n /= 10);
    say(at);
}

static const char *name_of(int signal)
{
    switch (signal) {
    case SIGSEGV:
        return "a segmentation fault";
    case SIGBUS:
        return "a bus error";
    case SIGILL:
        return "an illegal instruction";
    case SIGFPE:
        return "an arithmetic exception";
    default:
        return "an abort";
    }
}

static void tell(int signal)
{
    say("\nerror: ");
    say(name_of(signal));
    if (where.balance.callback) {
        say(" in balancer \"");
        say(where.balance.id);
        say("\", ");
        say(where.balance.callback);
        say("(), step ");
        say_number(where.balance.step);
        say("; `poise balancer check` finds out more");
    }
    say("\n");
    if (where.out) {
        say("the last checkpoint is that of step ");
        say_number(where.step);
        say("; continue with: poise train --resume ");
        say(where.out);
        say("\n");
    } else {
        say("there is no checkpoint yet\n");
    }
    /* SA_RESETHAND: the next one ends the process as if nobody had listened. */
    raise(signal);
}

poise_train_where *tool_crash_watch(void)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_handler = tell;
    action.sa_flags = (int)SA_RESETHAND;
    sigemptyset(&action.sa_mask);
    if (sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = STACK}, NULL) == 0)
        action.sa_flags |= SA_ONSTACK;
    for (size_t k = 0; k < sizeof signals / sizeof signals[0]; k++)
        sigaction(signals[k], &action, NULL);
    return &where;
}
