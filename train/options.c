/* Which of a spec's options a strategy has a use for. */
#include "host.h"

int poise_balancer_options_check(const poise_balance *b, const poise_balancer_spec *options,
                                 poise_error *err)
{
    const poise_balancer *table = poise_plugin_get(poise_balance_plugin(b));
    const struct {
        int given, used;
        const char *name, *why;
    } row[] = {
        {options->scope != POISE_SCOPE_LAST, poise__host_signals(b) != 0, "signals.scope",
         "it measures no gradients"},
        {options->scope != POISE_SCOPE_LAST, !poise__host_by_group(b), "signals.scope",
         "it always works on all that is shared"},
        {options->initial != POISE_INITIAL_FIRST, (poise_balance_signals(b) & POISE_LOSS_INIT) != 0,
         "signals.initial", "it does not look at initial losses"},
        {options->shared_only == 0, !(table->flags & POISE_GROUP_WEIGHTS), "shared_only",
         "its weights are of the shared parameters alone"},
    };

    for (int k = 0; k < (int)(sizeof row / sizeof row[0]); k++)
        if (row[k].given && !row[k].used)
            return poise_fail(err, POISE_E_SPEC, options->place,
                              "'%s' does nothing beside balancer '%s': %s; leave it out",
                              row[k].name, table->id, row[k].why);
    return 0;
}
