/* Run files that are right: what each form comes to, defaults, overrides, and writing back. */
#include <math.h>
#include "read.h"
#include "models/layer.h"

static int near(double a, double b)
{
    return fabs(a - b) <= 1e-12 * (1 + fabs(b));
}

static const poise_feature *feature(const poise_spec *s, const char *name)
{
    for (int k = 0; k < s->schema->nfeature; k++)
        if (strcmp(s->schema->feature[k].name, name) == 0)
            return &s->schema->feature[k];
    return NULL;
}

/* The field of a layer's main key: the widths of an mlp, the width of a dense layer. */
static const void *main_of(const poise__layer *l)
{
    const poise_section *s = &l->kind->section;
    for (int k = 0; k < s->nkey; k++)
        if (strcmp(s->key[k].name, s->name) == 0)
            return (const void *)((const char *)l->own[0] + s->key[k].offset);
    return NULL;
}

static void defaults_are_those_of_the_tables(void **state)
{
    (void)state;
    poise_spec *s = read_good("good/short.yaml", NULL, 0, NULL);
    assert_string_equal(s->name, "short");
    assert_string_equal(s->data.generate, "funnel");
    assert_int_equal(s->data.rows, 1000000);
    assert_int_equal(s->data.seed, 1);
    assert_int_equal(s->schema->ntask, 3);
    assert_int_equal(s->schema->nfeature > 5, 1);
    assert_string_equal(s->balancer.use, "equal");
    assert_int_equal(s->balancer.shared_only, -1);
    assert_int_equal(s->balancer.scope, POISE_SCOPE_LAST);
    assert_int_equal(s->balancer.nlayer, 0);
    assert_int_equal(s->balancer.initial, POISE_INITIAL_FIRST);
    assert_int_equal(s->balancer.initial_steps, 0);
    assert_int_equal(s->balancer.normalise, POISE_NORMALISE_NONE);
    assert_int_equal(s->balancer.every, 1);
    assert_true(near(s->balancer.smooth, 0));
    assert_true(near(s->balancer.clip, 0));
    assert_int_equal(s->balancer.epochs, 0);
    assert_int_equal(s->nphase, 1);
    assert_string_equal(s->phase[0].use, "equal");
    assert_int_equal(s->train.batch, 512);
    assert_int_equal(s->train.epochs, 10);
    assert_int_equal(s->train.patience, 0);
    assert_int_equal(s->train.seed, 1);
    assert_int_equal(s->train.monitor.n, 1);
    assert_int_equal(s->train.monitor.term[0].task, -1);
    assert_int_equal(s->train.monitor.term[0].figure, POISE_AUC);
    assert_int_equal(s->train.optimizer.kind, POISE_ADAM);
    assert_true(near(s->train.optimizer.rate, 1e-3));
    assert_true(near(s->train.optimizer.beta2, 0.999));
    assert_true(near(s->train.optimizer.eps, 1e-8));
    poise_spec_free(s);
}

static void data_forms(void **state)
{
    (void)state;
    poise_spec *s = read_good("good/forms.yaml", NULL, 0, NULL);
    const poise_data_spec *d = &s->data;
    assert_string_equal(d->train, FOLDER "good/../data/rows.csv");
    assert_int_equal(d->train_at.line, 3);
    assert_int_equal(d->train_at.column, 10);
    assert_null(d->valid);
    assert_int_equal(d->valid_from, 1);
    assert_true(near(d->valid_fraction, 0.25));
    assert_int_equal(d->valid_seed, 16);
    assert_string_equal(d->strip, ".");
    assert_int_equal(d->quoted, 0);
    assert_int_equal(d->header_in_file, 1);
    assert_int_equal(d->nmissing, 2);
    assert_string_equal(d->missing[1], "NA");
    assert_int_equal(d->limit, 1000);
    assert_string_equal(s->schema->weight, "w");
    poise_spec_free(s);
}

/* "*" takes every column that is no label, no weight and not named: city_code only. */
static void a_named_feature_wins_over_a_glob(void **state)
{
    (void)state;
    poise_spec *s = read_good("good/forms.yaml", NULL, 0, NULL);
    assert_int_equal(s->schema->nfeature, 3);
    const poise_feature *age = feature(s, "age"), *job = feature(s, "job_code"),
                        *city = feature(s, "city_code");
    assert_true(age && job && city);
    assert_int_equal(age->transform, POISE_LOG1P);
    assert_int_equal(age->standardise, 0);
    assert_true(near(age->missing, -1.5));
    assert_int_equal(age->place.line, 10);
    assert_int_equal(job->dim, 2);
    assert_int_equal(job->min_count, 3);
    assert_int_equal(city->dim, 8);
    assert_int_equal(city->min_count, 1);
    poise_spec_free(s);
}

static void task_forms(void **state)
{
    (void)state;
    poise_spec *s = read_good("good/forms.yaml", NULL, 0, NULL);
    const poise_task *t = s->schema->task;
    assert_int_equal(s->schema->ntask, 5);
    assert_string_equal(t[0].label, "income");
    assert_string_equal(t[0].positive, "high");
    assert_true(near(t[0].loss_weight, 2));
    assert_string_equal(t[1].when, "click");
    assert_null(t[2].when);
    assert_int_equal(t[3].kind, POISE_REGRESSION);
    assert_int_equal(t[3].loss.kind, POISE_LOSS_HUBER);
    assert_true(near(t[3].loss.delta, 0.5));
    assert_int_equal(t[4].kind, POISE_MULTICLASS);
    poise_spec_free(s);
}

static void balancer_settings_are_kept_as_texts(void **state)
{
    (void)state;
    poise_spec *s = read_good("good/forms.yaml", NULL, 0, NULL);
    const poise_balancer_spec *b = &s->balancer;
    assert_string_equal(b->use, FOLDER "good/./mine.so");
    assert_int_equal(b->shared_only, 1);
    assert_int_equal(b->scope, POISE_SCOPE_ALL);
    assert_int_equal(b->nsetting, 2);
    assert_string_equal(b->setting[0].name, "alpha");
    assert_null(b->setting[0].task);
    assert_string_equal(b->setting[0].text[0], "1.5");
    assert_int_equal(b->setting[1].n, 2);
    assert_string_equal(b->setting[1].task[1], "buy");
    assert_string_equal(b->setting[1].text[1], "2");
    assert_int_equal(b->setting[1].at[1].line, 31);
    poise_spec_free(s);
}

static void host_options_do_not_reach_the_strategy(void **state)
{
    (void)state;
    poise_spec *s = read_good("good/forms.yaml", NULL, 0, NULL);
    const poise_balancer_spec *b = &s->balancer;
    assert_int_equal(b->initial, POISE_INITIAL_MEAN);
    assert_int_equal(b->initial_steps, 20);
    assert_int_equal(b->normalise, POISE_NORMALISE_SUM);
    assert_int_equal(b->every, 4);
    assert_true(near(b->smooth, 0.25));
    assert_true(near(b->clip, 10));
    assert_int_equal(s->nphase, 1);
    assert_memory_equal(&s->phase[0], b, sizeof(*b));
    poise_spec_free(s);
}

static void a_schedule_is_a_list_of_balancers(void **state)
{
    (void)state;
    poise_spec *s = read_good("good/schedule.yaml", NULL, 0, NULL);
    const poise_balancer_spec *p = s->phase;
    assert_int_equal(s->nphase, 3);
    assert_memory_equal(&p[0], &s->balancer, sizeof(p[0]));
    assert_string_equal(p[0].use, "equal");
    assert_int_equal(p[0].epochs, 1);
    assert_true(near(p[0].clip, 0.5));
    assert_string_equal(p[1].use, FOLDER "good/./mine.so");
    assert_int_equal(p[1].epochs, 2);
    assert_true(near(p[1].clip, 0));
    assert_int_equal(p[1].scope, POISE_SCOPE_LAYERS);
    assert_int_equal(p[1].nlayer, 3);
    assert_string_equal(p[1].layer[1], "own1"); /* shared by the second level's `common1` */
    assert_int_equal(p[1].initial, POISE_INITIAL_BASE_RATE);
    assert_int_equal(p[2].epochs, 0);
    assert_int_equal(p[2].scope, POISE_SCOPE_REPRESENTATION);
    assert_int_equal(p[2].normalise, POISE_NORMALISE_MEAN);
    assert_int_equal(p[2].nsetting, 1);
    assert_string_equal(p[2].setting[0].task[1], "buy");
    assert_int_equal(p[2].place.line, 9);
    poise_spec_free(s);
}

static void an_override_puts_one_balancer_in_the_lists_place(void **state)
{
    (void)state;
    const poise_override o[] = {{"balancer", "gradnorm"}, {"balancer.weights.every", "3"}};
    poise_spec *s = read_good("good/schedule.yaml", NULL, POISE__COUNT(o), o);
    assert_int_equal(s->nphase, 1);
    assert_string_equal(s->balancer.use, "gradnorm");
    assert_int_equal(s->balancer.every, 3);
    assert_int_equal(s->balancer.epochs, 0);
    assert_true(near(s->balancer.clip, 0));
    poise_spec_free(s);
    const poise_override list = {"balancer", "[{use: equal, epochs: 2}, gradnorm]"};
    s = read_good("good/short.yaml", NULL, 1, &list);
    assert_int_equal(s->nphase, 2);
    assert_string_equal(s->phase[1].use, "gradnorm");
    poise_spec_free(s);

    const poise_override inside = {"balancer.clip", "1"};
    poise_diagnostics *diag;
    char text[1400];
    assert_null(read_spec("good/schedule.yaml", NULL, 1, &inside, &diag));
    assert_string_equal(poise_diagnostics_text(diag, 0, text, sizeof(text)),
                        "--set balancer.clip=1: error: 'balancer' is a list, which has no key "
                        "'clip'; set the whole list");
    poise_diagnostics_free(diag);
}

/* The fingerprint of a training is made of this text: no option may be missing from it. */
static void every_option_of_a_balancer_is_in_the_resolved_text(void **state)
{
    (void)state;
    static const char *const option[] = {"",
                                         "signals: {scope: all}",
                                         "signals: {scope: representation}",
                                         "signals: {scope: [expert]}",
                                         "signals: {initial: base_rate}",
                                         "signals: {initial: {mean: 7}}",
                                         "signals: {initial: {mean: 8}}",
                                         "shared_only: false",
                                         "weights: {normalise: sum}",
                                         "weights: {normalise: mean}",
                                         "weights: {every: 2}",
                                         "weights: {smooth: 0.5}",
                                         "clip: 1",
                                         "alpha: 1"};
    enum { N = sizeof(option) / sizeof(option[0]) };
    char *text[2 * N], value[200];
    poise_error err;
    for (int k = 0; k < 2 * N; k++) {
        snprintf(value, sizeof(value),
                 k < N ? "{use: gradnorm, %s}" : "[{use: equal, epochs: 1}, {use: gradnorm, %s}]",
                 option[k % N]);
        const poise_override o = {"balancer", value};
        poise_spec *s = read_good("good/short.yaml", NULL, 1, &o);
        text[k] = poise_spec_resolved(s, &err);
        assert_non_null(text[k]);
        poise_spec *again = read_good("good/again.yaml", text[k], 0, NULL);
        char *twice = poise_spec_resolved(again, &err);
        assert_string_equal(twice, text[k]);
        for (int j = 0; j < k; j++)
            if (strcmp(text[j], text[k]) == 0)
                fail_msg("'%s' and '%s' come to the same", option[j % N], option[k % N]);
        free(twice);
        poise_spec_free(s);
        poise_spec_free(again);
    }
    for (int k = 0; k < 2 * N; k++)
        free(text[k]);
}

/* w, stars and kind are ignored; click and buy are labels. */
static void patterns_pass_over_what_is_ignored(void **state)
{
    (void)state;
    static const char *const want[] = {"age", "city_code", "job_code", "income"};
    poise_spec *s = read_good("good/schedule.yaml", NULL, 0, NULL);
    assert_int_equal(s->schema->nfeature, POISE__COUNT(want));
    for (int k = 0; k < POISE__COUNT(want); k++)
        assert_string_equal(s->schema->feature[k].name, want[k]);
    poise_spec_free(s);
}

static void train_forms(void **state)
{
    (void)state;
    poise_spec *s = read_good("good/forms.yaml", NULL, 0, NULL);
    const poise_train_spec *t = &s->train;
    assert_int_equal(t->optimizer.kind, POISE_SGD);
    assert_true(near(t->optimizer.rate, 0.5));
    assert_true(near(t->optimizer.momentum, 0.9));
    assert_int_equal(t->monitor.n, 1);
    assert_string_equal(s->schema->task[t->monitor.term[0].task].name, "click");
    assert_int_equal(t->monitor.term[0].figure, POISE_LOGLOSS);
    assert_int_equal(t->checkpoint_every, 100);
    assert_int_equal(t->threads, 2);
    poise_spec_free(s);
}

/* Layers come after what they need, whatever the file's order. */
static void layers_are_in_order_of_need(void **state)
{
    (void)state;
    poise_spec *s = read_good("good/forms.yaml", NULL, 0, NULL);
    const poise_model *m = s->model;
    int lists = 0;
    assert_int_equal(m->nlayer, 7);
    for (int k = 0; k < m->nlayer; k++) {
        const poise__layer *l = &m->layer[k];
        const poise__references *refs;
        for (int j = 0; (refs = poise__references_in(l->kind, l->own[0], j)) != NULL; j++, lists++)
            for (int i = 0; i < refs->n; i++)
                assert_true(refs->at[i].layer < k);
    }
    assert_string_equal(m->output[0]->layer->name, "out");
    assert_int_equal(lists, 7 + 1); /* one of each, and a gate */
    assert_int_equal(m->ninstance, 5 + 5 * 2);
    poise_spec_free(s);
}

static const char *const good[] = {
    "good/forms.yaml",      "good/short.yaml",    "good/golden.yaml",    "good/inline.yaml",
    "good/path.yaml",       "good/schedule.yaml", "good/treatment.yaml", "good/lists.yaml",
    "good/conditions.yaml", "good/extends.yaml",  "good/groups.yaml",    "good/tables.yaml"};

/* read(resolved(read(x))) resolves to the same text, and nothing is said about it. */
static void a_resolved_spec_reads_back_to_itself(void **state)
{
    (void)state;
    poise_error err;
    for (size_t k = 0; k < sizeof(good) / sizeof(good[0]); k++) {
        poise_spec *s = read_good(good[k], NULL, 0, NULL);
        char *once = poise_spec_resolved(s, &err);
        assert_non_null(once);
        poise_spec *again = read_good("elsewhere/spec.yaml", once, 0, NULL);
        char *twice = poise_spec_resolved(again, &err);
        assert_non_null(twice);
        assert_string_equal(once, twice);
        assert_int_equal(s->model->ninstance, again->model->ninstance);
        assert_int_equal(s->schema->nfeature, again->schema->nfeature);
        free(once);
        free(twice);
        poise_spec_free(s);
        poise_spec_free(again);
    }
}

static void overrides_open_short_forms(void **state)
{
    (void)state;
    const poise_override o[] = {
        {"model.experts", "3"},
        {"model.units", "[12]"},
        {"train.epochs", "2"},
        {"balancer", "equal"},
        {"balancer.alpha", "0.5"},
        {"train.optimizer", "{adam: {rate: 1e-2}}"},
        {"train.optimizer.adam.eps", "1e-6"},
        {"data.rows", "500"},
    };
    poise_spec *s = read_good("good/short.yaml", NULL, POISE__COUNT(o), o);
    assert_int_equal(s->train.epochs, 2);
    assert_int_equal(s->data.rows, 500);
    assert_true(near(s->train.optimizer.rate, 1e-2));
    assert_true(near(s->train.optimizer.eps, 1e-6));
    assert_string_equal(s->balancer.use, "equal");
    assert_string_equal(s->balancer.setting[0].text[0], "0.5");
    for (int k = 0; k < s->model->nlayer; k++)
        if (strcmp(s->model->layer[k].name, "expert") == 0) {
            assert_int_equal(s->model->layer[k].copies, 3);
            const poise__ints *units = main_of(&s->model->layer[k]);
            assert_int_equal(units->n, 1);
            assert_int_equal(units->value[0], 12);
        }
    poise_spec_free(s);
}

static void a_wrong_override_is_named(void **state)
{
    (void)state;
    static const struct {
        poise_override o;
        const char *message;
    } cases[] = {
        {{"train.epoch", "3"},
         "--set train.epoch=3: error: train has no key 'epoch'; did you mean 'epochs'?"},
        {{"train.epochs", "three"},
         "--set train.epochs=three: error: epochs is 'three'; it must be an integer, 1 .. 1000000"},
        {{"model.exprets", "3"},
         "--set model.exprets=3: error: model mmoe has no parameter 'exprets'; did you mean "
         "'experts'?"},
        {{"train.batch", "[1"},
         "--set train.batch=[1: error: did not find expected ',' or ']', while parsing a flow "
         "sequence that begins at 1:1"},
        {{"train..batch", "1"},
         "--set train..batch=1: error: a key is empty; write --set SECTION.KEY=VALUE"},
        {{"train.batch", ""}, "--set train.batch=: error: there is no value; write KEY=VALUE"},
    };
    for (int k = 0; k < POISE__COUNT(cases); k++) {
        poise_diagnostics *diag;
        char text[1400];
        poise_spec *s = read_spec("good/short.yaml", NULL, 1, &cases[k].o, &diag);
        assert_null(s);
        assert_int_equal(poise_diagnostics_errors(diag), 1);
        assert_string_equal(poise_diagnostics_text(diag, 0, text, sizeof(text)), cases[k].message);
        poise_diagnostics_free(diag);
    }
}

static void an_override_of_no_mapping_leaves_the_files_own_error(void **state)
{
    (void)state;
    poise_diagnostics *diag;
    char text[1400];
    assert_null(read_spec("here.yaml", "word", 1, &(poise_override){"a", "b"}, &diag));
    assert_int_equal(poise_diagnostics_errors(diag), 1);
    assert_non_null(strstr(poise_diagnostics_text(diag, 0, text, sizeof(text)),
                           ":1:1: error: the run is 'word'; it must be a mapping of keys"));
    poise_diagnostics_free(diag);
}

static void a_model_may_be_a_path(void **state)
{
    (void)state;
    poise_spec *s = read_good("good/path.yaml", NULL, 0, NULL);
    const poise_model *m = s->model;
    assert_string_equal(m->about, "One layer.");
    assert_int_equal(m->nlayer, 2);
    assert_int_equal(*(const int64_t *)main_of(&m->layer[0]), 5);
    assert_string_equal(m->output[0]->layer->name, "answer");
    assert_string_equal(m->layer[0].place.file, FOLDER "good/../data/tiny.yaml");
    assert_int_equal(feature(s, "price")->transform, POISE_LOG1P);
    assert_int_equal(s->schema->nfeature, 4); /* age, price, segment, slot */
    poise_spec_free(s);
}

/* Without a folder in the spec's own path, the object's path still says that it is one. */
static void a_balancers_path_has_a_slash(void **state)
{
    (void)state;
    poise_error err;
    poise_diagnostics *diag = poise_diagnostics_new(&err);
    const char *text = "data: {generate: funnel}\nmodel: mmoe\nbalancer: mine.so\n";
    poise_spec *s = poise__spec_parse("run.yaml", text, strlen(text), 0, NULL, diag);
    assert_non_null(s);
    assert_string_equal(s->balancer.use, "./mine.so");
    assert_string_equal(s->name, "run");
    poise_spec_free(s);
    poise_diagnostics_free(diag);
}

static void globs_match_as_in_a_shell(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *name;
        int matches;
    } cases[] = {{"*", "", 1},
                 {"*", "abc", 1},
                 {"a*", "b", 0},
                 {"*_code", "a_code", 1},
                 {"*_code", "a_codes", 0},
                 {"a?c", "abc", 1},
                 {"a?c", "ac", 0},
                 {"*b*b*", "abcb", 1},
                 {"*b*b*", "abc", 0},
                 {"", "", 1},
                 {"", "a", 0},
                 {"**a", "aa", 1}};
    for (int k = 0; k < POISE__COUNT(cases); k++)
        assert_int_equal(poise__glob_match(cases[k].pattern, cases[k].name), cases[k].matches);
}

static void what_is_odd_but_possible_is_a_warning(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"data: {train: data/rows.csv}\nfeatures: {age: numeric, click: numeric}\n"
         "tasks: {click: {label: click}}\nmodel: shared_bottom\n",
         ":2:26: warning: feature 'click' is the label of task 'click': the model sees the answer"},
        {"data: {generate: funnel}\nmodel:\n  params: {unused: 3}\n  network:\n"
         "    logit: {each: task, dense: 1, input: features}\n",
         ":3:12: warning: no layer uses parameter 'unused'"},
        {"data: {generate: funnel}\nmodel:\n  network:\n    spare: {dense: 1, input: features}\n"
         "    logit: {each: task, dense: 1, input: features}\n",
         ":4:5: warning: no task needs layer 'spare'"},
        {"data: {generate: funnel}\nmodel: mmoe\ntrain: {epochs: 3}\nbalancer:\n"
         "  - {use: equal, epochs: 1}\n  - {use: gradnorm, epochs: 2}\n  - equal\n",
         ":7:5: warning: balancer 3 of 3 begins after 3 epochs, but train.epochs is 3: it is never "
         "used"},
        {"data: {train: data/rows.csv}\nfeatures: {age: numeric, \"a*\": ignore}\n"
         "tasks: {click: {label: click}}\nmodel: shared_bottom\n",
         ":2:26: warning: 'a*' takes no column: those that it matches are labels or taken already"},
    };
    for (int k = 0; k < POISE__COUNT(cases); k++) {
        poise_diagnostics *diag;
        char text[1400];
        poise_spec *s = read_spec("here.yaml", cases[k].text, 0, NULL, &diag);
        assert_non_null(s);
        assert_int_equal(poise_diagnostics_errors(diag), 0);
        assert_int_equal(poise_diagnostics_count(diag), 1);
        poise_diagnostics_text(diag, 0, text, sizeof(text));
        if (!strstr(text, cases[k].message))
            fail_msg("got: %s", text);
        poise_spec_free(s);
        poise_diagnostics_free(diag);
    }
}

static void models_are_found_by_name(void **state)
{
    (void)state;
    poise_error err;
    char **names = poise_model_names(&err);
    assert_non_null(names);
    int found = 0;
    for (char **n = names; *n; n++)
        found += !strcmp(*n, "mmoe") || !strcmp(*n, "ple") || !strcmp(*n, "shared_bottom");
    assert_int_equal(found, 3);
    poise_names_free(names);
}

/* A row without help, or a default that its own row refuses, is a mistake in a table. */
static void every_row_of_every_table_is_complete(void **state)
{
    (void)state;
    const poise_section *const *lists[] = {poise_spec_sections(), poise_layer_kinds()};
    char type[400];
    int rows = 0;
    for (int k = 0; k < 2; k++)
        for (const poise_section *const *s = lists[k]; *s; s++) {
            assert_non_null((*s)->about);
            /* A loss and a kind of layer may have one name: the loss is found. */
            if (k == 0)
                assert_ptr_equal(poise_section_find((*s)->name), *s);
            assert_non_null(poise_section_find((*s)->name));
            for (int i = 0; i < (*s)->nkey; i++, rows++) {
                const poise_key *row = &(*s)->key[i];
                assert_true(row->name && row->help && row->help[0]);
                assert_true(poise_key_type(row, type, sizeof(type))[0]);
                assert_true((row->kind == POISE_KEY_OWN) == (row->read != NULL));
                if (row->kind != POISE_KEY_OWN)
                    assert_true(row->size > 0);
            }
        }
    assert_true(rows > 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_those_of_the_tables),
        cmocka_unit_test(data_forms),
        cmocka_unit_test(a_named_feature_wins_over_a_glob),
        cmocka_unit_test(task_forms),
        cmocka_unit_test(balancer_settings_are_kept_as_texts),
        cmocka_unit_test(host_options_do_not_reach_the_strategy),
        cmocka_unit_test(a_schedule_is_a_list_of_balancers),
        cmocka_unit_test(an_override_puts_one_balancer_in_the_lists_place),
        cmocka_unit_test(every_option_of_a_balancer_is_in_the_resolved_text),
        cmocka_unit_test(patterns_pass_over_what_is_ignored),
        cmocka_unit_test(train_forms),
        cmocka_unit_test(layers_are_in_order_of_need),
        cmocka_unit_test(a_resolved_spec_reads_back_to_itself),
        cmocka_unit_test(overrides_open_short_forms),
        cmocka_unit_test(a_wrong_override_is_named),
        cmocka_unit_test(an_override_of_no_mapping_leaves_the_files_own_error),
        cmocka_unit_test(a_model_may_be_a_path),
        cmocka_unit_test(a_balancers_path_has_a_slash),
        cmocka_unit_test(globs_match_as_in_a_shell),
        cmocka_unit_test(what_is_odd_but_possible_is_a_warning),
        cmocka_unit_test(models_are_found_by_name),
        cmocka_unit_test(every_row_of_every_table_is_complete),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
