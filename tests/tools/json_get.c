/* json_get FILE KEY... -- print the value at a path of keys of a JSON file, texts without quotes.
 * Status 1 with a message where the file is not JSON or has no such value. */
#include <jansson.h>
#include <stdio.h>

static json_t *step(json_t *at, const char *key)
{
    json_t *next = json_object_get(at, key);

    if (next)
        return next;
    fprintf(stderr, "no key '%s'; there are:", key);
    for (void *k = json_object_iter(at); k; k = json_object_iter_next(at, k))
        fprintf(stderr, " %s", json_object_iter_key(k));
    fprintf(stderr, "\n");
    return NULL;
}

int main(int argc, char **argv)
{
    json_error_t error;
    json_t *root = argc > 1 ? json_load_file(argv[1], JSON_REJECT_DUPLICATES, &error) : NULL;
    json_t *at = root;

    if (!root) {
        fprintf(stderr, "%s:%d: %s\n", argc > 1 ? argv[1] : "json_get", argc > 1 ? error.line : 0,
                argc > 1 ? error.text : "which file?");
        return 1;
    }
    for (int k = 2; at && k < argc; k++)
        at = step(at, argv[k]);
    if (at && json_is_string(at))
        printf("%s\n", json_string_value(at));
    else if (at)
        json_dumpf(at, stdout, JSON_ENCODE_ANY | JSON_SORT_KEYS);
    json_decref(root);
    return at ? 0 : 1;
}
