/* pages.h -- the help pages that are not about commands.  Each prints and returns the exit status;
 * given a name that is not known, it says the nearest one. */
#ifndef POISE_TOOLS_PAGES_H
#define POISE_TOOLS_PAGES_H

#include "command.h"

/* balancer.c */
int tool_balancer_list(void);
int tool_balancer_info(const char *name);

/* pages.c: `help` is the command that was asked, for its messages.  name NULL: all of them. */
int tool_page_spec(const tool_command *help, const char *section);
int tool_page_layer(const tool_command *help, const char *kind);
int tool_page_model(const tool_command *help, const char *model);

#endif
