/* The runner `restore`: pictures with flipped pixels, and what is made of them.
 *
 * A true picture y of the data is corrupted to x: each pixel is flipped with probability p, independently. With the
 * model's E(y) = -sum J_ij y_i y_j - sum b_i y_i as prior the posterior is
 *   P(y | x) proportional to exp(sum J_ij y_i y_j + sum h_i y_i),   h_i = b_i + x_i / 2 log((1 - p) / p)
 * (Geman & Geman 1984; Besag 1986). The case's sampler, started at x, gives the answer: the state where it ends at a low
 * temperature, or the sign of each pixel's mean over its draws at T = 1, which makes the expected number of wrong pixels
 * least (maximiser of the posterior marginals: Marroquin, Mitter & Poggio 1987). Beside it stands the exact mode, by
 * minimum cut. All cases of a seed see the same noise: a pixel flipped at p is flipped at every larger p. Row step: steps of
 * the sampler for a picture. */
#include "measure.h"
#include "restoration.h"
#include "runners.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef enum answer_kind { ANSWER_AUTO, ANSWER_END, ANSWER_MARGINALS } answer_kind;
static const char *const answer_names[] = {"auto", "end", "marginals", NULL};

typedef struct restore_options {
    int64_t pictures, sweeps, burn_in, chains, shown, exact_states;
    double flip, end_temperature;
    int answer;
} restore_options;

#define AT(member) offsetof(restore_options, member)
static const ebm_option restore_table[] = {
    {"flip", EBM_OPTION_REAL, AT(flip), "0.1", 1e-9, 0.499999, NULL, 0,
     "probability p that a pixel is flipped; above 0 and below 1/2"},
    {"pictures", EBM_OPTION_INT, AT(pictures), "20", 1, 1e6, NULL, 0,
     "how many, from the first of the test half (of the training half where there is no test half)"},
    {"burn_in", EBM_OPTION_INT, AT(burn_in), "100", 0, 1e9, NULL, 0, "steps of the sampler before the first draw"},
    {"sweeps", EBM_OPTION_INT, AT(sweeps), "1000", 1, 1e9, NULL, 0, "steps of the sampler after them"},
    {"chains", EBM_OPTION_INT, AT(chains), "1", 1, 1e5, NULL, 0,
     "chains for a picture: all count for marginals; of several ends the one of least energy is the answer"},
    {"answer", EBM_OPTION_CHOICE, AT(answer), "auto", 0, 0, answer_names, 0,
     "marginals: sign of the mean of each pixel over all draws at temperature 1; end: the last state, at "
     "end_temperature; auto: marginals for samplers that leave p invariant, else end"},
    {"end_temperature", EBM_OPTION_REAL, AT(end_temperature), "0.02", 1e-6, 1e6, NULL, 0,
     "T in p = exp(-E / T) / Z where the end is the answer"},
    {"shown", EBM_OPTION_INT, AT(shown), "0", 0, 10000, NULL, 0,
     "pictures in the sheets true.csv, corrupted.csv, restored.csv and cut.csv"},
    {"exact_states", EBM_OPTION_INT, AT(exact_states), "65536", 0, 4194304, NULL, 0,
     "enumerate all states where there are at most so many, to check the cut; 0: never"},
    EBM_OPTIONS_END,
};

/* A case under way. */
typedef struct restoring {
    const restore_options *options;
    uint32_t seed;
    bool marginals;
    ebm_subject subject;
    ebm_restoration pictures;
    ebm_chains chains;
    ebm_real *prior, *field; /* (V): the model's own fields, and those of the posterior in theta */
    double *mean, *energy;   /* (V), (chains) */
} restoring;

static ebm_status check_subject(const restoring *r, ebm_error *error) {
    const ebm_model *model = &r->subject.model;
    if (model->space.domain != EBM_SPIN || !model->type->graph || !ebm_model_view(model, "field"))
        return ebm_fail(error, EBM_UNSUPPORTED,
                        "runner restore needs spins with couplings on a graph and a field for each, such as the model "
                        "ising, model %s has none",
                        model->type->info.name);
    if (!(r->options->flip > 0 && r->options->flip < 0.5))
        return ebm_fail(error, EBM_INVALID, "flip is %g, expected a probability above 0 and below 1/2",
                        r->options->flip);
    if (r->options->pictures > UINT32_MAX / r->options->chains)
        return ebm_fail(error, EBM_INVALID, "%lld pictures with %lld chains each are more than 2^32 - 1 chains",
                        (long long)r->options->pictures, (long long)r->options->chains);
    return EBM_OK;
}

static ebm_status prepare(restoring *r, const ebm_case *c, int threads, ebm_error *error) {
    const restore_options *o = r->options;
    EBM_TRY(ebm_subject_create(c, threads, &r->subject, error));
    EBM_TRY(check_subject(r, error));
    const ebm_model *model = &r->subject.model;
    const size_t V = model->space.size;
    r->marginals = o->answer == ANSWER_MARGINALS || (o->answer == ANSWER_AUTO && r->subject.sampler.exact);
    EBM_TRY(ebm_restoration_create(&r->subject.data, (size_t)o->pictures, (size_t)o->shown, &r->pictures, error));
    EBM_TRY(ebm_chains_create(model, (size_t)o->chains, ebm_stream_of(c->seed, EBM_PURPOSE_SAMPLE), &r->chains, error));
    r->field = ebm_model_view(model, "field");
    r->prior = ebm_alloc(V, sizeof *r->prior);
    r->mean = ebm_alloc(V, sizeof *r->mean);
    r->energy = ebm_alloc((size_t)o->chains, sizeof *r->energy);
    if (!r->prior || !r->mean || !r->energy)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for pictures of %zu pixels", V);
    memcpy(r->prior, r->field, V * sizeof *r->prior);
    return EBM_OK;
}

/* The model becomes the posterior given the corrupted picture, and every chain starts there. */
static ebm_status start(restoring *r, size_t picture, ebm_error *error) {
    ebm_model *model = &r->subject.model;
    ebm_chains *chains = &r->chains;
    const size_t V = model->space.size;
    const double weight = log1p(-r->options->flip) - log(r->options->flip);
    const ebm_real *x = r->pictures.corrupted;
    for (size_t i = 0; i < V; i++)
        r->field[i] = (ebm_real)((double)r->prior[i] + weight / 2 * (double)x[i]);
    ebm_model_refresh(model, r->subject.work);
    for (size_t b = 0; b < chains->batch.count; b++)
        memcpy(chains->batch.x + b * V, x, V * sizeof *x);
    chains->batch.field_ok = chains->batch.hidden_ok = false;
    chains->first_chain = (uint32_t)(picture * chains->batch.count);
    chains->step = 0;
    return ebm_sampler_attach(&r->subject.sampler, model, chains, error);
}

static ebm_status step(restoring *r, double temperature, size_t steps, ebm_error *error) {
    ebm_subject *s = &r->subject;
    const ebm_path path = {NULL, 1 / temperature};
    return s->sampler.type->step(&s->sampler, &s->model, path, &r->chains, steps, s->work, error);
}

static void energies(restoring *r) {
    ebm_subject *s = &r->subject;
    ebm_model_field(&s->model, &r->chains.batch, s->work);
    s->model.type->energy(&s->model, ebm_path_end(), &r->chains.batch, r->energy, s->work);
}

/* answer (V) = the sign of the means; a pixel whose mean is 0 stays as it was. *energy: mean over all draws, a pixel. */
static ebm_status by_marginals(restoring *r, ebm_real *answer, double *energy, ebm_error *error) {
    const size_t V = r->subject.model.space.size, B = r->chains.batch.count, draws = (size_t)r->options->sweeps;
    r->chains.adapting = true;
    r->chains.warmup_left = (uint64_t)r->options->burn_in;
    EBM_TRY(step(r, 1, (size_t)r->options->burn_in, error));
    r->chains.adapting = false;
    memset(r->mean, 0, V * sizeof *r->mean);
    *energy = 0;
    for (size_t draw = 0; draw < draws; draw++) {
        EBM_TRY(step(r, 1, 1, error));
        energies(r);
        for (size_t b = 0; b < B; b++) {
            const ebm_real *x = r->chains.batch.x + b * V;
            *energy += r->energy[b];
            for (size_t i = 0; i < V; i++)
                r->mean[i] += (double)x[i];
        }
    }
    *energy /= (double)draws * (double)B * (double)V;
    for (size_t i = 0; i < V; i++)
        answer[i] = r->mean[i] > 0 ? 1 : r->mean[i] < 0 ? -1 : r->pictures.corrupted[i];
    return EBM_OK;
}

static ebm_status by_end(restoring *r, ebm_real *answer, ebm_error *error) {
    const size_t V = r->subject.model.space.size;
    size_t best = 0;
    EBM_TRY(step(r, r->options->end_temperature, (size_t)(r->options->burn_in + r->options->sweeps), error));
    energies(r);
    for (size_t b = 1; b < r->chains.batch.count; b++)
        best = r->energy[b] < r->energy[best] ? b : best;
    memcpy(answer, r->chains.batch.x + best * V, V * sizeof *answer);
    return EBM_OK;
}

static ebm_status restore_one(restoring *r, size_t picture, ebm_error *error) {
    ebm_subject *s = &r->subject;
    ebm_restoration *p = &r->pictures;
    double posterior = NAN;
    ebm_restoration_corrupt(p, &s->data, picture, r->seed, r->options->flip);
    EBM_TRY(start(r, picture, error));
    EBM_TRY(ebm_restoration_cut(p, &s->model, picture, (size_t)r->options->exact_states, s->work, error));
    EBM_TRY(r->marginals ? by_marginals(r, p->answer, &posterior, error) : by_end(r, p->answer, error));
    ebm_restoration_score(p, &s->model, picture, posterior);
    return EBM_OK;
}

static ebm_status restore_all(restoring *r, ebm_output *output, ebm_error *error) {
    ebm_region regions[EBM_MAX_REGIONS];
    ebm_restoration *p = &r->pictures;
    uint64_t done = 0;
    bool found;
    regions[0] = (ebm_region){&done, sizeof done};
    const size_t count = 1 + ebm_restoration_regions(p, regions + 1);
    EBM_TRY(output->restore(output, regions, count, &found, error));
    while (done < p->count) {
        EBM_TRY(restore_one(r, (size_t)done++, error));
        output->progress(output, (double)done / (double)p->count);
        if (!output->checkpoint_due(output))
            continue;
        EBM_TRY(output->checkpoint(output, regions, count, error));
        if (output->stop_requested(output))
            return ebm_fail(error, EBM_INTERRUPTED, "stopped after %llu pictures; a checkpoint is saved",
                            (unsigned long long)done);
    }
    return EBM_OK;
}

static ebm_status restore_run(const ebm_case *c, ebm_output *output, int threads, ebm_error *error) {
    restoring r = {.options = c->run, .seed = c->seed};
    ebm_status status = prepare(&r, c, threads, error);
    output->step = (uint64_t)(r.options->burn_in + r.options->sweeps);
    if (status == EBM_OK)
        status = restore_all(&r, output, error);
    if (status == EBM_OK)
        status = ebm_restoration_report(&r.pictures, &output->sink, error);
    if (status == EBM_OK)
        status = ebm_restoration_sheets(&r.pictures, &r.subject.model.space, output, r.subject.work, error);
    free(r.prior);
    free(r.mean);
    free(r.energy);
    ebm_chains_free(&r.chains);
    ebm_restoration_free(&r.pictures);
    ebm_subject_free(&r.subject);
    return status;
}

const ebm_runner_type ebm_restore_runner = {
    .info = {"restore", "restore corrupted pictures by a sampler, beside the exact mode by minimum cut",
             "Geman & Geman 1984; Besag 1986; Greig, Porteous & Seheult 1989", restore_table, sizeof(restore_options)},
    .required_kinds = 1u << EBM_KIND_DATASET | 1u << EBM_KIND_MODEL | 1u << EBM_KIND_SAMPLER,
    .metrics = ebm_restoration_metrics,
    .run = restore_run,
};
