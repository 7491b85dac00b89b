/* compare_names.c -- the lists of `poise compare`. */
#define _XOPEN_SOURCE 700 /* realpath */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "compare.h"

void tool_names_done(tool_names *l)
{
    for (int k = 0; k < l->n; k++)
        free(l->name[k]);
    l->n = 0;
}

/* A name or a mapping as it is, a path (it holds '/' or ends in .yaml) absolute, because in a spec
 * paths are relative to the spec.  malloc'd; NULL and *err. */
static char *model_path(const char *name, poise_error *err)
{
    size_t length = strlen(name);
    int path =
        *name != '{' && (strchr(name, '/') || (length > 5 && !strcmp(name + length - 5, ".yaml")));
    char *full = path ? realpath(name, NULL) : strdup(name);

    if (!full && path)
        poise_fail(err, POISE_E_SPEC, POISE_NOWHERE, "model %s: %s", name, strerror(errno));
    else if (!full)
        poise_fail(err, POISE_E_MEMORY, POISE_NOWHERE, "no memory for the names");
    return full;
}

static char *balancer_path(const char *name, poise_error *err)
{
    char path[TOOL_PATH], *copy;

    if (tool_balancer_path(name, path, sizeof path, err) < 0)
        return NULL;
    copy = strdup(path);
    if (!copy)
        poise_fail(err, POISE_E_MEMORY, POISE_NOWHERE, "no memory for the names");
    return copy;
}

static int add(const tool_arguments *a, const char *option, tool_names *l, const char *name)
{
    poise_error err;
    char *full;

    if (!*name)
        return tool_wrong(a->command, "--%s has an empty name; it takes A,B,...", option);
    if (l->n == TOOL_NAMES)
        return tool_wrong(a->command, "--%s has more than %d names", option, TOOL_NAMES);
    full = strcmp(option, "models") ? balancer_path(name, &err) : model_path(name, &err);
    if (!full) {
        l->failed = tool_failed(&err);
        return TOOL_OK;
    }
    l->name[l->n++] = full;
    for (int k = 0; k < l->n - 1; k++)
        if (!strcmp(l->name[k], full))
            return tool_wrong(a->command, "--%s names %s twice", option, name);
    return TOOL_OK;
}

/* Bytes before the comma that ends the first name. */
static int name_length(const char *list)
{
    int depth = 0, n = 0;

    for (; list[n] && (list[n] != ',' || depth > 0); n++) {
        depth += list[n] == '{' || list[n] == '[';
        depth -= list[n] == '}' || list[n] == ']';
    }
    return n;
}

int tool_names_read(const tool_arguments *a, const char *option, tool_names *l)
{
    static const char white[] = " \t\n";
    const char *list = tool_value(a, option);
    int status = TOOL_OK;

    l->n = 0;
    l->failed = TOOL_OK;
    while (list && status == TOOL_OK) {
        char name[TOOL_PATH];
        int whole, length;

        list += strspn(list, white);
        whole = length = name_length(list);
        while (length > 0 && strchr(white, list[length - 1]))
            length--;
        if (length >= TOOL_PATH)
            return tool_wrong(a->command, "--%s has a name of %d letters", option, length);
        memcpy(name, list, (size_t)length);
        name[length] = '\0';
        status = add(a, option, l, name);
        list = list[whole] ? list + whole + 1 : NULL;
    }
    return status;
}
