/* balancer_template.h -- the files of tools/template/, made into a table by cmake/Templates.cmake.
 * In their names and texts NAME and @NAME@ stand for the strategy's. */
#ifndef POISE_TOOLS_BALANCER_TEMPLATE_H
#define POISE_TOOLS_BALANCER_TEMPLATE_H

#include <stddef.h>

typedef struct tool_template {
    const char *name; /* "NAME.c" */
    const unsigned char *text;
    size_t size;
} tool_template;

extern const tool_template tool_templates[]; /* the last row has no name */

#endif
