#include <stdio.h>
#include <poise/plugins/plugin.h>

int main(void)
{
    poise_error err;
    poise_plugin *p = poise_plugin_load("gradnorm", &err);

    printf("%s\n", p ? poise_plugin_get(p)->id : err.message);
    poise_plugin_free(p);
    return p == NULL;
}
