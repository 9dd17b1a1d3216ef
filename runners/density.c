/* The densities of a machine of two real units and of its data as side files, for maps beside each other. */
#include "measure.h"

#include "ebm/quadrature.h"

#include <math.h>
#include <stdio.h>

enum { MOST_POINTS = 1 << 24 };

/* One value a cell, row 0 at the top (the largest second unit): what gnuplot's `matrix` reads. */
static ebm_status write_map(const char *path, size_t side, const double *values, ebm_error *error) {
    FILE *file = fopen(path, "w");
    if (!file)
        return ebm_fail(error, EBM_IO, "cannot write %s", path);
    for (size_t y = 0; y < side; y++)
        for (size_t x = 0; x < side; x++)
            fprintf(file, "%.4g%c", values[y * side + x], x + 1 < side ? ',' : '\n');
    const bool failed = ferror(file) != 0;
    if (fclose(file) != 0 || failed)
        return ebm_fail(error, EBM_IO, "cannot write %s: is the disk full?", path);
    return EBM_OK;
}

/* Cell (x, y) is centred on -reach + (x + 1/2) w, reach - (y + 1/2) w, w = 2 reach / side. */
static double centre(size_t cell, size_t side, double reach) {
    return -reach + ((double)cell + 0.5) * 2 * reach / (double)side;
}

static ebm_status model_map(const ebm_subject *s, size_t side, double reach, double *out, ebm_error *error) {
    ebm_quadrature q;
    ebm_batch row;
    EBM_TRY(ebm_quadrature_of(&s->model, NULL, 1, MOST_POINTS, &q, s->work, error));
    EBM_TRY(ebm_batch_create(&s->model, side, &row, error));
    for (size_t y = 0; y < side; y++) {
        for (size_t x = 0; x < side; x++) {
            row.x[2 * x] = (ebm_real)centre(x, side, reach);
            row.x[2 * x + 1] = (ebm_real)-centre(y, side, reach);
        }
        row.field_ok = row.hidden_ok = false;
        ebm_model_field(&s->model, &row, s->work);
        s->model.type->energy(&s->model, ebm_path_end(), &row, out + y * side, s->work);
        for (size_t x = 0; x < side; x++)
            out[y * side + x] = exp(-out[y * side + x] - q.log_z);
    }
    ebm_batch_free(&row);
    return EBM_OK;
}

ebm_status ebm_density_maps(const ebm_subject *s, size_t side, double reach, ebm_output *output, ebm_error *error) {
    const size_t mark = ebm_work_mark(s->work);
    char path[4096];
    if (side == 0)
        return EBM_OK;
    if (s->model.space.size != 2 || !s->model.type->gaussian_visible)
        return ebm_fail(error, EBM_UNSUPPORTED,
                        "maps of the density are for models with two visible units that are Gaussian given the hidden");
    double *map = ebm_work_take(s->work, side * side, sizeof *map);
    if (!map)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for a map of %zu x %zu cells", side, side);
    ebm_status status = model_map(s, side, reach, map, error);
    if (status == EBM_OK)
        status = output->artifact(output, "density.csv", path, sizeof path, error);
    if (status == EBM_OK)
        status = write_map(path, side, map, error);
    if (status == EBM_OK && s->have_data && s->data.log_density) {
        for (size_t y = 0; y < side; y++)
            for (size_t x = 0; x < side; x++) {
                const double at[2] = {centre(x, side, reach), -centre(y, side, reach)};
                map[y * side + x] = exp(s->data.log_density(&s->data, at));
            }
        status = output->artifact(output, "density-data.csv", path, sizeof path, error);
        if (status == EBM_OK)
            status = write_map(path, side, map, error);
    }
    ebm_work_release(s->work, mark);
    return status;
}
