/* A table that ends before `step`. */
#include <poise/balancer.h>

static const poise_balancer plugin = {
    .size = (uint32_t)offsetof(poise_balancer, init),
    .param_size = sizeof(poise_param),
    .id = "truncated",
    .version = "1.0.0",
    .about = "a table that ends before step",
};
POISE_BALANCER(plugin)
