#include <string.h>
#include "../core/search.h"
#include "command.h"

#define X(name) &tool_##name,
const tool_command *const tool_commands[] = {TOOL_COMMANDS(X) NULL};
#undef X

const tool_command *tool_command_find(const char *name, const char **nearest)
{
    const char *names[sizeof tool_commands / sizeof tool_commands[0]];
    int n = 0;

    for (const tool_command *const *c = tool_commands; *c; c++) {
        if (!strcmp((*c)->name, name))
            return *c;
        names[n++] = (*c)->name;
    }
    if (nearest)
        *nearest = poise__nearest(name, n, names);
    return NULL;
}
