/* What the runners share (see measure.h). */
#include "measure.h"

#include <string.h>

/* Binary data become spins where the model is one of spins, or its options ask for them. */
static ebm_status turn_data(const ebm_model_type *model, const void *options, ebm_dataset *data, ebm_error *error) {
    ebm_space asked = data->space;
    if (data->space.domain != EBM_BINARY || !(model->domains & 1u << EBM_SPIN))
        return EBM_OK;
    if ((model->domains & 1u << EBM_BINARY) && model->space)
        EBM_TRY(model->space(options, &asked, error));
    if (asked.domain == EBM_SPIN || !(model->domains & 1u << EBM_BINARY))
        ebm_dataset_to_spins(data);
    return EBM_OK;
}

static ebm_estimate_inputs inputs_of(const ebm_case *c, const ebm_subject *subject, ebm_sampler *sampler) {
    return (ebm_estimate_inputs){.model = subject->model.type ? &subject->model : NULL,
                                 .data = subject->have_data ? &subject->data : NULL,
                                 .sampler = sampler->type ? sampler : NULL,
                                 .path = subject->path,
                                 .thin = subject->thin,
                                 .seed = c->seed,
                                 .work = subject->work};
}

/* What would be refused at the end of a run is refused at its start. */
static ebm_status check_measures(const ebm_case *c, const ebm_subject *subject, ebm_error *error) {
    ebm_sampler sampler = subject->sampler;
    const ebm_estimate_inputs inputs = inputs_of(c, subject, &sampler);
    for (size_t i = 0; i < c->n_measures; i++) {
        const ebm_estimator_type *estimator = (const ebm_estimator_type *)c->measures[i].component;
        if (estimator->check)
            EBM_TRY(estimator->check(c->measures[i].options, &inputs, error));
    }
    return EBM_OK;
}

static ebm_status create(const ebm_case *c, size_t extra, bool labels, int threads, ebm_subject *out,
                         ebm_error *error) {
    memset(out, 0, sizeof *out);
    const ebm_dataset_type *data = (const ebm_dataset_type *)c->dataset.component;
    const ebm_model_type *model = (const ebm_model_type *)c->model.component;
    const ebm_sampler_type *sampler = (const ebm_sampler_type *)c->sampler.component;
    ebm_status status = ebm_work_create(threads, &out->work, error);
    out->path = ebm_path_end();
    out->thin = 1;
    if (status == EBM_OK && data) {
        status = ebm_dataset_load(data, c->dataset.options, c->seed, &out->data, error);
        out->have_data = status == EBM_OK;
    }
    out->visible = out->data.space;
    if (status == EBM_OK && extra > 0)
        status = ebm_dataset_expand(&out->data, extra, c->seed, error);
    if (status == EBM_OK && labels)
        status = ebm_dataset_append_labels(&out->data, error);
    if (status == EBM_OK && out->have_data && model)
        status = turn_data(model, c->model.options, &out->data, error);
    out->visible.domain = out->data.space.domain;
    if (status == EBM_OK && model)
        status = ebm_model_create(model, c->model.options, out->have_data ? &out->data.space : NULL,
                                  out->have_data ? &out->data : NULL, c->seed, &out->model, error);
    if (status == EBM_OK && sampler)
        status = ebm_sampler_create(sampler, c->sampler.options, &out->model, &out->sampler, error);
    if (status == EBM_OK)
        status = check_measures(c, out, error);
    if (status != EBM_OK)
        ebm_subject_free(out);
    return status;
}

ebm_status ebm_subject_create(const ebm_case *c, int threads, ebm_subject *out, ebm_error *error) {
    return create(c, 0, false, threads, out, error);
}

ebm_status ebm_subject_create_expanded(const ebm_case *c, size_t extra, int threads, ebm_subject *out,
                                       ebm_error *error) {
    return create(c, extra, false, threads, out, error);
}

ebm_status ebm_subject_create_labelled(const ebm_case *c, int threads, ebm_subject *out, ebm_error *error) {
    return create(c, 0, true, threads, out, error);
}

void ebm_subject_free(ebm_subject *subject) {
    ebm_sampler_free(&subject->sampler);
    ebm_model_free(&subject->model);
    if (subject->have_data)
        ebm_dataset_free(&subject->data);
    ebm_work_free(subject->work);
    memset(subject, 0, sizeof *subject);
}

ebm_status ebm_measure(const ebm_case *c, const ebm_subject *subject, size_t first, size_t end, ebm_output *output,
                       ebm_error *error) {
    const uint64_t step = output->step;
    ebm_sampler sampler = subject->sampler;
    ebm_estimate_inputs inputs = inputs_of(c, subject, &sampler);
    inputs.step = step;
    ebm_status status = EBM_OK;
    for (size_t i = first; i < end && status == EBM_OK; i++) {
        const ebm_estimator_type *estimator = (const ebm_estimator_type *)c->measures[i].component;
        status = estimator->estimate(c->measures[i].options, &inputs, &output->sink, error);
        output->step = step;
    }
    return status;
}
