/* Discrete Langevin dynamics: all units at once, each by itself (Zhang, Liu & Liu 2022, "A Langevin-like sampler for
 * discrete distributions", equations 4 and 6).
 *
 *   q(x' | x) = prod_i q_i(x'_i | x),   q_i(c | x) proportional to exp(d_i(c) / 2 - |c - x_i|^2 / (2 alpha)),
 *
 * d_i(c) as in discrete_proposals.h, alpha the step, and |c - x_i|^2 the squared distance of a change: 1 for binary units,
 * 4 for spins, 2 for categories (between one-hot vectors). So spins need four times the step of the same machine in 0/1
 * units. As alpha grows all units move; as it falls, one at a time, and seldom.
 *
 * With Metropolis-Hastings (adjust: DMALA) exact and reversible. Without (DULA) each proposal is taken, and the chain's
 * law is not p; for pairwise couplings it comes near p as alpha falls.
 *
 * Two-valued units: a flip has log odds z_i = d_i / 2 - |.|^2 / (2 alpha), so log q(x' | x) = sum over flips of z_i -
 * sum_i log(1 + exp z_i). Categories: log-sum-exp in each unit. */
#include "components.h"
#include "samplers/discrete_proposals.h"

#include "core/row_kernels.h"
#include "ebm/special.h"

#include <math.h>

typedef struct dmala_options {
    double step;
    bool adjust;
    int64_t proposals;
} dmala_options;

#define AT(member) offsetof(dmala_options, member)
static const ebm_option dmala_table[] = {
    {"step", EBM_OPTION_REAL, AT(step), "0.2", 1e-6, 1e6, NULL, 0,
     "alpha: a unit moves freely where alpha is large against half the squared distance of its values (binary 1, spin "
     "4, categorical 2); acceptance near 0.57 is good"},
    {"adjust", EBM_OPTION_BOOL, AT(adjust), "true", 0, 0, NULL, 0,
     "accept or reject by Metropolis-Hastings; false takes every proposal and is biased (DULA)"},
    {"proposals", EBM_OPTION_INT, AT(proposals), "1", 1, 1e9, NULL, 0, "proposals that make one step"},
    EBM_OPTIONS_END,
};

static ebm_status dmala_create(ebm_sampler *sampler, const ebm_model *model, ebm_error *error) {
    const dmala_options *o = sampler->options;
    (void)model;
    (void)error;
    sampler->exact = sampler->reversible = o->adjust;
    return EBM_OK;
}

static double penalty(const ebm_space *space, double step) {
    const double squared = space->domain == EBM_BINARY ? 1 : space->domain == EBM_SPIN ? 4 : 2;
    return squared / (2 * step);
}

/* sum_i log S_i of numbers in [1, q], q < 2^24: a logarithm for each product of 32, which is below 2^768. */
static double log_of_product(size_t i, double sum, double *product) {
    if (i % 32 == 31) {
        sum += log(*product);
        *product = 1;
    }
    return sum;
}

/* logit = z_i(c) - max_c z_i(c), weight = exp(logit); returns sum_i log sum_c exp(logit). e^z = s / (1 - s) with
 * s = sigmoid(z), for z <= 0. */
static double prepare_categories(const ebm_space *space, const ebm_proposal_row *row) {
    const size_t V = space->size, q = space->categories;
    for (size_t i = 0; i < V; i++) {
        ebm_real *z = row->logit + i * q, most = 0;
        for (size_t c = 0; c < q; c++)
            most = z[c] > most ? z[c] : most;
        for (size_t c = 0; c < q; c++)
            z[c] -= most;
    }
    ebm_row_kernels_get()->sigmoid(V * q, row->logit, 1, NULL, row->weight);
    for (size_t k = 0; k < V * q; k++)
        row->weight[k] /= 1 - row->weight[k];
    double sum = 0, product = 1;
    for (size_t i = 0; i < V; i++) {
        ebm_real total = 0;
        for (size_t c = 0; c < q; c++)
            total += row->weight[i * q + c];
        product *= (double)total;
        sum = log_of_product(i, sum, &product);
    }
    return sum + log(product);
}

static double dmala_prepare(const ebm_proposal_law *law, const ebm_proposal_row *row) {
    const ebm_space *space = law->space;
    const dmala_options *o = law->options;
    ebm_discrete_changes(space, row->x, 0.5, penalty(space, o->step), row->logit);
    if (space->domain == EBM_CATEGORICAL)
        return prepare_categories(space, row);
    return ebm_row_kernels_get()->softplus(space->size, row->logit, 1);
}

static double draw_categories(const ebm_space *space, const ebm_proposal_row *row, ebm_stream stream, uint32_t chain,
                              uint64_t step, ebm_real *to) {
    const size_t V = space->size, q = space->categories;
    double sum = 0;
    ebm_random_uniform(stream, chain, step, V, to);
    for (size_t i = 0; i < V; i++) {
        const ebm_real *w = row->weight + i * q;
        double total = 0, cumulative = 0;
        size_t c = 0;
        for (size_t k = 0; k < q; k++)
            total += (double)w[k];
        const double level = (double)to[i] * total;
        for (size_t k = 0; k + 1 < q; k++) { /* counted, not searched: no branch to mispredict */
            cumulative += (double)w[k];
            c += level >= cumulative;
        }
        to[i] = (ebm_real)c;
        sum += (double)row->logit[i * q + c];
    }
    return sum;
}

/* For two-valued units `weight` holds which of them flip. */
static double dmala_draw(const ebm_proposal_law *law, const ebm_proposal_row *row, ebm_stream stream, uint32_t chain,
                         uint64_t step, uint32_t *unit, ebm_real *to) {
    const ebm_space *space = law->space;
    const ebm_row_kernels *kernels = ebm_row_kernels_get();
    const size_t V = space->size;
    const ebm_real *x = row->x;
    ebm_real *flips = row->weight;
    *unit = 0;
    if (space->domain == EBM_CATEGORICAL)
        return draw_categories(space, row, stream, chain, step, to);
    kernels->bernoulli(V, row->logit, 1, NULL, stream, chain, step, NULL, flips);
    if (space->domain == EBM_BINARY)
        for (size_t i = 0; i < V; i++)
            to[i] = x[i] + flips[i] * (1 - 2 * x[i]);
    else
        for (size_t i = 0; i < V; i++)
            to[i] = x[i] * (1 - 2 * flips[i]);
    return kernels->dot(V, flips, row->logit);
}

static double dmala_back(const ebm_proposal_law *law, const ebm_proposal_row *from, const ebm_proposal_row *to,
                         uint32_t unit) {
    const size_t V = law->space->size, q = law->space->categories;
    (void)unit;
    if (law->space->domain != EBM_CATEGORICAL)
        return ebm_row_kernels_get()->dot(V, from->weight, to->logit);
    double sum = 0;
    for (size_t i = 0; i < V; i++)
        sum += (double)to->logit[i * q + (size_t)from->x[i]];
    return sum;
}

static ebm_status dmala_step(ebm_sampler *sampler, const ebm_model *model, ebm_path path, ebm_chains *chains,
                             size_t sweeps, ebm_work *work, ebm_error *error) {
    const dmala_options *o = sampler->options;
    const ebm_proposal_law law = {&model->space, o, false, dmala_prepare, dmala_draw, dmala_back};
    return ebm_discrete_walk(&law, o->adjust, model, path, chains, sweeps * (size_t)o->proposals, work, error);
}

/* log q(. | s) over all states, a row of T: the product over units, whose laws are added digit by digit, the lowest
 * first. d (units, categories) at s. */
static void proposal_row(const ebm_state_table *t, double less, size_t s, const double *d, double *scratch,
                         double *row) {
    const size_t q = t->categories;
    size_t filled = 1;
    row[0] = 0;
    for (size_t i = 0; i < t->units; i++, filled *= q) {
        for (size_t c = 0; c < q; c++)
            scratch[c] = d[i * q + c] / 2 - (c == ebm_state_digit(t, s, i) ? 0 : less);
        const double total = ebm_log_sum_exp(scratch, q);
        for (size_t c = q; c-- > 0;)
            for (size_t k = 0; k < filled; k++)
                row[c * filled + k] = row[k] + (scratch[c] - total);
    }
}

static ebm_status dmala_kernel(const ebm_sampler *sampler, const ebm_model *model, ebm_path path, size_t S, double *T,
                               ebm_work *work, ebm_error *error) {
    const dmala_options *o = sampler->options;
    const size_t mark = ebm_work_mark(work);
    ebm_state_table table;
    double *d = NULL;
    ebm_status status = ebm_state_table_create(model, path, S, &table, work, error);
    if (status == EBM_OK)
        status = ebm_discrete_change_table(&table, path, &d, work, error);
    double *scratch = status == EBM_OK ? ebm_work_take(work, table.categories, sizeof *scratch) : NULL;
    if (status == EBM_OK && !scratch)
        status = ebm_fail(error, EBM_NO_MEMORY, "no memory for a kernel of %zu states", S);
    if (status == EBM_OK) {
        const size_t changes = table.units * table.categories;
        for (size_t s = 0; s < S; s++)
            proposal_row(&table, penalty(&model->space, o->step), s, d + s * changes, scratch, T + s * S);
        ebm_discrete_kernel(&table, o->adjust, T);
        if (!ebm_kernel_power(S, (size_t)o->proposals, T, work))
            status = ebm_fail(error, EBM_NO_MEMORY, "no memory for powers of a kernel of %zu states", S);
    }
    ebm_work_release(work, mark);
    return status;
}

const ebm_sampler_type ebm_dmala = {
    .info = {"dmala", "discrete Langevin: all units at once by the gradient, with or without Metropolis-Hastings",
             "Zhang, Liu & Liu 2022", dmala_table, sizeof(dmala_options)},
    .needs = EBM_SLOT_GRAD_X,
    .domains = 1u << EBM_BINARY | 1u << EBM_SPIN | 1u << EBM_CATEGORICAL,
    .exact = true,
    .reversible = true,
    .create = dmala_create,
    .step = dmala_step,
    .kernel = dmala_kernel,
};
