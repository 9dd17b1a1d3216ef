/* Independent draws of a random machine of spins whose couplings are known: data for the inverse problem.
 *
 *   p(x) ~ exp(sum_(i<j) J_ij x_i x_j + sum_i h_i x_i),   J_ij ~ N(0, c^2 / N) / T,   h_i ~ N(0, f^2) / T
 * with coupling c, field f and temperature T: for c = 1 the model of Sherrington & Kirkpatrick (1975), whose spin glass
 * begins below T = 1. One machine_seed is one machine, the same at every temperature. All 2^N states are summed, so the
 * draws are independent and exact; data of different sizes share no draw. */
#include "data/datasets.h"
#include "models/enumerate_pairs.h"

#include "ebm/enumerate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_UNITS = 20, SUPPORT_UNITS = 12 };

typedef struct draws_options {
    int64_t units, count, test, machine_seed, data_seed;
    double temperature, coupling, field;
} draws_options;

#define AT(member) EBM_OFFSET(draws_options, member)
static const ebm_option options_table[] = {
    {"units", EBM_OPTION_INT, AT(units), "16", 1, MOST_UNITS, NULL, 0,
     "spins; of at most 12 the distribution itself is kept as well"},
    {"count", EBM_OPTION_INT, AT(count), "1000", 1, 1e7, NULL, 0, "training examples"},
    {"test", EBM_OPTION_INT, AT(test), "0", 0, 1e7, NULL, 0, "test examples"},
    {"temperature", EBM_OPTION_REAL, AT(temperature), "1", 1e-3, 1e3, NULL, 0,
     "T: couplings and fields are divided by it"},
    {"coupling", EBM_OPTION_REAL, AT(coupling), "1", 0, 1e3, NULL, 0,
     "standard deviation of the couplings times the root of `units`, at T = 1"},
    {"field", EBM_OPTION_REAL, AT(field), "0.3", 0, 1e3, NULL, 0, "standard deviation of the fields, at T = 1"},
    {"machine_seed", EBM_OPTION_INT, AT(machine_seed), "1", 0, 4294967295.0, NULL, 0,
     "seed of the machine; 0: that of the data"},
    EBM_DATA_SEED_OPTION(draws_options),
    EBM_OPTIONS_END,
};

/* Row i of the couplings, right of the diagonal, draws at chain i; the fields at chain N. */
static void fill_machine(const draws_options *o, uint32_t seed, double *J, double *h) {
    const size_t N = (size_t)o->units;
    const ebm_stream stream = ebm_stream_of(seed, EBM_PURPOSE_TARGET);
    for (size_t i = 0; i < N; i++) {
        h[i] = o->field * ebm_random_normal1(stream, (uint32_t)N, 0, 2 * (uint32_t)i) / o->temperature;
        for (size_t j = i + 1; j < N; j++)
            J[i * N + j] = J[j * N + i] = o->coupling * ebm_random_normal1(stream, (uint32_t)i, 0, 2 * (uint32_t)j) /
                                          sqrt((double)N) / o->temperature;
    }
}

static ebm_status fill_half(const ebm_pair_sum *sum, double log_z, ebm_stream stream, size_t count, ebm_examples *out,
                            ebm_work *work, ebm_error *error) {
    const size_t N = sum->units;
    if (count == 0)
        return EBM_OK;
    if (count > EBM_DATA_LIMIT / (N * sizeof *out->reals))
        return ebm_fail(error, EBM_INVALID, "machine-draws: %zu draws of %zu units are more than memory is given",
                        count, N);
    uint32_t *states = malloc(count * sizeof *states);
    out->reals = malloc(count * N * sizeof *out->reals);
    out->count = count;
    ebm_status status = states && out->reals
                            ? ebm_pair_draws(sum, log_z, stream, 0, count, count, states, work, error)
                            : ebm_fail(error, EBM_NO_MEMORY, "machine-draws: no memory for %zu draws", count);
    for (size_t b = 0; b < count && status == EBM_OK; b++)
        for (size_t i = 0; i < N; i++)
            out->reals[b * N + i] = states[b] >> i & 1u ? 1 : -1;
    free(states);
    return status;
}

/* All states with their log probabilities. */
static ebm_status fill_support(const ebm_pair_sum *sum, double log_z, ebm_dataset *out, ebm_error *error) {
    const size_t N = sum->units, S = (size_t)1 << N;
    out->support = malloc(S * N * sizeof *out->support);
    out->support_log_probability = malloc(S * sizeof *out->support_log_probability);
    if (!out->support || !out->support_log_probability)
        return ebm_fail(error, EBM_NO_MEMORY, "machine-draws: no memory for %zu states", S);
    out->support_count = S;
    ebm_states_fill(&out->space, 0, S, out->support);
    for (size_t s = 0; s < S; s++) {
        const ebm_real *x = out->support + s * N;
        double total = -log_z;
        for (size_t i = 0; i < N; i++) {
            total += sum->bias[i] * (double)x[i];
            for (size_t j = i + 1; j < N; j++)
                total += sum->coupling[i * N + j] * (double)x[i] * (double)x[j];
        }
        out->support_log_probability[s] = total;
    }
    return EBM_OK;
}

static ebm_status fill(const draws_options *o, uint32_t seed, ebm_dataset *out, ebm_work *work, ebm_error *error) {
    const ebm_pair_sum sum = {(size_t)o->units, true, out->true_fields, out->true_couplings};
    double log_z;
    EBM_TRY(ebm_pair_log_sum(&sum, &log_z, work, error));
    EBM_TRY(fill_half(&sum, log_z, ebm_stream_of(seed, EBM_PURPOSE_DATA), (size_t)o->count, &out->train, work, error));
    EBM_TRY(
        fill_half(&sum, log_z, ebm_stream_of(seed, EBM_PURPOSE_TEST_DATA), (size_t)o->test, &out->test, work, error));
    return o->units <= SUPPORT_UNITS ? fill_support(&sum, log_z, out, error) : EBM_OK;
}

static ebm_status load(const void *options, uint32_t seed, ebm_dataset *out, ebm_error *error) {
    const draws_options *o = options;
    const size_t N = (size_t)o->units;
    const uint32_t data_seed = ebm_data_seed(o->data_seed, seed);
    ebm_work *work;
    out->space = ebm_space_line(EBM_SPIN, N);
    out->true_couplings = calloc(N * N, sizeof *out->true_couplings);
    out->true_fields = calloc(N, sizeof *out->true_fields);
    if (!out->true_couplings || !out->true_fields)
        return ebm_fail(error, EBM_NO_MEMORY, "machine-draws: no memory for %zu couplings", N * N);
    fill_machine(o, ebm_data_seed(o->machine_seed, data_seed), out->true_couplings, out->true_fields);
    EBM_TRY(ebm_work_create(1, &work, error));
    const ebm_status status = fill(o, data_seed, out, work, error);
    ebm_work_free(work);
    return status;
}

const ebm_dataset_type ebm_machine_draws = {
    .info = {.name = "machine-draws",
             .about = "independent draws of a random machine of spins whose couplings are known",
             .citation = "D. Sherrington, S. Kirkpatrick, Phys. Rev. Lett. 35 (1975) 1792-1796",
             .options = options_table,
             .options_size = sizeof(draws_options)},
    .load = load,
};
