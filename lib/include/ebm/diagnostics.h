/* Diagnostics that can be trusted: of traces, of Markov chains known exactly, of samples. Double in every build.
 *
 * Every function takes its memory from `work` and leaves nothing there. A quantity that is not defined is missing: NAN.
 * What cannot be asked (an empty trace, a matrix that is not stochastic) is an error. */
#ifndef EBM_DIAGNOSTICS_H
#define EBM_DIAGNOSTICS_H

#include "ebm/status.h"
#include "ebm/work.h"

#include <stdbool.h>
#include <stddef.h>

/* ---- Traces ---- */

/* values (variables, chains, draws): each chain's draws of a variable lie side by side. Borrowed. */
typedef struct ebm_traces {
    const double *values;
    size_t variables, chains, draws;
} ebm_traces;

/* Convergence of one variable (Vehtari, Gelman, Simpson, Carpenter, Buerkner, "Rank-normalization, folding, and
 * localization", Bayesian Analysis 16, 2021), to rounding as the R package posterior 1.4.0 has it:
 *   - chains are split in halves, n draws each; an odd number of draws drops the middle one. m halves, S = m n draws;
 *   - R-hat = sqrt((n var(means) / mean(variances) + n - 1) / n) over the halves;
 *   - rank-normalised: z = Phi^-1((r - 3/8) / (S + 1/4)), ties share their mean rank r; folded: of |x - median|;
 *   - ESS = S / tau, tau = -1 + 2 (sum of Geyer's initial positive pairs of autocorrelations, made monotone) + the next
 *     even autocorrelation if positive; at most S log10(S); S / 2 where the first pair is not positive;
 *   - the tail ESS is the smaller of those of I(x <= q), q the 5 % and the 95 % quantile of all draws (type 7).
 * Everything is missing where a draw is not finite, and a quantity where what it looks at is constant: a range below
 * 2^-52 of the trace itself, one value of an indicator, one distance from the median. R-hat is infinite where every
 * half is constant and they differ. Fewer than 4 draws leave R-hat, fewer than 6 the ESS missing. */
typedef struct ebm_trace_summary {
    double mean, sd;               /* over all chains, sd with divisor chains * draws - 1 */
    double rhat;                   /* the larger of the next two; missing if either is */
    double rhat_bulk, rhat_folded; /* rank-normalised, split: of the trace, of its distances from the median */
    double rhat_basic;             /* split, of the values themselves */
    double ess_basic, ess_mean;    /* split, of the values themselves: one number under posterior's two names */
    double ess_bulk, ess_tail;
    double mcse_mean; /* sd / sqrt(ess_mean) */
} ebm_trace_summary;

/* out (variables). Cost: a sort and a few lags of autocovariance a variable, a transform where lags are many. */
EBM_NODISCARD ebm_status ebm_traces_summarise(const ebm_traces *traces, ebm_trace_summary *out, ebm_work *work,
                                              ebm_error *error);

/* Integrated autocorrelation time of chains that are all in equilibrium (Sokal 1997, "Monte Carlo methods in
 * statistical mechanics"; Madras & Sokal 1988):
 *   gamma_t = sum over chains and i of (x_i - mean)(x_(i+t) - mean) / (chains (draws - t)), one mean over all chains
 *   rho_t = gamma_t / gamma_0,   tau = 1 + 2 sum_(t=1)^M rho_t,   M the smallest with M >= c tau
 *   se(tau) = tau sqrt(2 (2 M + 1) / (chains draws)),   ESS = chains draws / tau
 * That error supposes a Gaussian trace. With ten chains or more it is the larger of that and of what the spread between
 * the chains says (a ratio of means over independent chains: Cochran 1977, section 6.4):
 *   se(tau) = sqrt(chains / (chains - 1) sum_b (A_b - r V_b)^2) / sum_b V_b,   r = sum_b A_b / sum_b V_b,
 *   V_b = sum_i (x_i - mean)^2 of chain b,   A_b = sum over |s| <= M of (x_i - mean)(x_(i+s) - mean)
 * This tau is 1 for independent draws and (1 + phi) / (1 - phi) for an autoregression; it is 2 tau_int of those who
 * start from 1/2. It deserves trust for chains of more than about 50 tau. Missing, with window = 0, where the trace
 * is not finite or constant, where the window does not close within the chains or closes on a tau that is not
 * positive (anticorrelated draws, for which Geyer's ess_mean is the one to use), and where of ten chains or more fewer
 * than a third carry the variance, (sum_b V_b)^2 < chains / 3 sum_b V_b^2: a rare event that few chains have seen. */
typedef struct ebm_autocorrelation_time {
    double tau, se;
    size_t window;        /* M */
    double mean, mean_se; /* mean_se = sqrt(gamma_0 tau / (chains draws)) */
} ebm_autocorrelation_time;

/* Sokal's constant: windows c = 4 ... 6 tau long balance bias and noise for near-exponential decay. */
#define EBM_SOKAL_WINDOW 5.0

/* out (variables); window_constant > 0. */
EBM_NODISCARD ebm_status ebm_traces_autocorrelation_time(const ebm_traces *traces, double window_constant,
                                                         ebm_autocorrelation_time *out, ebm_work *work,
                                                         ebm_error *error);
/* out (variables, lags + 1) = rho_0 = 1 ... rho_lags as above, lags < draws; missing for a constant trace. */
EBM_NODISCARD ebm_status ebm_traces_autocorrelation(const ebm_traces *traces, size_t lags, double *out, ebm_work *work,
                                                    ebm_error *error);

/* ---- Markov chains known exactly ---- */

/* The most states that a transition matrix may have here: 128 MiB of double. */
enum { EBM_MAX_CHAIN_STATES = 1 << 12 };

/* transition (states, states), T[i][j] = P(i -> j); stationary (states), the distribution pi that the chain is meant to
 * leave invariant. Borrowed. All functions but ebm_exact_chain_residuals refuse (EBM_INVALID) a matrix with an entry
 * below -1e-12 or a row whose sum differs from 1 by more than 1e-9, and a pi like that. */
typedef struct ebm_exact_chain {
    const double *transition, *stationary;
    size_t states;
} ebm_exact_chain;

/* How far the matrix is from what it is meant to be; zero up to rounding where it is right. */
typedef struct ebm_chain_residuals {
    double row_sum;          /* max_i |sum_j T_ij - 1| */
    double lowest;           /* min_ij T_ij, which must not be negative */
    double stationarity;     /* max_j |(pi T)_j - pi_j| */
    double detailed_balance; /* max_ij |pi_i T_ij - pi_j T_ji| */
} ebm_chain_residuals;

EBM_NODISCARD ebm_status ebm_exact_chain_residuals(const ebm_exact_chain *chain, ebm_chain_residuals *out,
                                                   ebm_work *work, ebm_error *error);

/* out[k] = total variation between pi and the law after steps[k] steps (ascending, repeats allowed), from the law
 * `start` (states) or, for start = NULL, from the worst state: d(t) = max_i 1/2 sum_j |T^t_ij - pi_j|. From a law the
 * cost is S^2 a step, from the worst state S^3 for each doubling of the distance between neighbouring steps. */
EBM_NODISCARD ebm_status ebm_exact_chain_total_variation(const ebm_exact_chain *chain, const double *start,
                                                         const size_t *steps, size_t count, double *out, ebm_work *work,
                                                         ebm_error *error);

/* t_mix(epsilon) = the smallest t with d(t) <= epsilon (Levin, Peres & Wilmer 2009, section 4.5), by squaring T until
 * d is below and bisecting with the powers kept: about 2 log2 t_mix products and log2 t_mix matrices of memory.
 * 0 < epsilon < 1, customarily 1/4. EBM_DIVERGED where d(limit) > epsilon: a periodic or reducible chain, or a wrong
 * pi. */
EBM_NODISCARD ebm_status ebm_exact_chain_mixing_time(const ebm_exact_chain *chain, double epsilon, size_t limit,
                                                     size_t *out, ebm_work *work, ebm_error *error);

/* Eigenvalues below lambda_1 = 1. Reversible chains by the symmetric D^1/2 T D^-1/2, D = diag(pi); others by the
 * general problem, about twenty times the cost. */
typedef struct ebm_chain_spectrum {
    bool reversible;     /* detailed balance to 1e-10 relative to pi_i and pi_j: |A_ij - A_ji| in the symmetric form */
    double second;       /* lambda_2; reversible chains only, NAN otherwise */
    double lowest;       /* lambda_S, likewise */
    double gap;          /* 1 - lambda_2, likewise */
    double absolute_gap; /* 1 - max |lambda| over the others; its inverse is the relaxation time */
} ebm_chain_spectrum;

/* EBM_INVALID where pi T differs from pi by more than 1e-9. */
EBM_NODISCARD ebm_status ebm_exact_chain_spectrum(const ebm_exact_chain *chain, ebm_chain_spectrum *out, ebm_work *work,
                                                  ebm_error *error);

/* The exact integrated autocorrelation time of functions f (count, states) in equilibrium, in the convention of
 * ebm_autocorrelation_time with M = infinity:
 *   (I - T + 1 pi) g = f - pi(f),   tau = 2 <g, f - pi(f)>_pi / var_pi(f) - 1     (Kemeny & Snell 1960)
 * tau (count), NAN where f is constant under pi. EBM_DIVERGED where the chain is reducible: the matrix is singular. */
EBM_NODISCARD ebm_status ebm_exact_chain_autocorrelation_time(const ebm_exact_chain *chain, const double *functions,
                                                              size_t count, double *tau, ebm_work *work,
                                                              ebm_error *error);

/* ---- Samples ---- */

typedef struct ebm_chi_square {
    double statistic, p_value; /* p_value = P(chi^2_degrees >= statistic) */
    size_t degrees, cells;     /* degrees = cells - 1; cells after pooling */
} ebm_chi_square;

/* Pearson's test of counts (cells) of independent draws against exact probabilities (cells). Cells that expect fewer
 * than `least` draws (customarily 5) are pooled into one; a pool that still expects fewer joins the smallest cell kept.
 * A draw where the probability is 0 makes the statistic infinite. Missing statistic and p_value where one cell is left.
 */
EBM_NODISCARD ebm_status ebm_chi_square_test(const double *counts, const double *probabilities, size_t cells,
                                             double least, ebm_chi_square *out, ebm_error *error);
/* P(chi^2_degrees >= statistic), degrees >= 1. */
double ebm_chi_square_tail(double statistic, double degrees);

/* Kolmogorov-Smirnov: the largest distance between distribution functions, and how often chance gives as much. */
typedef struct ebm_kolmogorov {
    double distance; /* D = sup_x |F_n(x) - F(x)|, or sup_x |F_n(x) - G_m(x)| */
    double p_value;  /* P(D >= distance) where the laws agree and the draws are independent */
} ebm_kolmogorov;

/* One sample against a continuous law: probabilities[i] = F(x_i) of draw i under the law, in any order, which are then
 * uniform. EBM_INVALID for no draws or a number outside [0, 1]. */
EBM_NODISCARD ebm_status ebm_kolmogorov_test(const double *probabilities, size_t count, ebm_kolmogorov *out,
                                             ebm_work *work, ebm_error *error);
/* Two samples against each other, in any order, each number finite. The p value is exact where no two values are equal,
 * and an upper bound where some are; beyond 2e8 cells between the two bounds of the walk it is the limit law's. */
EBM_NODISCARD ebm_status ebm_kolmogorov_two_sample(const double *x, size_t x_count, const double *y, size_t y_count,
                                                   ebm_kolmogorov *out, ebm_work *work, ebm_error *error);
/* P(D_n >= distance) for n >= 1 independent draws: to 1e-7 of its value for n <= 4000; beyond, to 1e-3 of it where it is
 * above 1e-11. */
double ebm_kolmogorov_tail(double distance, size_t count);
/* The limit P(sqrt(n) D_n >= lambda) = 2 sum_k (-1)^(k - 1) e^(-2 k^2 lambda^2). */
double ebm_kolmogorov_limit(double lambda);

/* Squared maximum mean discrepancy of two samples with the Gaussian kernel k(x, y) = exp(-|x - y|^2 / (2 h^2)),
 * unbiased (Gretton et al. 2012, lemma 6). Its standard error is the two-sample jackknife's, whose expectation is never
 * below the truth (Efron & Stein 1981); where the two laws are equal it is larger by a factor of about sqrt(2). */
typedef struct ebm_mmd {
    double squared, se; /* squared may be negative */
    double bandwidth;   /* h */
} ebm_mmd;

/* x (x_count, size), y (y_count, size), at least 2 rows each. bandwidth > 0, or 0 for the median distance between
 * pairs of the pooled sample, of which at most 1000 rows, evenly spaced, are looked at; EBM_INVALID where that is 0. */
EBM_NODISCARD ebm_status ebm_mmd_squared(const double *x, size_t x_count, const double *y, size_t y_count, size_t size,
                                         double bandwidth, ebm_mmd *out, ebm_work *work, ebm_error *error);

#endif
