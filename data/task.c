#include "schema.h"

static const struct {
    const char *name;
    poise_task_kind task;
} losses[POISE_LOSS_KINDS] = {
#define X(loss, name, kind) [POISE_LOSS_##loss] = {name, kind},
    POISE_LOSSES(X)
#undef X
};

int poise_task_classed(const poise_task *t)
{
    return t->kind == POISE_MULTICLASS || t->kind == POISE_ORDINAL;
}

poise_loss poise_task_loss(const poise_task *t)
{
    if (t->loss.kind != POISE_LOSS_USUAL)
        return t->loss;
    poise_loss usual = {.positive_weight = 1, .gamma = 2, .alpha = 0.25, .delta = 1};
    for (int k = POISE_LOSS_KINDS - 1; k > POISE_LOSS_USUAL; k--)
        if (losses[k].task == t->kind)
            usual.kind = (poise_loss_kind)k;
    return usual;
}

const char *poise_loss_name(poise_loss_kind k)
{
    return losses[k].name;
}

poise_task_kind poise_loss_task(poise_loss_kind k)
{
    return losses[k].task;
}
