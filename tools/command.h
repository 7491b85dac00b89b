/* command.h -- the sub-commands of the program `poise`, as one table.
 *
 *     poise train funnel.yaml --out runs/a --set train.epochs=3
 *           |     |           |
 *           |     word        options
 *           command
 *
 * A row says how a command is called, what it is for and which options it has; from it come
 * parsing, the nearest known word for one that is not known, `poise help` and `--help`.  A new
 * command is a file with one tool_command and one line in TOOL_COMMANDS.
 *
 * Names that begin with tool_ are shared between the files of tools/ and belong to the program, not
 * to libpoise.
 */
#ifndef POISE_TOOLS_COMMAND_H
#define POISE_TOOLS_COMMAND_H

#include <stdint.h>
#include "../core/error.h"

#define TOOL_COMMANDS(X) \
    X(train)             \
    X(check)             \
    X(show)              \
    X(schema)            \
    X(compare)           \
    X(eval)              \
    X(inspect)           \
    X(predict)           \
    X(balancer)          \
    X(bench)             \
    X(help)

/* Exit statuses: 0 done, 1 it failed, 2 it was asked for in a wrong way (see poise_code_status). */
enum { TOOL_OK = 0, TOOL_FAILED = 1, TOOL_WRONG = 2 };

typedef enum tool_times {
    TOOL_ONCE,  /* at most once */
    TOOL_MANY,  /* any number of times */
    TOOL_NEEDED /* exactly once */
} tool_times;

typedef struct tool_option {
    const char *name;  /* "out" for --out */
    const char *value; /* what it takes, "DIR"; NULL: it is a flag */
    const char *help;  /* one line */
    tool_times times;
} tool_option;

typedef struct tool_arguments tool_arguments;

typedef struct tool_command {
    const char *name;
    const char *words; /* as the usage shows them: "SPEC", "list | info NAME" */
    int min_words, max_words;
    const char *summary;                 /* one line */
    const char *text;                    /* the rest of its help page; lines end with \n */
    const tool_option *option;           /* the last row has no name */
    int (*run)(const tool_arguments *a); /* returns the exit status */
} tool_command;

extern const tool_command *const tool_commands[]; /* NULL-terminated */
#define X(name) extern const tool_command tool_##name;
TOOL_COMMANDS(X)
#undef X

/* NULL where there is none; then, if it is not NULL, *nearest is the nearest name or NULL. */
const tool_command *tool_command_find(const char *name, const char **nearest);

/* ---- arguments.c: what the command line said ----------------------------------------------- */

struct tool_arguments {
    const tool_command *command;
    int nword;
    const char **word; /* [nword] */
    int ngiven;
    struct tool_given {
        const tool_option *option;
        const char *value; /* "" for a flag */
    } * given;             /* [ngiven], in order */
};

/* Words and options of argv[0 .. argc), which borrow from argv.  TOOL_OK, or the status to end
 * with after the reason was printed. */
int tool_arguments_parse(const tool_command *c, int argc, char **argv, tool_arguments *a);
void tool_arguments_done(tool_arguments *a);

/* The last value of an option, NULL if it was not given; the k-th, NULL past the last. */
const char *tool_value(const tool_arguments *a, const char *option);
const char *tool_value_at(const tool_arguments *a, const char *option, int k);
int tool_flag(const tool_arguments *a, const char *option);

/* A whole number in [min, max] into *out, which keeps its value where the option is absent.
 * TOOL_OK, or TOOL_WRONG after the reason was printed. */
int tool_number(const tool_arguments *a, const char *option, uint64_t min, uint64_t max,
                uint64_t *out);

/* ---- help.c -------------------------------------------------------------------------------- */

void tool_help_command(const tool_command *c);
void tool_help_program(void);

/* ---- console.c: what is said to the user --------------------------------------------------- */

/* "poise COMMAND: error: ..." and where to read more; returns TOOL_WRONG. */
int tool_wrong(const tool_command *c, const char *fmt, ...) POISE_FORMAT(2, 3);
/* The error, as the library tells it; returns the status that belongs to its code. */
int tool_failed(const poise_error *err);

/* "152k", "1.2 MB", "1:02:33" into buf; return buf.  32 bytes are enough. */
const char *tool_count_text(double n, char *buf, size_t size);
const char *tool_bytes_text(double bytes, char *buf, size_t size);
const char *tool_time_text(double seconds, char *buf, size_t size);
/* A figure with `digits` decimals right-aligned in `width`, "-" where it is NaN. */
void tool_print_figure(int width, int digits, double x);

#endif
