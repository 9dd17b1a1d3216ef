/* Records of counts, categories, intervals and real numbers from a few hidden classes: within a class all units are
 * independent, so that what ties them together is the class alone (Lazarsfeld & Henry 1968).
 *
 *   p(x) = (1 / C) sum_c prod_i p_i(x_i | eta_ci),   eta_ci ~ N(m, (contrast s)^2)
 * with p_i of the unit's kind (models/exponential_unit.h), and m, s by kind: binary and categorical 0, 1.5; Poisson log 3,
 * 0.6; truncated exponential 0, 4; Gaussian 0, 2 with sigma^2 = 1/2. The label is the class, and p(x) is known. */
#include "data/datasets.h"
#include "models/exponential_unit.h"

#include "ebm/special.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct mixed_options {
    char *units;
    int64_t classes, count, test, data_seed;
    double contrast;
} mixed_options;

#define AT(member) EBM_OFFSET(mixed_options, member)
static const ebm_option options_table[] = {
    {"units", EBM_OPTION_STRING, AT(units), "2 poisson + categorical(3) + 2 truncated-exponential + 2 gaussian", 0, 0,
     NULL, 0, "kinds of the units in order, as model harmonium writes them"},
    {"classes", EBM_OPTION_INT, AT(classes), "4", 1, 1000, NULL, 0, "C, classes of equal probability"},
    {"count", EBM_OPTION_INT, AT(count), "1000", 1, 1e7, NULL, 0, "training examples"},
    {"test", EBM_OPTION_INT, AT(test), "1000", 0, 1e7, NULL, 0, "test examples"},
    {"contrast", EBM_OPTION_REAL, AT(contrast), "1", 0, 10, NULL, 0,
     "how far the classes' natural parameters scatter, in units of what each kind is given; 0: one class in effect"},
    EBM_DATA_SEED_OPTION(mixed_options),
    EBM_OPTIONS_END,
};

static const double VARIANCE = 0.5; /* of Gaussian units within a class */
static const struct {
    const char *kind;
    double mean, scatter;
} natural[] = {{"binary", 0, 1.5},
               {"poisson", 1.0986122886681098, 0.6},
               {"categorical", 0, 1.5},
               {"truncated-exponential", 0, 4},
               {"gaussian", 0, 2}};

/* eta (classes, size): class c draws at chain c, coordinate i the uniforms 2i and 2i + 1. */
static void fill_classes(const mixed_options *o, const ebm_unit_list *list, uint32_t seed, double *eta) {
    const ebm_stream stream = ebm_stream_of(seed, EBM_PURPOSE_TARGET);
    for (size_t c = 0; c < (size_t)o->classes; c++)
        for (size_t k = 0; k < list->count; k++) {
            const ebm_unit *u = &list->units[k];
            size_t n = 0;
            while (strcmp(natural[n].kind, u->kind->name) != 0)
                n++;
            for (size_t i = u->at; i < u->at + u->width; i++)
                eta[c * list->size + i] =
                    natural[n].mean +
                    o->contrast * natural[n].scatter * ebm_random_normal1(stream, (uint32_t)c, 0, 2 * (uint32_t)i);
        }
}

static ebm_unit_law law_of(const ebm_unit *u, const double *eta) {
    return (ebm_unit_law){u->width, eta + u->at, 1, VARIANCE};
}

/* Example i draws at chain i: its class from number 0, unit k from 2k + 2 and 2k + 3. */
static ebm_status fill_half(const mixed_options *o, const ebm_unit_list *list, const double *eta, ebm_stream stream,
                            size_t count, ebm_examples *out, ebm_error *error) {
    if (count == 0)
        return EBM_OK;
    if (count > EBM_DATA_LIMIT / (list->size * sizeof *out->reals))
        return ebm_fail(error, EBM_INVALID, "mixed-classes: %zu records of %zu numbers are more than memory is given",
                        count, list->size);
    out->reals = malloc(count * list->size * sizeof *out->reals);
    out->labels = malloc(count * sizeof *out->labels);
    if (!out->reals || !out->labels)
        return ebm_fail(error, EBM_NO_MEMORY, "mixed-classes: no memory for %zu records", count);
    out->count = count;
    for (size_t b = 0; b < count; b++) {
        const size_t c = (size_t)(ebm_random_uniform1(stream, (uint32_t)b, 0, 0) * (double)o->classes);
        out->labels[b] = (int32_t)c;
        for (size_t k = 0; k < list->count; k++) {
            const ebm_unit_law law = law_of(&list->units[k], eta + c * list->size);
            const ebm_unit_draw at = {stream, (uint32_t)b, 0, 2 * (uint32_t)k + 2};
            list->units[k].kind->draw(&law, &at, out->reals + b * list->size + list->units[k].at);
        }
    }
    return EBM_OK;
}

/* The law in one block of plain memory: this, the units, and eta (classes, size). */
typedef struct mixed_law {
    size_t classes, count, size;
} mixed_law;

static const ebm_unit *units_of(const mixed_law *law) {
    return (const ebm_unit *)(law + 1);
}

static const double *eta_of(const mixed_law *law) {
    return (const double *)(units_of(law) + law->count);
}

static ebm_status keep_law(const mixed_options *o, const ebm_unit_list *list, const double *eta, ebm_dataset *out,
                           ebm_error *error) {
    const size_t numbers = (size_t)o->classes * list->size;
    mixed_law *law = malloc(sizeof *law + list->count * sizeof *list->units + numbers * sizeof *eta);
    if (!law)
        return ebm_fail(error, EBM_NO_MEMORY, "mixed-classes: no memory for a law of %zu numbers", numbers);
    *law = (mixed_law){(size_t)o->classes, list->count, list->size};
    memcpy(law + 1, list->units, list->count * sizeof *list->units);
    memcpy((char *)(law + 1) + list->count * sizeof *list->units, eta, numbers * sizeof *eta);
    out->law = law;
    return EBM_OK;
}

static double log_measure(const ebm_unit *u, const double *x) {
    size_t ones = 0, zeros = 0;
    if (!u->kind->sized) {
        const ebm_real value = (ebm_real)x[u->at];
        return u->kind->log_measure(1, VARIANCE, &value);
    }
    for (size_t i = u->at; i < u->at + u->width; i++) {
        ones += x[i] == 1;
        zeros += x[i] == 0;
    }
    return ones == 1 && zeros == u->width - 1 ? 0 : -INFINITY;
}

static double log_density(const ebm_dataset *dataset, const double *x) {
    const mixed_law *law = dataset->law;
    double total = -INFINITY;
    for (size_t c = 0; c < law->classes; c++) {
        const double *eta = eta_of(law) + c * law->size;
        double sum = -log((double)law->classes);
        for (size_t k = 0; k < law->count; k++) {
            const ebm_unit *u = &units_of(law)[k];
            const ebm_unit_law unit = law_of(u, eta);
            sum += log_measure(u, x) - u->kind->log_normaliser(&unit);
            for (size_t i = u->at; i < u->at + u->width; i++)
                sum += eta[i] * x[i];
        }
        total = ebm_logaddexp(total, sum);
    }
    return total;
}

static ebm_status fill(const mixed_options *o, const ebm_unit_list *list, uint32_t case_seed, ebm_dataset *out,
                       ebm_error *error) {
    const uint32_t seed = ebm_data_seed(o->data_seed, case_seed);
    double *eta = calloc((size_t)o->classes * list->size, sizeof *eta);
    if (!eta)
        return ebm_fail(error, EBM_NO_MEMORY, "mixed-classes: no memory for %zu classes", (size_t)o->classes);
    fill_classes(o, list, seed, eta);
    ebm_status status =
        fill_half(o, list, eta, ebm_stream_of(seed, EBM_PURPOSE_DATA), (size_t)o->count, &out->train, error);
    if (status == EBM_OK)
        status =
            fill_half(o, list, eta, ebm_stream_of(seed, EBM_PURPOSE_TEST_DATA), (size_t)o->test, &out->test, error);
    if (status == EBM_OK)
        status = keep_law(o, list, eta, out, error);
    free(eta);
    return status;
}

static ebm_status load(const void *options, uint32_t seed, ebm_dataset *out, ebm_error *error) {
    const mixed_options *o = options;
    ebm_unit_list list;
    EBM_TRY(ebm_unit_list_parse(o->units, &list, error));
    out->space = ebm_space_line(EBM_REAL_LINE, list.size);
    out->classes = (size_t)o->classes;
    out->log_density = log_density;
    const ebm_status status = fill(o, &list, seed, out, error);
    ebm_unit_list_free(&list);
    return status;
}

const ebm_dataset_type ebm_mixed_classes = {
    .info =
        {.name = "mixed-classes",
         .about =
             "records of counts, categories, intervals and real numbers from hidden classes, labelled; p(x) is known",
         .citation = "P. F. Lazarsfeld, N. W. Henry, Latent Structure Analysis (1968)",
         .options = options_table,
         .options_size = sizeof(mixed_options)},
    .load = load,
};
