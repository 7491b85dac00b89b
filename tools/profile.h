/* profile.h -- tables of where the time of a training step goes. */
#ifndef POISE_TOOLS_PROFILE_H
#define POISE_TOOLS_PROFILE_H

#include "../train/profile.h"

/* Milliseconds and share of every part, given seconds per step. */
void tool_print_parts(const double seconds[POISE_PART_COUNT]);

/* Milliseconds per step of every layer, the slowest first: where in the graph, GFLOP/s, share of the
 * whole step, place in the spec. */
void tool_print_layers(const poise_profile *p);

/* Both, with a line that says of how many steps. */
void tool_print_profile(const poise_profile *p);

/* A clock in seconds that only goes forward. */
double tool_clock(void);

#endif
