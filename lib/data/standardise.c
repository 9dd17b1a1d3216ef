/* One mean and one deviation for all pixels of a data set of pictures: with them a pixel that hardly changes stays one that
 * hardly changes, as scaling each by its own would not have it. */
#include "data/datasets.h"

#include <math.h>

enum { NONE, TRAIN, GIVEN };
const char *const ebm_standardise_names[] = {"none", "train", "given", NULL};

/* Of all pixels of the training half, counted by their values: exact sums. */
static ebm_status fit(const ebm_dataset *data, double *mean, double *deviation, ebm_error *error) {
    const size_t total = data->train.count * data->space.size;
    uint64_t sum = 0, squares = 0;
    for (size_t k = 0; k < total; k++) {
        const uint64_t byte = data->train.bytes[k];
        sum += byte;
        squares += byte * byte;
    }
    const double n = (double)total, m = (double)sum / n, variance = (double)squares / n - m * m;
    if (!(variance > 0))
        return ebm_fail(error, EBM_INVALID, "data set %s: all training pixels are equal: there is no deviation",
                        data->type->info.name);
    *mean = m / 255;
    *deviation = sqrt(variance) / 255;
    return EBM_OK;
}

ebm_status ebm_data_standardise(const ebm_standardise_options *options, ebm_dataset *out, ebm_error *error) {
    if (options->standardise == NONE)
        return EBM_OK;
    if (out->binarise != EBM_BINARISE_NONE)
        return ebm_fail(error, EBM_INVALID, "data set %s: standardise needs real intensities: `binarise: none`, not %s",
                        out->type->info.name, ebm_binarise_names[out->binarise]);
    if (options->standardise == TRAIN)
        return fit(out, &out->mean, &out->deviation, error);
    out->mean = options->mean;
    out->deviation = options->deviation;
    return EBM_OK;
}
