/* Building and compiling any operator with any one request for memory refused fails with a message
 * and gives everything back; and a run asks for no memory. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include "rig.h"
#include "tests/count_alloc.h"

static int is_small(const op_case *c)
{
    for (int k = 0; k < case_inputs(c); k++)
        if (input_count(&c->in[k]) > 1000)
            return 0;
    return 1;
}

static void a_refusal_is_an_error_and_leaks_nothing(void **state)
{
    (void)state;
    if (!COUNT_ALLOC)
        skip();
    for (const op_case *c = op_cases; c->op != NULL; c++) {
        int made = 0;
        for (long refused = 0; is_small(c) && !made; refused++) {
            rig r;
            const long live = count_alloc_live();
            count_alloc_fail(refused);
            made = rig_make(&r, c) == 0;
            count_alloc_fail(-1);
            if (!made && (r.err.code != POISE_E_MEMORY || r.err.message[0] == '\0'))
                fail_msg("%s, request %ld refused: \"%s\"", c->op, refused, r.err.message);
            rig_done(&r);
            if (count_alloc_live() != live)
                fail_msg("%s, request %ld refused: %ld blocks are left", c->op, refused,
                         count_alloc_live() - live);
            assert_true(refused < 1000);
        }
    }
}

static void a_run_allocates_nothing_of_its_own(void **state)
{
    (void)state;
    if (!COUNT_ALLOC)
        skip();
    const poise_run how = rig_run(1);
    for (const op_case *c = op_cases; c->op != NULL; c++) {
        rig r;
        assert_int_equal(rig_make(&r, c), 0);
        assert_int_equal(poise_session_run(r.s, &how, &r.err), 0);
        const long before = count_alloc();
        assert_int_equal(poise_session_run(r.s, &how, &r.err), 0);
        if (count_alloc() != before)
            fail_msg("%s asks for memory %ld times a run", c->op, count_alloc() - before);
        rig_done(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refusal_is_an_error_and_leaks_nothing),
        cmocka_unit_test(a_run_allocates_nothing_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
