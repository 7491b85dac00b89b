#include "at_work.h"

#include <stdio.h>

#define WATCH_SECONDS 0.5

static void tell(const poise__at_work *w, const char *text)
{
    w->sink.note(w->sink.user, text);
}

static poise_balance *new_balance(const poise__at_work *w, poise_plugin *plugin,
                                  const poise_balancer_spec *b, poise_error *err)
{
    return poise_balance_new(plugin, (uint32_t)w->spec->schema->ntask, w->task, w->spec->train.seed,
                             b->nsetting, b->setting, &w->sink, err);
}

static int load(poise__at_work *w, int phase, poise_plugin **plugin, poise_balance **balance,
                poise_error *err)
{
    const poise_balancer_spec *b = &w->spec->phase[phase];
    poise_error inner = {0};

    *balance = NULL;
    *plugin = poise_plugin_load(b->use, &inner);
    if (!*plugin) /* the message names the file or the nearest name; the place is the spec's */
        return poise_fail(err, inner.code, b->place, "%s", inner.message);
    *balance = new_balance(w, *plugin, b, err);
    return *balance ? 0 : -1;
}

/* After a change: what goes on and what is watched. */
static void settle(poise__at_work *w)
{
    w->engine->training->host.record = w->options->record;
    w->engine->training->host.record_user = w->options->record_user;
    (void)stat(poise_plugin_path(w->plugin), &w->object);
}

/* Put another balancer to work; the one before it goes.  Takes both, also on failure. */
static int change(poise__at_work *w, int phase, poise_plugin *plugin, poise_balance *balance,
                  poise_error *err)
{
    if (poise__engine_rebalance(w->engine, balance, &w->spec->phase[phase], err) < 0) {
        poise_balance_free(balance);
        poise_plugin_free(plugin);
        return -1;
    }
    poise_balance_free(w->balance);
    poise_plugin_free(w->plugin);
    w->plugin = plugin;
    w->balance = balance;
    settle(w);
    return 0;
}

/* The schedule's entry for an epoch. */
static int phase_of(const poise_spec *spec, uint32_t epoch)
{
    int64_t end = 0;
    int k = 0;

    for (; k + 1 < spec->nphase; k++) {
        end += spec->phase[k].epochs;
        if (epoch < end)
            break;
    }
    return k;
}

int poise__at_work_follow(poise__at_work *w, uint32_t epoch, poise_error *err)
{
    int phase = phase_of(w->spec, epoch);
    poise_plugin *plugin;
    poise_balance *balance;
    char text[160];

    if (phase == w->phase)
        return 0;
    if (load(w, phase, &plugin, &balance, err) < 0) {
        poise_plugin_free(plugin);
        return -1;
    }
    if (change(w, phase, plugin, balance, err) < 0)
        return -1;
    w->phase = phase;
    (void)snprintf(text, sizeof text, "epoch %u: balancer '%.64s'", epoch + 1,
                   poise_plugin_get(plugin)->id);
    tell(w, text);
    return 0;
}

/* Carry the old balancer's state over where it fits.  1 if it was. */
static int keep_state(const poise_balance *old, poise_balance *new)
{
    size_t size, other;
    uint32_t version, same;
    const void *state = poise_balance_state(old, &size, &version);

    (void)poise_balance_state(new, &other, &same);
    return size == other && version == same &&
           poise_balance_weights(old) == poise_balance_weights(new) &&
           poise_balance_restore(new, version, state, size, poise_balance_weight(old), NULL) == 0;
}

/* The balancer's file was built anew: go on with what it holds now, or with the old one. */
static void reload(poise__at_work *w)
{
    const poise_balancer_spec *b = &w->spec->phase[w->phase];
    poise_error err = {0};
    char text[POISE_ERROR_TEXT], told[POISE_ERROR_TEXT + 64];
    poise_plugin *plugin = poise_plugin_again(w->plugin, &err);
    poise_balance *balance = plugin ? new_balance(w, plugin, b, &err) : NULL;
    poise_balance *old = w->balance;
    int kept = 0;

    if (!balance) {
        poise_plugin_free(plugin);
    } else {
        /* Groups are named when the graph is made, so the state follows after that. */
        w->balance = NULL;
        poise_plugin *before = w->plugin;
        w->plugin = NULL;
        if (change(w, w->phase, plugin, balance, &err) == 0) {
            kept = keep_state(old, balance);
            poise_balance_free(old);
            poise_plugin_free(before);
            (void)snprintf(told, sizeof told, "balancer '%s' %s loaded anew, its state %s",
                           poise_plugin_get(plugin)->id, poise_plugin_get(plugin)->version,
                           kept ? "kept" : "made anew");
            tell(w, told);
            return;
        }
        w->balance = old;
        w->plugin = before;
    }
    (void)snprintf(told, sizeof told, "the new balancer is refused, the old one stays: %s",
                   poise_error_text(&err, text, sizeof text));
    tell(w, told);
}

void poise__at_work_watch(poise__at_work *w, double now)
{
    struct stat is;

    if (now - w->looked < WATCH_SECONDS)
        return;
    w->looked = now;
    if (stat(poise_plugin_path(w->plugin), &is) < 0 ||
        (is.st_ino == w->object.st_ino && is.st_size == w->object.st_size &&
         is.st_mtim.tv_sec == w->object.st_mtim.tv_sec &&
         is.st_mtim.tv_nsec == w->object.st_mtim.tv_nsec))
        return;
    w->object = is;
    reload(w);
}

int poise__at_work_open(poise__at_work *w, poise_error *err)
{
    if (load(w, w->phase, &w->plugin, &w->balance, err) < 0 ||
        poise__engine_open(w->engine, w->spec, w->spec->schema, w->balance,
                           &w->spec->phase[w->phase], w->spec->train.seed, w->spec->train.threads,
                           err) < 0)
        return -1;
    poise__engine_profile(w->engine, w->options->profile);
    settle(w);
    return 0;
}

void poise__at_work_close(poise__at_work *w)
{
    poise_balance_free(w->balance);
    poise_plugin_free(w->plugin);
}
