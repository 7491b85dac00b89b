#include <stdio.h>
#include <string.h>
#include "sections.h"

static int read_optimizer(poise__reading *r, const poise__yaml *v, void *into);
static int read_embeddings(poise__reading *r, const poise__yaml *v, void *into);
static int read_schedule(poise__reading *r, const poise__yaml *v, void *into);
static int read_tuning(poise__reading *r, const poise__yaml *v, void *into);
static int read_monitor(poise__reading *r, const poise__yaml *v, void *into);

static const char *const passes[] = {"all", "none", NULL}; /* as poise_spec_passes */
static const poise_key train_rows[] = {
    {.name = "batch",
     .kind = POISE_KEY_INT,
     .initial = "512",
     .min = 1,
     .max = 1048576,
     POISE__INTO(poise_train_spec, batch),
     .help = "rows per step"},
    {.name = "epochs",
     .kind = POISE_KEY_INT,
     .initial = "10",
     .min = 1,
     .max = 1000000,
     POISE__INTO(poise_train_spec, epochs),
     .help = "passes over the training rows"},
    {.name = "patience",
     .kind = POISE_KEY_INT,
     .initial = "0",
     .max = 1000000,
     POISE__INTO(poise_train_spec, patience),
     .help = "stop after this many epochs without a better monitor; 0: never"},
    {.name = "optimizer",
     .kind = POISE_KEY_OWN,
     .read = read_optimizer,
     .initial = "adam",
     .form = "sgd | adam | adamw | adagrad | {adam: {rate, ...}}",
     .pick = poise__optimizer_sections,
     .help = "the update rule and its settings"},
    {.name = "embeddings",
     .kind = POISE_KEY_OWN,
     .read = read_embeddings,
     .form = "as optimizer",
     .pick = poise__optimizer_sections,
     .help = "the update rule of embedding tables; without it the optimizer's"},
    {.name = "schedule",
     .kind = POISE_KEY_OWN,
     .read = read_schedule,
     .form = "mapping (schedule)",
     .schema = "<schedule>",
     .help = "how the learning rates rise and fall with the steps"},
    {.name = "clip",
     .kind = POISE_KEY_NUMBER,
     .initial = "0",
     .max = 1e30,
     POISE__INTO(poise_train_spec, clip),
     .help = "bound on the L2 norm of all gradients together; 0: none"},
    {.name = "tuning",
     .kind = POISE_KEY_OWN,
     .read = read_tuning,
     .form = "mapping of pattern: {rate, l2}",
     .schema = "map of <tuning>",
     .help = "settings of the layers and parameters that a pattern matches"},
    {.name = "monitor",
     .kind = POISE_KEY_OWN,
     .read = read_monitor,
     .initial = "mean auc",
     .form = "mean FIGURE | TASK FIGURE | {TASK.FIGURE: factor, ...}",
     .schema = "like monitor | map by monitor entry of number above 0 1000000",
     .help = "what of the validation rows chooses the best epoch: a figure or a sum of figures, "
             "those of which less is better with a minus; a mean is of the tasks that have the "
             "figure, and where none has, of their losses"},
    {.name = "diagnose",
     .kind = POISE_KEY_BOOL,
     .initial = "true",
     POISE__INTO(poise_train_spec, diagnose),
     .help = "look at experts, gates and the tasks' gradients after every epoch (poise inspect)"},
    {.name = "seed",
     .kind = POISE_KEY_INT,
     .initial = "1",
     .max = 9223372036854775807.0,
     POISE__INTO(poise_train_spec, seed),
     .help = "of the initial weights, the shuffling and dropout"},
    {.name = "threads",
     .kind = POISE_KEY_INT,
     .initial = "0",
     .max = 1024,
     POISE__INTO(poise_train_spec, threads),
     .help = "0: all processors where a step is large, else one"},
    {.name = "lanes",
     .kind = POISE_KEY_INT,
     .initial = "0",
     .max = 16,
     POISE__INTO(poise_train_spec, lanes),
     .help = "slices of a batch that run on their own; 0: chosen by the work in a step, 1: none"},
    {.name = "log_every",
     .kind = POISE_KEY_INT,
     .initial = "0",
     .max = 1e18,
     POISE__INTO(poise_train_spec, log_every),
     .help = "steps between two lines of log.jsonl; 0: chosen"},
    {.name = "checkpoint_every",
     .kind = POISE_KEY_INT,
     .initial = "0",
     .max = 1e18,
     POISE__INTO(poise_train_spec, checkpoint_every),
     .help = "steps between two checkpoints; 0: one per epoch"},
    {.name = "passes",
     .kind = POISE_KEY_CHOICE,
     .initial = "all",
     .choice = passes,
     POISE__INTO(poise_train_spec, passes),
     .help = "none: the graph as it was built, for finding faults; results differ by rounding"},
};
const poise_section poise__train_section = {
    .name = "train", .about = "how the model is trained", POISE__ROWS(train_rows)};

static int read_optimizer(poise__reading *r, const poise__yaml *v, void *into)
{
    return poise__read_optimizer(r, v, "optimizer", &((poise_train_spec *)into)->optimizer);
}

static int read_embeddings(poise__reading *r, const poise__yaml *v, void *into)
{
    poise_train_spec *t = into;
    t->own_embeddings = 1;
    return poise__read_optimizer(r, v, "embeddings", &t->embeddings);
}

static int read_schedule(poise__reading *r, const poise__yaml *v, void *into)
{
    return poise__keys_read(r, v, "schedule", &poise__schedule_section,
                            &((poise_train_spec *)into)->schedule);
}

static int read_tuning(poise__reading *r, const poise__yaml *v, void *into)
{
    return poise__read_tuning(r, v, into);
}

static int read_monitor(poise__reading *r, const poise__yaml *v, void *into)
{
    return poise__monitor_read(r, v, &((poise_train_spec *)into)->monitor);
}

/* ---- what other sections make of it ---- */

/* Without rows that choose the best epoch, every epoch is as good as the one before.  Where a key of
 * the section is wrong it may be the monitor, of which that says enough. */
static int check_chosen(poise__reading *r, const poise__yaml *node, int wrong)
{
    static const char *const keys[] = {"monitor", "patience"};
    const poise_data_spec *d = &r->spec->data;
    int bad = 0;
    if (d->generate || d->valid_at.file || r->valid_misspelt)
        return 0;
    for (int k = 0; k < POISE__COUNT(keys); k++) {
        const poise__yaml *v = poise__yaml_get(node, keys[k]);
        if (v && (k == 0 ? !wrong : r->spec->train.patience > 0))
            bad = poise_diagnose(r->diag, v->place,
                                 "'%s' does nothing without validation rows; say data.valid too",
                                 keys[k]);
    }
    return bad;
}

static int has_tables(const poise_schema *s)
{
    for (int k = 0; k < s->nfeature; k++)
        if (poise_feature_ids(&s->feature[k]) > 0 || s->feature[k].kind == POISE_LIST)
            return 1;
    return s->nfeature == 0; /* which is said elsewhere */
}

/* What is of embedding tables, and there are none, or they have an optimiser of their own. */
static int check_tables(poise__reading *r, const poise__yaml *node)
{
    static const char *const keys[] = {"optimizer", "embeddings"};
    const poise_train_spec *t = &r->spec->train;
    const poise_optimizer_spec *o[] = {&t->optimizer, &t->embeddings};
    int bad = 0, tables = has_tables(r->spec->schema);
    if (!tables && t->own_embeddings)
        bad = poise_diagnose(r->diag, poise__yaml_get(node, keys[1])->place,
                             "'embeddings' does nothing: no feature has an embedding");
    for (int k = 0; k < 2; k++) {
        const poise__yaml *by_row = poise__yaml_get(
            poise__yaml_get(poise__yaml_get(node, keys[k]), poise__adagrad_section.name), "by_row");
        if (!by_row || !o[k]->by_row || (tables && (k == 1 || !t->own_embeddings)))
            continue;
        bad = poise_diagnose(r->diag, by_row->place,
                             tables ? "'by_row' is of embeddings, which have an optimizer of "
                                      "their own; say it under 'embeddings'"
                                    : "'by_row' does nothing: no feature has an embedding");
    }
    return bad;
}

int poise__read_train(poise__reading *r, const poise__yaml *node)
{
    int bad = poise__keys_read(r, node, "train", &poise__train_section, &r->spec->train);
    if (!node || node->kind != POISE__MAP || r->resolved)
        return bad;
    const int chosen = check_chosen(r, node, bad);
    if (bad || check_tables(r, node) < 0)
        return -1;
    return chosen;
}
