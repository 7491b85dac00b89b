/* A shared object that is no balancer: it exports something else. */
#include <poise/balancer.h>

POISE_EXPORT int answer(void);

int answer(void)
{
    return 42;
}
