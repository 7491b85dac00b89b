#include "balancer_state.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

int tool_state_write(const char *path, const poise_balance *b, const tool_signals_reader *r,
                     uint64_t step, uint32_t epoch, poise_error *err)
{
    const poise_balancer *table = poise_plugin_get(poise_balance_plugin(b));
    size_t ntask = tool_signals_tasks(r), nweight = poise_balance_weights(b), size;
    uint32_t version;
    const unsigned char *state = poise_balance_state(b, &size, &version);
    FILE *f = fopen(path, "w");
    int failed = 1;

    if (f) {
        json_t *task = json_array();
        for (size_t t = 0; t < ntask; t++)
            json_array_append_new(task, json_string(tool_signals_task_names(r)[t]));
        fprintf(f, "{\"balancer\": \"%s\", \"version\": \"%s\", \"state_version\": %" PRIu32 ",\n",
                table->id, table->version, version);
        fprintf(f, " \"task\": ");
        json_dumpf(task, f, 0);
        fprintf(f, ", \"step\": %" PRIu64 ", \"epoch\": %" PRIu32 ",\n \"weights\": ", step, epoch);
        tool_numbers_write(f, poise_balance_weight(b), nweight, nweight);
        fprintf(f, ",\n \"loss_init\": ");
        tool_numbers_write(f, tool_signals_loss_init(r), ntask, ntask);
        fprintf(f, ",\n \"state\": \"");
        for (size_t k = 0; k < size; k++)
            fprintf(f, "%02x", (unsigned)state[k]);
        fprintf(f, "\"}\n");
        json_decref(task);
        failed = ferror(f);
        failed |= fclose(f) != 0;
    }
    return failed ? poise_fail(err, POISE_E_SYSTEM, (poise_place){path, 0, 0},
                               "cannot be written: %s", strerror(errno))
                  : 0;
}

/* ---- reading ---- */

static int wrong(const char *path, poise_error *err, const char *what)
{
    return poise_fail(err, POISE_E_FORMAT, (poise_place){path, 0, 0}, "%s", what);
}

/* n numbers, null as NaN; malloc'd, NULL where the list is another one. */
static double *numbers(json_t *list, size_t n)
{
    double *x = json_array_size(list) == n ? calloc(n, sizeof *x) : NULL;

    for (size_t k = 0; x && k < n; k++) {
        json_t *item = json_array_get(list, k);
        if (!json_is_number(item) && !json_is_null(item)) {
            free(x);
            return NULL;
        }
        x[k] = json_is_null(item) ? NAN : json_number_value(item);
    }
    return x;
}

/* The bytes of hexadecimal text; malloc'd (one byte where there are none), NULL where it is none. */
static unsigned char *bytes(const char *text, size_t *size)
{
    static const char digits[] = "0123456789abcdef";
    size_t length = text ? strlen(text) : 1;
    unsigned char *out = length % 2 ? NULL : malloc(length / 2 + 1);

    for (size_t k = 0; out && k < length; k++) {
        const char *at = strchr(digits, text[k]);
        if (!at) {
            free(out);
            return NULL;
        }
        out[k / 2] = (unsigned char)((k % 2 ? out[k / 2] << 4 : 0) | (at - digits));
    }
    *size = length / 2;
    return out;
}

static int same_tasks(json_t *task, const tool_signals_reader *r)
{
    if (json_array_size(task) != tool_signals_tasks(r))
        return 0;
    for (uint32_t t = 0; t < tool_signals_tasks(r); t++) {
        const char *name = json_string_value(json_array_get(task, t));
        if (!name || strcmp(name, tool_signals_task_names(r)[t]) != 0)
            return 0;
    }
    return 1;
}

static int is_count(json_t *x, uint64_t max)
{
    return json_is_integer(x) && json_integer_value(x) >= 0 &&
           (uint64_t)json_integer_value(x) <= max;
}

static int take(const char *path, json_t *file, poise_balance *b, tool_signals_reader *r,
                poise_error *err)
{
    const char *id = json_string_value(json_object_get(file, "balancer"));
    const char *own = poise_plugin_get(poise_balance_plugin(b))->id;
    json_t *step = json_object_get(file, "step"), *epoch = json_object_get(file, "epoch");
    json_t *version = json_object_get(file, "state_version");
    size_t size = 0;

    if (!id || strcmp(id, own) != 0)
        return poise_fail(err, POISE_E_FORMAT, (poise_place){path, 0, 0},
                          "it holds the state of balancer \"%.64s\", not of \"%s\"", id ? id : "?",
                          own);
    if (!same_tasks(json_object_get(file, "task"), r))
        return wrong(path, err, "its tasks are not those of the signals");
    if (!is_count(step, INT64_MAX) || !is_count(epoch, UINT32_MAX) ||
        !is_count(version, UINT32_MAX))
        return wrong(path, err, "step, epoch and state_version must be whole numbers");
    double *weight = numbers(json_object_get(file, "weights"), poise_balance_weights(b));
    double *loss = numbers(json_object_get(file, "loss_init"), tool_signals_tasks(r));
    unsigned char *state = bytes(json_string_value(json_object_get(file, "state")), &size);
    int status = weight && loss && state
                     ? poise_balance_restore(b, (uint32_t)json_integer_value(version), state, size,
                                             weight, err)
                     : wrong(path, err, "weights, loss_init or state is damaged");
    if (status == 0)
        tool_signals_continue(r, (uint64_t)json_integer_value(step),
                              (uint32_t)json_integer_value(epoch), loss);
    free(weight);
    free(loss);
    free(state);
    return status;
}

int tool_state_read(const char *path, poise_balance *b, tool_signals_reader *r, poise_error *err)
{
    json_error_t error;
    json_t *file = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    int status;

    if (!file)
        return poise_fail(err, POISE_E_FORMAT,
                          (poise_place){path, error.line > 0 ? (uint32_t)error.line : 0, 0}, "%s",
                          error.text);
    status = take(path, file, b, r, err);
    json_decref(file);
    return status;
}
