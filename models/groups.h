/* groups.h -- features that a layer reads together.  Internal.
 *
 *     features:
 *       user: {group: {age: numeric, "user_*": categorical}}    named here, and nowhere else
 *       item: {group: [price, "item_*"]}                        of features that are named elsewhere
 *     ... input: features.user
 *
 * A feature may be in several groups; in a mapping it is once.
 */
#ifndef POISE_GROUPS_H
#define POISE_GROUPS_H

#include "network.h"

/* The groups of features: as written, before the features are known. */
typedef struct poise__groups_text {
    int n;
    const poise__yaml **key, **members; /* [n] */
} poise__groups_text;

/* `features:` as one mapping of features: what groups hold in the place where they stand.  `text` is
 * what poise__groups_read wants.  NULL after a diagnosis that leaves nothing; *bad is set to -1 by
 * any. */
const poise__yaml *poise__groups_open(poise__reading *r, const poise__yaml *node,
                                      poise__groups_text *text, int *bad);

/* r->spec->groups, once the schema has its features. */
int poise__groups_read(poise__reading *r, const poise__groups_text *text);

#endif
