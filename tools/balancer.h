/* balancer.h -- the words of `poise balancer`: one file each, one row each in balancer.c. */
#ifndef POISE_TOOLS_BALANCER_H
#define POISE_TOOLS_BALANCER_H

#include "../plugins/plugin.h"
#include "command.h"

/* Each prints and returns the exit status; a->word[0] is the word itself. */
int tool_balancer_word_list(const tool_arguments *a);  /* balancer_show.c */
int tool_balancer_word_info(const tool_arguments *a);  /* balancer_show.c */
int tool_balancer_word_check(const tool_arguments *a); /* balancer_check.c */
int tool_balancer_word_try(const tool_arguments *a);   /* balancer_try.c */
int tool_balancer_word_new(const tool_arguments *a);   /* balancer_new.c */

/* "loss, grad_norm" into buf; "none" where there is none. */
const char *tool_signal_text(uint32_t bits, char *buf, size_t size);
/* What a step costs beyond one without a balancer, as a class: "free", "forward", "task gradients",
 * "half gradients", "all gradients".  docs/balancers.md says what they are. */
const char *tool_cost_text(const poise_balancer *b);

#endif
