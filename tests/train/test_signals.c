/* The balancer's signals and the combined gradients, against one full backward pass per task in
 * double precision (double_pass.h). */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/session.h"
#include "double_pass.h"
#include "networks.h"
#include "train/signals.h"

#define NEAR 2e-5

/* What the balance node saw, and what it answers. */
typedef struct answer {
    int calls, ninput, by_group, nscope;
    unsigned signals;
    double loss[TASKS], norm[TASKS], gram[TASKS * TASKS];
    double group[32][TASKS * TASKS], half[4 * TASKS * TASKS];
    float weight[TASKS]; /* by group: row g is weight + g / 8 */
} answer;

static int call(void *self, int nin, void *const *in, float *weight, const poise_run *r,
                poise_error *err)
{
    answer *a = self;
    int at = 2;

    (void)r, (void)err;
    a->calls++;
    a->ninput = nin;
    for (int t = 0; t < TASKS; t++)
        a->loss[t] = (double)((float *)in[0])[t];
    for (int k = 0; k < (a->by_group ? a->nscope : 1) * TASKS; k++)
        weight[k] = a->weight[k % TASKS] + (float)(k / TASKS) / 8;
    if (a->signals & POISE_SIGNAL_NORM)
        memcpy(a->norm, in[at++], sizeof a->norm);
    if (a->signals & POISE_SIGNAL_GRAM)
        memcpy(a->gram, in[at++], sizeof a->gram);
    for (int k = 0; a->signals & POISE_SIGNAL_GROUPS && k < a->nscope; k++)
        memcpy(a->group[k], in[at++], sizeof a->group[k]);
    if (a->signals & POISE_SIGNAL_HALVES)
        memcpy(a->half, in[at++], sizeof a->half);
    return 0;
}

/* One network, trained for one step under one plan, beside the reference. */
typedef struct bench {
    network net;
    double_pass reference;
    answer answer;
    poise_balance_call call;
    poise_step_graph step;
    poise_session *session;
    double *grad[TASKS][32];     /* by parameter: d loss_t, full size */
    double *half[2 * TASKS][32]; /* the same of the losses of even, odd rows */
} bench;

static void set_inputs(bench *b)
{
    float numeric[ROWS * NUMBERS], label[TASKS][ROWS], weight[TASKS][ROWS];
    int32_t ids[ROWS * IDS];

    net_rows(numeric, ids, label, weight);
    memcpy(poise_session_data(b->session, b->net.numeric), numeric, sizeof numeric);
    memcpy(poise_session_data(b->session, b->net.ids), ids, sizeof ids);
    for (int k = 0; k < ROWS * NUMBERS; k++)
        b->reference.value[b->net.numeric->id][k] = (double)numeric[k];
    for (int k = 0; k < ROWS * IDS; k++)
        b->reference.value[b->net.ids->id][k] = ids[k];
    for (int t = 0; t < TASKS; t++) {
        memcpy(poise_session_data(b->session, b->net.label[t]), label[t], sizeof label[t]);
        memcpy(poise_session_data(b->session, b->net.weight[t]), weight[t], sizeof weight[t]);
        for (int k = 0; k < ROWS; k++) {
            b->reference.value[b->net.label[t]->id][k] = (double)label[t][k];
            b->reference.value[b->net.weight[t]->id][k] = (double)weight[t][k];
        }
    }
}

/* The gradients of one task's loss, from the reference, by parameter. */
static void reference_gradients(bench *b, const poise_value *loss, double **grad)
{
    double_pass_reverse(&b->reference, loss);
    for (int k = 0; k < b->reference.values; k++) {
        const poise_value *v = poise_graph_value(b->net.graph, k);
        if (v->role != POISE_PARAM)
            continue;
        size_t bytes = dp_count(v) * sizeof(double);
        grad[v->param] = malloc(bytes);
        memcpy(grad[v->param], b->reference.grad[k], bytes);
    }
}

/* `plan` as it is, the balance node apart. */
static void setup_plan(bench *b, void (*build)(network *), poise_signal_plan plan)
{
    memset(b, 0, sizeof *b);
    build(&b->net);
    assert_string_equal(b->net.err.message, "");
    poise_value *half[2 * TASKS], *mask[2];
    for (int h = 0; h < 2 && plan.signals & POISE_SIGNAL_HALVES; h++) {
        mask[h] = poise_input(b->net.graph, h ? "odd" : "even", POISE_F32, 1, (int64_t[]){ROWS},
                              &b->net.err);
        for (int t = 0; t < TASKS; t++)
            half[h * TASKS + t] =
                poise_loss_bce(b->net.graph, b->net.loss[t]->producer->in[0], b->net.label[t],
                               poise_multiply(b->net.graph, b->net.weight[t], mask[h], &b->net.err),
                               NULL, &b->net.err);
    }
    poise_shared shared;
    assert_int_equal(poise_find_shared(b->net.graph, TASKS, b->net.loss, &shared, &b->net.err), 0);
    b->answer.nscope = shared.nshared;
    poise_shared_done(&shared);
    assert_int_equal(poise_store_seal(b->net.store, 3, &b->net.err), 0);
    double_pass_init(&b->reference, b->net.graph);
    b->answer.signals = plan.signals;
    b->answer.by_group = plan.group_weights;
    b->answer.weight[0] = 0.7F;
    b->answer.weight[1] = 1.6F;
    b->call = (poise_balance_call){call, &b->answer,
                                   plan.group_weights ? b->answer.nscope * TASKS : TASKS};
    plan.balance = &b->call;
    plan.half_loss = half;
    int status = poise_step_build(b->net.graph, TASKS, b->net.loss, b->net.labelled, &plan,
                                  &b->step, &b->net.err);
    assert_string_equal(b->net.err.message, "");
    assert_int_equal(status, 0);
    assert_true(poise_rewrite_common(b->net.graph, &b->net.err) >= 0);
    assert_true(poise_rewrite_dead(b->net.graph, &b->net.err) >= 0);
    b->session = poise_session_new(b->net.graph, NULL, &b->net.err);
    assert_string_equal(b->net.err.message, "");
    set_inputs(b);
    for (int h = 0; h < 2 && plan.signals & POISE_SIGNAL_HALVES; h++)
        for (int k = 0; k < ROWS; k++)
            ((float *)poise_session_data(b->session, mask[h]))[k] =
                (float)(b->reference.value[mask[h]->id][k] = k % 2 == h);
    status = poise_session_run(b->session, &(poise_run){.threads = 1}, &b->net.err);
    assert_string_equal(b->net.err.message, "");
    assert_int_equal(status, 0);
    assert_int_equal(b->answer.calls, !plan.by_element);
    assert_true(double_pass_forward(&b->reference));
    for (int h = 0; h < 2 && plan.signals & POISE_SIGNAL_HALVES; h++)
        for (int t = 0; t < TASKS; t++)
            reference_gradients(b, half[h * TASKS + t], b->half[h * TASKS + t]);
    for (int t = 0; t < TASKS; t++)
        reference_gradients(b, b->net.loss[t], b->grad[t]);
}

static void setup(bench *b, void (*build)(network *), unsigned signals, poise_scope scope,
                  int shared_only)
{
    setup_plan(b, build,
               (poise_signal_plan){.signals = signals, .scope = scope, .shared_only = shared_only});
}

static void teardown(bench *b)
{
    for (int k = 0; k < 32; k++)
        for (int t = 0; t < 2 * TASKS; t++) {
            if (t < TASKS)
                free(b->grad[t][k]);
            free(b->half[t][k]);
        }
    double_pass_done(&b->reference);
    poise_session_free(b->session);
    poise_step_graph_done(&b->step);
    net_end(&b->net);
}

static void check_near(const char *what, double got, double want, double scale)
{
    if (!(fabs(got - want) <= NEAR * scale))
        fail_msg("%s: %.9g where the reference has %.9g", what, got, want);
}

/* <g, h> of one parameter. */
static double dot(const bench *b, int param, double *const *g, double *const *h)
{
    double sum = 0;
    for (int64_t c = 0; c < poise_store_at(b->net.store, param)->count; c++)
        sum += g[param][c] * h[param][c];
    return sum;
}

/* <g_i, g_j> over the parameters in scope, from the reference. */
static double reference_dot(const bench *b, int i, int j)
{
    double sum = 0;
    for (int k = 0; k < b->step.nscope; k++)
        sum += dot(b, b->step.scope[k], b->grad[i], b->grad[j]);
    return sum;
}

static void check_signals(const bench *b)
{
    for (int t = 0; t < TASKS; t++) {
        double norm = sqrt(reference_dot(b, t, t));
        check_near("loss", b->answer.loss[t], b->reference.value[b->net.loss[t]->id][0], 1);
        assert_true(norm > 1e-3); /* a zero norm would prove nothing */
        if (b->answer.signals & POISE_SIGNAL_NORM)
            check_near("norm", b->answer.norm[t], norm, norm);
        if (b->answer.signals & POISE_SIGNAL_GRAM)
            for (int j = 0; j < TASKS; j++)
                check_near("gram", b->answer.gram[t * TASKS + j], reference_dot(b, t, j),
                           norm * sqrt(reference_dot(b, j, j)));
    }
}

/* A gradient as a full array: rows put back into their table. */
static void unfold(const bench *b, int param, poise_gradient g, double *to)
{
    const poise_parameter *p = poise_store_at(b->net.store, param);
    const float *value = poise_session_data(b->session, g.value);

    memset(to, 0, (size_t)p->count * sizeof *to);
    if (!g.rows) {
        for (int64_t c = 0; c < p->count; c++)
            to[c] = (double)value[c];
        return;
    }
    const int32_t *rows = poise_session_data(b->session, g.rows);
    for (int64_t r = 0; r < g.value->dim[0] && rows[r] >= 0; r++)
        for (int64_t c = 0; c < p->dim[1]; c++) {
            assert_true(to[rows[r] * p->dim[1] + c] == 0); /* each row once */
            to[rows[r] * p->dim[1] + c] = (double)value[r * p->dim[1] + c];
        }
}

static int is_own(const char *name)
{
    static const char *const own[] = {"tower", "logit", "gate", "mix", "own2", "level1"};
    for (size_t k = 0; k < sizeof own / sizeof *own; k++)
        if (strncmp(name, own[k], strlen(own[k])) == 0)
            return 1;
    return 0;
}

/* Every element of a gradient is the weighted sum of the tasks'. */
static void check_sum(const bench *b, int param, poise_gradient g, const double *weight)
{
    const poise_parameter *of = poise_store_at(b->net.store, param);
    double *got = malloc((size_t)of->count * sizeof *got), most = 1e-3;

    unfold(b, param, g, got);
    for (int64_t c = 0; c < of->count; c++)
        most = fmax(most, fabs(b->grad[0][param][c]) + fabs(b->grad[1][param][c]));
    for (int64_t c = 0; c < of->count; c++)
        check_near(of->name, got[c],
                   weight[0] * b->grad[0][param][c] + weight[1] * b->grad[1][param][c], most);
    free(got);
}

static void check_gradients(const bench *b, int shared_only)
{
    assert_int_equal(b->step.nparam, poise_store_count(b->net.store));
    for (int k = 0; k < b->step.nparam; k++) {
        int own = is_own(poise_store_at(b->net.store, b->step.param[k])->name);
        double one[TASKS] = {1, 1},
               w[TASKS] = {(double)b->answer.weight[0], (double)b->answer.weight[1]};
        assert_int_equal(b->step.owner[k] >= 0, own);
        check_sum(b, b->step.param[k], b->step.gradient[k], shared_only && own ? one : w);
    }
}

static const struct {
    const char *name;
    void (*build)(network *);
} networks[] = {
    {"shared bottom", build_shared_bottom},
    {"mmoe", build_mmoe},
    {"ple", build_ple},
    {"embeddings only", build_embeddings_only},
};
enum { NETWORKS = sizeof networks / sizeof *networks };

static void the_last_shared_layer_is_found(void **state)
{
    (void)state;
    for (int k = 0; k < NETWORKS; k++) {
        bench b;
        setup(&b, networks[k].build, POISE_SIGNAL_NORM, POISE_SCOPE_LAST, 0);
        assert_int_equal(b.step.nscope, 2); /* weight and bias, or two tables */
        for (int s = 0; s < b.step.nscope; s++) {
            const char *name = poise_store_at(b.net.store, b.step.scope[s])->name;
            if (strncmp(name, b.net.last, strlen(b.net.last)) != 0)
                fail_msg("%s: %s is not of the last shared layer", networks[k].name, name);
        }
        teardown(&b);
    }
}

static void signals_and_gradients_are_those_of_separate_passes(void **state)
{
    static const unsigned kinds[] = {0, POISE_SIGNAL_NORM, POISE_SIGNAL_GRAM,
                                     POISE_SIGNAL_NORM | POISE_SIGNAL_GRAM};

    (void)state;
    for (int k = 0; k < NETWORKS; k++)
        for (int s = 0; s < 4; s++)
            for (int scope = 0; scope < 2; scope++)
                for (int shared_only = 0; shared_only < 2; shared_only++) {
                    bench b;
                    setup(&b, networks[k].build, kinds[s],
                          scope ? POISE_SCOPE_ALL : POISE_SCOPE_LAST, shared_only);
                    if (kinds[s])
                        check_signals(&b);
                    check_gradients(&b, shared_only);
                    teardown(&b);
                }
}

static void groups_have_their_own_gram_matrices_and_weights(void **state)
{
    (void)state;
    for (int k = 0; k < NETWORKS; k++) {
        bench b;
        setup_plan(&b, networks[k].build,
                   (poise_signal_plan){.signals = POISE_SIGNAL_GROUPS | POISE_SIGNAL_GRAM,
                                       .scope = POISE_SCOPE_ALL,
                                       .shared_only = 1,
                                       .group_weights = 1});
        assert_int_equal(b.step.nscope, b.answer.nscope);
        for (int g = 0; g < b.step.nscope; g++) {
            int p = b.step.scope[g];
            for (int i = 0; i < TASKS; i++)
                for (int j = 0; j < TASKS; j++)
                    check_near(
                        "group gram", b.answer.group[g][i * TASKS + j],
                        dot(&b, p, b.grad[i], b.grad[j]),
                        sqrt(dot(&b, p, b.grad[i], b.grad[i]) * dot(&b, p, b.grad[j], b.grad[j])) +
                            1e-9);
        }
        for (int i = 0, g = 0; i < b.step.nparam; i++) {
            double one[TASKS] = {1, 1}, w[TASKS];
            for (int t = 0; t < TASKS; t++)
                w[t] = (double)(b.answer.weight[t] + (float)g / 8);
            check_sum(&b, b.step.param[i], b.step.gradient[i], b.step.owner[i] < 0 ? w : one);
            g += b.step.owner[i] < 0;
        }
        teardown(&b);
    }
}

static void the_halves_of_the_batch_have_a_gram_matrix_between_them(void **state)
{
    (void)state;
    for (int k = 0; k < NETWORKS; k++) {
        bench b;
        setup(&b, networks[k].build, POISE_SIGNAL_HALVES, POISE_SCOPE_ALL, 0);
        for (int i = 0; i < TASKS; i++)
            for (int j = 0; j < TASKS; j++) {
                double want = 0, scale = 0;
                for (int p = 0; p < b.step.nscope; p++) {
                    want += dot(&b, b.step.scope[p], b.half[i], b.half[TASKS + j]);
                    scale += dot(&b, b.step.scope[p], b.half[i], b.half[i]);
                }
                assert_true(scale > 1e-6);
                check_near("half gram", b.answer.half[i * 2 * TASKS + TASKS + j], want, scale);
            }
        check_gradients(&b, 0);
        teardown(&b);
    }
}

static void for_a_balancer_by_element_every_task_gradient_is_an_output(void **state)
{
    (void)state;
    for (int k = 0; k < NETWORKS; k++) {
        bench b;
        setup_plan(&b, networks[k].build,
                   (poise_signal_plan){.scope = POISE_SCOPE_ALL, .by_element = 1});
        for (int g = 0; g < b.step.nscope; g++)
            for (int t = 0; t < TASKS; t++) {
                double weight[TASKS] = {t == 0, t == 1};
                check_sum(&b, b.step.scope[g], b.step.task_gradient[g * TASKS + t], weight);
            }
        for (int i = 0; i < b.step.nparam; i++) {
            double one[TASKS] = {1, 1};
            if (b.step.owner[i] >= 0)
                check_sum(&b, b.step.param[i], b.step.gradient[i], one);
            else
                assert_null(b.step.gradient[i].value);
        }
        teardown(&b);
    }
}

/* Norms of the gradients of what the tasks read from the shared part. */
static void the_representation_is_what_tasks_read_from_the_shared_layers(void **state)
{
    bench b;
    double sum[TASKS] = {0};

    (void)state;
    setup(&b, build_shared_bottom, POISE_SIGNAL_NORM, POISE_SCOPE_REPRESENTATION, 0);
    const poise_value *h = b.net.loss[0]->producer->in[0]; /* back to the bottom's output */
    for (int k = 0; k < 3; k++)
        h = h->producer->in[0];
    for (int t = 0; t < TASKS; t++) {
        double_pass_reverse(&b.reference, b.net.loss[t]);
        for (size_t c = 0; c < dp_count(h); c++)
            sum[t] += b.reference.grad[h->id][c] * b.reference.grad[h->id][c];
        check_near("norm", b.answer.norm[t], sqrt(sum[t]), sqrt(sum[t]));
    }
    check_gradients(&b, 0);
    teardown(&b);
}

static int products(const poise_session *s)
{
    int n = 0;
    for (int k = 0; k < poise_session_steps(s); k++)
        n += poise_session_step(s, k)->flops > 0;
    return n;
}

/* A balancer that asks for losses only costs its own node, the two lists of scalars it reads and
 * the T scalars of its answer: the backward pass is that of a fixed sum of losses. */
static void losses_only_cost_no_backward_work(void **state)
{
    (void)state;
    for (int k = 0; k < NETWORKS; k++) {
        bench b;
        network plain;
        poise_value *x[32], *seed[TASKS];
        poise_gradient dx[32];
        int n = 0;

        setup(&b, networks[k].build, 0, POISE_SCOPE_LAST, 0);
        networks[k].build(&plain);
        assert_int_equal(poise_store_seal(plain.store, 3, &plain.err), 0);
        for (int v = 0; v < poise_graph_values(plain.graph); v++)
            if (poise_graph_value(plain.graph, v)->role == POISE_PARAM)
                x[n++] = poise_graph_value(plain.graph, v);
        for (int t = 0; t < TASKS; t++)
            seed[t] = poise_input(plain.graph, t ? "seed/1" : "seed/0", POISE_F32, 1,
                                  (int64_t[]){1}, &plain.err);
        assert_int_equal(poise_backward(plain.graph, TASKS, plain.loss, seed, n, x, dx, &plain.err),
                         0);
        for (int p = 0; p < n; p++) {
            poise_graph_output(plain.graph, dx[p].value, &plain.err);
            if (dx[p].rows)
                poise_graph_output(plain.graph, dx[p].rows, &plain.err);
        }
        for (int t = 0; t < TASKS; t++)
            poise_graph_output(plain.graph, plain.loss[t], &plain.err);
        poise_rewrite_common(plain.graph, &plain.err);
        poise_rewrite_dead(plain.graph, &plain.err);
        poise_session *s = poise_session_new(plain.graph, NULL, &plain.err);
        assert_string_equal(plain.err.message, "");
        assert_int_equal(poise_session_steps(b.session), poise_session_steps(s) + 2 + 1 + TASKS);
        assert_int_equal(products(b.session), products(s));
        assert_true(products(s) > 0);
        poise_session_free(s);
        net_end(&plain);
        teardown(&b);
    }
}

static void build_apart(network *n)
{
    net_begin(n);
    for (int t = 0; t < TASKS; t++)
        net_task(n, t, n->numeric);
}

static void asking_for_norms_without_anything_shared_is_an_error(void **state)
{
    network n;
    answer a = {.signals = POISE_SIGNAL_NORM};
    poise_balance_call c = {call, &a, TASKS};
    poise_signal_plan plan = {.signals = POISE_SIGNAL_NORM, .balance = &c};
    poise_step_graph step;

    (void)state;
    build_apart(&n);
    assert_int_equal(poise_step_build(n.graph, TASKS, n.loss, n.labelled, &plan, &step, &n.err),
                     -1);
    assert_non_null(strstr(n.err.message, "no parameter is shared by two tasks"));
    net_end(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_shared_layer_is_found),
        cmocka_unit_test(signals_and_gradients_are_those_of_separate_passes),
        cmocka_unit_test(groups_have_their_own_gram_matrices_and_weights),
        cmocka_unit_test(the_halves_of_the_batch_have_a_gram_matrix_between_them),
        cmocka_unit_test(for_a_balancer_by_element_every_task_gradient_is_an_output),
        cmocka_unit_test(the_representation_is_what_tasks_read_from_the_shared_layers),
        cmocka_unit_test(losses_only_cost_no_backward_work),
        cmocka_unit_test(asking_for_norms_without_anything_shared_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
