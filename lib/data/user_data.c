/* A user's own files: checks of options and values, and the random split of one file into two halves. */
#include "data/user_data.h"

#include "core/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BINARY, SPIN, REAL };

const char *const ebm_user_domain_names[] = {"binary", "spin", "real", NULL};

ebm_status ebm_user_options_check(const ebm_user_options *options, ebm_error *error) {
    if (!options->train)
        return ebm_fail(error, EBM_INVALID, "option 'train' is missing: expected the file of the training examples");
    if (options->test && options->split > 0)
        return ebm_fail(error, EBM_INVALID, "options 'test' and 'split' exclude each other: a test file is given");
    if (options->binarise != EBM_BINARISE_NONE && options->domain != BINARY)
        return ebm_fail(error, EBM_INVALID, "option 'binarise' is '%s' but 'domain' is '%s': expected binary",
                        ebm_binarise_names[options->binarise], ebm_user_domain_names[options->domain]);
    return EBM_OK;
}

const char *ebm_user_value_expected(const ebm_user_options *options, double value) {
    if (options->domain == REAL)
        return isfinite((ebm_real)value) ? NULL : "a finite number";
    if (options->domain == SPIN)
        return value == 1 || value == -1 ? NULL : "-1 or 1 (domain: spin)";
    if (options->binarise != EBM_BINARISE_NONE)
        return value >= 0 && value <= 1 ? NULL : "an intensity from 0 to 1";
    return value == 0 || value == 1 ? NULL : "0 or 1 (domain: binary), or binarise: stochastic or threshold";
}

ebm_status ebm_user_values_check(const ebm_user_options *options, const char *name, size_t size,
                                 const ebm_examples *half, ebm_error *error) {
    bool intensities = half->bytes && (options->domain == REAL || options->binarise != EBM_BINARISE_NONE);
    for (size_t i = 0; !intensities && i < half->count * size; i++) {
        double value = half->bytes ? half->bytes[i] : (double)half->reals[i];
        const char *expected = ebm_user_value_expected(options, value);
        if (!expected)
            continue;
        char text[40];
        ebm_number_text(value, text, sizeof text);
        return ebm_fail(error, EBM_FORMAT, "%s: example %zu, value %zu (both from 0) is %s: expected %s", name,
                        i / size, i % size, text, expected);
    }
    return EBM_OK;
}

static void shape_text(unsigned rank, const size_t *shape, char *buffer, size_t size) {
    size_t used = 0;
    buffer[0] = '\0';
    for (unsigned d = 0; d < rank && used < size; d++)
        used += (size_t)snprintf(buffer + used, size - used, d ? " x %zu" : "%zu", shape[d]);
}

ebm_status ebm_user_space(const ebm_user_options *options, unsigned rank, const size_t *shape, unsigned test_rank,
                          const size_t *test_shape, ebm_dataset *out, ebm_error *error) {
    if (test_rank > 0 && (test_rank != rank || memcmp(shape, test_shape, rank * sizeof *shape) != 0)) {
        char trained[100], tested[100];
        shape_text(rank, shape, trained, sizeof trained);
        shape_text(test_rank, test_shape, tested, sizeof tested);
        return ebm_fail(error, EBM_FORMAT, "%s: examples of %s: expected %s as in %s", options->test, tested, trained,
                        options->train);
    }
    static const ebm_domain domains[] = {EBM_BINARY, EBM_SPIN, EBM_REAL_LINE};
    out->space = ebm_space_line(domains[options->domain], 1);
    out->space.rank = rank;
    for (unsigned d = 0; d < rank; d++) {
        out->space.shape[d] = shape[d];
        out->space.size *= shape[d];
    }
    return EBM_OK;
}

/* A half of `count` examples like `like`, to be filled. */
static ebm_status half_like(const ebm_examples *like, size_t count, size_t size, ebm_examples *out, ebm_error *error) {
    if (like->bytes)
        out->bytes = malloc(count * size);
    else
        out->reals = malloc(count * size * sizeof *out->reals);
    out->labels = like->labels ? malloc(count * sizeof *out->labels) : NULL;
    if ((!out->bytes && !out->reals) || (like->labels && !out->labels))
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for a test half of %zu examples", count);
    return EBM_OK;
}

/* Append example i of `from`, which may be the same half where i is not behind the end of `to`. */
static void append(const ebm_examples *from, size_t i, size_t size, ebm_examples *to) {
    if (from->bytes)
        memmove(to->bytes + to->count * size, from->bytes + i * size, size);
    else
        memmove(to->reals + to->count * size, from->reals + i * size, size * sizeof *to->reals);
    if (from->labels)
        to->labels[to->count] = from->labels[i];
    to->count++;
}

static ebm_status split(double share, uint32_t seed, size_t size, ebm_examples *train, ebm_examples *test,
                        ebm_error *error) {
    size_t count = train->count, held_out = (size_t)(share * (double)count + 0.5);
    if (held_out == 0 || held_out >= count)
        return ebm_fail(error, EBM_INVALID, "option 'split': %zu examples cannot be split that way", count);
    uint32_t *order = malloc(count * sizeof *order);
    bool *is_test = calloc(count, sizeof *is_test);
    ebm_status status = order && is_test ? half_like(train, held_out, size, test, error)
                                         : ebm_fail(error, EBM_NO_MEMORY, "no memory to split %zu examples", count);
    if (status == EBM_OK) {
        ebm_random_permutation(ebm_stream_of(seed, EBM_PURPOSE_TEST_DATA), 0, count, order);
        for (size_t i = 0; i < held_out; i++)
            is_test[order[i]] = true;
        train->count = 0;
        for (size_t i = 0; i < count; i++)
            append(train, i, size, is_test[i] ? test : train);
    }
    free(order);
    free(is_test);
    return status;
}

ebm_status ebm_user_finish(const ebm_user_options *options, uint32_t case_seed, ebm_dataset *out, ebm_error *error) {
    out->binarise = (ebm_binarise)options->binarise;
    if (out->train.count > UINT32_MAX)
        return ebm_fail(error, EBM_INVALID, "%s: more than 2^32 - 1 examples", options->train);
    if (options->split == 0)
        return EBM_OK;
    return split(options->split, ebm_data_seed(options->data_seed, case_seed), out->space.size, &out->train, &out->test,
                 error);
}
