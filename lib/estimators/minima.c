/* All local minima of the energy of a few two-valued units, and their basins: what an associative memory remembers, and
 * what it was never taught.
 *
 * A state is a minimum where no unit's change lowers E: a fixed point of the sampler descent, ties included. Its basin is
 * all states from which sweeps of descent in fixed order, units 0 ... V - 1, end there. A minimum is
 *   stored     a training example
 *   mirrored   not that, but with all units turned over one: -y of a spin network without biases, where E(-y) = E(y)
 *   fake       neither: a mixture of patterns, or of no kind (Amit, Gutfreund & Sompolinsky 1985)
 *
 * The energies of all 2^V states are listed once, in the order of their codes, by the model's own sums; neighbours are one
 * bit apart. V sums in ebm_real round differently for states that tie, so that differences below 16 u times the range of E
 * are ties: far below what whole-number patterns can differ by, 4 / V of a range of about V for Hebb's rule. */
#include "estimators/estimators.h"

#include "ebm/enumerate.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { MOST_UNITS = 20, MOST_LISTED = 256, MOST_FIXED = 1 << 16 };

typedef struct minima_options {
    bool list;
} minima_options;

static const ebm_option minima_table[] = {
    {"list", EBM_OPTION_BOOL, EBM_OFFSET(minima_options, list), "false", 0, 0, NULL, 0,
     "emit every state, at step = its code, in spaces of up to 8 units"},
    EBM_OPTIONS_END,
};

static const ebm_metric minima_metrics[] = {
    {"minima", "", false, "states that no change of one unit lowers in energy"},
    {"minima_lowest", "nats", false, "energy per unit of the lowest"},
    {"minima_stored", "", false, "of them, training examples"},
    {"minima_mirrored", "", false, "training examples with all units turned over, and none themselves"},
    {"minima_fake", "", false, "neither"},
    {"basin_stored", "", false, "share of all states from which descent in fixed order ends in a stored minimum"},
    {"basin_mirrored", "", false, "in a mirrored one"},
    {"basin_fake", "", false, "in a fake one"},
    {"patterns_distinct", "", false, "different training examples"},
    {"mirror_breaks", "", false, "minima whose states with all units turned over are none"},
    {"fixed_point_breaks", "", false,
     "states, of up to 2^16, that the case's sampler leaves alone in one step and that are no minima, or the reverse"},
    {"state_energy", "nats", false, "at step = a state's code: its energy"},
    {"state_kind", "", false, "0 no minimum, 1 stored, 2 mirrored, 3 fake"},
    {"state_basin", "", false, "share of all states that descend to it"},
    EBM_METRICS_END,
};

enum { NO_MINIMUM, STORED, MIRRORED, FAKE, KINDS };

typedef struct listing {
    const ebm_estimate_inputs *in;
    size_t units, states;
    double *energy;   /* (states) */
    double tie;       /* what is not lower */
    uint8_t *kind;    /* (states) */
    uint8_t *pattern; /* (states): a training example */
    uint32_t *end;    /* (states): where descent ends */
    uint32_t *basin;  /* (states): how many end there */
    size_t count[KINDS], held[KINDS];
} listing;

/* end[s] = where a sweep in fixed order leads from s. With P_i the update of unit i, the maps ... P_(V-1) P_(V-2), from the
 * last unit backwards: to put P_i before what follows, each state that unit i leaves takes over its neighbour's end. A
 * sweep that changes anything lowers E, so that what it does not move is a minimum. */
static void sweep_all(const listing *l) {
    for (size_t s = 0; s < l->states; s++)
        l->end[s] = (uint32_t)s;
    for (size_t i = l->units; i-- > 0;) {
        const size_t width = (size_t)1 << i;
        for (size_t first = 0; first < l->states; first += 2 * width) {
            const double *restrict down = l->energy + first, *restrict up = down + width;
            uint32_t *restrict of_down = l->end + first, *restrict of_up = of_down + width;
            for (size_t k = 0; k < width; k++) {
                const uint32_t a = of_down[k], b = of_up[k];
                of_down[k] = up[k] < down[k] - l->tie ? b : a;
                of_up[k] = down[k] < up[k] - l->tie ? a : b;
            }
        }
    }
}

/* Then each state ends where what it came to ends. Every sweep lowers E: the paths are short and have no cycles. */
static void find_basins(const listing *l) {
    for (size_t s = 0; s < l->states; s++) {
        size_t last = s;
        while (l->end[last] != last)
            last = l->end[last];
        for (size_t at = s, next; l->end[at] != last; at = next) {
            next = l->end[at];
            l->end[at] = (uint32_t)last;
        }
        l->basin[last]++;
    }
}

static ebm_status list_energies(listing *l, ebm_error *error) {
    double log_z, least = INFINITY, most = -INFINITY;
    EBM_TRY(ebm_model_log_probabilities(l->in->model, ebm_path_end(), l->energy, &log_z, l->in->work, error));
    for (size_t s = 0; s < l->states; s++) {
        const double energy = l->energy[s] = -(l->energy[s] + log_z);
        least = energy < least ? energy : least;
        most = energy > most ? energy : most;
    }
    l->tie = 16 * (sizeof(ebm_real) == sizeof(float) ? FLT_EPSILON / 2 : DBL_EPSILON / 2) * (most - least);
    return EBM_OK;
}

/* Marks the training examples; *distinct counts them. */
static ebm_status mark_patterns(listing *l, size_t *distinct, ebm_error *error) {
    const ebm_dataset *data = l->in->data;
    const size_t mark = ebm_work_mark(l->in->work);
    *distinct = 0;
    if (!data)
        return EBM_OK;
    if (!ebm_space_equal(&l->in->model->space, &data->space))
        return ebm_fail(error, EBM_INVALID, "the model and the data are on different spaces");
    ebm_real *x = ebm_work_take(l->in->work, l->units, sizeof *x);
    for (size_t k = 0; x && k < data->train.count; k++) {
        ebm_examples_fixed(data, &data->train, k, 1, x);
        uint8_t *at = &l->pattern[ebm_states_code(&data->space, x)];
        *distinct += *at == 0;
        *at = 1;
    }
    ebm_work_release(l->in->work, mark);
    return x ? EBM_OK : ebm_fail(error, EBM_NO_MEMORY, "no memory for a state of %zu units", l->units);
}

static void find_minima(listing *l) {
    sweep_all(l);
    for (size_t s = 0; s < l->states; s++) {
        const bool mirrored = l->pattern[s ^ (l->states - 1)];
        l->kind[s] = l->end[s] != s ? NO_MINIMUM : l->pattern[s] ? STORED : mirrored ? MIRRORED : FAKE;
    }
    find_basins(l);
    for (size_t s = 0; s < l->states; s++) {
        l->count[l->kind[s]]++;
        l->held[l->kind[s]] += l->basin[s];
    }
}

/* One step of the sampler from every state. */
static ebm_status count_fixed_point_breaks(const listing *l, size_t *breaks, ebm_error *error) {
    const ebm_estimate_inputs *in = l->in;
    const ebm_space *space = &in->model->space;
    ebm_chains chains = {0};
    EBM_TRY(ebm_chains_create(in->model, l->states, ebm_stream_of(in->seed, EBM_PURPOSE_ESTIMATE), &chains, error));
    ebm_states_fill(space, 0, l->states, chains.batch.x);
    ebm_status status = ebm_sampler_attach(in->sampler, in->model, &chains, error);
    if (status == EBM_OK)
        status = in->sampler->type->step(in->sampler, in->model, in->path, &chains, 1, in->work, error);
    *breaks = 0;
    for (size_t s = 0; status == EBM_OK && s < l->states; s++)
        *breaks += (ebm_states_code(space, chains.batch.x + s * l->units) == s) != (l->kind[s] != NO_MINIMUM);
    ebm_chains_free(&chains);
    return status;
}

static ebm_status emit_kinds(const listing *l, size_t distinct, ebm_sink *sink, ebm_error *error) {
    static const char *const counts[KINDS] = {NULL, "minima_stored", "minima_mirrored", "minima_fake"};
    static const char *const basins[KINDS] = {NULL, "basin_stored", "basin_mirrored", "basin_fake"};
    for (size_t k = STORED; k < KINDS; k++) {
        EBM_TRY(sink->emit(sink, counts[k], (double)l->count[k], NAN, error));
        EBM_TRY(sink->emit(sink, basins[k], (double)l->held[k] / (double)l->states, NAN, error));
    }
    return sink->emit(sink, "patterns_distinct", (double)distinct, NAN, error);
}

static ebm_status emit_states(const listing *l, ebm_sink *sink, ebm_error *error) {
    for (size_t s = 0; s < l->states; s++) {
        sink->at(sink, s);
        EBM_TRY(sink->emit(sink, "state_energy", l->energy[s], NAN, error));
        EBM_TRY(sink->emit(sink, "state_kind", l->kind[s], NAN, error));
        EBM_TRY(sink->emit(sink, "state_basin", (double)l->basin[s] / (double)l->states, NAN, error));
    }
    return EBM_OK;
}

static ebm_status emit_all(const minima_options *o, const listing *l, size_t distinct, ebm_sink *sink,
                           ebm_error *error) {
    size_t breaks = 0, mirror = 0;
    double lowest = INFINITY;
    for (size_t s = 0; s < l->states; s++) {
        lowest = fmin(lowest, l->energy[s]);
        mirror += l->kind[s] != NO_MINIMUM && l->kind[s ^ (l->states - 1)] == NO_MINIMUM;
    }
    EBM_TRY(sink->emit(sink, "minima", (double)(l->states - l->count[NO_MINIMUM]), NAN, error));
    EBM_TRY(sink->emit(sink, "minima_lowest", lowest / (double)l->units, NAN, error));
    EBM_TRY(sink->emit(sink, "mirror_breaks", (double)mirror, NAN, error));
    if (l->in->data)
        EBM_TRY(emit_kinds(l, distinct, sink, error));
    if (l->in->sampler && l->states <= MOST_FIXED) {
        EBM_TRY(count_fixed_point_breaks(l, &breaks, error));
        EBM_TRY(sink->emit(sink, "fixed_point_breaks", (double)breaks, NAN, error));
    }
    return o->list && l->states <= MOST_LISTED ? emit_states(l, sink, error) : EBM_OK;
}

static ebm_status minima_estimate(const void *options, const ebm_estimate_inputs *in, ebm_sink *sink,
                                  ebm_error *error) {
    const ebm_space *space = &in->model->space;
    const size_t mark = ebm_work_mark(in->work), S = ebm_states_count(space);
    listing l = {.in = in, .units = space->size, .states = S};
    size_t distinct = 0;
    if ((space->domain != EBM_BINARY && space->domain != EBM_SPIN) || space->size > MOST_UNITS)
        return ebm_fail(error, EBM_UNSUPPORTED, "minima are listed for up to %d two-valued units, not %zu %s ones",
                        MOST_UNITS, space->size, ebm_domain_name(space->domain));
    l.energy = ebm_work_take(in->work, S, sizeof *l.energy);
    l.kind = ebm_work_take(in->work, S, sizeof *l.kind);
    l.pattern = ebm_work_take(in->work, S, sizeof *l.pattern);
    l.end = ebm_work_take(in->work, S, sizeof *l.end);
    l.basin = ebm_work_take(in->work, S, sizeof *l.basin);
    ebm_status status = l.energy && l.kind && l.pattern && l.end && l.basin
                            ? EBM_OK
                            : ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu states", S);
    if (status == EBM_OK) {
        memset(l.pattern, 0, S * sizeof *l.pattern);
        memset(l.basin, 0, S * sizeof *l.basin);
        status = list_energies(&l, error);
    }
    if (status == EBM_OK)
        status = mark_patterns(&l, &distinct, error);
    if (status == EBM_OK) {
        find_minima(&l);
        status = emit_all(options, &l, distinct, sink, error);
    }
    ebm_work_release(in->work, mark);
    return status;
}

const ebm_estimator_type ebm_minima = {
    .info = {"minima", "all local minima of few two-valued units, their basins, and which of them are patterns",
             "Hopfield 1982; Amit, Gutfreund & Sompolinsky 1985", minima_table, sizeof(minima_options)},
    .metrics = minima_metrics,
    .estimate = minima_estimate,
};
