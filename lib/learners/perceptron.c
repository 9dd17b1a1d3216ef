/* Perceptron learning of a symmetric memory: every unit of every pattern that its field does not hold firmly enough is
 * taught,
 *
 *   y_i h_i <= kappa (but for half a step, rate / 2 V):
 *                         w_ij += (rate / V) y_i y_j  for all j != i, and w_ji with it,    b = 0
 *
 * one pattern after another; an update is a pass over its examples, or several (Gardner 1988, section 3; symmetric: Gardner, Gutfreund
 * & Yekutieli 1989). In the couplings w_ij = w_ji, i < j, it is one perceptron whose examples are the pairs (pattern,
 * unit): where any symmetric W holds all patterns it ends after finitely many changes, and then changes nothing more. */
#include "components.h"
#include "learners/associative.h"

#include <math.h>
#include <string.h>

typedef struct perceptron_options {
    double rate, kappa;
    int64_t passes;
    int start;
} perceptron_options;

static const char *const start_names[] = {"zero", "hebbian", "model", NULL};
enum { START_ZERO, START_HEBBIAN, START_MODEL };

#define AT(member) EBM_OFFSET(perceptron_options, member)
static const ebm_option perceptron_table[] = {
    {"rate", EBM_OPTION_REAL, AT(rate), "1", 0, 1e12, NULL, 0, "size of a correction, times 1 / units"},
    {"kappa", EBM_OPTION_REAL, AT(kappa), "0", 0, 1e12, NULL, 0,
     "a unit is taught while y h is not above this by half a step"},
    {"passes", EBM_OPTION_INT, AT(passes), "1", 1, 1e9, NULL, 0,
     "most passes over the examples that make one update; it ends with one that teaches nothing"},
    {"start", EBM_OPTION_CHOICE, AT(start), "zero", 0, 0, start_names, 0,
     "couplings before the first update: 0, Hebb's of its examples, or the model's"},
    EBM_OPTIONS_END,
};

typedef struct lesson {
    ebm_real kappa, step;
    bool taught;
} lesson;

static bool teach(void *context, size_t V, const ebm_real *y, const ebm_real *f, ebm_real *z) {
    lesson *l = context;
    bool any = false;
    for (size_t i = 0; i < V; i++) {
        const bool weak = !(y[i] * f[i] > l->kappa);
        z[i] = weak ? l->step * y[i] : 0;
        any = any || weak;
    }
    l->taught = l->taught || any;
    return any;
}

static ebm_status perceptron_update(ebm_learner *learner, const ebm_real *x, size_t count, ebm_work *work,
                                    ebm_error *error) {
    const perceptron_options *o = learner->options;
    ebm_couplings c;
    EBM_TRY(ebm_couplings_of(learner->model, learner->type->info.name, &c, error));
    const size_t V = c.units;
    if (learner->update == 0) {
        memset(c.bias, 0, V * sizeof *c.bias);
        if (o->start == START_ZERO)
            memset(c.W, 0, V * V * sizeof *c.W);
        if (o->start == START_HEBBIAN)
            ebm_symmetric_product(V, count, 1.0 / (double)V, x, x, 0.0, c.W, work);
        ebm_clear_diagonal(V, c.W);
    }
    /* From zero or Hebb's couplings at rate 1 fields are whole multiples of the step: half a step more tells those that
     * are equal to kappa from those above it, whatever rounding does. */
    const double step = o->rate / (double)V;
    lesson l = {(ebm_real)(o->kappa + 0.5 * step), (ebm_real)step, true};
    for (int64_t pass = 0; pass < o->passes && l.taught; pass++) {
        l.taught = false;
        EBM_TRY(ebm_store_one_by_one(V, count, x, c.W, teach, &l, work, error));
    }
    ebm_clear_diagonal(V, c.W);
    ebm_model_refresh(learner->model, work);
    return ebm_couplings_finite(&c, error);
}

const ebm_learner_type ebm_perceptron = {
    .info = {"perceptron", "perceptron learning of symmetric couplings; an update is passes over its examples",
             "Gardner 1988; Gardner, Gutfreund & Yekutieli 1989", perceptron_table, sizeof(perceptron_options)},
    .domains = 1u << EBM_SPIN,
    .create = ebm_one_shot_create,
    .update = perceptron_update,
};
