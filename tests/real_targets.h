/* Small laws on real spaces whose draws and distribution functions are known at every inverse temperature beta, as models
 * of the library: what samplers are held to. Nothing but the model's interface is the library's.
 *
 * Two kinds, each with a map between states x and u, whose units are independent and uniform on (0, 1) under the law:
 *   maps of normals   E(x) = |z(x)|^2 / 2 with z(x) triangular and of constant Jacobian: u_i = Phi(sqrt(beta) z_i)
 *   products          E(x) = sum_i e(x_i): u_i is the distribution function of exp(-beta e), by the trapezoidal rule on
 *                     2^14 intervals of x, or of the y in x = tan(y) where tails are heavy */
#ifndef TESTS_REAL_TARGETS_H
#define TESTS_REAL_TARGETS_H

#include "rbm_fixture.h"

enum { TARGET_UNITS = 3, TARGET_INTERVALS = 1 << 14 };

typedef struct target {
    const char *label;
    size_t units;
    bool fused; /* offers energy_grad_x */
    /* Maps of normals: z of x, and x of z. */
    void (*to_normal)(const double *x, double *z);
    void (*from_normal)(const double *z, double *x);
    /* Products: e(x) with its derivative, on (low, high); tangent: of y. */
    double (*unit_energy)(double x, double *slope);
    double low, high;
    bool tangent;
    /* Maps of normals: gradient += J(x)' z. */
    void (*pull_back)(const double *x, const double *z, double *grad);
} target;

/* ---- The laws ---- */

static inline void normal1_to(const double *x, double *z) {
    z[0] = (x[0] - 0.5) / 0.8;
}
static inline void normal1_from(const double *z, double *x) {
    x[0] = 0.5 + 0.8 * z[0];
}
static inline void normal1_back(const double *x, const double *z, double *grad) {
    (void)x;
    grad[0] = z[0] / 0.8;
}

/* x = L z, deviations 1, 2, 0.5, correlations 0.8 of neighbours. */
static const double normal3_L[3][3] = {{1, 0, 0}, {1.6, 1.2, 0}, {0.32, 0.24, 0.3}};

static inline void normal3_to(const double *x, double *z) {
    for (size_t i = 0; i < 3; i++) {
        z[i] = x[i];
        for (size_t j = 0; j < i; j++)
            z[i] -= normal3_L[i][j] * z[j];
        z[i] /= normal3_L[i][i];
    }
}
static inline void normal3_from(const double *z, double *x) {
    for (size_t i = 3; i-- > 0;) {
        x[i] = 0;
        for (size_t j = 0; j <= i; j++)
            x[i] += normal3_L[i][j] * z[j];
    }
}
/* grad = L^-T z */
static inline void normal3_back(const double *x, const double *z, double *grad) {
    (void)x;
    for (size_t i = 3; i-- > 0;) {
        grad[i] = z[i];
        for (size_t j = i + 1; j < 3; j++)
            grad[i] -= normal3_L[j][i] * grad[j];
        grad[i] /= normal3_L[i][i];
    }
}

/* Banana: z_1 = x_1, z_2 = 2 (x_2 - (x_1^2 - 1) / 2) */
static inline void banana_to(const double *x, double *z) {
    z[0] = x[0];
    z[1] = 2 * (x[1] - 0.5 * (x[0] * x[0] - 1));
}
static inline void banana_from(const double *z, double *x) {
    x[0] = z[0];
    x[1] = 0.5 * (z[0] * z[0] - 1) + z[1] / 2;
}
static inline void banana_back(const double *x, const double *z, double *grad) {
    grad[0] = z[0] - 2 * x[0] * z[1];
    grad[1] = 2 * z[1];
}

/* Two wells of unequal depth. */
static inline double wells_energy(double x, double *slope) {
    const double w = x * x - 1;
    *slope = 6 * w * x - 0.3;
    return 1.5 * w * w - 0.3 * x;
}
/* The logarithm of a gamma variable of shape 2: a wall that grows exponentially. */
static inline double wall_energy(double x, double *slope) {
    *slope = exp(x) - 2;
    return exp(x) - 2 * x;
}
/* Gamma of shape 3: nothing below 0. */
static inline double gamma_energy(double x, double *slope) {
    *slope = x > 0 ? 1 - 2 / x : 0;
    return x > 0 ? x - 2 * log(x) : (double)INFINITY;
}
/* Student's t of 5 degrees; 2 at beta = 1/2. */
static inline double tails_energy(double x, double *slope) {
    *slope = 6 * x / (5 + x * x);
    return 3 * log1p(x * x / 5);
}

static const target targets[] = {
    {.label = "normal", .units = 1, .to_normal = normal1_to, .from_normal = normal1_from, .pull_back = normal1_back},
    {.label = "correlated normal",
     .units = 3,
     .fused = true,
     .to_normal = normal3_to,
     .from_normal = normal3_from,
     .pull_back = normal3_back},
    {.label = "banana", .units = 2, .to_normal = banana_to, .from_normal = banana_from, .pull_back = banana_back},
    {.label = "double well", .units = 1, .fused = true, .unit_energy = wells_energy, .low = -4, .high = 4},
    {.label = "two double wells", .units = 2, .unit_energy = wells_energy, .low = -4, .high = 4},
    {.label = "wall", .units = 1, .unit_energy = wall_energy, .low = -36, .high = 6},
    {.label = "half line", .units = 1, .fused = true, .unit_energy = gamma_energy, .low = 0, .high = 90},
    {.label = "heavy tails", .units = 2, .unit_energy = tails_energy, .low = -M_PI_2, .high = M_PI_2, .tangent = true},
};
enum { TARGETS = sizeof targets / sizeof *targets };

static inline const target *target_by_label(const char *label) {
    for (size_t k = 0; k < TARGETS; k++)
        if (strcmp(targets[k].label, label) == 0)
            return &targets[k];
    ck_abort_msg("no target %s", label);
}

/* E(x) at beta = 1 and its gradient; 0 where E is infinite. */
static inline double target_energy(const target *t, const double *x, double *grad) {
    double energy = 0, z[TARGET_UNITS];
    if (t->unit_energy) {
        for (size_t i = 0; i < t->units; i++)
            energy += t->unit_energy(x[i], &grad[i]);
        return energy;
    }
    t->to_normal(x, z);
    for (size_t i = 0; i < t->units; i++)
        energy += z[i] * z[i] / 2;
    t->pull_back(x, z, grad);
    return energy;
}

/* ---- A target at beta ---- */

typedef struct target_law {
    const target *target;
    double beta;
    double *cdf; /* (TARGET_INTERVALS + 1) of products */
} target_law;

static inline double law_node(const target *t, size_t k) {
    return t->low + (t->high - t->low) * (double)k / TARGET_INTERVALS;
}

static inline target_law target_law_open(const target *t, double beta) {
    target_law law = {t, beta, NULL};
    if (!t->unit_energy)
        return law;
    double before = 0, slope;
    law.cdf = calloc(TARGET_INTERVALS + 1, sizeof *law.cdf);
    ck_assert_ptr_nonnull(law.cdf);
    for (size_t k = 0; k <= TARGET_INTERVALS; k++) {
        const double y = law_node(t, k), c = cos(y);
        double weight = exp(-beta * t->unit_energy(t->tangent ? tan(y) : y, &slope)) / (t->tangent ? c * c : 1);
        if (!isfinite(weight) || ((k == 0 || k == TARGET_INTERVALS) && t->tangent))
            weight = 0;
        law.cdf[k] = k > 0 ? law.cdf[k - 1] + (before + weight) / 2 : 0;
        before = weight;
    }
    for (size_t k = 0; k <= TARGET_INTERVALS; k++)
        law.cdf[k] /= law.cdf[TARGET_INTERVALS];
    return law;
}

static inline void target_law_close(target_law *law) {
    free(law->cdf);
    law->cdf = NULL;
}

static inline double law_cdf(const target_law *law, double x) {
    const target *t = law->target;
    const double place = ((t->tangent ? atan(x) : x) - t->low) / (t->high - t->low) * TARGET_INTERVALS;
    if (!(place > 0))
        return 0;
    if (place >= TARGET_INTERVALS)
        return 1;
    const size_t k = (size_t)place;
    return law->cdf[k] + (place - (double)k) * (law->cdf[k + 1] - law->cdf[k]);
}

static inline double law_quantile(const target_law *law, double u) {
    const target *t = law->target;
    size_t low = 0, high = TARGET_INTERVALS;
    while (high - low > 1) {
        const size_t middle = (low + high) / 2;
        *(law->cdf[middle] > u ? &high : &low) = middle;
    }
    const double step = (t->high - t->low) / TARGET_INTERVALS;
    const double y = law_node(t, low) + step * (u - law->cdf[low]) / (law->cdf[high] - law->cdf[low]);
    return t->tangent ? tan(y) : y;
}

/* u (units) of a state: independent and uniform under the law. */
static inline void target_uniforms(const target_law *law, const ebm_real *state, double *u) {
    double x[TARGET_UNITS], z[TARGET_UNITS];
    for (size_t i = 0; i < law->target->units; i++)
        x[i] = (double)state[i];
    if (!law->target->unit_energy)
        law->target->to_normal(x, z);
    for (size_t i = 0; i < law->target->units; i++)
        u[i] = law->target->unit_energy ? law_cdf(law, x[i]) : erfc(-z[i] * sqrt(law->beta / 2)) / 2;
}

/* One draw of the law. */
static inline void target_draw(const target_law *law, test_random *r, ebm_real *state) {
    double x[TARGET_UNITS], z[TARGET_UNITS];
    for (size_t i = 0; i < law->target->units; i++)
        if (law->target->unit_energy)
            x[i] = law_quantile(law, test_random_uniform(r));
        else
            z[i] = test_random_normal(r) / sqrt(law->beta);
    if (!law->target->unit_energy)
        law->target->from_normal(z, x);
    for (size_t i = 0; i < law->target->units; i++)
        state[i] = (ebm_real)x[i];
}

/* ---- As a model ---- */

/* Rows that were really evaluated. */
static struct { uint64_t energies, gradients; } target_counts;

static inline void target_rows(const ebm_model *model, ebm_path path, const ebm_batch *batch, double *energy,
                               ebm_real *grad) {
    const target *t = model->state;
    for (size_t b = 0; b < batch->count; b++) {
        double x[TARGET_UNITS], slope[TARGET_UNITS];
        for (size_t i = 0; i < t->units; i++)
            x[i] = (double)batch->x[b * t->units + i];
        const double value = path.beta * target_energy(t, x, slope);
        if (energy)
            energy[b] = value;
        for (size_t i = 0; grad && i < t->units; i++)
            grad[b * t->units + i] = (ebm_real)(path.beta * slope[i]);
    }
    target_counts.energies += energy ? batch->count : 0;
    target_counts.gradients += grad ? batch->count : 0;
}
static void target_model_energy(const ebm_model *model, ebm_path path, const ebm_batch *batch, double *out,
                                ebm_work *work) {
    (void)work;
    target_rows(model, path, batch, out, NULL);
}
static void target_model_grad_x(const ebm_model *model, ebm_path path, const ebm_batch *batch, ebm_real *out,
                                ebm_work *work) {
    (void)work;
    target_rows(model, path, batch, NULL, out);
}
static void target_model_energy_grad_x(const ebm_model *model, ebm_path path, const ebm_batch *batch, double *energy,
                                       ebm_real *grad, ebm_work *work) {
    (void)work;
    target_rows(model, path, batch, energy, grad);
}
static ebm_status target_model_create(ebm_model *model, const void *options, ebm_error *error) {
    (void)model, (void)options, (void)error;
    return EBM_OK;
}
static ebm_status target_model_initialise(ebm_model *model, const void *options, const ebm_dataset *data, uint32_t seed,
                                          ebm_error *error) {
    (void)model, (void)options, (void)data, (void)seed, (void)error;
    return EBM_OK;
}

static const ebm_option target_options[] = {EBM_OPTIONS_END};
static const ebm_model_type target_type = {
    .info = {"target", "a small law of the tests", "", target_options, 0},
    .domains = 1u << EBM_REAL_LINE,
    .create = target_model_create,
    .initialise = target_model_initialise,
    .energy = target_model_energy,
    .grad_x = target_model_grad_x,
};
static const ebm_model_type target_type_fused = {
    .info = {"target", "a small law of the tests", "", target_options, 0},
    .domains = 1u << EBM_REAL_LINE,
    .create = target_model_create,
    .initialise = target_model_initialise,
    .energy = target_model_energy,
    .grad_x = target_model_grad_x,
    .energy_grad_x = target_model_energy_grad_x,
};

/* Freed with ebm_model_free. */
static inline void target_model_open(const target *t, ebm_model *out) {
    const ebm_space space = ebm_space_line(EBM_REAL_LINE, t->units);
    CHECK_OK(ebm_model_create(t->fused ? &target_type_fused : &target_type, NULL, &space, NULL, 1, out, error));
    out->state = (void *)(uintptr_t)t;
}

#endif
