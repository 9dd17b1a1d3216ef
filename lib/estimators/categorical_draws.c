/* Categories drawn by inverting the distribution function and by an alias table, tested by chi^2 at many seeds.
 *
 * The law is p_k ~ (k + 1)^-exponent, k = 0 ... K - 1, an exponent of 0 the uniform one. A draw by bisection reads
 * ceil(log2 K) entries of the distribution function, one by the alias table a column and, with the probability that it is
 * exchanged, its alias (Walker 1977). */
#include "estimators/estimators.h"
#include "estimators/goodness.h"

#include "ebm/diagnostics.h"
#include "ebm/draws.h"

#include <math.h>
#include <string.h>

typedef struct categorical_options {
    int method;
    int64_t categories;
    double exponent;
    ebm_goodness_size size;
} categorical_options;

static const char *const method_names[] = {"inverse", "alias", NULL}; /* as ebm_categorical_method */

static const ebm_option categorical_table[] = {
    {"method", EBM_OPTION_CHOICE, EBM_OFFSET(categorical_options, method), "alias", 0, 0, method_names, 0,
     "the distribution function inverted by bisection, or an alias table"},
    {"categories", EBM_OPTION_INT, EBM_OFFSET(categorical_options, categories), "100", 2, 1e6, NULL, 0, "K"},
    {"exponent", EBM_OPTION_REAL, EBM_OFFSET(categorical_options, exponent), "1", 0, 20, NULL, 0,
     "category k has the weight (k + 1)^-exponent"},
    EBM_GOODNESS_OPTIONS(categorical_options, size, "100000"),
    EBM_OPTIONS_END,
};

static const ebm_metric categorical_metrics[] = {
    {"reads", "", false, "table entries that a draw reads, on average"},
    EBM_GOODNESS_METRICS("chi_square", "chi^2 of the categories, those that expect fewer than 5 draws pooled"),
    {"p_value", "", true, "chi^2 p values, ascending; step: their rank"},
    EBM_METRICS_END,
};

static double mean_reads(const ebm_categorical *law, int method) {
    double kept = 0, bisections = 0;
    for (size_t k = 0; k < law->count; k++)
        kept += law->keep[k] / (double)law->count;
    for (size_t left = law->count; left > 1; left -= left / 2)
        bisections++;
    return method == EBM_CATEGORICAL_INVERSE ? bisections : 2 - kept;
}

static ebm_status try_seeds(const categorical_options *o, const ebm_estimate_inputs *in, const ebm_categorical *law,
                            const double *p, double *counts, uint32_t *x, double *chi_p, ebm_error *error) {
    const size_t draws = (size_t)o->size.draws;
    for (size_t seed = 0; seed < (size_t)o->size.seeds; seed++) {
        ebm_chi_square chi;
        memset(counts, 0, law->count * sizeof *counts);
        ebm_random_categorical(law, (ebm_categorical_method)o->method,
                               ebm_stream_of(in->seed + (uint32_t)seed, EBM_PURPOSE_ESTIMATE), 0, ebm_estimate_step(in),
                               draws, x);
        for (size_t i = 0; i < draws; i++)
            counts[x[i]]++;
        EBM_TRY(ebm_chi_square_test(counts, p, law->count, 5, &chi, error));
        if (isnan(chi.p_value))
            return ebm_fail(error, EBM_INVALID,
                            "%zu draws leave one cell to test: give more draws or a smaller exponent", draws);
        chi_p[seed] = chi.p_value;
    }
    return EBM_OK;
}

static ebm_status test_law(const categorical_options *o, const ebm_estimate_inputs *in, double *p, double *counts,
                           uint32_t *x, double *chi_p, ebm_sink *sink, ebm_error *error) {
    const size_t K = (size_t)o->categories, seeds = (size_t)o->size.seeds;
    double total = 0;
    ebm_categorical law;
    for (size_t k = 0; k < K; k++)
        total += p[k] = pow((double)(k + 1), -o->exponent);
    for (size_t k = 0; k < K; k++)
        p[k] /= total;
    EBM_TRY(ebm_categorical_create(p, K, &law, error));
    ebm_status status = try_seeds(o, in, &law, p, counts, x, chi_p, error);
    if (status == EBM_OK)
        status = sink->emit(sink, "reads", mean_reads(&law, o->method), NAN, error);
    ebm_categorical_free(&law);
    if (status == EBM_OK)
        status = ebm_goodness_emit("chi_square", chi_p, seeds, sink, in->work, error);
    if (status == EBM_OK)
        status = ebm_goodness_curve("p_value", chi_p, seeds, sink, error);
    return status;
}

static ebm_status categorical_estimate(const void *options, const ebm_estimate_inputs *inputs, ebm_sink *sink,
                                       ebm_error *error) {
    const categorical_options *o = options;
    ebm_work *work = inputs->work;
    const size_t mark = ebm_work_mark(work), K = (size_t)o->categories;
    double *p = ebm_work_take(work, K, sizeof *p), *counts = ebm_work_take(work, K, sizeof *counts);
    double *chi_p = ebm_work_take(work, (size_t)o->size.seeds, sizeof *chi_p);
    uint32_t *x = ebm_work_take(work, (size_t)o->size.draws, sizeof *x);
    ebm_status status = p && counts && chi_p && x ? test_law(o, inputs, p, counts, x, chi_p, sink, error)
                                                  : ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu categories", K);
    ebm_work_release(work, mark);
    return status;
}

const ebm_estimator_type ebm_categorical_draws = {
    .info = {"categorical-draws", "categories by inverse distribution function and by alias table, at many seeds",
             "Walker 1977; Vose 1991; Pearson 1900", categorical_table, sizeof(categorical_options)},
    .without_model = true,
    .metrics = categorical_metrics,
    .estimate = categorical_estimate,
};
