/* Glyphs: pictures of handwritten-looking digits, drawn by a pen that follows a skeleton.
 *
 * For example i of a half, all from words 0 ... 63 of its own random stream:
 *   1. a label, uniform on 0 ... 9, and one of four ways to write it;
 *   2. every point of the skeleton moves a little; a Catmull-Rom spline through the points, broken at corners, gives
 * the path (E. Catmull, R. Rom, "A class of local interpolating splines", 1974);
 *   3. a random slant, rotation, aspect and bend of the whole;
 *   4. the path is scaled to fit the middle 20 of 28 pixels, its centre of mass is put near the picture's centre (as
 *      MNIST's digits are), with a small random scale and shift;
 *   5. ink: a pixel's intensity falls linearly from 1 to 0 across the edge of a pen whose width varies along the path.
 *
 * Only +, -, *, / and square roots are used (rotations by their half-angle's tangent, normals by a sum of uniforms),
 * which IEEE 754 rounds exactly: a seed gives the same bytes on every machine. */
#include "data/datasets.h"
#include "data/glyph_strokes.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

enum {
    WORDS = 64,
    LABEL_WORD = 0,
    VARIANT_WORD = 1,
    SHAPE_WORD = 2,
    JITTER_WORD = 16,
    PIECES = 5, /* straight pieces of one spline */
    MOST_PATH = EBM_GLYPH_POINTS * PIECES + 1
};
_Static_assert(JITTER_WORD + 2 * EBM_GLYPH_POINTS <= WORDS, "a word for each coordinate of a skeleton");

typedef struct glyphs_options {
    int64_t train, test, side, data_seed, leave_out;
    int binarise;
    ebm_standardise_options standardise;
} glyphs_options;

static const ebm_option options_table[] = {
    {"train", EBM_OPTION_INT, EBM_OFFSET(glyphs_options, train), "5000", 1, 1e8, NULL, 0, "training digits"},
    {"test", EBM_OPTION_INT, EBM_OFFSET(glyphs_options, test), "1000", 0, 1e8, NULL, 0, "test digits"},
    {"side", EBM_OPTION_INT, EBM_OFFSET(glyphs_options, side), "28", 8, 256, NULL, 0,
     "rows and columns of a picture; the pen scales with it"},
    {"binarise", EBM_OPTION_CHOICE, EBM_OFFSET(glyphs_options, binarise), "stochastic", 0, 0, ebm_binarise_names, 0,
     "stochastic: 1 with probability intensity, afresh in every minibatch, once and for all in the test half; "
     "threshold: 1 from intensity 1/2; none: real intensities from 0 to 1"},
    EBM_STANDARDISE_OPTIONS(glyphs_options, standardise),
    EBM_DATA_SEED_OPTION(glyphs_options),
    EBM_LEAVE_OUT_OPTION(glyphs_options),
    EBM_OPTIONS_END,
};

typedef struct point {
    double x, y;
    double radius; /* of the pen, in pixels */
    bool lift;     /* no ink on the way to this point */
} point;

typedef struct path {
    size_t count;
    point points[MOST_PATH];
} path;

/* How one example is written. */
typedef struct style {
    double slant, turn, aspect,
        bend;                      /* x += slant y; tan of half the angle; width over height; x += bend (y^2 - 1/3) */
    double size, shift_x, shift_y; /* of the larger side, and of the centre, in pictures' sides */
    double radius, taper, swell;   /* of the pen: its mean in sides, its relative change along the path */
    double edge;                   /* width of the ink's edge, in sides */
} style;

static double uniform_of(uint32_t word) {
    return ((double)word + 0.5) * 0x1p-32;
}

/* A bell of mean 0 and variance 1 within +-3.46: the sum of the word's four bytes. */
static double bell_of(uint32_t word) {
    double sum = 0;
    for (int i = 0; i < 4; i++)
        sum += ((double)(word >> 8 * i & 255) + 0.5) / 256 - 0.5;
    return sum * 1.7320508075688772; /* sqrt(12 / 4) */
}

static double between(uint32_t word, double low, double high) {
    return low + (high - low) * uniform_of(word);
}

static style style_of(const uint32_t *words) {
    return (style){.slant = 0.14 + 0.21 * bell_of(words[0]),
                   .turn = 0.05 * bell_of(words[1]),
                   .aspect = between(words[2], 0.74, 1.26),
                   .bend = 0.06 * bell_of(words[3]),
                   .size = between(words[4], 0.64, 0.73),
                   .shift_x = 0.013 * bell_of(words[5]),
                   .shift_y = 0.013 * bell_of(words[6]),
                   .radius = (0.9 + 0.85 * uniform_of(words[7])) / 28,
                   .taper = 0.12 * bell_of(words[8]),
                   .swell = 0.1 * bell_of(words[9]),
                   .edge = between(words[10], 1.0, 1.5) / 28};
}

/* The skeleton with every point moved, before any distortion. */
static void jitter(const ebm_glyph_variant *variant, const uint32_t *words, point *out) {
    for (size_t i = 0; i < variant->count; i++) {
        const ebm_pen_point *from = &variant->points[i];
        out[i].x = (double)from->x - 0.5 + 0.03 * bell_of(words[2 * i]);
        out[i].y = (double)from->y - 0.5 + 0.03 * bell_of(words[2 * i + 1]);
        out[i].lift = from->pen == EBM_PEN_LIFT;
    }
}

/* Whether the curve ends or breaks at point i, seen from the side that `next` tells. */
static bool breaks(const ebm_glyph_variant *variant, size_t i, bool next) {
    if (variant->points[i].pen == EBM_PEN_CORNER)
        return true;
    return next ? i + 1 == variant->count || variant->points[i + 1].pen == EBM_PEN_LIFT
                : variant->points[i].pen == EBM_PEN_LIFT;
}

/* Tangent at i for the piece that leaves it (or enters it): central where the curve goes on, else along the piece. */
static point tangent(const ebm_glyph_variant *variant, const point *at, size_t i, bool leaving) {
    size_t before = i, after = i;
    double scale = 1;
    if (leaving) {
        after = i + 1;
        if (!breaks(variant, i, false)) {
            before = i - 1;
            scale = 0.5;
        }
    } else {
        before = i - 1;
        if (!breaks(variant, i, true)) {
            after = i + 1;
            scale = 0.5;
        }
    }
    return (point){.x = scale * (at[after].x - at[before].x), .y = scale * (at[after].y - at[before].y)};
}

/* Cubic Hermite pieces between neighbouring points, cut into straight ones. */
static void trace(const ebm_glyph_variant *variant, const point *at, path *out) {
    out->count = 0;
    for (size_t i = 0; i < variant->count; i++) {
        if (at[i].lift) {
            out->points[out->count++] = at[i];
            continue;
        }
        point a = at[i - 1], b = at[i];
        point da = tangent(variant, at, i - 1, true), db = tangent(variant, at, i, false);
        for (int piece = 1; piece <= PIECES; piece++) {
            double t = (double)piece / PIECES, s = 1 - t;
            double wa = s * s * (1 + 2 * t), wb = t * t * (1 + 2 * s), va = s * s * t, vb = -t * t * s;
            assert(out->count < MOST_PATH);
            out->points[out->count++] = (point){.x = wa * a.x + wb * b.x + va * da.x + vb * db.x,
                                                .y = wa * a.y + wb * b.y + va * da.y + vb * db.y};
        }
    }
}

static void distort(path *line, const style *hand) {
    double t = hand->turn, cosine = (1 - t * t) / (1 + t * t), sine = 2 * t / (1 + t * t);
    for (size_t i = 0; i < line->count; i++) {
        point *p = &line->points[i];
        double x = hand->aspect * p->x - hand->slant * p->y + hand->bend * (4 * p->y * p->y - 1.0 / 3), y = p->y;
        double along = line->count > 1 ? 2.0 * (double)i / (double)(line->count - 1) - 1 : 0;
        p->x = cosine * x - sine * y;
        p->y = sine * x + cosine * y;
        p->radius = hand->radius * (1 - hand->taper * along + hand->swell * (1.5 * along * along - 0.5));
    }
}

/* Into pixels: the larger side of the bounding box to hand->size, the centre of mass of the line to the middle. */
static void place(path *line, const style *hand, double side) {
    double low_x = INFINITY, high_x = -INFINITY, low_y = INFINITY, high_y = -INFINITY, mass = 0, sum_x = 0, sum_y = 0;
    for (size_t i = 0; i < line->count; i++) {
        const point *p = &line->points[i];
        low_x = p->x < low_x ? p->x : low_x;
        high_x = p->x > high_x ? p->x : high_x;
        low_y = p->y < low_y ? p->y : low_y;
        high_y = p->y > high_y ? p->y : high_y;
        if (p->lift)
            continue;
        double dx = p->x - p[-1].x, dy = p->y - p[-1].y, length = sqrt(dx * dx + dy * dy);
        mass += length;
        sum_x += length * (p->x + p[-1].x) / 2;
        sum_y += length * (p->y + p[-1].y) / 2;
    }
    double extent = high_x - low_x > high_y - low_y ? high_x - low_x : high_y - low_y;
    double scale = (hand->size - 2 * hand->radius) * side / extent;
    double middle_x = (0.5 + hand->shift_x) * side - 0.5, middle_y = (0.5 + hand->shift_y) * side - 0.5;
    for (size_t i = 0; i < line->count; i++) {
        point *p = &line->points[i];
        p->x = middle_x + scale * (p->x - sum_x / mass);
        p->y = middle_y + scale * (p->y - sum_y / mass);
        p->radius *= side;
    }
}

static size_t clamp(double x, size_t most) {
    return x <= 0 ? 0 : x >= (double)most ? most : (size_t)x;
}

/* One straight stroke of the pen: each pixel keeps the darkest ink that any stroke leaves on it. */
static void ink(const point *a, const point *b, double edge, size_t side, uint8_t *out) {
    double reach = (a->radius > b->radius ? a->radius : b->radius) + edge / 2;
    double dx = b->x - a->x, dy = b->y - a->y, length2 = dx * dx + dy * dy, inverse = length2 > 0 ? 1 / length2 : 0;
    size_t left = clamp((dx < 0 ? b->x : a->x) - reach, side - 1);
    size_t right = clamp((dx < 0 ? a->x : b->x) + reach, side - 1);
    size_t top = clamp((dy < 0 ? b->y : a->y) - reach, side - 1);
    size_t bottom = clamp((dy < 0 ? a->y : b->y) + reach, side - 1);
    for (size_t row = top; row <= bottom; row++)
        for (size_t column = left; column <= right; column++) {
            double px = (double)column - a->x, py = (double)row - a->y, t = (px * dx + py * dy) * inverse;
            t = t < 0 ? 0 : t > 1 ? 1 : t;
            double ex = px - t * dx, ey = py - t * dy;
            double depth = (a->radius + t * (b->radius - a->radius) - sqrt(ex * ex + ey * ey)) / edge + 0.5;
            double level = depth <= 0 ? 0 : depth >= 1 ? 255 : 255 * depth + 0.5;
            uint8_t *pixel = &out[row * side + column];
            *pixel = (uint8_t)level > *pixel ? (uint8_t)level : *pixel;
        }
}

/* Example i: its picture, into zeroed memory, and its label. */
static int32_t draw(ebm_stream stream, uint32_t i, size_t side, uint8_t *out) {
    uint32_t words[WORDS];
    point skeleton[EBM_GLYPH_POINTS];
    path line;
    ebm_random_words(stream, i, 0, WORDS, words);
    uint32_t label = (uint32_t)((uint64_t)words[LABEL_WORD] * EBM_GLYPH_DIGITS >> 32);
    const ebm_glyph_variant *variant = &ebm_glyph_variants[label][words[VARIANT_WORD] % EBM_GLYPH_VARIANTS];
    style hand = style_of(words + SHAPE_WORD);
    jitter(variant, words + JITTER_WORD, skeleton);
    trace(variant, skeleton, &line);
    distort(&line, &hand);
    place(&line, &hand, (double)side);
    for (size_t p = 1; p < line.count; p++)
        if (!line.points[p].lift)
            ink(&line.points[p - 1], &line.points[p], hand.edge * (double)side, side, out);
    return (int32_t)label;
}

static ebm_status fill(ebm_stream stream, size_t count, size_t side, ebm_examples *out, ebm_error *error) {
    size_t cells = side * side, bytes;
    if (count == 0)
        return EBM_OK;
    if (__builtin_mul_overflow(count, cells, &bytes) || bytes > EBM_DATA_LIMIT)
        return ebm_fail(error, EBM_INVALID, "glyphs: %zu pictures of %zu x %zu are more than 4 GiB", count, side, side);
    out->bytes = calloc(bytes, 1);
    out->labels = calloc(count, sizeof *out->labels);
    if (!out->bytes || !out->labels)
        return ebm_fail(error, EBM_NO_MEMORY, "glyphs: no memory for %zu pictures", count);
    out->count = count;
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < count; i++)
        out->labels[i] = draw(stream, (uint32_t)i, side, out->bytes + i * cells);
    return EBM_OK;
}

static ebm_status load(const void *options, uint32_t seed, ebm_dataset *out, ebm_error *error) {
    const glyphs_options *chosen = options;
    size_t side = (size_t)chosen->side;
    uint32_t data_seed = ebm_data_seed(chosen->data_seed, seed);
    out->binarise = (ebm_binarise)chosen->binarise;
    out->space = ebm_space_picture(out->binarise == EBM_BINARISE_NONE ? EBM_REAL_LINE : EBM_BINARY, side, side);
    out->classes = EBM_GLYPH_DIGITS;
    EBM_TRY(fill(ebm_stream_of(data_seed, EBM_PURPOSE_DATA), (size_t)chosen->train, side, &out->train, error));
    EBM_TRY(ebm_examples_leave_out(&out->train, out->space.size, chosen->leave_out, error));
    EBM_TRY(fill(ebm_stream_of(data_seed, EBM_PURPOSE_TEST_DATA), (size_t)chosen->test, side, &out->test, error));
    return ebm_data_standardise(&chosen->standardise, out, error);
}

const ebm_dataset_type ebm_glyphs = {
    .info = {.name = "glyphs",
             .about = "handwritten-looking digits drawn from strokes, labelled, any number of them",
             .citation = "skeletons of this project; the layout follows Y. LeCun et al. (1998)",
             .options = options_table,
             .options_size = sizeof(glyphs_options)},
    .load = load,
};
