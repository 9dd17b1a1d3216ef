/* The runner `learn`: trains a model on data and measures it on the way.
 *
 * Row steps count updates. A log point measures the suite's `measure` list; the case's `estimator` axis, which is for
 * what costs long, is measured once at the end. */
#include "measure.h"
#include "minibatches.h"
#include "runners.h"

#include <math.h>
#include <stdlib.h>

typedef struct learn_options {
    int64_t updates, batch, log_every, pictures, picture_sweeps;
    double epochs;
    bool save;
} learn_options;

#define AT(member) offsetof(learn_options, member)
static const ebm_option learn_table[] = {
    {"updates", EBM_OPTION_INT, AT(updates), "0", 0, 1e12, NULL, 0, "updates of theta in all"},
    {"epochs", EBM_OPTION_REAL, AT(epochs), "0", 0, 1e9, NULL, 0,
     "instead of `updates`: passes over the training examples"},
    {"batch", EBM_OPTION_INT, AT(batch), "100", 1, 1e7, NULL, 0,
     "examples in a minibatch; with fewer in the data, all of them"},
    {"log_every", EBM_OPTION_INT, AT(log_every), "0", 0, 1e12, NULL, 0,
     "updates between measurements; 0 = measure at the end only"},
    {"pictures", EBM_OPTION_INT, AT(pictures), "0", 0, 10000, NULL, 0,
     "tiles in the sheets filters.csv and samples.csv; 0 = no pictures"},
    {"picture_sweeps", EBM_OPTION_INT, AT(picture_sweeps), "1000", 1, 1e9, NULL, 0,
     "sampler sweeps from noise behind each sample shown"},
    {"save", EBM_OPTION_BOOL, AT(save), "false", 0, 0, NULL, 0, "write the trained parameters as .npy side files"},
    EBM_OPTIONS_END,
};

/* From the learner's update (0, or a checkpoint's) to the last one. */
static ebm_status train(const ebm_case *c, const ebm_subject *s, ebm_learner *learner, ebm_minibatches *m,
                        ebm_output *output, ebm_error *error) {
    const learn_options *o = c->run;
    ebm_region regions[EBM_MAX_REGIONS];
    size_t n_regions = ebm_learner_regions(learner, regions);
    bool found;
    EBM_TRY(output->restore(output, regions, n_regions, &found, error));
    if (found)
        ebm_learner_restored(learner, s->work);
    for (;;) {
        bool last = learner->update == learner->total_updates;
        output->step = learner->update;
        if (last || (o->log_every > 0 && learner->update % (uint64_t)o->log_every == 0))
            EBM_TRY(ebm_measure(c, s, 0, c->n_logged, output, error));
        if (last)
            return EBM_OK;
        size_t count = ebm_minibatches_fill(m, learner->update, ebm_work_threads(s->work));
        EBM_TRY(ebm_learner_update(learner, m->x, count, s->work, error));
        if (learner->finished && o->log_every == 0)
            learner->update = learner->total_updates;
        output->progress(output, (double)learner->update / (double)learner->total_updates);
        if (output->checkpoint_due(output)) {
            EBM_TRY(output->checkpoint(output, regions, n_regions, error));
            if (output->stop_requested(output))
                return ebm_fail(error, EBM_INTERRUPTED, "stopped at update %llu; a checkpoint is saved",
                                (unsigned long long)learner->update);
        }
    }
}

static ebm_status learn_run(const ebm_case *c, ebm_output *output, int threads, ebm_error *error) {
    const learn_options *o = c->run;
    ebm_subject s;
    ebm_minibatches m = {0};
    ebm_learner learner = {0};
    EBM_TRY(ebm_subject_create(c, threads, &s, error));
    ebm_status status = ebm_minibatches_create(&s.data, c->seed, (size_t)o->batch, &m, error);
    if (status == EBM_OK && o->updates == 0 && !(o->epochs > 0))
        status = ebm_fail(error, EBM_INVALID, "runner learn needs `updates` or `epochs` in `run`");
    uint64_t updates = o->epochs > 0 ? (uint64_t)ceil(o->epochs * (double)m.per_epoch) : (uint64_t)o->updates;
    if (status == EBM_OK)
        status =
            ebm_learner_create((const ebm_learner_type *)c->learner.component, c->learner.options, &s.model,
                               s.sampler.type ? &s.sampler : NULL, &s.data, c->seed, m.batch, updates, &learner, error);
    if (status == EBM_OK)
        status = train(c, &s, &learner, &m, output, error);
    if (status == EBM_OK)
        status = ebm_measure(c, &s, c->n_logged, c->n_measures, output, error);
    if (status == EBM_OK)
        status = ebm_pictures(c, &s, (size_t)o->pictures, (size_t)o->picture_sweeps, output, error);
    if (status == EBM_OK && o->save)
        status = ebm_save_side_files(&s, output, error);
    ebm_learner_free(&learner);
    ebm_minibatches_free(&m);
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
