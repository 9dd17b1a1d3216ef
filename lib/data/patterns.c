/* Random patterns: independent units, unit j on with probability mean_j; the plainest memories for an associative net,
 * and data whose best log-likelihood is known: minus the sum of the units' entropies. */
#include "data/datasets.h"

#include <math.h>
#include <stdlib.h>

typedef struct patterns_options {
    int64_t count, test, size, rows, data_seed;
    ebm_reals mean;
    double load;
    int domain;
} patterns_options;

static const char *const domain_names[] = {"binary", "spin", NULL};

static const ebm_option options_table[] = {
    {"count", EBM_OPTION_INT, EBM_OFFSET(patterns_options, count), "100", 1, 1e8, NULL, 0, "training patterns"},
    {"load", EBM_OPTION_REAL, EBM_OFFSET(patterns_options, load), "0", 0, 1e6, NULL, 0,
     "instead of count: training patterns for each unit, rounded to a whole number of patterns, at least 1"},
    {"test", EBM_OPTION_INT, EBM_OFFSET(patterns_options, test), "0", 0, 1e8, NULL, 0, "test patterns"},
    {"size", EBM_OPTION_INT, EBM_OFFSET(patterns_options, size), "100", 1, 1e7, NULL, 0, "units of a pattern"},
    {"rows", EBM_OPTION_INT, EBM_OFFSET(patterns_options, rows), "0", 0, 1e7, NULL, 0,
     "rows of a picture, of size / rows columns; 0: the units are a line"},
    {"mean", EBM_OPTION_REALS, EBM_OFFSET(patterns_options, mean), "0.5", 0, 1, NULL, 0,
     "probability that a unit is on: one for all units, or a list of one for each"},
    {"domain", EBM_OPTION_CHOICE, EBM_OFFSET(patterns_options, domain), "binary", 0, 0, domain_names, 0,
     "binary: 0 and 1; spin: -1 and +1"},
    EBM_DATA_SEED_OPTION(patterns_options),
    EBM_OPTIONS_END,
};

static ebm_status fill(const patterns_options *chosen, ebm_stream stream, size_t count, bool spins, ebm_examples *out,
                       ebm_error *error) {
    size_t size = (size_t)chosen->size, cells, bytes;
    if (count == 0)
        return EBM_OK;
    if (__builtin_mul_overflow(count, size, &cells) ||
        __builtin_mul_overflow(cells, spins ? sizeof *out->reals : 1, &bytes) || bytes > EBM_DATA_LIMIT)
        return ebm_fail(error, EBM_INVALID, "random-patterns: %zu patterns of %zu units are more than memory is given",
                        count, size);
    uint32_t *words = malloc(size * sizeof *words);
    out->reals = spins ? malloc(bytes) : NULL;
    out->bytes = spins ? NULL : malloc(bytes);
    if (!words || (!out->reals && !out->bytes)) {
        free(words);
        return ebm_fail(error, EBM_NO_MEMORY, "random-patterns: no memory for %zu bytes", bytes);
    }
    out->count = count;
    for (size_t i = 0; i < count; i++) {
        ebm_random_words(stream, (uint32_t)i, 0, size, words);
        for (size_t j = 0; j < size; j++) {
            double mean = chosen->mean.values[chosen->mean.count == 1 ? 0 : j];
            bool on = ((double)words[j] + 0.5) * 0x1p-32 < mean;
            if (spins)
                out->reals[i * size + j] = on ? 1 : -1;
            else
                out->bytes[i * size + j] = on;
        }
    }
    free(words);
    return EBM_OK;
}

static ebm_status load(const void *options, uint32_t seed, ebm_dataset *out, ebm_error *error) {
    const patterns_options *chosen = options;
    bool spins = chosen->domain == 1;
    uint32_t data_seed = ebm_data_seed(chosen->data_seed, seed);
    if (chosen->mean.count != 1 && chosen->mean.count != (size_t)chosen->size)
        return ebm_fail(error, EBM_INVALID, "random-patterns: 'mean' has %zu numbers: expected 1, or %lld for 'size'",
                        chosen->mean.count, (long long)chosen->size);
    if (chosen->rows > 0 && chosen->size % chosen->rows != 0)
        return ebm_fail(error, EBM_INVALID, "random-patterns: %lld units do not fill %lld rows",
                        (long long)chosen->size, (long long)chosen->rows);
    const double loaded = fmax(1, nearbyint(chosen->load * (double)chosen->size)); /* far below 2^53 */
    const size_t count = chosen->load > 0 ? (size_t)loaded : (size_t)chosen->count;
    const ebm_domain domain = spins ? EBM_SPIN : EBM_BINARY;
    out->space = chosen->rows > 0
                     ? ebm_space_picture(domain, (size_t)chosen->rows, (size_t)(chosen->size / chosen->rows))
                     : ebm_space_line(domain, (size_t)chosen->size);
    EBM_TRY(fill(chosen, ebm_stream_of(data_seed, EBM_PURPOSE_DATA), count, spins, &out->train, error));
    return fill(chosen, ebm_stream_of(data_seed, EBM_PURPOSE_TEST_DATA), (size_t)chosen->test, spins, &out->test,
                error);
}

const ebm_dataset_type ebm_random_patterns = {
    .info = {.name = "random-patterns",
             .about = "independent units with given means",
             .citation = "J. Hopfield, PNAS 79 (1982) 2554-2558",
             .options = options_table,
             .options_size = sizeof(patterns_options)},
    .load = load,
};
