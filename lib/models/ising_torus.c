/* Kaufman's partition function of the finite torus, and Onsager's and Yang's curves of the infinite lattice.
 *
 * m rows, n columns (B. Kaufman, "Crystal statistics. II", Phys. Rev. 76, 1232, 1949):
 *   Z = 1/2 (2 sinh 2K)^(mn/2) (A + B + C + D)
 *   A, B = prod_(odd l) 2 cosh(m g_l / 2), 2 sinh(m g_l / 2),   C, D the same over even l,   0 <= l < 2n
 *   cosh g_l = cosh^2 2K / sinh 2K - cos(pi l / n),   g_l > 0 but g_0 = 2K + log tanh K, negative below K_c
 *
 * Rewritten so that nothing cancels, near K_c or at small K: with s = sinh 2K, t = sin^2(pi l / 2n), u = (1 - s)^2 + 2 s t,
 *   2s sinh^2(g_l / 2) = u,   L = sqrt(2s) e^(|g_l| / 2) = sqrt(u) + sqrt(u + 2s),   z = e^(-|g_l|) = 2s / L^2
 *   (2s)^(m/2) 2 cosh(m g_l / 2) = L^m (1 + z^m),   (2s)^(m/2) 2 sinh(m |g_l| / 2) = L^m (1 - z^m)
 * and the sinh of g_0 has the sign of s - 1. The products are sums of logarithms, taken relative to A, the largest. D is
 * smooth where g_0 passes through 0 and its logarithm is not: that one factor stays outside.
 *
 * Derivatives by K come with the values: all numbers are jets (f, f', f''), composed by the chain rule. */
#include "models/ising_torus.h"

#include <assert.h>
#include <math.h>

typedef struct jet {
    double f, d, dd;
} jet;

static jet constant(double c) {
    return (jet){c, 0, 0};
}
static jet add(jet a, jet b) {
    return (jet){a.f + b.f, a.d + b.d, a.dd + b.dd};
}
static jet scale(double c, jet a) {
    return (jet){c * a.f, c * a.d, c * a.dd};
}
static jet subtract(jet a, jet b) {
    return add(a, scale(-1, b));
}
static jet multiply(jet a, jet b) {
    return (jet){a.f * b.f, a.d * b.f + a.f * b.d, a.dd * b.f + 2 * a.d * b.d + a.f * b.dd};
}
/* g(a), given g, g' and g'' at a.f */
static jet compose(jet a, double g, double dg, double ddg) {
    return (jet){g, dg * a.d, ddg * a.d * a.d + dg * a.dd};
}
static jet root(jet a) {
    const double r = sqrt(a.f);
    return compose(a, r, 0.5 / r, -0.25 / (r * a.f));
}
static jet logarithm(jet a) {
    return compose(a, log(a.f), 1 / a.f, -1 / (a.f * a.f));
}
static jet log_one_plus(jet a) {
    const double share = 1 / (1 + a.f);
    return compose(a, log1p(a.f), share, -share * share);
}
static jet exponential(jet a) {
    const double e = exp(a.f);
    return compose(a, e, e, e);
}
static jet reciprocal(jet a) {
    const double r = 1 / a.f;
    return compose(a, r, -r * r, 2 * r * r * r);
}
/* a^m, m >= 2, a >= 0 (pow is 0 at a = 0) */
static jet power(jet a, double m) {
    return compose(a, pow(a.f, m), m * pow(a.f, m - 1), m * (m - 1) * pow(a.f, m - 2));
}

/* m log L_l and z_l^m. */
static void factor(double m, double n, double l, jet s, jet *log_L, jet *z) {
    const double half_angle = M_PI * l / (2 * n), t = sin(half_angle) * sin(half_angle);
    const jet gap = s.f < 1 ? subtract(constant(1), s) : subtract(s, constant(1));
    const jet square = add(multiply(gap, gap), scale(2 * t, s));
    const jet L = add(l == 0 ? gap : root(square), root(add(square, scale(2, s))));
    *log_L = scale(m, logarithm(L));
    *z = power(multiply(scale(2, s), reciprocal(multiply(L, L))), m);
}

/* Above, e^(-12 K) and e^(-8 K) per unit are nothing beside the two ground states. */
static const double frozen = 20;

ebm_ising_torus ebm_ising_torus_exact(size_t rows, size_t columns, double K) {
    const double m = (double)rows, n = (double)columns;
    assert(rows >= 3 && columns >= 3 && K >= 0);
    if (K > frozen)
        return (ebm_ising_torus){M_LN2 + 2 * m * n * K, 2 * m * n, 0};
    const jet s = {sinh(2 * K), 2 * cosh(2 * K), 4 * sinh(2 * K)};
    jet A = constant(0), B_over_A = constant(0), C = constant(0), D_over_C = constant(0), sinh_0 = constant(0);
    for (size_t r = 0; r < columns; r++) {
        jet log_L, z;
        factor(m, n, 2 * (double)r + 1, s, &log_L, &z);
        const jet odd = log_one_plus(z), odd_sinh = log_one_plus(scale(-1, z));
        A = add(A, add(log_L, odd));
        B_over_A = add(B_over_A, subtract(odd_sinh, odd));
        factor(m, n, 2 * (double)r, s, &log_L, &z);
        const jet even = log_one_plus(z);
        C = add(C, add(log_L, even));
        if (r == 0) {
            sinh_0 = subtract(constant(1), z);
            D_over_C = scale(-1, even);
        } else
            D_over_C = add(D_over_C, subtract(log_one_plus(scale(-1, z)), even));
    }
    const jet D = multiply(sinh_0, exponential(D_over_C));
    const jet C_and_D = add(constant(1), s.f < 1 ? scale(-1, D) : D);
    const jet total = add(add(constant(1), exponential(B_over_A)), multiply(exponential(subtract(C, A)), C_and_D));
    const jet log_z = add(subtract(A, constant(M_LN2)), logarithm(total));
    return (ebm_ising_torus){log_z.f, log_z.d, log_z.dd};
}

/* Complete elliptic integrals K(k), E(k) from k' = sqrt(1 - k^2) > 0 by the arithmetic-geometric mean: K = pi / (2 a),
 * E = K (1 - sum_n 2^(n - 1) c_n^2) with c_0 = k, c_(n + 1) = (a_n - b_n) / 2 (Abramowitz & Stegun 17.6). */
static void elliptic(double complement, double *K, double *E) {
    double a = 1, b = complement, weight = 0.5, sum = weight * (1 - b) * (1 + b);
    while (a - b > 1e-15 * a) {
        const double c = (a - b) / 2, next = (a + b) / 2;
        b = sqrt(a * b);
        a = next;
        weight *= 2;
        sum += weight * c * c;
    }
    *K = M_PI / (2 * a);
    *E = *K * (1 - sum);
}

/* 2 tanh^2 2K - 1, whose size is the complementary modulus of Onsager's k = 2 sinh 2K / cosh^2 2K. */
static double onsager_complement(double K) {
    const double s = sinh(2 * K);
    return isfinite(s * s) ? (s - 1) * (s + 1) / (1 + s * s) : 1;
}

/* Where the closed forms cancel (errors of 2^-53 / K^2), from log Z / V = log 2 + 2 log cosh K + v^4 + 2 v^6 + O(v^8),
 * v = tanh K: closed loops on the lattice. */
static const double hot = 2e-3;

/* -coth 2K (1 + 2/pi kappa K(k)), kappa = 2 tanh^2 2K - 1 (L. Onsager, Phys. Rev. 65, 117, 1944) */
double ebm_ising_infinite_energy(double K) {
    const double kappa = onsager_complement(K);
    double first, second;
    if (K < hot) {
        const double v = tanh(K);
        return -v * (2 + v * v * (4 + 8 * v * v));
    }
    if (kappa == 0)
        return -1 / tanh(2 * K);
    elliptic(fabs(kappa), &first, &second);
    return -(1 + 2 / M_PI * kappa * first) / tanh(2 * K);
}

/* 2/pi (K coth 2K)^2 (2 K(k) - 2 E(k) - (1 - kappa) (pi/2 + kappa K(k))), the same source. */
double ebm_ising_infinite_specific_heat(double K) {
    const double kappa = onsager_complement(K), scaled = K / tanh(2 * K);
    double first, second;
    if (K < hot) {
        const double v = tanh(K);
        return K * K * (1 - v) * (1 + v) * (2 + v * v * (12 + 40 * v * v));
    }
    if (kappa == 0)
        return INFINITY;
    elliptic(fabs(kappa), &first, &second);
    return 2 / M_PI * scaled * scaled * (2 * (first - second) - (1 - kappa) * (M_PI / 2 + kappa * first));
}

/* (1 - sinh^-4 2K)^(1/8) above K_c (C. N. Yang, Phys. Rev. 85, 808, 1952) */
double ebm_ising_infinite_magnetisation(double K) {
    const double s = sinh(2 * K);
    return s > 1 ? pow(-expm1(-4 * log(s)), 0.125) : 0;
}
