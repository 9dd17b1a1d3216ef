/* Draws of three Gaussians in the plane, the density known.
 *
 *   p(x) = sum_k w_k N(x; m_k, diag(s_k^2)),   w = (0.33, 0.33, 0.34),   m = (-5, -5), (5, -5), (0, 5)
 *   isotropic s = 1;   anisotropic s = (1.25, 0.5), (1.25, 0.5), (0.5, 1.25)
 * (Liao, Kornblith, Ren, Fleet & Hinton 2022.) A label is the component that an example is from. Example i draws at chain i:
 * the component from uniform 0, its coordinates from normals 2 and 4. */
#include "data/datasets.h"

#include "ebm/special.h"

#include <math.h>
#include <stdlib.h>

enum { UNITS = 2, COMPONENTS = 3 };
enum { ISOTROPIC, ANISOTROPIC };
static const char *const shape_names[] = {"isotropic", "anisotropic", NULL};

typedef struct plane_options {
    int shape;
    int64_t train, test, data_seed;
} plane_options;

#define AT(member) EBM_OFFSET(plane_options, member)
static const ebm_option options_table[] = {
    {"shape", EBM_OPTION_CHOICE, AT(shape), "isotropic", 0, 0, shape_names, 0,
     "of the components: deviations 1, or 1.25 and 0.5"},
    {"train", EBM_OPTION_INT, AT(train), "10000", 1, 1e8, NULL, 0, "training examples"},
    {"test", EBM_OPTION_INT, AT(test), "10000", 0, 1e8, NULL, 0, "test examples"},
    EBM_DATA_SEED_OPTION(plane_options),
    EBM_OPTIONS_END,
};

typedef struct plane_law {
    double weight[COMPONENTS], mean[COMPONENTS][UNITS], deviation[COMPONENTS][UNITS];
} plane_law;

static const plane_law laws[] = {
    [ISOTROPIC] = {{0.33, 0.33, 0.34}, {{-5, -5}, {5, -5}, {0, 5}}, {{1, 1}, {1, 1}, {1, 1}}},
    [ANISOTROPIC] = {{0.33, 0.33, 0.34}, {{-5, -5}, {5, -5}, {0, 5}}, {{1.25, 0.5}, {1.25, 0.5}, {0.5, 1.25}}},
};

static double log_density(const ebm_dataset *dataset, const double *x) {
    const plane_law *law = dataset->law;
    double terms[COMPONENTS];
    for (size_t k = 0; k < COMPONENTS; k++) {
        terms[k] = log(law->weight[k]) - log(2 * M_PI);
        for (size_t i = 0; i < UNITS; i++) {
            const double z = (x[i] - law->mean[k][i]) / law->deviation[k][i];
            terms[k] -= log(law->deviation[k][i]) + 0.5 * z * z;
        }
    }
    return ebm_log_sum_exp(terms, COMPONENTS);
}

static ebm_status fill(const plane_law *law, ebm_stream stream, size_t count, ebm_examples *out, ebm_error *error) {
    if (count == 0)
        return EBM_OK;
    out->count = count;
    out->reals = calloc(count * UNITS, sizeof *out->reals);
    out->labels = calloc(count, sizeof *out->labels);
    if (!out->reals || !out->labels)
        return ebm_fail(error, EBM_NO_MEMORY, "gaussian-mixture-2d: no memory for %zu examples", count);
    for (size_t e = 0; e < count; e++) {
        double left = ebm_random_uniform1(stream, (uint32_t)e, 0, 0);
        size_t k = 0;
        while (k + 1 < COMPONENTS && (left -= law->weight[k]) >= 0)
            k++;
        out->labels[e] = (int32_t)k;
        for (size_t i = 0; i < UNITS; i++)
            out->reals[e * UNITS + i] =
                (ebm_real)(law->mean[k][i] +
                           law->deviation[k][i] * ebm_random_normal1(stream, (uint32_t)e, 0, 2 + 2 * (uint32_t)i));
    }
    return EBM_OK;
}

static ebm_status load(const void *options, uint32_t seed, ebm_dataset *out, ebm_error *error) {
    const plane_options *o = options;
    const uint32_t data_seed = ebm_data_seed(o->data_seed, seed);
    plane_law *law = out->law = malloc(sizeof *law);
    if (!law)
        return ebm_fail(error, EBM_NO_MEMORY, "gaussian-mixture-2d: no memory for its law");
    *law = laws[o->shape];
    out->log_density = log_density;
    out->space = ebm_space_line(EBM_REAL_LINE, UNITS);
    out->classes = COMPONENTS;
    EBM_TRY(fill(law, ebm_stream_of(data_seed, EBM_PURPOSE_DATA), (size_t)o->train, &out->train, error));
    return fill(law, ebm_stream_of(data_seed, EBM_PURPOSE_TEST_DATA), (size_t)o->test, &out->test, error);
}

const ebm_dataset_type ebm_gaussian_mixture_2d = {
    .info = {.name = "gaussian-mixture-2d",
             .about = "draws of three Gaussians in the plane, whose density is known",
             .citation = "R. Liao, S. Kornblith, M. Ren, D. Fleet, G. Hinton, \"Gaussian-Bernoulli RBMs without "
                         "tears\", 2022",
             .options = options_table,
             .options_size = sizeof(plane_options)},
    .load = load,
};
