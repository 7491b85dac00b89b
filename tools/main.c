/* main.c -- finds the sub-command and runs it. */
#include <stdio.h>
#include <string.h>
#include "../ops/gemm.h"
#include "command.h"

static int version(void)
{
    char gemm[64];

    printf("poise %s (%s)\n", POISE_VERSION, poise__gemm_library(gemm, sizeof gemm));
    return TOOL_OK;
}

static int run(const tool_command *c, int argc, char **argv)
{
    tool_arguments a;
    int status;

    for (int k = 0; k < argc && strcmp(argv[k], "--"); k++)
        if (!strcmp(argv[k], "--help") || !strcmp(argv[k], "-h")) {
            tool_help_command(c);
            return TOOL_OK;
        }
    status = tool_arguments_parse(c, argc, argv, &a);
    if (status == TOOL_OK)
        status = c->run(&a);
    tool_arguments_done(&a);
    return status;
}

static int dispatch(int argc, char **argv)
{
    const tool_command *c;
    const char *nearest = NULL;

    if (argc < 2) {
        tool_help_program();
        return TOOL_WRONG;
    }
    if (!strcmp(argv[1], "--version"))
        return version();
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
        tool_help_program();
        return TOOL_OK;
    }
    c = tool_command_find(argv[1], &nearest);
    if (c)
        return run(c, argc - 2, argv + 2);
    return nearest ? tool_wrong(NULL, "unknown command '%s'; did you mean '%s'?", argv[1], nearest)
                   : tool_wrong(NULL, "unknown command '%s'", argv[1]);
}

int main(int argc, char **argv)
{
    int status = dispatch(argc, argv);

    if (fflush(stdout) || ferror(stdout)) {
        fprintf(stderr, "poise: error: standard output could not be written\n");
        if (status == TOOL_OK)
            status = TOOL_FAILED;
    }
    return status;
}
