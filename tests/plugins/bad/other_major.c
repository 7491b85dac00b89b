/* Built for a later major version: another symbol. */
#include <poise/balancer.h>

POISE_EXPORT const void *poise_balancer_v2(void);

const void *poise_balancer_v2(void)
{
    return NULL;
}
