/* The runner `estimate`: trains nothing; measures a model as it is initialised or loaded, on the space
 * of the data or, without data, on its own; without a model, by estimators that look at none (`ebm show estimator NAME`
 * says which). Row step: 0, but for curves (an estimator says what their steps count). */
#include "measure.h"
#include "runners.h"

typedef struct estimate_options {
    int64_t pictures, picture_sweeps;
} estimate_options;

#define AT(member) offsetof(estimate_options, member)
static const ebm_option estimate_table[] = {
    {"pictures", EBM_OPTION_INT, AT(pictures), "0", 0, 10000, NULL, 0,
     "tiles in the sheets filters.csv and samples.csv; 0 = no pictures"},
    {"picture_sweeps", EBM_OPTION_INT, AT(picture_sweeps), "1000", 1, 1e9, NULL, 0,
     "sampler sweeps from noise behind each sample shown"},
    EBM_OPTIONS_END,
};

static ebm_status estimate_run(const ebm_case *c, ebm_output *output, int threads, ebm_error *error) {
    const estimate_options *o = c->run;
    ebm_subject s;
    if (!c->model.component && (c->n_measures == 0 || o->pictures > 0))
        return ebm_fail(error, EBM_INVALID, "%s: the grid has no model",
                        o->pictures > 0 ? "no pictures to show" : "nothing to measure");
    EBM_TRY(ebm_subject_create(c, threads, &s, error));
    output->step = 0;
    ebm_status status = ebm_measure(c, &s, 0, c->n_measures, output, error);
    if (status == EBM_OK)
        status = ebm_pictures(c, &s, (size_t)o->pictures, 0, (size_t)o->picture_sweeps, output, error);
    ebm_subject_free(&s);
    return status;
}

static const ebm_metric estimate_metrics[] = {{NULL, NULL, false, NULL}};

const ebm_runner_type ebm_estimate_runner = {
    .info = {"estimate",
             "measure a model as it is: loaded from someone else's weights, or as initialised; or what needs no model",
             "", estimate_table, sizeof(estimate_options)},
    .optional_kinds = 1u << EBM_KIND_MODEL | 1u << EBM_KIND_DATASET | 1u << EBM_KIND_SAMPLER | 1u << EBM_KIND_ESTIMATOR,
    .metrics = estimate_metrics,
    .run = estimate_run,
};
