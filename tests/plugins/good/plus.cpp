// A balancer in C++20: the header is C++ as well.
#include <poise/balancer.h>

namespace
{

int step(const poise_context *c, void *, const poise_signals *in, double *weight)
{
    for (uint32_t t = 0; t < c->ntask; t++)
        weight[t] = 1 + in->loss[t];
    return 0;
}

const poise_balancer plugin = {
    POISE_SIZES,         .id = "plus",       .version = "1.0.0", .about = "1 + loss, in C++",
    .needs = POISE_LOSS, .wants = 0,         .flags = 0,         .min_task = 0,
    .param = nullptr,    .nparam = 0,        .state_version = 0, .state_size = nullptr,
    .init = nullptr,     .step = step,       .migrate = nullptr, .formula = nullptr,
    .paper = nullptr,    .differs = nullptr, .advice = nullptr,  .keep = nullptr,
    .edit = nullptr,     .blend = nullptr,
};

} // namespace
POISE_BALANCER(plugin)
