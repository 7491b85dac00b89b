#include "record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "signal_lines.h"

static int cannot_write(const tool_recording *r, int why)
{
    poise_error err;

    poise_fail(&err, POISE_E_SYSTEM, (poise_place){r->path, 0, 0}, "cannot be written: %s",
               strerror(why));
    return tool_failed(&err);
}

int tool_recording_open(tool_recording *r, const char *path, const poise_spec *spec)
{
    *r = (tool_recording){.path = path, .ntask = spec->schema->ntask};
    if (!path)
        return TOOL_OK;
    r->file = fopen(path, "w");
    if (!r->file)
        return cannot_write(r, errno);
    r->task = calloc((size_t)r->ntask, sizeof *r->task);
    if (!r->task)
        return cannot_write(r, ENOMEM);
    for (int t = 0; t < r->ntask; t++)
        r->task[t] = spec->schema->task[t].name;
    return TOOL_OK;
}

static void record(void *user, const poise_signals *in, int ngroup, const double *weight,
                   int nweight)
{
    tool_recording *r = user;

    if (!r->failed &&
        tool_signals_write(r->file, in, r->ntask, r->task, ngroup, weight, nweight) < 0)
        r->failed = errno ? errno : EIO;
    free(r->task);
    r->task = NULL;
}

void tool_recording_use(tool_recording *r, poise_train_options *o)
{
    if (r->file) {
        o->record = record;
        o->record_user = r;
    }
}

int tool_recording_close(tool_recording *r, int status)
{
    free(r->task);
    if (r->file && fclose(r->file) != 0 && !r->failed)
        r->failed = errno;
    r->file = NULL;
    return r->failed && status == TOOL_OK ? cannot_write(r, r->failed) : status;
}
