/* Sums and quadrature over the states of one exponential-family unit, written from the definition: what units and
 * harmoniums are compared with. */
#ifndef TESTS_EXPONENTIAL_NODES_H
#define TESTS_EXPONENTIAL_NODES_H

#include "rbm_fixture.h"
#include "statistics.h"

#include "models/exponential_unit.h"

/* The states of one unit with log nu and the weight that a sum or an integral gives them. Counts end where their terms are
 * below 1e-30 of the largest; Simpson's rule on [0, 1]; trapezoids, which are spectrally exact for Gaussians. */
enum { MOST_NODES = 20001, MOST_WIDTH = 4 };

typedef struct nodes {
    size_t count, width;
    double x[MOST_NODES][MOST_WIDTH], log_nu[MOST_NODES], weight[MOST_NODES];
} nodes;

static inline const ebm_unit_kind *kind_named(const char *name) {
    size_t i = 0;
    while (ebm_unit_kind_at(i) && strcmp(ebm_unit_kind_at(i)->name, name) != 0)
        i++;
    ck_assert_ptr_nonnull(ebm_unit_kind_at(i));
    return ebm_unit_kind_at(i);
}

static inline nodes *nodes_of(const char *kind, size_t width, double variance, size_t counts, size_t side) {
    nodes *n = calloc(1, sizeof *n);
    ck_assert_ptr_nonnull(n);
    n->width = width;
    const bool gaussian = !strcmp(kind, "gaussian"), interval = !strcmp(kind, "truncated-exponential");
    n->count = !strcmp(kind, "binary") ? 2 : !strcmp(kind, "poisson") ? counts : gaussian || interval ? side : width;
    const double reach = 40 * sqrt(variance), h = (gaussian ? 2 * reach : 1) / (double)(side - 1);
    double log_factorial = 0;
    for (size_t k = 0; k < n->count; k++) {
        n->weight[k] = 1;
        n->x[k][0] = (double)k;
        if (!strcmp(kind, "poisson")) {
            log_factorial += k > 0 ? log((double)k) : 0;
            n->log_nu[k] = -log_factorial;
        } else if (!strcmp(kind, "categorical")) {
            for (size_t c = 0; c < width; c++)
                n->x[k][c] = c == k;
        } else if (gaussian) {
            n->x[k][0] = -reach + h * (double)k;
            n->log_nu[k] = -n->x[k][0] * n->x[k][0] / (2 * variance);
            n->weight[k] = h;
        } else if (interval) {
            n->x[k][0] = h * (double)k;
            n->weight[k] = h / 3 * (k == 0 || k + 1 == side ? 1 : k % 2 ? 4 : 2);
        }
    }
    return n;
}

static inline double dot(const nodes *n, size_t k, const double *eta) {
    double sum = 0;
    for (size_t c = 0; c < n->width; c++)
        sum += n->x[k][c] * eta[c];
    return sum;
}

/* log of sum_k weight_k e^(beta (log nu_k + eta . x_k)); mean and mean square (width) where not NULL. */
static inline double summed(const nodes *n, const double *eta, double beta, double *mean, double *square) {
    double most = -INFINITY, total = 0;
    for (size_t k = 0; k < n->count; k++)
        most = fmax(most, beta * (n->log_nu[k] + dot(n, k, eta)));
    for (size_t c = 0; mean && c < n->width; c++)
        mean[c] = square[c] = 0;
    for (size_t k = 0; k < n->count; k++) {
        const double p = n->weight[k] * exp(beta * (n->log_nu[k] + dot(n, k, eta)) - most);
        total += p;
        for (size_t c = 0; mean && c < n->width; c++) {
            mean[c] += p * n->x[k][c];
            square[c] += p * n->x[k][c] * n->x[k][c];
        }
    }
    for (size_t c = 0; mean && c < n->width; c++) {
        mean[c] /= total;
        square[c] /= total;
    }
    return most + log(total);
}

/* |got - want| in units of bound (1 + |want|) */
static inline double apart(double got, double want, double bound) {
    return fabs(got - want) / (bound * (1 + fabs(want)));
}

static inline int ascending(const void *left, const void *right) {
    const double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* sqrt(N) D of sorted probabilities over its bound */
static inline double kolmogorov(double *p, size_t count) {
    double worst = 0;
    qsort(p, count, sizeof *p, ascending);
    for (size_t k = 0; k < count; k++)
        worst = fmax(worst, fmax(p[k] - (double)k / (double)count, ((double)k + 1) / (double)count - p[k]));
    return worst * sqrt((double)count) / 2.9;
}

#endif
