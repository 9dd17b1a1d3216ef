/* Likelihoods of data and normalisers of models, as plain functions: what the estimators exact-loglik, kl and ais are
 * made of. All work in blocks of rows whose size depends on the model's shape alone; sums are double. */
#ifndef EBM_LIKELIHOOD_H
#define EBM_LIKELIHOOD_H

#include "ebm/model.h"

/* Rows of a block so that a batch of them stays near 16 MiB; at least 1, at most `count`. */
size_t ebm_block_rows(const ebm_model *model, size_t count);

/* out[e] = E(x_e) at beta = 1 of examples first ... first + count - 1 of a half, in their fixed binarisation.
 * EBM_INVALID where the model and the data differ in space, EBM_DIVERGED where an energy is not finite. */
EBM_NODISCARD ebm_status ebm_examples_energy(const ebm_model *model, const ebm_dataset *data, const ebm_examples *half,
                                             size_t first, size_t count, double *out, ebm_work *work, ebm_error *error);

/* A mean over examples with its standard error (NAN for fewer than two). */
typedef struct ebm_mean_value {
    size_t count;
    double mean, se;
} ebm_mean_value;

ebm_mean_value ebm_mean_of(const double *values, size_t count);
/* Mean energy of the first `limit` examples of a half (0: all of them). count = 0, mean = se = NAN for an empty half.
 */
EBM_NODISCARD ebm_status ebm_examples_mean_energy(const ebm_model *model, const ebm_dataset *data,
                                                  const ebm_examples *half, size_t limit, ebm_mean_value *out,
                                                  ebm_work *work, ebm_error *error);

/* sum (n_theta) += sum_b dE(x_b)/dtheta at beta = 1 of rows x (count, V): in double over blocks of rows, within which the
 * counts of a discrete space are exact. */
EBM_NODISCARD ebm_status ebm_add_grad_theta(const ebm_model *model, const ebm_real *x, size_t count, double *sum,
                                            ebm_work *work, ebm_error *error);

/* KL(data || model) in nats and the total variation between the two, from the data's known distribution (support and
 * support_log_probability) and the model's log Z. */
EBM_NODISCARD ebm_status ebm_support_divergence(const ebm_model *model, const ebm_dataset *data, double log_z,
                                                double *kl, double *total_variation, ebm_work *work, ebm_error *error);

/* Where the temperatures of an annealing path lie: beta_k = s(k / K), k = 0 ... K, with s(0) = 0 and s(1) = 1. */
typedef enum ebm_schedule {
    EBM_SCHEDULE_LINEAR,
    EBM_SCHEDULE_PIECEWISE, /* 1/29 of the steps up to 0.5, 8/29 up to 0.9, 20/29 up to 1: 500, 4000 and 10,000 of
                               14,500 (Salakhutdinov & Murray 2008, section 5.1) */
    EBM_SCHEDULE_SIGMOID    /* dense at both ends: the logistic function on [-4, 4], rescaled */
} ebm_schedule;

double ebm_schedule_beta(ebm_schedule schedule, size_t temperatures, size_t k);

typedef struct ebm_ais_settings {
    ebm_schedule schedule;
    size_t temperatures; /* K: increments of the log-weight; K - 1 transitions lie between them */
    size_t chains;
    size_t block;      /* chains annealed together; the memory is that of one block */
    ebm_stream stream; /* chain c draws from chain c of it */
    uint64_t step;     /* first step of the stream to use; 2 K + 2 steps are used, and 2 for each sweep of a start */
} ebm_ais_settings;

/* Annealed importance sampling from the base to the model: log_weight (chains). The mean of exp(log_weight) is an
 * unbiased estimate of Z / Z_base. The model has the block slots and the base slot. */
EBM_NODISCARD ebm_status ebm_ais_forward(const ebm_model *model, const ebm_base *base, const ebm_ais_settings *settings,
                                         double *log_weight, ebm_work *work, ebm_error *error);

/* Where reverse annealing takes its draws of the model from. */
typedef enum ebm_ais_origin {
    EBM_AIS_ORIGIN_AUTO,  /* exact where it can be, else data, else base */
    EBM_AIS_ORIGIN_EXACT, /* independent exact draws: the model's slot sample_exact, or at most 2^16 visible states */
    EBM_AIS_ORIGIN_DATA,  /* `sweeps` of block Gibbs from random examples of `half` */
    EBM_AIS_ORIGIN_BASE   /* `sweeps` of block Gibbs from draws of the base */
} ebm_ais_origin;

typedef struct ebm_ais_start {
    ebm_ais_origin origin;
    size_t sweeps;
    const ebm_dataset *data;  /* may be NULL where no data are asked for */
    const ebm_examples *half; /* of data */
} ebm_ais_start;

/* The same walk backwards, from draws of the model to the base: log_weight (chains) are the forward walk's log-weights
 * of the reversed walk, so that the mean of exp(-log_weight) is an unbiased estimate of Z_base / Z when the start is
 * exact. */
EBM_NODISCARD ebm_status ebm_ais_reverse(const ebm_model *model, const ebm_base *base, const ebm_ais_settings *settings,
                                         const ebm_ais_start *start, double *log_weight, ebm_work *work,
                                         ebm_error *error);

typedef struct ebm_ais_summary {
    double log_z, se;     /* se: delta method, sd(w) / (sqrt(n) mean(w)); NAN for one chain */
    double low, high;     /* log Z with mean(w) -+ 3 s.e.; infinite where the mean is not 3 s.e. above 0 */
    double ess;           /* (sum w)^2 / sum w^2, between 1 and the number of chains */
    double log_weight_sd; /* 0 for one chain */
} ebm_ais_summary;

/* From log-weights to log Z, given log Z of the base. `reverse`: from those of ebm_ais_reverse. */
EBM_NODISCARD ebm_status ebm_ais_summarise(double log_z_base, const double *log_weight, size_t chains, bool reverse,
                                           ebm_ais_summary *out, ebm_work *work, ebm_error *error);

#endif
