/* p values of many seeds, judged together (see goodness.h). */
#include "estimators/goodness.h"

#include "ebm/diagnostics.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

ebm_status ebm_goodness_emit(const char *name, const double *p, size_t count, ebm_sink *sink, ebm_work *work,
                             ebm_error *error) {
    char metric[64];
    double smallest = 1;
    ebm_kolmogorov all;
    EBM_TRY(ebm_kolmogorov_test(p, count, &all, work, error));
    for (size_t k = 0; k < count; k++)
        smallest = fmin(smallest, p[k]);
    snprintf(metric, sizeof metric, "%s_p", name);
    EBM_TRY(sink->emit(sink, metric, fmin(smallest * (double)count, 1), 1 / sqrt(12), error));
    snprintf(metric, sizeof metric, "%s_uniform_p", name);
    return sink->emit(sink, metric, all.p_value, 1 / sqrt(12), error);
}

static int by_value(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

ebm_status ebm_goodness_curve(const char *metric, double *p, size_t count, ebm_sink *sink, ebm_error *error) {
    const double all = (double)count + 1;
    qsort(p, count, sizeof *p, by_value);
    for (size_t k = 1; k <= count; k++) {
        const double mean = (double)k / all;
        sink->at(sink, k);
        EBM_TRY(sink->emit(sink, metric, p[k - 1], sqrt(mean * (1 - mean) / (all + 1)), error));
    }
    return EBM_OK;
}
