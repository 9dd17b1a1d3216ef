/* The runner `learn`: trains a model on data and measures it on the way.
 *
 * Row steps count updates. A log point measures the suite's `measure` list; the case's `estimator` axis, which is for
 * what costs long, is measured once at the end. */
#include "runners.h"
#include "training.h"

typedef struct learn_options {
    ebm_training training;
    int64_t pictures, picture_block, picture_sweeps, chain_pictures, imputed, density;
    ebm_reals chain_steps;
    double density_reach;
    bool save, label_units;
} learn_options;

#define AT(member) offsetof(learn_options, member)
static const ebm_option learn_table[] = {
    EBM_TRAINING_OPTIONS(learn_options, training),
    {"pictures", EBM_OPTION_INT, AT(pictures), "0", 0, 10000, NULL, 0,
     "tiles in the sheets filters.csv and samples.csv; 0 = no pictures"},
    {"picture_sweeps", EBM_OPTION_INT, AT(picture_sweeps), "1000", 1, 1e9, NULL, 0,
     "sampler sweeps from noise behind each sample shown"},
    {"picture_block", EBM_OPTION_INT, AT(picture_block), "0", 0, 1e6, NULL, 0,
     "least number of chains behind the pictures, for samplers that take their step from it; 0: as many as are shown"},
    {"chain_pictures", EBM_OPTION_INT, AT(chain_pictures), "0", 0, 1000, NULL, 0,
     "chains in the sheet chains.csv: their states after chain_steps, and E[x | h]; 0 = none"},
    {"chain_steps", EBM_OPTION_REALS, AT(chain_steps), "[1, 3, 10, 30, 100]", 1, 1e9, NULL, 0,
     "sampler steps from noise shown there, ascending"},
    {"imputed", EBM_OPTION_INT, AT(imputed), "0", 0, 1000, NULL, 0,
     "pictures in the sheet imputed.csv, by the case's estimator imputation at its last share: true, seen, by the "
     "mean, by "
     "sampling, by descent; 0 = none"},
    {"density", EBM_OPTION_INT, AT(density), "0", 0, 4096, NULL, 0,
     "two real units: cells along each side of maps of the density, density.csv and density-data.csv; 0 = no maps"},
    {"density_reach", EBM_OPTION_REAL, AT(density_reach), "10", 1e-6, 1e6, NULL, 0,
     "their square goes from minus this to this"},
    {"save", EBM_OPTION_BOOL, AT(save), "false", 0, 0, NULL, 0, "write the trained parameters as .npy side files"},
    {"label_units", EBM_OPTION_BOOL, AT(label_units), "false", 0, 0, NULL, 0,
     "append each example's label as units, one of them up: the model is of examples and labels together"},
    EBM_OPTIONS_END,
};

static ebm_status learn_run(const ebm_case *c, ebm_output *output, int threads, ebm_error *error) {
    const learn_options *o = c->run;
    ebm_subject s;
    EBM_TRY(o->label_units ? ebm_subject_create_labelled(c, threads, &s, error)
                           : ebm_subject_create(c, threads, &s, error));
    ebm_status status = ebm_chain_pictures_check(&s, (size_t)o->chain_pictures, &o->chain_steps, error);
    if (status == EBM_OK)
        status = ebm_train(c, &s, &o->training, output, error);
    if (status == EBM_OK)
        status = ebm_measure(c, &s, c->n_logged, c->n_measures, output, error);
    if (status == EBM_OK)
        status = ebm_pictures(c, &s, (size_t)o->pictures, (size_t)o->picture_block, (size_t)o->picture_sweeps, output,
                              error);
    if (status == EBM_OK)
        status = ebm_chain_pictures(c, &s, (size_t)o->chain_pictures, (size_t)o->picture_block, &o->chain_steps, output,
                                    error);
    if (status == EBM_OK)
        status = ebm_imputed_sheet(c, &s, (size_t)o->imputed, output, error);
    if (status == EBM_OK)
        status = ebm_density_maps(&s, (size_t)o->density, o->density_reach, output, error);
    if (status == EBM_OK && o->save)
        status = ebm_save_side_files(&s, output, error);
    ebm_subject_free(&s);
    return status;
}

static const ebm_metric learn_metrics[] = {{NULL, NULL, false, NULL}};

const ebm_runner_type ebm_learn_runner = {
    .info = {"learn", "train a model on data, measuring on the way and at the end", "", learn_table,
             sizeof(learn_options)},
    .required_kinds = 1u << EBM_KIND_DATASET | 1u << EBM_KIND_MODEL | 1u << EBM_KIND_LEARNER,
    .optional_kinds = 1u << EBM_KIND_SAMPLER | 1u << EBM_KIND_ESTIMATOR,
    .metrics = learn_metrics,
    .run = learn_run,
};
