/* poise show -- the network of a spec, drawn on the terminal or by graphviz. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include "../models/expand.h"
#include "../models/show.h"
#include "run.h"

/* Text into a command's standard input, what it writes to standard output.  TOOL_OK, or the status
 * after a message. */
static int pipe_through(const char *command, const char *text)
{
    poise_error err;
    FILE *to;
    int failed, ended;

    fflush(stdout);
    signal(SIGPIPE, SIG_IGN); /* a command that is not there reads nothing: pclose tells */
    to = popen(command, "w");
    if (!to) {
        poise_fail(&err, POISE_E_SYSTEM, POISE_NOWHERE, "cannot start %s: %s", command,
                   strerror(errno));
        return tool_failed(&err);
    }
    failed = fputs(text, to) < 0;
    ended = pclose(to);
    if (!failed && ended == 0)
        return TOOL_OK;
    if (WIFEXITED(ended) && WEXITSTATUS(ended) == 127)
        poise_fail(
            &err, POISE_E_SYSTEM, POISE_NOWHERE,
            "--svg needs the program dot of graphviz, which is not installed (Debian package: "
            "graphviz); --dot prints what it would draw");
    else
        poise_fail(&err, POISE_E_SYSTEM, POISE_NOWHERE, "dot could not draw the network");
    return tool_failed(&err);
}

/* The forms in which a network is shown; without one of them as a tree. */
static const struct form {
    const char *option;
    char *(*text)(const poise_spec *s, poise_error *err);
    const char *through; /* a command that the text is given to; NULL: it is printed */
} forms[] = {
    {"dot", poise_show_dot, NULL},
    {"svg", poise_show_dot, "dot -Tsvg"},
    {"expand", poise_spec_expanded, NULL},
    {NULL, poise_show_tree, NULL},
};

enum { TREE = sizeof forms / sizeof forms[0] - 1 };

/* TOOL_OK and *form, or the status after a message. */
static int choose(const tool_arguments *a, const struct form **form)
{
    *form = &forms[TREE];
    for (int k = 0; k < TREE; k++) {
        if (!tool_flag(a, forms[k].option))
            continue;
        if (*form != &forms[TREE])
            return tool_wrong(a->command, "--%s and --%s are two forms; choose one",
                              (*form)->option, forms[k].option);
        *form = &forms[k];
    }
    return TOOL_OK;
}

static int print(const struct form *form, const poise_spec *spec)
{
    poise_error err;
    char *text = form->text(spec, &err);
    int status = TOOL_OK;

    if (!text)
        return tool_failed(&err);
    if (form->through)
        status = pipe_through(form->through, text);
    else
        fputs(text, stdout);
    free(text);
    return status;
}

static int run(const tool_arguments *a)
{
    const struct form *form;
    poise_data data = {0};
    poise_error err;
    poise_spec *spec;
    int status = choose(a, &form);

    if (status != TOOL_OK)
        return status;
    spec = tool_spec(a, a->word[0], &status);
    if (!spec)
        return status;
    if (form->text == poise_spec_expanded) {
        status = print(form, spec);
        poise_spec_free(spec);
        return status;
    }
    /* Rows are welcome, for the sizes of embeddings; they are needed to count classes. */
    if (tool_first_rows(spec, &data, &err) < 0 &&
        (poise_show_needs_data(spec) || err.code != POISE_E_SYSTEM))
        status = tool_failed(&err);
    else
        status = print(form, spec);
    poise_data_done(&data);
    poise_spec_free(spec);
    return status;
}

static const tool_option options[] = {
    {"dot", NULL, "in the language of graphviz, coloured by task", TOOL_ONCE},
    {"svg", NULL, "as a picture, drawn by graphviz's dot", TOOL_ONCE},
    {"expand", NULL, "as a spec with all parameters, repetitions and names worked out", TOOL_ONCE},
    TOOL_OPTION_SET,
    TOOL_OPTION_END};

const tool_command tool_show = {
    .name = "show",
    .words = "SPEC",
    .min_words = 1,
    .max_words = 1,
    .summary = "draw the network of a spec: layers, shapes, weights, what tasks share",
    .text =
        "A layer stands under the last of the layers that it reads; what else it reads is named.\n"
        "The rows need not be there, unless they are what names the columns of a pattern or\n"
        "counts the classes of a task; where they are, the first ones give the sizes of the\n"
        "embeddings.\n"
        "\n"
        "--expand prints the spec with the network as it is: a layer for every task, numbers for\n"
        "parameters, what a model extends worked in. It is a spec of the same network.\n"
        "\n"
        "  poise show census.yaml --svg >census.svg\n",
    .option = options,
    .run = run};
