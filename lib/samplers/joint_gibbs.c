/* Gibbs sampling of visible and hidden units together: each unit of (x, h) in turn drawn from its conditional given all
 * others, hidden ones included (Ackley, Hinton & Sejnowski 1985; Neal 1992). What sampler gibbs does with the hidden units
 * summed over is done here by the network itself, one unit at a time, at a cost that does not grow with 2^H.
 *
 * Where the chains keep their hidden units, the walk is one on (x, h): h is drawn given x only when the batch has none yet.
 * Otherwise each step begins with h ~ p(h | x), so that it is a Markov chain on x,
 *   T(x -> x') = sum_(h, h') p(h | x) (P_1 ... P_(V + H))^sweeps((x, h) -> (x', h')). */
#include "components.h"

#include "ebm/enumerate.h"

#include <math.h>
#include <string.h>

typedef struct joint_gibbs_options {
    int64_t sweeps;
} joint_gibbs_options;

static const ebm_option joint_gibbs_table[] = {
    {"sweeps", EBM_OPTION_INT, offsetof(joint_gibbs_options, sweeps), "1", 1, 1e6, NULL, 0,
     "sweeps that make one step"},
    EBM_OPTIONS_END,
};

static ebm_status joint_gibbs_step(ebm_sampler *sampler, const ebm_model *model, ebm_path path, ebm_chains *chains,
                                   size_t steps, ebm_work *work, ebm_error *error) {
    const joint_gibbs_options *o = sampler->options;
    ebm_batch *batch = &chains->batch;
    for (size_t s = 0; s < steps; s++) {
        if (!batch->hidden_ok) {
            ebm_model_field(model, batch, work);
            model->type->sample_hidden(model, path, batch, chains->stream, chains->first_chain, chains->step++, work);
        }
        const ebm_sweeps sweeps = {.rule = EBM_HEAT_BATH,
                                   .scan = EBM_SCAN_SYSTEMATIC,
                                   .count = (size_t)o->sweeps,
                                   .stream = chains->stream,
                                   .first_chain = chains->first_chain,
                                   .step = chains->step};
        EBM_TRY(model->type->joint_sweep(model, path, batch, NULL, &sweeps, work, error));
        batch->hidden_ok = chains->keep_hidden;
        chains->step += sweeps.count;
        chains->site_updates += (uint64_t)sweeps.count * batch->count * (model->space.size + model->n_hidden);
    }
    return EBM_OK;
}

enum { MOST_JOINT_STATES = 1 << 12 };

/* law (S M) after unit `bit` of the code x + S h has been drawn given the rest. */
static void update_unit(const double *log_joint, size_t states, size_t bit, double *law) {
    for (size_t s = 0; s < states; s++) {
        if (s & bit)
            continue;
        const double both = law[s] + law[s | bit], up = 1 / (1 + exp(log_joint[s] - log_joint[s | bit]));
        law[s] = both * (1 - up);
        law[s | bit] = both * up;
    }
}

/* log_joint (S M) = -E_beta(x, h) at code x + S h. */
static ebm_status joint_table(const ebm_model *model, ebm_path path, size_t S, size_t M, double *log_joint,
                              double *of_state, ebm_work *work, ebm_error *error) {
    ebm_batch batch;
    ebm_status status = EBM_OK;
    EBM_TRY(ebm_batch_create(model, M, &batch, error));
    for (size_t x = 0; x < S && status == EBM_OK; x++) {
        status = ebm_model_joint_energies(model, path, x, &batch, of_state, work, error);
        for (size_t m = 0; m < M; m++)
            log_joint[x + S * m] = -of_state[m];
    }
    ebm_batch_free(&batch);
    return status;
}

static ebm_status joint_gibbs_kernel(const ebm_sampler *sampler, const ebm_model *model, ebm_path path, size_t S,
                                     double *T, ebm_work *work, ebm_error *error) {
    const joint_gibbs_options *o = sampler->options;
    const size_t V = model->space.size, H = model->n_hidden, N = V + H, mark = ebm_work_mark(work);
    if (!model->type->joint_energy || N > 12 || S != (size_t)1 << V)
        return ebm_fail(
            error, EBM_UNSUPPORTED,
            "the kernel of joint-gibbs needs joint_energy, and is enumerated up to %d states of all units, not "
            "those of %zu and %zu",
            MOST_JOINT_STATES, V, H);
    const size_t M = (size_t)1 << H, states = S * M;
    double *log_joint = ebm_work_take(work, states, sizeof *log_joint), *law = ebm_work_take(work, states, sizeof *law);
    double *of_state = ebm_work_take(work, M, sizeof *of_state);
    ebm_status status = log_joint && law && of_state
                            ? joint_table(model, path, S, M, log_joint, of_state, work, error)
                            : ebm_fail(error, EBM_NO_MEMORY, "no memory for a kernel of %zu states", states);
    for (size_t x = 0; x < S && status == EBM_OK; x++) {
        double largest = -INFINITY, total = 0;
        for (size_t m = 0; m < M; m++)
            largest = fmax(largest, log_joint[x + S * m]);
        for (size_t m = 0; m < M; m++)
            total += exp(log_joint[x + S * m] - largest);
        memset(law, 0, states * sizeof *law);
        for (size_t m = 0; m < M; m++)
            law[x + S * m] = exp(log_joint[x + S * m] - largest) / total;
        for (size_t k = 0; k < (size_t)o->sweeps * N; k++)
            update_unit(log_joint, states, (size_t)1 << k % N, law);
        for (size_t to = 0; to < S; to++) {
            T[x * S + to] = 0;
            for (size_t m = 0; m < M; m++)
                T[x * S + to] += law[to + S * m];
        }
    }
    ebm_work_release(work, mark);
    return status;
}

const ebm_sampler_type ebm_joint_gibbs = {
    .info = {"joint-gibbs", "one unit after another, visible and hidden, drawn given all others",
             "Ackley, Hinton & Sejnowski 1985; Neal 1992", joint_gibbs_table, sizeof(joint_gibbs_options)},
    .needs = EBM_SLOT_JOINT_SWEEP,
    .domains = 1u << EBM_BINARY | 1u << EBM_SPIN,
    .exact = true,
    .reversible = false,
    .step = joint_gibbs_step,
    .kernel = joint_gibbs_kernel,
};
