/* show_parts.h -- what the two drawings of a network share.  Internal. */
#ifndef POISE_SHOW_PARTS_H
#define POISE_SHOW_PARTS_H

#include <stdio.h>
#include "layer.h"
#include "show.h"

/* A network, worked out for drawing. */
typedef struct poise__drawing {
    const poise_spec *spec;
    const poise_model *model;
    const poise_schema *schema;
    poise__shape *shape; /* [ninstance] */
    char *needs;         /* [ninstance, ntask]: 1 where the task needs the instance */
    FILE *out;           /* into `text` */
    char *text;
    size_t size;
} poise__drawing;

/* 0, or -1 with *err; the text that is written to d->out is what _end returns.  Both free
 * everything else. */
int poise__drawing_begin(poise__drawing *d, const poise_spec *s, poise_error *err);
char *poise__drawing_end(poise__drawing *d, poise_error *err);

/* Which tasks need any instance of a layer: needs[ntask] is set. */
void poise__drawing_tasks(const poise__drawing *d, const poise__layer *l, char *needs);

/* "B x 8 x 16", "B x ?" */
const char *poise__drawing_shape(const poise__shape *s, char *buf, size_t size);

/* How wide a source is that is no layer; its weights, -1: not known. */
int64_t poise__drawing_width(const poise__drawing *d, const poise__source *s);
int64_t poise__drawing_weights(const poise__drawing *d, const poise__source *s);

/* 1 if a feature is embedded: a category, a list, a number in bins. */
int poise__drawing_has_table(const poise_feature *f);

#endif
