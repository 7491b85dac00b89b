/* A tree as YAML text, through libyaml's emitter. */
#include <stdlib.h>
#include <string.h>
#include <yaml.h>
#include "yaml.h"

typedef struct output {
    char *text;
    size_t n, cap;
    poise_error *err;
} output;

static int append(void *data, unsigned char *buffer, size_t size)
{
    output *o = data;
    char *grown = poise__grow(o->text, &o->cap, o->n + size + 1, 1, o->err);
    if (!grown)
        return 0;
    o->text = grown;
    memcpy(o->text + o->n, buffer, size);
    o->n += size;
    o->text[o->n] = 0;
    return 1;
}

static int emit_scalar(yaml_emitter_t *e, const poise__yaml *n)
{
    yaml_event_t ev;
    /* Signs that end a plain scalar somewhere: the emitter would quote it in its own way, and what is
     * read back would be written in another. */
    int plain = n->plain && !n->text[strcspn(n->text, ",:?#[]{}")];
    const char *text = plain && n->text[0] == 0 ? "null" : n->text;
    return yaml_scalar_event_initialize(
               &ev, NULL, NULL, (const yaml_char_t *)text, (int)strlen(text), plain, 1,
               plain ? YAML_PLAIN_SCALAR_STYLE : YAML_DOUBLE_QUOTED_SCALAR_STYLE) &&
           yaml_emitter_emit(e, &ev);
}

/* blocks: levels of mappings in block style from here on. */
static int emit(yaml_emitter_t *e, const poise__yaml *n, int blocks)
{
    yaml_event_t ev;
    if (n->kind == POISE__SCALAR)
        return emit_scalar(e, n);
    if (n->kind == POISE__LIST) {
        if (!yaml_sequence_start_event_initialize(&ev, NULL, NULL, 1, YAML_FLOW_SEQUENCE_STYLE) ||
            !yaml_emitter_emit(e, &ev))
            return 0;
        for (size_t i = 0; i < n->n; i++)
            if (!emit(e, n->item[i], 0))
                return 0;
        return yaml_sequence_end_event_initialize(&ev) && yaml_emitter_emit(e, &ev);
    }
    yaml_mapping_style_t style =
        (blocks > 0 || n->block) && n->n > 0 ? YAML_BLOCK_MAPPING_STYLE : YAML_FLOW_MAPPING_STYLE;
    if (!yaml_mapping_start_event_initialize(&ev, NULL, NULL, 1, style) ||
        !yaml_emitter_emit(e, &ev))
        return 0;
    for (size_t i = 0; i < n->n; i++)
        if (!emit_scalar(e, n->key[i]) || !emit(e, n->item[i], blocks - 1))
            return 0;
    return yaml_mapping_end_event_initialize(&ev) && yaml_emitter_emit(e, &ev);
}

char *poise__yaml_write(const poise__yaml *n, int blocks, poise_error *err)
{
    output o = {.err = err};
    yaml_emitter_t e;
    yaml_event_t ev;
    if (!n || !yaml_emitter_initialize(&e)) {
        poise_fail(err, POISE_E_MEMORY, POISE_NOWHERE, "out of memory");
        return NULL;
    }
    yaml_emitter_set_output(&e, append, &o);
    yaml_emitter_set_unicode(&e, 1);
    yaml_emitter_set_width(&e, 100);
    int ok = yaml_stream_start_event_initialize(&ev, YAML_UTF8_ENCODING) &&
             yaml_emitter_emit(&e, &ev) &&
             yaml_document_start_event_initialize(&ev, NULL, NULL, NULL, 1) &&
             yaml_emitter_emit(&e, &ev) && emit(&e, n, blocks) &&
             yaml_document_end_event_initialize(&ev, 1) && yaml_emitter_emit(&e, &ev) &&
             yaml_stream_end_event_initialize(&ev) && yaml_emitter_emit(&e, &ev);
    if (!ok) {
        poise_fail(err, POISE_E_MEMORY, POISE_NOWHERE, "the spec cannot be written as YAML: %s",
                   e.problem ? e.problem : "out of memory");
        free(o.text);
        o.text = NULL;
    }
    yaml_emitter_delete(&e);
    return o.text;
}
