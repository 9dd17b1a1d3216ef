/* Goodness of fit at many seeds, for the estimators that test random draws. Internal.
 *
 * Each of S seeds gives one p value of one test. They are judged together, twice:
 *   adjusted   min(1, S times the smallest): Bonferroni's bound on the chance that any of S true hypotheses looks as bad;
 *   uniform    the Kolmogorov-Smirnov p value of the S p values, which are uniform where the law is right. This also sees
 *              many p values that are each a little too small, or too good. */
#ifndef EBM_GOODNESS_H
#define EBM_GOODNESS_H

#include "ebm/sink.h"
#include "ebm/work.h"

#include <stddef.h>

/* Emits NAME_p and NAME_uniform_p of p (count). Their standard errors are a uniform number's, 1 / sqrt(12). */
EBM_NODISCARD ebm_status ebm_goodness_emit(const char *name, const double *p, size_t count, ebm_sink *sink,
                                           ebm_work *work, ebm_error *error);
/* Emits `metric` at steps 1 ... count: the p values in ascending order, number k beside k / (count + 1), which it has on
 * average where the law is right; se is its standard deviation there, that of a beta law. Sorts p. */
EBM_NODISCARD ebm_status ebm_goodness_curve(const char *metric, double *p, size_t count, ebm_sink *sink,
                                            ebm_error *error);

/* The options that these estimators share. */
typedef struct ebm_goodness_size {
    int64_t draws, seeds;
} ebm_goodness_size;

#define EBM_GOODNESS_OPTIONS(type, member, text)                                                                       \
    {"draws", EBM_OPTION_INT, EBM_OFFSET(type, member.draws), text, 100, 1e7, NULL, 0, "draws of each seed"}, {        \
        "seeds", EBM_OPTION_INT, EBM_OFFSET(type, member.seeds), "100", 2, 10000, NULL, 0,                             \
            "seeds tested: the case's own and those that follow it"                                                    \
    }

#define EBM_GOODNESS_METRICS(name, test)                                                                               \
    {name "_p", "", true, test ": smallest p value over the seeds times their number, at most 1 (Bonferroni)"}, {      \
        name "_uniform_p", "", true, test ": p value that the p values of all seeds are uniform"                       \
    }

#endif
