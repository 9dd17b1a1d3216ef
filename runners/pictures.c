/* Pictures of a model as side files: sheets of filters and of samples, for gnuplot's matrix plots. */
#include "measure.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Writes tiles (count, rows * columns), values in [0, 1], as one sheet, `across` of them (0: as many as make it square)
 * beside each other, with a border of one empty cell (NaN) between pictures, row 0 at the top. */
static ebm_status write_sheet(const char *path, const ebm_real *tiles, size_t count, size_t across, size_t rows,
                              size_t columns, ebm_error *error) {
    FILE *file = fopen(path, "w");
    if (!file)
        return ebm_fail(error, EBM_IO, "cannot write %s", path);
    across = across ? across : (size_t)ceil(sqrt((double)count));
    const size_t down = (count + across - 1) / across;
    for (size_t y = 0; y < down * (rows + 1) - 1; y++) {
        for (size_t x = 0; x < across * (columns + 1) - 1; x++) {
            size_t tile = y / (rows + 1) * across + x / (columns + 1), ty = y % (rows + 1), tx = x % (columns + 1);
            fputs(x ? "," : "", file);
            if (tile < count && ty < rows && tx < columns)
                fprintf(file, "%.3g", (double)tiles[tile * rows * columns + ty * columns + tx]);
            else
                fputs("NaN", file);
        }
        fputc('\n', file);
    }
    bool failed = ferror(file) != 0;
    if (fclose(file) != 0 || failed)
        return ebm_fail(error, EBM_IO, "cannot write %s: is the disk full?", path);
    return EBM_OK;
}

static void picture_shape(const ebm_space *space, size_t *rows, size_t *columns) {
    *columns = space->shape[space->rank - 1];
    *rows = space->size / *columns;
}

/* The weights of the first hidden units, each scaled by the largest weight of the sheet's units: 1/2 is zero. */
static ebm_status filter_sheet(const ebm_model *model, size_t tiles, const char *path, ebm_work *work,
                               ebm_error *error) {
    size_t V = model->space.size, H = model->n_hidden, mark = ebm_work_mark(work), rows, columns;
    tiles = tiles < H ? tiles : H;
    const ebm_real *W = ebm_model_view(model, "W");
    ebm_real *sheet = ebm_work_take(work, tiles * V, sizeof *sheet);
    if (!sheet)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu pictures", tiles);
    for (size_t t = 0; t < tiles; t++) {
        double most = 1e-12;
        for (size_t i = 0; i < V; i++)
            most = fmax(most, fabs((double)W[i * H + t]));
        for (size_t i = 0; i < V; i++)
            sheet[t * V + i] = (ebm_real)(0.5 + 0.5 * (double)W[i * H + t] / most);
    }
    picture_shape(&model->space, &rows, &columns);
    ebm_status status = write_sheet(path, sheet, tiles, 0, rows, columns, error);
    ebm_work_release(work, mark);
    return status;
}

static ebm_status start_chains(ebm_subject *s, uint32_t seed, size_t count, ebm_chains *chains, ebm_error *error) {
    ebm_base uniform;
    EBM_TRY(ebm_base_fit(&s->model.space, NULL, 0, &uniform, error));
    ebm_status status = ebm_chains_create(&s->model, count, ebm_stream_of(seed, EBM_PURPOSE_SAMPLE), chains, error);
    if (status == EBM_OK) {
        chains->keep_hidden = s->model.n_hidden > 0;
        ebm_base_sample(&uniform, count, ebm_stream_of(seed, EBM_PURPOSE_CHAIN_START), 0, 0, chains->batch.x, s->work);
        status = ebm_sampler_attach(&s->sampler, &s->model, chains, error);
        if (status != EBM_OK)
            ebm_chains_free(chains);
    }
    ebm_base_free(&uniform);
    return status;
}

static ebm_status walk(ebm_subject *s, ebm_chains *chains, size_t steps, ebm_error *error) {
    return s->sampler.type->step(&s->sampler, &s->model, ebm_path_end(), chains, steps, s->work, error);
}

/* out (count, V) = E[x | h], at hidden units drawn afresh where the sampler leaves none, or x where the model has no such
 * means. The chains are not to walk on. */
static void take_means(ebm_subject *s, uint32_t seed, ebm_chains *chains, ebm_real *out) {
    const ebm_model *model = &s->model;
    ebm_batch *batch = &chains->batch;
    memcpy(out, batch->x, batch->count * model->space.size * sizeof *out);
    if (!model->type->visible_means || (!batch->hidden_ok && !model->type->sample_hidden))
        return;
    if (!batch->hidden_ok) {
        batch->field_ok = false;
        ebm_model_field(model, batch, s->work);
        model->type->sample_hidden(model, ebm_path_end(), batch, ebm_stream_of(seed, EBM_PURPOSE_SAMPLE), 0,
                                   chains->step, s->work);
    }
    model->type->visible_means(model, batch, out, s->work);
}

/* Standardised units back to intensities. */
static void to_intensities(const ebm_subject *s, ebm_real *x, size_t count) {
    for (size_t k = 0; s->have_data && s->data.deviation > 0 && k < count * s->model.space.size; k++)
        x[k] = (ebm_real)(s->data.deviation * (double)x[k] + s->data.mean);
}

/* Chains from noise, shown as take_means has it. */
static ebm_status sample_sheet(ebm_subject *s, uint32_t seed, size_t tiles, size_t block, size_t sweeps,
                               const char *path, ebm_error *error) {
    const size_t mark = ebm_work_mark(s->work), count = block > tiles ? block : tiles;
    ebm_chains chains;
    size_t rows, columns;
    EBM_TRY(start_chains(s, seed, count, &chains, error));
    ebm_real *shown = ebm_work_take(s->work, count * s->model.space.size, sizeof *shown);
    ebm_status status =
        shown ? walk(s, &chains, sweeps, error) : ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu pictures", count);
    if (status == EBM_OK) {
        take_means(s, seed, &chains, shown);
        to_intensities(s, shown, tiles);
        picture_shape(&s->model.space, &rows, &columns);
        status = write_sheet(path, shown, tiles, 0, rows, columns, error);
    }
    ebm_chains_free(&chains);
    ebm_work_release(s->work, mark);
    return status;
}

/* A row for each chain: its states after so many steps from noise, and last what take_means has. */
static ebm_status chain_sheet(ebm_subject *s, uint32_t seed, size_t count, size_t block, const ebm_reals *steps,
                              const char *path, ebm_error *error) {
    const size_t V = s->model.space.size, across = steps->count + 1, mark = ebm_work_mark(s->work);
    const size_t walking = block > count ? block : count;
    ebm_chains chains;
    size_t rows, columns, done = 0;
    EBM_TRY(start_chains(s, seed, walking, &chains, error));
    ebm_real *sheet = ebm_work_take(s->work, count * across * V, sizeof *sheet);
    ebm_real *means = ebm_work_take(s->work, walking * V, sizeof *means);
    ebm_status status =
        sheet && means ? EBM_OK : ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu pictures", count * across);
    for (size_t k = 0; k < across && status == EBM_OK; k++) {
        const ebm_real *from = chains.batch.x;
        if (k < steps->count) {
            status = walk(s, &chains, (size_t)steps->values[k] - done, error);
            done = (size_t)steps->values[k];
        } else {
            take_means(s, seed, &chains, means);
            from = means;
        }
        for (size_t b = 0; b < count && status == EBM_OK; b++)
            memcpy(sheet + (b * across + k) * V, from + b * V, V * sizeof *sheet);
    }
    ebm_chains_free(&chains);
    if (status == EBM_OK) {
        to_intensities(s, sheet, count * across);
        picture_shape(&s->model.space, &rows, &columns);
        status = write_sheet(path, sheet, count * across, across, rows, columns, error);
    }
    ebm_work_release(s->work, mark);
    return status;
}

ebm_status ebm_states_sheet(const ebm_space *space, const ebm_real *x, size_t count, size_t across, const char *path,
                            ebm_work *work, ebm_error *error) {
    const size_t mark = ebm_work_mark(work), total = count * space->size;
    size_t rows, columns;
    ebm_real *tiles = ebm_work_take(work, total, sizeof *tiles);
    if (!tiles)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu pictures", count);
    for (size_t k = 0; k < total; k++)
        tiles[k] = space->domain == EBM_SPIN ? (x[k] + 1) / 2
                   : space->domain == EBM_CATEGORICAL && space->categories > 1
                       ? x[k] / (ebm_real)(space->categories - 1)
                       : x[k];
    picture_shape(space, &rows, &columns);
    ebm_status status = write_sheet(path, tiles, count, across, rows, columns, error);
    ebm_work_release(work, mark);
    return status;
}

/* A column of W for each hidden unit. */
static bool has_filters(const ebm_model *model) {
    for (size_t i = 0; i < model->n_views; i++)
        if (strcmp(model->views[i].name, "W") == 0)
            return model->n_hidden > 0 && model->views[i].rows == model->space.size &&
                   model->views[i].columns == model->n_hidden;
    return false;
}

ebm_status ebm_pictures(const ebm_case *c, ebm_subject *subject, size_t tiles, size_t block, size_t sweeps,
                        ebm_output *output, ebm_error *error) {
    char path[4096];
    if (tiles == 0)
        return EBM_OK;
    if (has_filters(&subject->model)) {
        EBM_TRY(output->artifact(output, "filters.csv", path, sizeof path, error));
        EBM_TRY(filter_sheet(&subject->model, tiles, path, subject->work, error));
    }
    if (subject->sampler.type) {
        EBM_TRY(output->artifact(output, "samples.csv", path, sizeof path, error));
        EBM_TRY(sample_sheet(subject, c->seed, tiles, block, sweeps, path, error));
    }
    return EBM_OK;
}

ebm_status ebm_chain_pictures_check(const ebm_subject *subject, size_t chains, const ebm_reals *steps,
                                    ebm_error *error) {
    if (chains > 0 && !subject->sampler.type)
        return ebm_fail(error, EBM_INVALID, "pictures of chains need a sampler");
    for (size_t k = 0; chains > 0 && k < steps->count; k++)
        if (steps->values[k] != floor(steps->values[k]) || (k && steps->values[k] <= steps->values[k - 1]))
            return ebm_fail(error, EBM_INVALID, "`chain_steps` must be ascending whole numbers, not %g",
                            steps->values[k]);
    return EBM_OK;
}

ebm_status ebm_chain_pictures(const ebm_case *c, ebm_subject *subject, size_t chains, size_t block,
                              const ebm_reals *steps, ebm_output *output, ebm_error *error) {
    char path[4096];
    if (chains == 0)
        return EBM_OK;
    EBM_TRY(output->artifact(output, "chains.csv", path, sizeof path, error));
    return chain_sheet(subject, c->seed, chains, block, steps, path, error);
}

ebm_status ebm_save_side_files(const ebm_subject *subject, ebm_output *output, ebm_error *error) {
    char path[4096], name[256];
    for (size_t i = 0; i < subject->model.n_views; i++) {
        snprintf(name, sizeof name, "%s.npy", subject->model.views[i].name);
        EBM_TRY(output->artifact(output, name, path, sizeof path, error));
    }
    char *slash = strrchr(path, '/');
    if (!slash)
        return ebm_fail(error, EBM_INVALID, "the side files need a folder");
    *slash = '\0';
    return ebm_model_save(&subject->model, path, error);
}
