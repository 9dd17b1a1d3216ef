/* Gibbs with gradients: one unit a proposal, chosen with its new value by what the gradient predicts (Grathwohl,
 * Swersky, Hashemi, Duvenaud & Maddison 2021, "Oops I took a gradient", algorithms 1 and 2).
 *
 *   q(i, c | x) = g(exp d_i(c)) / sum_(j, c' != x_j) g(exp d_j(c')),   c != x_i,   d_i(c) as in discrete_proposals.h
 *
 * with a balancing function g(t) = t g(1/t) (Zanella 2020): sqrt, g(t) = sqrt(t), which is the paper's softmax of d / 2,
 * or Barker's, g(t) = t / (1 + t), under which changes that raise p by much all weigh the same. Where d is exact and g is
 * balanced, q(x' | x) p(x) sum_x = q(x | x') p(x') sum_x', so that only the change of the sum can reject. Exact and
 * reversible; a step is `proposals` proposals.
 *
 * Weights are computed relative to the largest: w = g(exp d) / exp(m / 2) with m = max d for sqrt, and for Barker
 * e / (1 + e exp(m)), e = exp(d - m), where m < 0, which keeps digits that sigmoid(d) would lose. e^z for z <= 0 is
 * s / (1 - s), s = sigmoid(z), which the row kernels have. */
#include "components.h"
#include "samplers/discrete_proposals.h"

#include "core/row_kernels.h"
#include "ebm/special.h"

#include <math.h>

typedef struct gwg_options {
    int64_t proposals;
    int balance;
} gwg_options;

enum { BALANCE_SQRT, BALANCE_BARKER };
static const char *const balance_names[] = {"sqrt", "barker", NULL};

#define AT(member) offsetof(gwg_options, member)
static const ebm_option gwg_table[] = {
    {"proposals", EBM_OPTION_INT, AT(proposals), "1", 1, 1e9, NULL, 0,
     "proposals that make one step; each changes one unit of each chain"},
    {"balance", EBM_OPTION_CHOICE, AT(balance), "sqrt", 0, 0, balance_names, 0,
     "balancing function g of the predicted ratio t: sqrt(t), or Barker's t / (1 + t)"},
    EBM_OPTIONS_END,
};

static ebm_status gwg_create(ebm_sampler *sampler, const ebm_model *model, ebm_error *error) {
    (void)sampler;
    if (model->space.domain == EBM_CATEGORICAL && model->space.categories < 2)
        return ebm_fail(error, EBM_UNSUPPORTED, "sampler gibbs-with-gradients needs units of at least two categories");
    return EBM_OK;
}

/* log g(exp d) */
static double log_balance(int balance, double d) {
    return balance == BALANCE_SQRT ? d / 2 : -ebm_log1pexp(-d);
}

/* The largest of n >= 1 numbers, of which none is NaN; a vector of running maxima. */
static ebm_real largest(size_t n, const ebm_real *x) {
    enum { PARTS = 8 };
    ebm_real part[PARTS], most = x[0];
    for (int k = 0; k < PARTS; k++)
        part[k] = x[0];
    size_t j = 0;
    for (; j + PARTS <= n; j += PARTS)
        for (int k = 0; k < PARTS; k++)
            part[k] = x[j + k] > part[k] ? x[j + k] : part[k];
    for (; j < n; j++)
        most = x[j] > most ? x[j] : most;
    for (int k = 0; k < PARTS; k++)
        most = part[k] > most ? part[k] : most;
    return most;
}

enum { BLOCK = 64 /* weights whose sum the search for a drawn one steps over at once */ };

static double block_sum(size_t n, const ebm_real *w) {
    enum { PARTS = 4 };
    double part[PARTS] = {0}, sum = 0;
    size_t j = 0;
    for (; j + PARTS <= n; j += PARTS)
        for (int k = 0; k < PARTS; k++)
            part[k] += (double)w[j + k];
    for (; j < n; j++)
        sum += (double)w[j];
    return sum + ((part[0] + part[1]) + (part[2] + part[3]));
}

static double weights_sum(size_t n, const ebm_real *w) {
    double sum = 0;
    for (size_t j = 0; j < n; j += BLOCK)
        sum += block_sum(n - j < BLOCK ? n - j : BLOCK, w + j);
    return sum;
}

/* The k with w_0 + ... + w_(k-1) <= level < w_0 + ... + w_k, in the order of weights_sum; the last of positive weight
 * where rounding leaves none. */
static size_t weights_search(size_t n, const ebm_real *w, double level) {
    size_t first = 0, last = 0;
    for (; first < n; first += BLOCK) {
        const double sum = block_sum(n - first < BLOCK ? n - first : BLOCK, w + first);
        if (level < sum)
            break;
        level -= sum;
    }
    for (size_t j = first < n ? first : 0; j < n; j++) {
        if (w[j] > 0)
            last = j;
        if (first < n && w[j] > 0 && level < (double)w[j])
            return j;
        level -= (double)w[j];
    }
    return last;
}

/* weight = g(exp d) / exp(shift); returns the shift. */
static double balanced_weights(int balance, size_t C, const ebm_real *d, ebm_real *weight) {
    const ebm_row_kernels *kernels = ebm_row_kernels_get();
    const ebm_real most = largest(C, d);
    if (balance == BALANCE_BARKER && most >= 0) {
        kernels->sigmoid(C, d, 1, NULL, weight);
        return 0;
    }
    for (size_t k = 0; k < C; k++)
        weight[k] = d[k] - most;
    kernels->sigmoid(C, weight, balance == BALANCE_SQRT ? (ebm_real)0.5 : 1, NULL, weight);
    for (size_t k = 0; k < C; k++)
        weight[k] /= 1 - weight[k];
    if (balance == BALANCE_SQRT)
        return (double)most / 2;
    const ebm_real top = (ebm_real)exp((double)most);
    for (size_t k = 0; k < C; k++)
        weight[k] /= 1 + weight[k] * top;
    return (double)most;
}

/* The category that a unit has is no change. For the largest it must not count either: it takes the next one's place. */
static void hide_own(const ebm_space *space, const ebm_real *x, ebm_real *d) {
    for (size_t i = 0; i < space->size; i++) {
        const size_t q = space->categories, own = (size_t)x[i];
        d[i * q + own] = d[i * q + (own + 1 < q ? own + 1 : 0)];
    }
}

static double gwg_prepare(const ebm_proposal_law *law, const ebm_proposal_row *row) {
    const ebm_space *space = law->space;
    const gwg_options *o = law->options;
    const size_t C = ebm_discrete_changes_count(space), q = space->categories;
    const bool categorical = space->domain == EBM_CATEGORICAL;
    ebm_discrete_changes(space, row->x, 1, 0, row->logit);
    if (categorical)
        hide_own(space, row->x, row->logit);
    const double shift = balanced_weights(o->balance, C, row->logit, row->weight);
    for (size_t i = 0; categorical && i < space->size; i++)
        row->weight[i * q + (size_t)row->x[i]] = 0;
    return shift + log(weights_sum(C, row->weight));
}

static double gwg_draw(const ebm_proposal_law *law, const ebm_proposal_row *row, ebm_stream stream, uint32_t chain,
                       uint64_t step, uint32_t *unit, ebm_real *to) {
    const gwg_options *o = law->options;
    const size_t C = ebm_discrete_changes_count(law->space), per_unit = C / law->space->size;
    const double level = ebm_random_uniform1(stream, chain, step, 0) * weights_sum(C, row->weight);
    const size_t k = weights_search(C, row->weight, level), i = k / per_unit;
    *unit = (uint32_t)i;
    switch (law->space->domain) {
    case EBM_BINARY:
        to[i] = 1 - row->x[i];
        break;
    case EBM_SPIN:
        to[i] = -row->x[i];
        break;
    default:
        to[i] = (ebm_real)(k % per_unit);
    }
    return log_balance(o->balance, (double)row->logit[k]);
}

static double gwg_back(const ebm_proposal_law *law, const ebm_proposal_row *from, const ebm_proposal_row *to,
                       uint32_t unit) {
    const gwg_options *o = law->options;
    const size_t q = law->space->categories;
    const size_t k = law->space->domain == EBM_CATEGORICAL ? unit * q + (size_t)from->x[unit] : unit;
    return log_balance(o->balance, (double)to->logit[k]);
}

static ebm_status gwg_step(ebm_sampler *sampler, const ebm_model *model, ebm_path path, ebm_chains *chains,
                           size_t sweeps, ebm_work *work, ebm_error *error) {
    const gwg_options *o = sampler->options;
    const ebm_proposal_law law = {&model->space, o, true, gwg_prepare, gwg_draw, gwg_back};
    return ebm_discrete_walk(&law, true, model, path, chains, sweeps * (size_t)o->proposals, work, error);
}

/* log q(. | s) over all states, a row of T; d (units, categories) at s. */
static void proposal_row(const ebm_state_table *t, int balance, size_t s, const double *d, double *scratch,
                         double *row) {
    const size_t V = t->units, q = t->categories;
    size_t n = 0;
    for (size_t i = 0; i < V; i++)
        for (size_t c = 0; c < q; c++)
            if (c != ebm_state_digit(t, s, i))
                scratch[n++] = log_balance(balance, d[i * q + c]);
    const double total = ebm_log_sum_exp(scratch, n);
    for (size_t j = 0; j < t->states; j++)
        row[j] = -INFINITY;
    n = 0;
    for (size_t i = 0; i < V; i++)
        for (size_t c = 0; c < q; c++)
            if (c != ebm_state_digit(t, s, i))
                row[ebm_state_with(t, s, i, c)] = scratch[n++] - total;
}

static ebm_status gwg_kernel(const ebm_sampler *sampler, const ebm_model *model, ebm_path path, size_t S, double *T,
                             ebm_work *work, ebm_error *error) {
    const gwg_options *o = sampler->options;
    const size_t mark = ebm_work_mark(work);
    ebm_state_table table;
    double *d = NULL;
    ebm_status status = ebm_state_table_create(model, path, S, &table, work, error);
    if (status == EBM_OK)
        status = ebm_discrete_change_table(&table, path, &d, work, error);
    double *scratch = status == EBM_OK ? ebm_work_take(work, table.units * table.categories, sizeof *scratch) : NULL;
    if (status == EBM_OK && !scratch)
        status = ebm_fail(error, EBM_NO_MEMORY, "no memory for a kernel of %zu states", S);
    if (status == EBM_OK) {
        const size_t changes = table.units * table.categories;
        for (size_t s = 0; s < S; s++)
            proposal_row(&table, o->balance, s, d + s * changes, scratch, T + s * S);
        ebm_discrete_kernel(&table, true, T);
        if (!ebm_kernel_power(S, (size_t)o->proposals, T, work))
            status = ebm_fail(error, EBM_NO_MEMORY, "no memory for powers of a kernel of %zu states", S);
    }
    ebm_work_release(work, mark);
    return status;
}

const ebm_sampler_type ebm_gibbs_with_gradients = {
    .info = {"gibbs-with-gradients",
             "one unit a proposal, chosen with its new value by the gradient; Metropolis-Hastings",
             "Grathwohl, Swersky, Hashemi, Duvenaud & Maddison 2021; balancing functions: Zanella 2020", gwg_table,
             sizeof(gwg_options)},
    .needs = EBM_SLOT_GRAD_X,
    .domains = 1u << EBM_BINARY | 1u << EBM_SPIN | 1u << EBM_CATEGORICAL,
    .exact = true,
    .reversible = true,
    .create = gwg_create,
    .step = gwg_step,
    .kernel = gwg_kernel,
};
