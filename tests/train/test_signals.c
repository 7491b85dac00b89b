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
    int calls, ninput;
    unsigned signals;
    double loss[TASKS], norm[TASKS], gram[TASKS * TASKS];
    float weight[TASKS];
} answer;

static int call(void *self, int nin, void *const *in, float *weight, const poise_run *r,
                poise_error *err)
{
    answer *a = self;
    int at = 2;

    (void)r, (void)err;
    a->calls++;
    a->ninput = nin;
    for (int t = 0; t < TASKS; t++) {
        a->loss[t] = (double)((float *)in[0])[t];
        weight[t] = a->weight[t];
    }
    if (a->signals & POISE_SIGNAL_NORM)
        memcpy(a->norm, in[at++], sizeof a->norm);
    if (a->signals & POISE_SIGNAL_GRAM)
        memcpy(a->gram, in[at++], sizeof a->gram);
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
    double *grad[TASKS][32]; /* by parameter: d loss_t, full size */
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

static void setup(bench *b, void (*build)(network *), unsigned signals, poise_scope scope,
                  int shared_only)
{
    memset(b, 0, sizeof *b);
    build(&b->net);
    assert_string_equal(b->net.err.message, "");
    assert_int_equal(poise_store_seal(b->net.store, 3, &b->net.err), 0);
    double_pass_init(&b->reference, b->net.graph);
    b->answer.signals = signals;
    b->answer.weight[0] = 0.7F;
    b->answer.weight[1] = 1.6F;
    b->call = (poise_balance_call){call, &b->answer, TASKS};
    poise_signal_plan plan = {
        .signals = signals, .scope = scope, .shared_only = shared_only, .balance = &b->call};
    int status = poise_step_build(b->net.graph, TASKS, b->net.loss, b->net.labelled, &plan,
                                  &b->step, &b->net.err);
    assert_string_equal(b->net.err.message, "");
    assert_int_equal(status, 0);
    assert_true(poise_rewrite_common(b->net.graph, &b->net.err) >= 0);
    assert_true(poise_rewrite_dead(b->net.graph, &b->net.err) >= 0);
    b->session = poise_session_new(b->net.graph, NULL, &b->net.err);
    assert_string_equal(b->net.err.message, "");
    set_inputs(b);
    status = poise_session_run(b->session, &(poise_run){.threads = 1}, &b->net.err);
    assert_string_equal(b->net.err.message, "");
    assert_int_equal(status, 0);
    assert_int_equal(b->answer.calls, 1);
    assert_true(double_pass_forward(&b->reference));
    for (int t = 0; t < TASKS; t++) {
        double_pass_reverse(&b->reference, b->net.loss[t]);
        for (int k = 0; k < b->reference.values; k++) {
            const poise_value *v = poise_graph_value(b->net.graph, k);
            if (v->role != POISE_PARAM)
                continue;
            size_t bytes = dp_count(v) * sizeof(double);
            b->grad[t][v->param] = malloc(bytes);
            memcpy(b->grad[t][v->param], b->reference.grad[k], bytes);
        }
    }
}

static void teardown(bench *b)
{
    for (int t = 0; t < TASKS; t++)
        for (int k = 0; k < 32; k++)
            free(b->grad[t][k]);
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

/* <g_i, g_j> over the parameters in scope, from the reference. */
static double reference_dot(const bench *b, int i, int j)
{
    double sum = 0;
    for (int k = 0; k < b->step.nscope; k++) {
        int p = b->step.scope[k];
        for (int64_t c = 0; c < poise_store_at(b->net.store, p)->count; c++)
            sum += b->grad[i][p][c] * b->grad[j][p][c];
    }
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

/* The gradient of parameter k of the step as a full array: rows put back into their table. */
static void full_gradient(const bench *b, int k, double *to)
{
    const poise_parameter *p = poise_store_at(b->net.store, b->step.param[k]);
    poise_gradient g = b->step.gradient[k];
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

static void check_gradients(const bench *b, int shared_only)
{
    assert_int_equal(b->step.nparam, poise_store_count(b->net.store));
    for (int k = 0; k < b->step.nparam; k++) {
        int p = b->step.param[k];
        const poise_parameter *of = poise_store_at(b->net.store, p);
        double *got = malloc((size_t)of->count * sizeof *got), most = 0;
        int owned = strncmp(of->name, "tower", 5) == 0 || strncmp(of->name, "logit", 5) == 0 ||
                    strncmp(of->name, "gate", 4) == 0 || strncmp(of->name, "mix", 3) == 0 ||
                    strncmp(of->name, "own2", 4) == 0 || strncmp(of->name, "level1", 6) == 0;
        full_gradient(b, k, got);
        for (int64_t c = 0; c < of->count; c++)
            most = fmax(most, fabs(b->grad[0][p][c]) + fabs(b->grad[1][p][c]));
        for (int64_t c = 0; c < of->count; c++) {
            double want = 0;
            for (int t = 0; t < TASKS; t++)
                want +=
                    (shared_only && owned ? 1.0 : (double)b->answer.weight[t]) * b->grad[t][p][c];
            check_near(of->name, got[c], want, fmax(most, 1e-3));
        }
        free(got);
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
        cmocka_unit_test(losses_only_cost_no_backward_work),
        cmocka_unit_test(asking_for_norms_without_anything_shared_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
