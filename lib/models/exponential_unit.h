/* Units whose conditional law is an exponential family, and lists of them: what the visible layer of a harmonium is made
 * of. Internal.
 *
 *   p(x | eta) = nu(x) exp(eta . x - A(eta)),   A(eta) = log of the sum or integral of nu(x) exp(eta . x)
 *
 *   kind                    x                        log nu(x)             A(eta)
 *   binary                  0 or 1                   0                     log(1 + e^eta)
 *   poisson                 0, 1, 2, ...             -log x!               e^eta
 *   categorical(q)          one-hot, q coordinates   0                     log sum_k e^eta_k
 *   truncated-exponential   [0, 1]                   0                     log((e^eta - 1) / eta)
 *   gaussian                the real line            -x^2 / (2 sigma^2)    sigma^2 eta^2 / 2 + log(2 pi sigma^2) / 2
 *
 * A state is a row of real numbers: the units in the order of the list, one coordinate each, categories q. At inverse
 * temperature beta the law is proportional to (nu(x) exp(eta . x))^beta, with A_beta(eta) the log of its normaliser; counts
 * then are Conway-Maxwell-Poisson, which is summed. */
#ifndef EBM_EXPONENTIAL_UNIT_H
#define EBM_EXPONENTIAL_UNIT_H

#include "ebm/random.h"
#include "ebm/status.h"

#include <stdbool.h>
#include <stddef.h>

/* Where a unit's random numbers are: the uniforms index and index + 1 of ebm_random_uniform1. */
typedef struct ebm_unit_draw {
    ebm_stream stream;
    uint32_t chain;
    uint64_t step;
    uint32_t index;
} ebm_unit_draw;

/* A unit's law given its natural parameters. `variance` is sigma^2 of a Gaussian unit, ignored by others. */
typedef struct ebm_unit_law {
    size_t width;      /* coordinates */
    const double *eta; /* (width) */
    double beta;       /* > 0 */
    double variance;
} ebm_unit_law;

typedef struct ebm_unit_kind {
    const char *name;
    bool sized;      /* written with a number in parentheses: its coordinates */
    bool continuous; /* a density, whose distribution function has no steps */
    bool dispersed;  /* has a variance of its own */
    /* log nu(x) at beta = 1; -INFINITY where x (width) is no state of the unit. */
    double (*log_measure)(size_t width, double variance, const ebm_real *x);
    double (*log_normaliser)(const ebm_unit_law *law);                      /* A_beta(eta) */
    void (*moments)(const ebm_unit_law *law, double *mean, double *square); /* E[x], E[x^2] (width) */
    /* One draw, from the numbers at `at`. NaN where a count would not be exact in a float (rates over 2^24). */
    void (*draw)(const ebm_unit_law *law, const ebm_unit_draw *at, ebm_real *x);
    double (*cdf)(const ebm_unit_law *law, double t); /* P(x <= t); NULL unless continuous */
    /* eta (width) at beta = 1 with E[x] = mean, up to what the law does not see. `mean` is inside the range of means. */
    void (*natural)(size_t width, const double *mean, double variance, double *eta);
    double prior_mean; /* what a unit without data is taken to be, in each coordinate; categories: 1 / width */
} ebm_unit_kind;

/* Kinds in the order above; NULL past the end. */
const ebm_unit_kind *ebm_unit_kind_at(size_t i);

typedef struct ebm_unit {
    const ebm_unit_kind *kind;
    size_t at, width; /* its coordinates: at ... at + width - 1 */
    size_t variance;  /* which of the list's variances it has; of no meaning unless kind->dispersed */
} ebm_unit;

typedef struct ebm_unit_list {
    size_t count, size, variances; /* units, coordinates, variances */
    ebm_unit *units;
} ebm_unit_list;

/* From "2 poisson + categorical(3) + gaussian": terms joined by +, each a kind with how many of it before (nothing: one).
 * EBM_INVALID says which term, with the nearest name. The caller frees with ebm_unit_list_free. */
EBM_NODISCARD ebm_status ebm_unit_list_parse(const char *text, ebm_unit_list *out, ebm_error *error);
void ebm_unit_list_free(ebm_unit_list *list);

#endif
