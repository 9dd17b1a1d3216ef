/* Pictures with missing pixels and what the case's estimator `imputation` fills them in with, as a side file. */
#include "measure.h"

#include "ebm/imputation.h"

#include <string.h>

enum { SHEETS = 5 }; /* true, seen, by the mean, by sampling, by descent */

static const ebm_imputation_settings *settings_of(const ebm_case *c) {
    for (size_t k = 0; k < c->n_measures; k++)
        if (strcmp(c->measures[k].component->name, "imputation") == 0)
            return c->measures[k].options;
    return NULL;
}

/* The sheet's rows: pictures of each kind beside each other; missing pixels of the second row are half dark. */
static ebm_status write_rows(const ebm_estimate_inputs *in, const ebm_imputation_settings *s, size_t tiles,
                             const char *path, ebm_error *error) {
    const size_t V = in->model->space.size;
    ebm_imputed p = {.count = tiles};
    EBM_TRY(ebm_imputation_missing(&in->data->space, s->missing, s->shares.values[s->shares.count - 1], &p.missing_each,
                                   error));
    ebm_real *sheet = ebm_work_take(in->work, SHEETS * tiles * V, sizeof *sheet);
    p.missing = ebm_work_take(in->work, tiles * p.missing_each, sizeof *p.missing);
    if (!sheet || !p.missing)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu pictures", tiles);
    ebm_real *const seen = sheet + tiles * V;
    p.truth = sheet;
    p.mean = sheet + 2 * tiles * V;
    p.gibbs = sheet + 3 * tiles * V;
    p.descent = sheet + 4 * tiles * V;
    EBM_TRY(ebm_impute(in, s, &p, error));
    memcpy(seen, p.truth, tiles * V * sizeof *seen);
    for (size_t b = 0; b < tiles; b++)
        for (size_t k = 0; k < p.missing_each; k++)
            seen[b * V + p.missing[b * p.missing_each + k]] = (ebm_real)0.5;
    return ebm_states_sheet(&in->data->space, sheet, SHEETS * tiles, tiles, path, in->work, error);
}

ebm_status ebm_imputed_sheet(const ebm_case *c, const ebm_subject *subject, size_t tiles, ebm_output *output,
                             ebm_error *error) {
    const ebm_imputation_settings *s = settings_of(c);
    char path[4096];
    if (tiles == 0)
        return EBM_OK;
    if (!s || s->shares.count == 0)
        return ebm_fail(error, EBM_INVALID, "imputed: there is nothing to show without the estimator imputation");
    const ebm_estimate_inputs in = {.model = &subject->model,
                                    .data = &subject->data,
                                    .path = ebm_path_end(),
                                    .seed = c->seed,
                                    .step = output->step,
                                    .work = subject->work};
    const size_t mark = ebm_work_mark(in.work), most = subject->data.test.count;
    EBM_TRY(output->artifact(output, "imputed.csv", path, sizeof path, error));
    const ebm_status status = write_rows(&in, s, tiles < most ? tiles : most, path, error);
    ebm_work_release(in.work, mark);
    return status;
}
