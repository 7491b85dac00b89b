/* Prints the words of the spec language for libFuzzer's -dict, from the tables of keys. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "models/keys.h"

static void word(const char *text, const char *after)
{
    putchar('"');
    for (const char *c = text; *c; c++) {
        if (*c == '"' || *c == '\\')
            putchar('\\');
        putchar(*c);
    }
    printf("%s\"\n", after);
}

/* The quoted words of a row's `schema`. */
static void words_of_schema(const char *schema)
{
    for (const char *c = schema; c && (c = strchr(c, '\'')) != NULL;) {
        const char *end = strchr(c + 1, '\'');
        if (!end)
            return;
        printf("\"%.*s\"\n", (int)(end - c - 1), c + 1);
        c = end + 1;
    }
}

static void section(const poise_section *s)
{
    word(s->name, "");
    for (int k = 0; k < s->nkey; k++) {
        word(s->key[k].name, ": ");
        if (s->key[k].initial)
            word(s->key[k].initial, "");
        for (int i = 0; s->key[k].choice && s->key[k].choice[i]; i++)
            word(s->key[k].choice[i], "");
        words_of_schema(s->key[k].schema);
    }
}

int main(void)
{
    static const char *const yaml[] = {"{",
                                       "}",
                                       "[",
                                       "]",
                                       ": ",
                                       ", ",
                                       "- ",
                                       "&a ",
                                       "*a",
                                       "$",
                                       "[*]",
                                       "[0]",
                                       "features",
                                       "input",
                                       "click",
                                       "detail",
                                       "logit",
                                       "mmoe",
                                       "ple",
                                       "'",
                                       "\"",
                                       "#",
                                       "|",
                                       ">",
                                       "!!str",
                                       "---",
                                       "<<: ",
                                       "1e308",
                                       "-1",
                                       "0x1f",
                                       "1e-9",
                                       "null",
                                       "~",
                                       ".nan",
                                       "true",
                                       "4294967296",
                                       "task",
                                       "model",
                                       "./model.yaml",
                                       "rows.csv",
                                       "funnel",
                                       "[previous]",
                                       "[others]",
                                       "==",
                                       ">=",
                                       "params: {a: 1}",
                                       "$a * 2",
                                       "$a[0]",
                                       "*_code",
                                       "data: {generate: funnel}\\x0a",
                                       "\\x00"};
    for (const poise_section *const *s = poise_spec_sections(); *s; s++)
        section(*s);
    for (const poise_section *const *s = poise_layer_kinds(); *s; s++)
        section(*s);
    section(poise_layer_keys());
    for (size_t k = 0; k < sizeof(yaml) / sizeof(yaml[0]); k++)
        if (strncmp(yaml[k], "data:", 5) == 0 || strcmp(yaml[k], "\\x00") == 0)
            printf("\"%s\"\n", yaml[k]); /* escaped already */
        else
            word(yaml[k], "");
    return 0;
}
