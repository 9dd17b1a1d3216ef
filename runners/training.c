/* Training a case's model (see training.h). */
#include "training.h"

#include "minibatches.h"

#include <math.h>

/* From the learner's update (0, or a checkpoint's) to the last one. */
static ebm_status make_updates(const ebm_case *c, const ebm_subject *s, const ebm_training *t, ebm_learner *learner,
                               ebm_minibatches *m, ebm_output *output, ebm_error *error) {
    ebm_region regions[EBM_MAX_REGIONS];
    size_t n_regions = ebm_learner_regions(learner, regions);
    bool found;
    EBM_TRY(output->restore(output, regions, n_regions, &found, error));
    if (found)
        ebm_learner_restored(learner, s->work);
    for (;;) {
        bool last = learner->update == learner->total_updates;
        output->step = learner->update;
        if (last || (t->log_every > 0 && learner->update % (uint64_t)t->log_every == 0))
            EBM_TRY(ebm_measure(c, s, 0, c->n_logged, output, error));
        if (last)
            return EBM_OK;
        size_t count = ebm_minibatches_fill(m, learner->update, ebm_work_threads(s->work));
        EBM_TRY(ebm_learner_update(learner, m->x, count, s->work, error));
        if (learner->finished && t->log_every == 0)
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

ebm_status ebm_train(const ebm_case *c, ebm_subject *s, const ebm_training *t, ebm_output *output, ebm_error *error) {
    ebm_minibatches m = {0};
    ebm_learner learner = {0};
    ebm_status status = ebm_minibatches_create(&s->data, c->seed, (size_t)t->batch, &m, error);
    if (status == EBM_OK && t->updates == 0 && !(t->epochs > 0))
        status = ebm_fail(error, EBM_INVALID, "training needs `updates` or `epochs` in `run`");
    uint64_t updates = t->epochs > 0 ? (uint64_t)ceil(t->epochs * (double)m.per_epoch) : (uint64_t)t->updates;
    if (status == EBM_OK)
        status = ebm_learner_create((const ebm_learner_type *)c->learner.component, c->learner.options, &s->model,
                                    s->sampler.type ? &s->sampler : NULL, &s->data, c->seed, m.batch, updates, &learner,
                                    error);
    if (status == EBM_OK)
        status = make_updates(c, s, t, &learner, &m, output, error);
    ebm_learner_free(&learner);
    ebm_minibatches_free(&m);
    return status;
}
