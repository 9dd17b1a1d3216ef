/* The Hopfield network (Hopfield 1982): an associative memory of spins.
 *
 *   E(y) = -sum_(i<j) w_ij y_i y_j - sum_i b_i y_i,     y in {-1,+1}^V, W symmetric with zero diagonal
 *
 * As a distribution exp(-E) it is the Boltzmann machine of spins (boltzmann.c), whose functions it has: sampling it is the
 * stochastic network, descent in E (sampler descent) its dynamics. What it adds is that it starts empty, W = 0, b = 0:
 * patterns are stored by learners. Data of 0/1 units are taken as spins, 0 as -1. */
#include "models/boltzmann.h"
#include "components.h"

typedef struct hopfield_options {
    int64_t units;
    char *load;
} hopfield_options;

static const ebm_option hopfield_table[] = {
    {"units", EBM_OPTION_INT, offsetof(hopfield_options, units), "0", 0, 1e5, NULL, 0,
     "number of units; 0: as many as the data or the weights in `load` have"},
    {"load", EBM_OPTION_STRING, offsetof(hopfield_options, load), NULL, 0, 0, NULL, EBM_OPTION_PATH,
     "folder with W.npy (units x units, symmetric, zero diagonal) and bias.npy to start from; without, all are 0"},
    EBM_OPTIONS_END,
};

static ebm_status hopfield_space(const void *options, ebm_space *out, ebm_error *error) {
    const hopfield_options *o = options;
    size_t units = (size_t)o->units;
    if (units == 0 && o->load)
        EBM_TRY(ebm_boltzmann_units(o->load, &units, error));
    *out = ebm_space_line(EBM_SPIN, units);
    return EBM_OK;
}

static ebm_status hopfield_create(ebm_model *model, const void *options, ebm_error *error) {
    const hopfield_options *o = options;
    if (o->units && (size_t)o->units != model->space.size)
        return ebm_fail(error, EBM_INVALID, "units is %zu, but the data have %zu", (size_t)o->units, model->space.size);
    return ebm_boltzmann_shape(model, error);
}

static ebm_status hopfield_initialise(ebm_model *model, const void *options, const ebm_dataset *data, uint32_t seed,
                                      ebm_error *error) {
    const hopfield_options *o = options;
    (void)data;
    (void)seed;
    return o->load ? ebm_boltzmann_load(model, o->load, error) : EBM_OK;
}

const ebm_model_type ebm_hopfield = {
    .info = {"hopfield", "Hopfield network: spins, every pair coupled, no couplings to start with", "Hopfield 1982",
             hopfield_table, sizeof(hopfield_options)},
    .domains = 1u << EBM_SPIN,
    .space = hopfield_space,
    .create = hopfield_create,
    .initialise = hopfield_initialise,
    EBM_BOLTZMANN_SLOTS,
};
