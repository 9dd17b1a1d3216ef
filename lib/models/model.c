/* What all models share: creation, views, saving and loading, batches. */
#include "ebm/model.h"

#include "ebm/npy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

unsigned ebm_model_slots(const ebm_model_type *type) {
    unsigned mask = 0;
    mask |= type->grad_x ? EBM_SLOT_GRAD_X : 0;
    mask |= type->site ? EBM_SLOT_SITE : 0;
    mask |= type->sample_hidden && type->sample_visible ? EBM_SLOT_BLOCK : 0;
    mask |= type->joint_energy ? EBM_SLOT_JOINT_ENERGY : 0;
    mask |= type->log_base_normaliser ? EBM_SLOT_BASE : 0;
    mask |= type->log_normaliser ? EBM_SLOT_LOG_NORMALISER : 0;
    mask |= type->score_terms ? EBM_SLOT_SCORE_TERMS : 0;
    mask |= type->hidden_means ? EBM_SLOT_HIDDEN_MEANS : 0;
    mask |= type->graph ? EBM_SLOT_GRAPH : 0;
    mask |= type->sample_site ? EBM_SLOT_SAMPLE_SITE : 0;
    mask |= type->joint_sweep && type->joint_grad_theta && type->sample_hidden ? EBM_SLOT_JOINT_SWEEP : 0;
    mask |= type->grad_x_minibatch ? EBM_SLOT_MINIBATCH : 0;
    mask |= type->gaussian_visible ? EBM_SLOT_GAUSSIAN_VISIBLE : 0;
    return mask;
}

const char *ebm_slot_names(unsigned mask, char *buffer, size_t size) {
    static const char *const names[] = {"grad_x", "site",           "block conditionals", "joint_energy",
                                        "base",   "log_normaliser", "score_terms",        "hidden_means",
                                        "graph",  "sample_site",    "joint_sweep",        "grad_x_minibatch", "gaussian_visible"};
    size_t used = 0;
    if (size > 0)
        buffer[0] = '\0';
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!(mask >> i & 1u))
            continue;
        int n = snprintf(buffer + used, size - used, "%s%s", used ? ", " : "", names[i]);
        if (n < 0 || (size_t)n >= size - used)
            break;
        used += (size_t)n;
    }
    return buffer;
}

ebm_status ebm_model_create(const ebm_model_type *type, const void *options, const ebm_space *space,
                            const ebm_dataset *data, uint32_t seed, ebm_model *out, ebm_error *error) {
    memset(out, 0, sizeof *out);
    ebm_space own = {0};
    if (!space && type->space)
        EBM_TRY(type->space(options, &own, error));
    if (!space && own.size == 0)
        return ebm_fail(error, EBM_INVALID, "model %s needs a dataset: its options do not say what its units are",
                        type->info.name);
    space = space ? space : &own;
    if (space->size == 0)
        return ebm_fail(error, EBM_INVALID, "model %s needs at least one unit", type->info.name);
    if (!(type->domains >> space->domain & 1u))
        return ebm_fail(error, EBM_UNSUPPORTED, "model %s does not live on %s states", type->info.name,
                        ebm_domain_name(space->domain));
    out->type = type;
    out->space = *space;
    out->examples = data ? data->train.count : 0;
    ebm_status status = type->create(out, options, error);
    if (status == EBM_OK) {
        out->theta = ebm_alloc(out->n_theta, sizeof(ebm_real));
        if (!out->theta)
            status = ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu parameters", out->n_theta);
    }
    if (status == EBM_OK)
        status = type->initialise(out, options, data, seed, error);
    if (status == EBM_OK) {
        ebm_work *work = NULL;
        status = ebm_work_create(1, &work, error);
        if (status == EBM_OK)
            ebm_model_refresh(out, work);
        ebm_work_free(work);
    }
    if (status != EBM_OK)
        ebm_model_free(out);
    return status;
}

void ebm_model_free(ebm_model *model) {
    if (model->type && model->type->destroy)
        model->type->destroy(model);
    free(model->theta);
    memset(model, 0, sizeof *model);
}

void ebm_model_refresh(ebm_model *model, ebm_work *work) {
    if (model->type->refresh)
        model->type->refresh(model, work);
}

void ebm_model_field(const ebm_model *model, ebm_batch *batch, ebm_work *work) {
    if (!batch->field_ok && model->type->field)
        model->type->field(model, batch, work);
    batch->field_ok = true;
}

void ebm_model_energy_grad_x(const ebm_model *model, ebm_path path, ebm_batch *batch, double *energy, ebm_real *grad,
                             ebm_work *work) {
    ebm_model_field(model, batch, work);
    if (model->type->energy_grad_x) {
        model->type->energy_grad_x(model, path, batch, energy, grad, work);
        return;
    }
    model->type->energy(model, path, batch, energy, work);
    model->type->grad_x(model, path, batch, grad, work);
}

ebm_real *ebm_model_view(const ebm_model *model, const char *name) {
    for (size_t i = 0; i < model->n_views; i++)
        if (strcmp(model->views[i].name, name) == 0)
            return model->theta + model->views[i].offset;
    return NULL;
}

static ebm_status view_path(const char *directory, const ebm_view *view, char *path, size_t size, ebm_error *error) {
    int n = snprintf(path, size, "%s/%s.npy", directory, view->name);
    if (n < 0 || (size_t)n >= size)
        return ebm_fail(error, EBM_INVALID, "the path %s/%s.npy is too long", directory, view->name);
    return EBM_OK;
}

ebm_status ebm_model_save(const ebm_model *model, const char *directory, ebm_error *error) {
    char path[4096];
    for (size_t i = 0; i < model->n_views; i++) {
        const ebm_view *view = &model->views[i];
        size_t shape[2] = {view->rows, view->columns};
        EBM_TRY(view_path(directory, view, path, sizeof path, error));
        EBM_TRY(ebm_npy_write(path, sizeof(ebm_real) == 8 ? EBM_NPY_FLOAT64 : EBM_NPY_FLOAT32, view->columns ? 2 : 1,
                              shape, model->theta + view->offset, error));
    }
    return EBM_OK;
}

/* Read one view into its place in theta. */
static ebm_status load_view(const ebm_view *view, const char *directory, ebm_real *theta, ebm_error *error) {
    char path[4096];
    ebm_npy array;
    size_t count = view->rows * (view->columns ? view->columns : 1);
    EBM_TRY(view_path(directory, view, path, sizeof path, error));
    EBM_TRY(ebm_npy_read(path, (size_t)4 << 30, &array, error));
    ebm_status status = EBM_OK;
    if (view->columns && !(array.rank == 2 && array.shape[0] == view->rows && array.shape[1] == view->columns))
        status = ebm_fail(error, EBM_FORMAT, "%s: the model needs an array of shape (%zu, %zu)", path, view->rows,
                          view->columns);
    else if (!view->columns && array.count != view->rows)
        status = ebm_fail(error, EBM_FORMAT, "%s: the model needs %zu numbers, the file holds %zu", path, view->rows,
                          array.count);
    for (size_t k = 0; status == EBM_OK && k < count; k++) {
        double value = ebm_npy_value(&array, k);
        if (!(value > -1e30 && value < 1e30))
            status = ebm_fail(error, EBM_FORMAT, "%s: element %zu is %g, not a usable weight", path, k, value);
        else
            theta[view->offset + k] = (ebm_real)value;
    }
    ebm_npy_free(&array);
    return status;
}

ebm_status ebm_model_load(ebm_model *model, const char *directory, ebm_error *error) {
    ebm_real *theta = ebm_alloc(model->n_theta, sizeof *theta);
    ebm_work *work = NULL;
    if (!theta)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu parameters", model->n_theta);
    memcpy(theta, model->theta, model->n_theta * sizeof *theta);
    ebm_status status = ebm_work_create(1, &work, error);
    for (size_t i = 0; status == EBM_OK && i < model->n_views; i++)
        status = load_view(&model->views[i], directory, theta, error);
    if (status == EBM_OK) {
        memcpy(model->theta, theta, model->n_theta * sizeof *theta);
        ebm_model_refresh(model, work);
    }
    ebm_work_free(work);
    free(theta);
    return status;
}

ebm_status ebm_batch_create(const ebm_model *model, size_t count, ebm_batch *out, ebm_error *error) {
    memset(out, 0, sizeof *out);
    out->count = count;
    size_t most = model->space.size;
    most = model->n_field > most ? model->n_field : most;
    most = model->n_hidden > most ? model->n_hidden : most;
    if (count == 0 || most > SIZE_MAX / sizeof(ebm_real) / count)
        return ebm_fail(error, EBM_INVALID, "a batch of %zu states of %zu units cannot be", count, most);
    out->x = ebm_alloc(count * model->space.size, sizeof(ebm_real));
    out->field = model->n_field ? ebm_alloc(count * model->n_field, sizeof(ebm_real)) : NULL;
    out->hidden = model->n_hidden ? ebm_alloc(count * model->n_hidden, sizeof(ebm_real)) : NULL;
    if (!out->x || (model->n_field && !out->field) || (model->n_hidden && !out->hidden)) {
        ebm_batch_free(out);
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for a batch of %zu states", count);
    }
    return EBM_OK;
}

void ebm_batch_free(ebm_batch *batch) {
    free(batch->x);
    free(batch->field);
    free(batch->hidden);
    memset(batch, 0, sizeof *batch);
}
