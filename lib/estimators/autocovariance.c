/* Autocovariances: the first lags directly, many lags by Fourier transform.
 *
 * Short memories need a few lags only, and a dot product each is the fastest; an indicator's products are counts of
 * pairs of ones, fewer still. Long memories take the transform
 *   sum_i conj(z_i) z_(i+t) = 1/N sum_k |Z_k|^2 exp(2 pi i k t / N),   z = y + i y' padded with zeros,
 * whose real part is the sum of the two series' autocovariances for lags t <= N - length: no separation is needed, and
 * the power spectra of all series add up before one inverse. Forward by decimation in frequency, which leaves the
 * spectrum in bit-reversed order, and back by decimation in time, which takes it so (Cooley & Tukey 1965; Gentleman &
 * Sande 1966): nothing is ever reordered. Vectors hold two transforms side by side: two pairs of series forward, the
 * even and the odd half of the spectrum back. */
#include "autocovariance.h"

#include "core/matrix_blocks.h"

#include <assert.h>
#include <cblas.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

typedef double lanes __attribute__((vector_size(16), may_alias));

enum {
    FIRST_LAGS = 16,
    DIRECT_LAGS = 128, /* a transform of 8 series of 5000 costs about 150 lags */
    RECURSION = 512    /* below this a transform lies in the first-level cache */
};

size_t ebm_transform_size(size_t length) {
    size_t size = 16;
    while (size < 2 * length)
        size *= 2;
    return size;
}

void ebm_transform_fill(ebm_transform *transform) {
    for (size_t n = 2; n <= transform->size; n *= 2)
        for (size_t j = 0; j < n / 2; j++) {
            const double angle = 2 * M_PI * (double)j / (double)n;
            transform->cosine[n / 2 + j] = cos(angle);
            transform->sine[n / 2 + j] = sin(angle);
        }
}

size_t ebm_autocovariance_buffer(size_t length) {
    return 5 * ebm_transform_size(length); /* two lanes of a complex array, and the spectrum */
}

/* One level of decimation in frequency: (a, b) -> (a + b, (a - b) exp(-2 pi i j / n)). */
static void forward_level(const ebm_transform *w, size_t n, lanes *re, lanes *im) {
    const size_t h = n / 2;
    const double *cosine = w->cosine + h, *sine = w->sine + h;
    for (size_t j = 0; j < h; j++) {
        const lanes a = re[j], b = re[j + h], c = im[j], d = im[j + h];
        const lanes x = a - b, y = c - d;
        re[j] = a + b;
        im[j] = c + d;
        re[j + h] = x * cosine[j] + y * sine[j];
        im[j + h] = y * cosine[j] - x * sine[j];
    }
}

/* Natural order in, bit-reversed out. */
static void forward(const ebm_transform *w, size_t n, lanes *re, lanes *im) {
    if (n > RECURSION) {
        forward_level(w, n, re, im);
        forward(w, n / 2, re, im);
        forward(w, n / 2, re + n / 2, im + n / 2);
        return;
    }
    for (size_t part = n; part > 4; part /= 2)
        for (size_t first = 0; first < n; first += part)
            forward_level(w, part, re + first, im + first);
    for (size_t j = 0; j < n; j += 4) { /* the last two levels: factors 1 and -i */
        const lanes a = re[j] + re[j + 2], b = re[j + 1] + re[j + 3], c = re[j] - re[j + 2], d = re[j + 1] - re[j + 3];
        const lanes p = im[j] + im[j + 2], q = im[j + 1] + im[j + 3], r = im[j] - im[j + 2], s = im[j + 1] - im[j + 3];
        re[j] = a + b, im[j] = p + q;
        re[j + 1] = a - b, im[j + 1] = p - q;
        re[j + 2] = c + s, im[j + 2] = r - d;
        re[j + 3] = c - s, im[j + 3] = r + d;
    }
}

/* One level of decimation in time: (a, b) -> (a + w b, a - w b), w = exp(2 pi i j / n). */
static void backward_level(const ebm_transform *w, size_t n, lanes *re, lanes *im) {
    const size_t h = n / 2;
    const double *cosine = w->cosine + h, *sine = w->sine + h;
    for (size_t j = 0; j < h; j++) {
        const lanes a = re[j], c = im[j];
        const lanes x = re[j + h] * cosine[j] - im[j + h] * sine[j], y = im[j + h] * cosine[j] + re[j + h] * sine[j];
        re[j] = a + x;
        im[j] = c + y;
        re[j + h] = a - x;
        im[j + h] = c - y;
    }
}

/* Bit-reversed order in, natural out; not divided by n. */
static void backward(const ebm_transform *w, size_t n, lanes *re, lanes *im) {
    if (n > RECURSION) {
        backward(w, n / 2, re, im);
        backward(w, n / 2, re + n / 2, im + n / 2);
        backward_level(w, n, re, im);
        return;
    }
    for (size_t j = 0; j < n; j += 4) {
        const lanes a = re[j] + re[j + 1], b = re[j + 2] + re[j + 3], c = re[j] - re[j + 1], d = re[j + 2] - re[j + 3];
        const lanes p = im[j] + im[j + 1], q = im[j + 2] + im[j + 3], r = im[j] - im[j + 1], s = im[j + 2] - im[j + 3];
        re[j] = a + b, im[j] = p + q;
        re[j + 2] = a - b, im[j + 2] = p - q;
        re[j + 1] = c - s, im[j + 1] = r + d;
        re[j + 3] = c + s, im[j + 3] = r - d;
    }
    for (size_t part = 8; part <= n; part *= 2)
        for (size_t first = 0; first < n; first += part)
            backward_level(w, part, re + first, im + first);
}

/* Four series into the lanes: re = (y0, y2), im = (y1, y3); a series beyond the last is 0. */
static void fill_lanes(const ebm_autocovariance *a, size_t first, size_t size, lanes *re, lanes *im) {
    const size_t have = a->series - first < 4 ? a->series - first : 4;
    if (have < 4)
        memset(re, 0, a->length * sizeof *re), memset(im, 0, a->length * sizeof *im);
    for (size_t s = 0; s < have; s++) {
        double *to = (double *)(s % 2 == 0 ? re : im) + s / 2;
        const double *y = a->dense + (first + s) * a->length;
        for (size_t i = 0; i < a->length; i++)
            to[2 * i] = y[i];
    }
    memset(re + a->length, 0, (size - a->length) * sizeof *re);
    memset(im + a->length, 0, (size - a->length) * sizeof *im);
}

/* Lags up to min(size / 2 - 1, size - length), which become known. */
static void by_transform(ebm_autocovariance *a, size_t size) {
    const ebm_transform *w = a->transform;
    lanes *re = (lanes *)a->buffer, *im = re + size;
    double *power = a->buffer + 4 * size;
    memset(power, 0, size * sizeof *power);
    for (size_t first = 0; first < a->series; first += 4) {
        fill_lanes(a, first, size, re, im);
        forward(w, size, re, im);
        for (size_t k = 0; k < size; k++) {
            const lanes square = re[k] * re[k] + im[k] * im[k];
            power[k] += square[0] + square[1];
        }
    }
    const size_t half = size / 2; /* bit-reversed: the even frequencies come first */
    for (size_t k = 0; k < half; k++) {
        re[k] = (lanes){power[k], power[half + k]};
        im[k] = (lanes){0, 0};
    }
    backward(w, half, re, im);
    const size_t most = size - a->length + 1 < half ? size - a->length + 1 : half;
    const size_t known = most < a->length ? most : a->length;
    for (size_t t = 0; t < known; t++)
        a->sum[t] = (re[t][0] + w->cosine[half + t] * re[t][1] - w->sine[half + t] * im[t][1]) / (double)size;
    a->known = known;
}

/* Lags from known to `end` - 1 by dot products of pieces that stay in the first-level cache. */
static void by_products(ebm_autocovariance *a, size_t end) {
    enum { PIECE = 2048 };
    for (size_t t = a->known; t < end; t++)
        a->sum[t] = 0;
    for (size_t s = 0; s < a->series; s++) {
        const double *y = a->dense + s * a->length;
        for (size_t first = 0; first < a->length; first += PIECE)
            for (size_t t = a->known; t < end && first + t < a->length; t++) {
                const size_t left = a->length - t - first;
                a->sum[t] += cblas_ddot((int)(left < PIECE ? left : PIECE), y + first, 1, y + first + t, 1);
            }
    }
    a->known = end;
}

/* The same for an indicator with mean p in its series:
 *   sum (I_i - p)(I_(i+t) - p) = pairs at distance t - p (ones before length - t + ones from t on) + (length - t) p^2
 */
static void by_pairs(ebm_autocovariance *a, size_t end) {
    const size_t n = a->length;
    memset(a->sum, 0, end * sizeof *a->sum);
    for (size_t s = 0; s < a->series; s++) {
        const uint32_t *place = a->position + a->begin[s];
        const size_t ones = a->begin[s + 1] - a->begin[s];
        for (size_t i = 0; i < ones; i++)
            for (size_t j = i; j < ones && place[j] - place[i] < end; j++)
                a->sum[place[j] - place[i]] += 1; /* whole numbers: exact */
    }
    for (size_t s = 0; s < a->series; s++) {
        const uint32_t *place = a->position + a->begin[s];
        const size_t ones = a->begin[s + 1] - a->begin[s];
        const double p = (double)ones / (double)n;
        size_t before = ones, passed = 0;
        for (size_t t = 0; t < end; t++) {
            while (before > 0 && place[before - 1] >= n - t)
                before--;
            while (passed < ones && place[passed] < t)
                passed++;
            a->sum[t] += p * ((double)(n - t) * p - (double)(before + ones - passed));
        }
    }
    a->known = end;
}

/* The indicator itself, centred, as a transform wants it. */
static void fill_dense(ebm_autocovariance *a) {
    for (size_t s = 0; s < a->series; s++) {
        const double p = (double)(a->begin[s + 1] - a->begin[s]) / (double)a->length;
        double *y = a->dense + s * a->length;
        for (size_t i = 0; i < a->length; i++)
            y[i] = -p;
        for (size_t k = a->begin[s]; k < a->begin[s + 1]; k++)
            y[a->position[k]] = 1 - p;
    }
}

void ebm_autocovariance_extend(ebm_autocovariance *a, size_t lag) {
    assert(lag < a->length);
    ebm_blas_one_thread();
    while (a->known <= lag) {
        const bool slow = a->known > 0 && a->sum[a->known - 1] > 0.2 * a->sum[0]; /* far from decayed */
        size_t end = a->known == 0 ? FIRST_LAGS : 2 * a->known;
        end = end < a->length ? end : a->length;
        if (a->known >= DIRECT_LAGS || (slow && a->length > 4 * DIRECT_LAGS)) {
            const size_t half = a->transform->size / 2;
            if (a->begin)
                fill_dense(a);
            by_transform(a, lag < half / 2 && lag + a->length <= half ? half : 2 * half);
        } else if (a->begin)
            by_pairs(a, end);
        else
            by_products(a, end);
    }
}
