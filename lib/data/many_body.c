/* Independent draws of a random law of bits with couplings of one, two and three bodies, which are known:
 *
 *   log p(x) = sum_i h_i s_i + sum_(i<j) J_ij s_i s_j + sum_(i<j<k) J_ijk s_i s_j s_k - log Z,   s = 2 x - 1
 *
 * each normal with mean 0 and the standard deviation of its order, and all else exactly 0. All 2^N states are summed, so
 * draws are exact; the law of the data set tells the couplings, J_A = 2^-N sum_x log p(x) prod_(i in A) s_i. */
#include "data/datasets.h"

#include "ebm/special.h"

#include <stdlib.h>

enum { MOST_UNITS = 14 };

typedef struct body_options {
    int64_t units, count, test, machine_seed, data_seed;
    double field, pair, triple;
} body_options;

#define AT(member) EBM_OFFSET(body_options, member)
static const ebm_option options_table[] = {
    {"units", EBM_OPTION_INT, AT(units), "8", 1, MOST_UNITS, NULL, 0, "N: bits"},
    {"count", EBM_OPTION_INT, AT(count), "10000", 1, 1e8, NULL, 0, "training examples"},
    {"test", EBM_OPTION_INT, AT(test), "0", 0, 1e8, NULL, 0, "test examples"},
    {"field", EBM_OPTION_REAL, AT(field), "0.2", 0, 100, NULL, 0, "standard deviation of the fields h"},
    {"pair", EBM_OPTION_REAL, AT(pair), "0.2", 0, 100, NULL, 0, "standard deviation of couplings of two bodies"},
    {"triple", EBM_OPTION_REAL, AT(triple), "0.1", 0, 100, NULL, 0, "standard deviation of couplings of three bodies"},
    {"machine_seed", EBM_OPTION_INT, AT(machine_seed), "0", 0, 4294967295.0, NULL, 0,
     "seed of the couplings; 0: that of the data"},
    EBM_DATA_SEED_OPTION(body_options),
    EBM_OPTIONS_END,
};

/* The coupling of the bodies in `set` (bit i: unit i) draws at chain `set`. */
static double coupling(const body_options *o, ebm_stream stream, uint32_t set) {
    const int order = __builtin_popcount(set);
    const double deviation = order == 1 ? o->field : order == 2 ? o->pair : order == 3 ? o->triple : 0;
    return deviation > 0 ? deviation * ebm_random_normal1(stream, set, 0, 0) : 0;
}

/* log_p[x] += J s_A(x): s_A = -1 where an odd number of the bodies are off. */
static void add(double *log_p, size_t states, uint32_t set, double J) {
    for (size_t x = 0; J != 0 && x < states; x++)
        log_p[x] += __builtin_parity(set & ~(uint32_t)x) ? -J : J;
}

static ebm_status load(const void *options, uint32_t seed, ebm_dataset *out, ebm_error *error) {
    const body_options *o = options;
    const size_t N = (size_t)o->units, S = (size_t)1 << N;
    const uint32_t data_seed = ebm_data_seed(o->data_seed, seed);
    const ebm_stream stream = ebm_stream_of(ebm_data_seed(o->machine_seed, data_seed), EBM_PURPOSE_TARGET);
    double *log_p = calloc(S, sizeof *log_p);
    if (!log_p)
        return ebm_fail(error, EBM_NO_MEMORY, "many-body: no memory for %zu states", S);
    out->space = ebm_space_line(EBM_BINARY, N);
    for (uint32_t set = 1; set < S; set++)
        add(log_p, S, set, coupling(o, stream, set));
    const double log_z = ebm_log_sum_exp(log_p, S);
    for (size_t x = 0; x < S; x++)
        log_p[x] -= log_z;
    const ebm_status status = ebm_data_draws(log_p, (size_t)o->count, (size_t)o->test, data_seed, out, error);
    free(log_p);
    return status;
}

const ebm_dataset_type ebm_many_body = {
    .info = {.name = "many-body",
             .about = "independent draws of a random law of bits with couplings of two and three bodies; the "
                      "distribution is known",
             .citation = "T. Sejnowski, AIP Conference Proceedings 151 (1986) 398-403: higher-order Boltzmann machines",
             .options = options_table,
             .options_size = sizeof(body_options)},
    .load = load,
};
