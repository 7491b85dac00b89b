/* The list of all sections, for help and docs. */
#include <string.h>
#include "layer.h"
#include "sections.h"

const poise_section *const *poise_spec_sections(void)
{
    /* clang-format off */
    static const poise_section *const all[] = {
        &poise__run_section,
        &poise__data_section,
        &poise__format_section,
        &poise__valid_section,
        &poise__numeric_section,
        &poise__categorical_section,
        &poise__count_section,
        &poise__list_section,
        &poise__feature_section,
        &poise__ignore_section,
        &poise__task_section,
        &poise__label_section,
        &poise__bce_section,
        &poise__focal_section,
        &poise__softmax_section,
        &poise__huber_section,
        &poise__model_section,
        &poise__model_file_section,
        &poise__param_section,
        &poise__balancer_section,
        &poise__signals_section,
        &poise__weights_section,
        &poise__train_section,
        &poise__sgd_section,
        &poise__adam_section,
        &poise__adamw_section,
        &poise__adagrad_section,
        &poise__schedule_section,
        &poise__cosine_section,
        &poise__step_section,
        &poise__exponential_section,
        &poise__tuning_section,
        &poise__gate_section,
        &poise__mask_gate_section,
        NULL};
    /* clang-format on */
    return all;
}

const poise_section *const *poise_layer_kinds(void)
{
    static const poise_section *const all[] = {
#define X(name) &poise__##name##_kind.section,
        POISE__LAYER_KINDS(X)
#undef X
            NULL};
    return all;
}

const poise_section *poise_layer_keys(void)
{
    return &poise__layer_section;
}

const poise_section *poise_section_find(const char *name)
{
    const poise_section *const *lists[] = {poise_spec_sections(), poise_layer_kinds()};
    for (int k = 0; k < 2; k++)
        for (const poise_section *const *s = lists[k]; *s; s++)
            if (strcmp((*s)->name, name) == 0)
                return *s;
    return strcmp(poise__layer_section.name, name) == 0 ? &poise__layer_section : NULL;
}
