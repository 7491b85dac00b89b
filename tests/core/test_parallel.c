/* Every part runs once, whatever the number of threads, and sees one thread. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/parallel.h"

#include <pthread.h>

int omp_get_max_threads(void);
void omp_set_num_threads(int n);
int omp_in_parallel(void);

enum { PARTS = 37 };

typedef struct job {
    int runs[PARTS]; /* each part writes its own: a race would be a part run twice */
    int quiet[PARTS];
    double sum[PARTS];
    pthread_t thread[PARTS];
} job;

static void work(int part, void *arg)
{
    job *j = arg;
    j->runs[part]++;
    j->quiet[part] = omp_in_parallel() || omp_get_max_threads() == 1;
    j->thread[part] = pthread_self();
    int64_t from, to;
    poise__part(10007, PARTS, 16, part, &from, &to);
    for (int64_t k = from; k < to; k++)
        j->sum[part] += 1.0 / (double)(k + 1);
}

static void every_part_runs_once_on_one_quiet_thread(void **state)
{
    (void)state;
    static const int parts[] = {0, 1, 2, 3, 8, PARTS}, threads[] = {0, 1, 2, 3, 8};
    omp_set_num_threads(2);
    for (size_t p = 0; p < sizeof parts / sizeof *parts; p++)
        for (size_t t = 0; t < sizeof threads / sizeof *threads; t++) {
            job j = {0};
            poise__parallel(parts[p], threads[t], work, &j);
            int different = 0;
            for (int k = 0; k < PARTS; k++) {
                assert_int_equal(j.runs[k], k < parts[p]);
                assert_int_equal(j.quiet[k], k < parts[p]);
                if (k < parts[p] && !pthread_equal(j.thread[k], j.thread[0]))
                    different = 1;
            }
            assert_int_equal(different, threads[t] > 1 && parts[p] > 1);
        }
    assert_int_equal(omp_get_max_threads(), 2);
}

static void the_result_does_not_depend_on_threads(void **state)
{
    (void)state;
    job one = {0}, many = {0};
    poise__parallel(PARTS, 1, work, &one);
    poise__parallel(PARTS, 5, work, &many);
    assert_memory_equal(one.sum, many.sum, sizeof one.sum);
}

typedef struct nested {
    int runs[4][3];
} nested;

typedef struct inner_job {
    nested *n;
    int outer;
} inner_job;

static void inner(int part, void *arg)
{
    inner_job *j = arg;
    j->n->runs[j->outer][part]++;
}

static void outer(int part, void *arg)
{
    inner_job j = {arg, part};
    poise__parallel(3, 3, inner, &j);
}

static void a_region_inside_a_region_is_complete(void **state)
{
    (void)state;
    nested n = {0};
    poise__parallel(4, 2, outer, &n);
    for (int a = 0; a < 4; a++)
        for (int b = 0; b < 3; b++)
            assert_int_equal(n.runs[a][b], 1);
}

static void holding_and_releasing_restores(void **state)
{
    (void)state;
    omp_set_num_threads(3);
    int held = poise__threads_hold();
    assert_int_equal(omp_get_max_threads(), 1);
    int again = poise__threads_hold();
    poise__threads_release(again);
    assert_int_equal(omp_get_max_threads(), 1);
    poise__threads_release(held);
    assert_int_equal(omp_get_max_threads(), 3);
}

static void parts_cover_everything_once_at_aligned_bounds(void **state)
{
    (void)state;
    static const int64_t sizes[] = {0, 1, 15, 16, 17, 100, 1000, INT64_MAX - 3};
    static const int parts[] = {1, 2, 3, 7, 64};
    static const int64_t aligns[] = {1, 2, 16};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (size_t p = 0; p < sizeof parts / sizeof *parts; p++)
            for (size_t a = 0; a < sizeof aligns / sizeof *aligns; a++) {
                int64_t end = 0, from, to, least = INT64_MAX, most = 0;
                for (int k = 0; k < parts[p]; k++) {
                    poise__part(sizes[s], parts[p], aligns[a], k, &from, &to);
                    assert_true(from == end && to >= from);
                    assert_true(to == sizes[s] || to % aligns[a] == 0);
                    end = to;
                    least = to - from < least ? to - from : least;
                    most = to - from > most ? to - from : most;
                }
                assert_true(end == sizes[s]);
                assert_true(most - least < 2 * aligns[a]); /* balanced */
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_part_runs_once_on_one_quiet_thread),
        cmocka_unit_test(the_result_does_not_depend_on_threads),
        cmocka_unit_test(a_region_inside_a_region_is_complete),
        cmocka_unit_test(holding_and_releasing_restores),
        cmocka_unit_test(parts_cover_everything_once_at_aligned_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
