/* The bits of every operator and of its gradient are the same on 1, 2, 3 and 8 threads. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include "rig.h"

/* All outputs of the graph, one after the other. */
static size_t read_all(const rig *r, unsigned char *to)
{
    size_t at = 0;
    for (int i = 0; i < poise_graph_values(r->g); i++) {
        poise_value *v = poise_graph_value(r->g, i);
        if (!poise_graph_is_output(r->g, v))
            continue;
        const size_t bytes = (size_t)poise_value_count(v) * poise_dtype_size(v->dtype);
        if (to != NULL)
            memcpy(to + at, poise_session_data(r->s, v), bytes);
        at += bytes;
    }
    return at;
}

static unsigned char *bits(const op_case *c, int threads, size_t *size)
{
    char text[POISE_ERROR_TEXT];
    rig r;
    const poise_run how = rig_run(threads);
    if (rig_make(&r, c) < 0 || poise_session_run(r.s, &how, &r.err) < 0)
        fail_msg("%s: %s", c->op, poise_error_text(&r.err, text, sizeof text));
    *size = read_all(&r, NULL);
    unsigned char *b = malloc(*size);
    assert_non_null(b);
    read_all(&r, b);
    rig_done(&r);
    return b;
}

static void bits_do_not_depend_on_threads(void **state)
{
    (void)state;
    static const int threads[] = {2, 3, 8};
    for (const op_case *c = op_cases; c->op != NULL; c++) {
        size_t size, same;
        unsigned char *one = bits(c, 1, &size);
        for (size_t t = 0; t < sizeof threads / sizeof *threads; t++) {
            unsigned char *many = bits(c, threads[t], &same);
            assert_int_equal(size, same);
            if (memcmp(one, many, size) != 0)
                fail_msg("%s differs between 1 and %d threads", c->op, threads[t]);
            free(many);
        }
        free(one);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bits_do_not_depend_on_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
