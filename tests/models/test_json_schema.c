/* The JSON Schemas say what the tables say: every section that a file can hold is there, with every
 * key, its help, and whether it is needed; and the words of a row's `schema` are checked. */
#include "read.h"
#include "models/json_parts.h"
#include "models/json_schema.h"
#include "models/layer.h"

static json_t *schema(poise_file_kind kind)
{
    poise_error err;
    char *text = poise_json_schema(kind, &err);
    if (!text)
        fail_msg("%s", err.message);
    json_t *root = json_loads(text, 0, NULL);
    assert_non_null(root);
    free(text);
    return root;
}

static int is_required(const json_t *definition, const char *name)
{
    size_t i;
    json_t *v;
    json_array_foreach(json_object_get(definition, "required"), i, v)
    {
        if (strcmp(json_string_value(v), name) == 0)
            return 1;
    }
    return 0;
}

/* The keys of a section that the definition lacks, or says something else of, but for `less`. */
static int missing(const json_t *definition, const poise_section *s, const char *less)
{
    int wrong = 0;
    if (!definition) {
        print_error("section '%s' is in no schema: no key's `schema` names it\n", s->name);
        return 1;
    }
    for (int k = 0; k < s->nkey; k++) {
        const json_t *key =
            json_object_get(json_object_get(definition, "properties"), s->key[k].name);
        const char *about = json_string_value(json_object_get(key, "description"));
        if (strcmp(s->key[k].name, less) == 0 && !key)
            continue;
        if (about && strstr(about, s->key[k].help) == about &&
            is_required(definition, s->key[k].name) == s->key[k].required)
            continue;
        print_error("key '%s' of '%s' is missing or says something else\n", s->key[k].name,
                    s->name);
        wrong++;
    }
    return wrong;
}

/* Of a section: as "task", inside a network "network_task", of a kind "layer_mlp". */
static const json_t *definition(const json_t *root, const char *before, const char *name)
{
    char text[200];
    snprintf(text, sizeof(text), "%s%s", before, name);
    for (char *c = text; *c; c++)
        if (*c == ' ' || *c == ':')
            *c = '_';
    return json_object_get(json_object_get(root, "definitions"), text);
}

static void every_section_has_its_definition(void **state)
{
    (void)state;
    json_t *root = schema(POISE_RUN_FILE);
    int wrong = 0, at = 0;
    for (const poise_section *const *s = poise_spec_sections(); *s; s++) {
        /* A word without keys needs no definition of its own. */
        const json_t *d = definition(root, "", (*s)->name);
        d = d ? d : definition(root, "network_", (*s)->name);
        wrong += (*s)->nkey > 0 ? missing(d, *s, "") : 0;
    }
    for (const poise_section *const *s = poise_layer_kinds(); *s; s++) {
        const json_t *d = definition(root, "layer_", (*s)->name);
        const char *less = poise__layer_kinds[at++]->copies ? "" : "copies";
        wrong += missing(d, *s, "") + missing(d, poise_layer_keys(), less);
    }
    json_decref(root);
    assert_int_equal(wrong, 0);
}

static void a_model_file_is_a_part_of_it(void **state)
{
    (void)state;
    json_t *root = schema(POISE_MODEL_FILE);
    assert_null(definition(root, "", "train"));
    assert_int_equal(
        missing(definition(root, "", "model file"), poise_section_find("model file"), ""), 0);
    json_decref(root);
}

static void ranges_choices_and_defaults_are_there(void **state)
{
    (void)state;
    json_t *root = schema(POISE_RUN_FILE);
    const json_t *train = json_object_get(definition(root, "", "train"), "properties");
    const json_t *batch = json_object_get(train, "batch");
    assert_string_equal(json_string_value(json_object_get(batch, "type")), "integer");
    assert_int_equal(json_integer_value(json_object_get(batch, "minimum")), 1);
    assert_int_equal(json_integer_value(json_object_get(batch, "maximum")), 1048576);
    assert_int_equal(json_integer_value(json_object_get(batch, "default")), 512);
    const json_t *adam = json_object_get(definition(root, "", "adam"), "properties");
    assert_float_equal(json_real_value(json_object_get(json_object_get(adam, "rate"), "default")),
                       1e-3, 1e-12);
    const json_t *type =
        json_object_get(json_object_get(definition(root, "", "task"), "properties"), "type");
    assert_string_equal(json_string_value(json_array_get(json_object_get(type, "enum"), 0)),
                        "binary");
    json_decref(root);
}

static void a_form_is_in_the_words_of_the_header(void **state)
{
    (void)state;
    static const char *const good[] = {"text",
                                       "integer",
                                       "integer 1 4096",
                                       "number -1 0.5",
                                       "boolean",
                                       "true",
                                       "'mean'",
                                       "any",
                                       "<task>",
                                       "<balancer - epochs>",
                                       "some of <parameter>",
                                       "like monitor entry",
                                       "number above 0 1",
                                       "list of 2 number",
                                       "set of like each",
                                       "map by layer of (layer | null) | empty",
                                       "{mean: integer 1 9}",
                                       "list of text",
                                       "map of <task>",
                                       "layer",
                                       "part of layer",
                                       "map of part of layer",
                                       "text | list of (text | <model file>)",
                                       " 'a'|'b' "};
    static const struct {
        const char *form, *message;
    } bad[] = {
        {NULL, "there is none"},
        {"", "no known form"},
        {"texts", "no known form"},
        {"text text", "a word too many"},
        {"text |", "no known form"},
        {"'mean", "a name that does not end"},
        {"<tusk>", "a section that is not there"},
        {"list of", "no known form"},
        {"list of (text", "a ) is missing"},
        {"{mean: text", "a } is missing"},
        {"like a duck", "a rule that is not there"},
        {"map by duck of text", "a rule that is not there"},
        {"map by layer text", "no 'of'"},
        {"map text", "no 'of'"},
        {"some of text", "no section"},
        {"integer - 1", "no number"},
    };
    poise_error err;
    for (int k = 0; k < (int)(sizeof(good) / sizeof(good[0])); k++)
        if (poise__json_form_check(good[k], &err) < 0)
            fail_msg("'%s': %s", good[k], err.message);
    for (int k = 0; k < (int)(sizeof(bad) / sizeof(bad[0])); k++) {
        assert_int_equal(poise__json_form_check(bad[k].form, &err), -1);
        if (!strstr(err.message, bad[k].message))
            fail_msg("'%s': %s", bad[k].form ? bad[k].form : "", err.message);
    }
}

/* What a test of all tables would miss: a row of kind OWN without a form. */
static void every_own_key_says_its_form(void **state)
{
    (void)state;
    poise_error err;
    const poise_section *const *list[] = {poise_spec_sections(), poise_layer_kinds()};
    int own = 0;
    for (int l = 0; l < 2; l++)
        for (const poise_section *const *s = list[l]; *s; s++) {
            for (int k = 0; k < (*s)->nkey; k++) {
                if ((*s)->key[k].kind != POISE_KEY_OWN || (*s)->key[k].pick)
                    continue;
                own++;
                if ((*s)->key[k].beside &&
                    poise__json_form_check((*s)->key[k].beside_schema, &err) < 0)
                    fail_msg("key '%s' of '%s': %s", (*s)->key[k].name, (*s)->name, err.message);
                if (poise__json_form_check((*s)->key[k].schema, &err) < 0)
                    fail_msg("key '%s' of '%s': %s", (*s)->key[k].name, (*s)->name, err.message);
            }
            if ((*s)->other && poise__json_form_check((*s)->other_schema, &err) < 0)
                fail_msg("other keys of '%s': %s", (*s)->name, err.message);
        }
    assert_true(own > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_own_key_says_its_form),
        cmocka_unit_test(a_form_is_in_the_words_of_the_header),
        cmocka_unit_test(every_section_has_its_definition),
        cmocka_unit_test(a_model_file_is_a_part_of_it),
        cmocka_unit_test(ranges_choices_and_defaults_are_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
