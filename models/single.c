/* Kinds that change one value and learn nothing: scale, function, reciprocal, softmax, dropout,
 * stop_gradient; and constant, which reads nothing. */
#include "../ops/ops.h"
#include "activation.h"
#include "layer.h"

typedef struct single_keys {
    poise__references input;
    double number; /* of scale the factor, of dropout the rate, of constant the value, of reciprocal
                      the least that is divided by */
    int64_t width; /* of constant */
    int activation;
} single_keys;

#define INPUT(word, text)                                          \
    {                                                              \
        .name = word, .kind = POISE_KEY_REFERENCES, .required = 1, \
        POISE__INTO(single_keys, input), .help = text              \
    }
#define NUMBER(word, low, high, text)                                                   \
    {                                                                                   \
        .name = word, .kind = POISE_KEY_NUMBER, .required = 1, .min = low, .max = high, \
        POISE__INTO(single_keys, number), .help = text                                  \
    }

static const poise_key scale_rows[] = {
    NUMBER("scale", -1e9, 1e9, "the factor"),
    INPUT("input", "what is multiplied by it; a list is put side by side"),
};
static const poise_key function_rows[] = {
    {.name = "function",
     .kind = POISE_KEY_CHOICE,
     .required = 1,
     .choice = poise__activation_names,
     POISE__INTO(single_keys, activation),
     .help = "which (leaky_relu: slope 0.01)"},
    INPUT("input", "what it is taken of; a list is put side by side"),
};
static const poise_key reciprocal_rows[] = {
    INPUT("reciprocal", "what 1 is divided by; a list is put side by side"),
    {.name = "least",
     .kind = POISE_KEY_NUMBER,
     .initial = "1e-3",
     .min = 1e-12,
     .max = 1e12,
     POISE__INTO(single_keys, number),
     .help = "what is less counts as this"},
};
static const poise_key softmax_rows[] = {
    INPUT("softmax", "what is made positive with sum 1; a list is put side by side"),
};
static const poise_key dropout_rows[] = {
    NUMBER("dropout", 0, 0.99, "probability of a zero, in training"),
    INPUT("input", "what it reads; a list is put side by side"),
};
static const poise_key stop_gradient_rows[] = {
    INPUT("stop_gradient", "what is passed on and not trained through; a list is put side by side"),
};
static const poise_key constant_rows[] = {
    NUMBER("constant", -1e9, 1e9, "the number"),
    {.name = "width",
     .kind = POISE_KEY_INT,
     .initial = "1",
     .min = 1,
     .max = 65536,
     POISE__INTO(single_keys, width),
     .help = "how many of them side by side"},
};

static int shape(const poise__shaper *c, const poise__instance *i, poise__shape *out)
{
    const single_keys *k = i->own;
    return poise__concat_shape(c, i, "input", &k->input, POISE__ANY_STACK, out);
}

static poise_value *build_scale(poise__builder *b, const poise__instance *i)
{
    const single_keys *k = i->own;
    return poise_scale(b->g, poise__concat_value(b, i, &k->input), k->number, b->err);
}

static poise_value *build_function(poise__builder *b, const poise__instance *i)
{
    const single_keys *k = i->own;
    poise_value *x = poise__concat_value(b, i, &k->input);
    return x ? poise__activate(b->g, x, k->activation, b->err) : NULL;
}

static poise_value *build_reciprocal(poise__builder *b, const poise__instance *i)
{
    const single_keys *k = i->own;
    return poise_reciprocal(b->g, poise__concat_value(b, i, &k->input), k->number, b->err);
}

static poise_value *build_softmax(poise__builder *b, const poise__instance *i)
{
    const single_keys *k = i->own;
    return poise_softmax(b->g, poise__concat_value(b, i, &k->input), b->err);
}

static poise_value *build_dropout(poise__builder *b, const poise__instance *i)
{
    const single_keys *k = i->own;
    return poise__dropped(b, poise__concat_value(b, i, &k->input), k->number, i->name);
}

static poise_value *build_stop_gradient(poise__builder *b, const poise__instance *i)
{
    const single_keys *k = i->own;
    return poise_stop_gradient(b->g, poise__concat_value(b, i, &k->input), b->err);
}

static int constant_shape(const poise__shaper *c, const poise__instance *i, poise__shape *out)
{
    *out = (poise__shape){.width = ((const single_keys *)i->own)->width};
    (void)c;
    return 0;
}

static poise_value *build_constant(poise__builder *b, const poise__instance *i)
{
    const single_keys *k = i->own;
    return poise_fill(b->g, k->number, 2, (int64_t[]){b->batch, k->width}, b->err);
}

#define KIND(kind_name, text, shape_rule)                                              \
    const poise__layer_kind poise__##kind_name##_kind = {                              \
        .section = {.name = #kind_name, .about = text, POISE__ROWS(kind_name##_rows)}, \
        .own = sizeof(single_keys),                                                    \
        .shape = shape_rule,                                                           \
        .build = build_##kind_name};
KIND(scale, "a value times a number", shape)
KIND(function, "a function of each number, without weights", shape)
KIND(reciprocal, "1 divided by each number", shape)
KIND(softmax, "e^x over the sum of e^x, of each row", shape)
KIND(dropout, "zeros at random in training, the rest made larger to make up for them", shape)
KIND(stop_gradient, "the value itself, but what is before it does not learn from what is after it",
     shape)
KIND(constant, "a number that is always the same", constant_shape)
