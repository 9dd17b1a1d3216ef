/* The skeletons: for each digit four ways to write it, as points on the path of a pen. Drawn for this project. */
#include "data/glyph_strokes.h"

#define LIFT(x, y)                                                                                                     \
    { EBM_PEN_LIFT, x, y }
#define SMOOTH(x, y)                                                                                                   \
    { EBM_PEN_SMOOTH, x, y }
#define CORNER(x, y)                                                                                                   \
    { EBM_PEN_CORNER, x, y }

static const ebm_pen_point digit0a[] = {
    LIFT(0.55f, 0.02f),   SMOOTH(0.24f, 0.14f), SMOOTH(0.12f, 0.5f),  SMOOTH(0.24f, 0.86f), SMOOTH(0.5f, 0.98f),
    SMOOTH(0.76f, 0.86f), SMOOTH(0.88f, 0.5f),  SMOOTH(0.78f, 0.16f), SMOOTH(0.57f, 0.02f), SMOOTH(0.4f, 0.05f)};
static const ebm_pen_point digit0b[] = {
    LIFT(0.62f, 0.12f),   SMOOTH(0.42f, 0.03f), SMOOTH(0.22f, 0.22f), SMOOTH(0.16f, 0.6f),  SMOOTH(0.32f, 0.93f),
    SMOOTH(0.58f, 0.95f), SMOOTH(0.80f, 0.64f), SMOOTH(0.80f, 0.26f), SMOOTH(0.62f, 0.05f), SMOOTH(0.46f, 0.07f)};
static const ebm_pen_point digit0c[] = {
    LIFT(0.36f, 0.1f),    SMOOTH(0.18f, 0.34f), SMOOTH(0.16f, 0.68f), SMOOTH(0.36f, 0.95f), SMOOTH(0.62f, 0.94f),
    SMOOTH(0.82f, 0.66f), SMOOTH(0.8f, 0.3f),   SMOOTH(0.6f, 0.06f),  SMOOTH(0.4f, 0.06f),  SMOOTH(0.28f, 0.18f)};
static const ebm_pen_point digit0d[] = {LIFT(0.56f, 0.04f),   SMOOTH(0.36f, 0.08f), SMOOTH(0.22f, 0.3f),
                                        SMOOTH(0.2f, 0.66f),  SMOOTH(0.34f, 0.93f), SMOOTH(0.58f, 0.96f),
                                        SMOOTH(0.76f, 0.76f), SMOOTH(0.79f, 0.4f),  SMOOTH(0.68f, 0.12f),
                                        SMOOTH(0.5f, 0.04f),  SMOOTH(0.4f, 0.06f)};
static const ebm_pen_point digit1a[] = {LIFT(0.5f, 0.0f), SMOOTH(0.5f, 0.33f), SMOOTH(0.5f, 0.67f), SMOOTH(0.5f, 1.0f)};
static const ebm_pen_point digit1b[] = {LIFT(0.34f, 0.24f), SMOOTH(0.45f, 0.13f), CORNER(0.55f, 0.0f),
                                        SMOOTH(0.54f, 0.5f), SMOOTH(0.53f, 1.0f)};
static const ebm_pen_point digit1c[] = {LIFT(0.3f, 0.22f),    SMOOTH(0.42f, 0.13f), CORNER(0.53f, 0.0f),
                                        SMOOTH(0.52f, 0.5f),  CORNER(0.51f, 1.0f),  LIFT(0.27f, 1.0f),
                                        SMOOTH(0.52f, 0.99f), SMOOTH(0.78f, 0.98f)};
static const ebm_pen_point digit1d[] = {LIFT(0.52f, 0.0f), SMOOTH(0.49f, 0.3f), SMOOTH(0.5f, 0.7f),
                                        SMOOTH(0.53f, 1.0f)};
static const ebm_pen_point digit2a[] = {LIFT(0.15f, 0.25f),   SMOOTH(0.3f, 0.06f),  SMOOTH(0.55f, 0.02f),
                                        SMOOTH(0.78f, 0.18f), SMOOTH(0.74f, 0.42f), SMOOTH(0.5f, 0.68f),
                                        CORNER(0.14f, 0.96f), SMOOTH(0.5f, 0.96f),  SMOOTH(0.88f, 0.95f)};
static const ebm_pen_point digit2b[] = {LIFT(0.16f, 0.22f),   SMOOTH(0.34f, 0.04f), SMOOTH(0.62f, 0.06f),
                                        SMOOTH(0.76f, 0.26f), SMOOTH(0.64f, 0.52f), SMOOTH(0.4f, 0.78f),
                                        SMOOTH(0.2f, 0.94f),  SMOOTH(0.12f, 0.86f), SMOOTH(0.26f, 0.76f),
                                        SMOOTH(0.5f, 0.88f),  SMOOTH(0.72f, 0.97f), SMOOTH(0.94f, 0.88f)};
static const ebm_pen_point digit2c[] = {LIFT(0.2f, 0.2f),     SMOOTH(0.4f, 0.02f),  SMOOTH(0.68f, 0.08f),
                                        SMOOTH(0.72f, 0.35f), SMOOTH(0.48f, 0.66f), CORNER(0.12f, 0.93f),
                                        SMOOTH(0.36f, 0.88f), SMOOTH(0.62f, 0.97f), SMOOTH(0.9f, 0.88f)};
static const ebm_pen_point digit2d[] = {LIFT(0.12f, 0.16f),   SMOOTH(0.4f, 0.04f),  SMOOTH(0.7f, 0.08f),
                                        SMOOTH(0.82f, 0.28f), SMOOTH(0.66f, 0.56f), SMOOTH(0.36f, 0.8f),
                                        CORNER(0.1f, 0.97f),  SMOOTH(0.5f, 0.95f),  SMOOTH(0.92f, 0.97f)};
static const ebm_pen_point digit3a[] = {LIFT(0.18f, 0.14f),   SMOOTH(0.42f, 0.02f), SMOOTH(0.7f, 0.1f),
                                        SMOOTH(0.72f, 0.3f),  SMOOTH(0.56f, 0.44f), CORNER(0.4f, 0.48f),
                                        SMOOTH(0.66f, 0.54f), SMOOTH(0.8f, 0.72f),  SMOOTH(0.64f, 0.93f),
                                        SMOOTH(0.38f, 0.98f), SMOOTH(0.14f, 0.86f)};
static const ebm_pen_point digit3b[] = {
    LIFT(0.18f, 0.05f),  SMOOTH(0.48f, 0.05f), CORNER(0.8f, 0.03f),  SMOOTH(0.62f, 0.22f), CORNER(0.44f, 0.4f),
    SMOOTH(0.7f, 0.46f), SMOOTH(0.82f, 0.68f), SMOOTH(0.66f, 0.93f), SMOOTH(0.36f, 0.97f), SMOOTH(0.14f, 0.86f)};
static const ebm_pen_point digit3c[] = {LIFT(0.2f, 0.12f),    SMOOTH(0.5f, 0.02f),  SMOOTH(0.74f, 0.16f),
                                        SMOOTH(0.64f, 0.38f), SMOOTH(0.46f, 0.49f), SMOOTH(0.38f, 0.44f),
                                        SMOOTH(0.5f, 0.43f),  SMOOTH(0.72f, 0.56f), SMOOTH(0.76f, 0.78f),
                                        SMOOTH(0.52f, 0.97f), SMOOTH(0.2f, 0.92f)};
static const ebm_pen_point digit3d[] = {LIFT(0.16f, 0.2f),    SMOOTH(0.36f, 0.03f), SMOOTH(0.64f, 0.04f),
                                        SMOOTH(0.74f, 0.22f), SMOOTH(0.6f, 0.42f),  CORNER(0.38f, 0.5f),
                                        SMOOTH(0.64f, 0.54f), SMOOTH(0.76f, 0.74f), SMOOTH(0.58f, 0.95f),
                                        SMOOTH(0.3f, 0.97f),  SMOOTH(0.12f, 0.8f)};
static const ebm_pen_point digit4a[] = {LIFT(0.24f, 0.05f),  SMOOTH(0.18f, 0.32f), CORNER(0.14f, 0.58f),
                                        SMOOTH(0.5f, 0.57f), SMOOTH(0.88f, 0.53f), LIFT(0.7f, 0.05f),
                                        SMOOTH(0.68f, 0.5f), SMOOTH(0.66f, 1.0f)};
static const ebm_pen_point digit4b[] = {LIFT(0.62f, 0.02f),  SMOOTH(0.36f, 0.34f), CORNER(0.1f, 0.66f),
                                        SMOOTH(0.5f, 0.66f), CORNER(0.92f, 0.64f), LIFT(0.64f, 0.04f),
                                        SMOOTH(0.64f, 0.5f), SMOOTH(0.62f, 1.0f)};
static const ebm_pen_point digit4c[] = {LIFT(0.2f, 0.06f),    SMOOTH(0.14f, 0.3f), SMOOTH(0.28f, 0.5f),
                                        SMOOTH(0.54f, 0.48f), SMOOTH(0.7f, 0.34f), CORNER(0.76f, 0.06f),
                                        SMOOTH(0.73f, 0.5f),  SMOOTH(0.68f, 1.0f)};
static const ebm_pen_point digit4d[] = {LIFT(0.3f, 0.03f),    SMOOTH(0.2f, 0.3f),  CORNER(0.1f, 0.55f),
                                        SMOOTH(0.46f, 0.52f), CORNER(0.78f, 0.5f), LIFT(0.76f, 0.12f),
                                        SMOOTH(0.66f, 0.55f), SMOOTH(0.56f, 1.0f)};
static const ebm_pen_point digit5a[] = {LIFT(0.78f, 0.04f),   SMOOTH(0.5f, 0.04f),  CORNER(0.26f, 0.06f),
                                        SMOOTH(0.22f, 0.26f), CORNER(0.2f, 0.44f),  SMOOTH(0.46f, 0.38f),
                                        SMOOTH(0.72f, 0.5f),  SMOOTH(0.76f, 0.74f), SMOOTH(0.56f, 0.95f),
                                        SMOOTH(0.3f, 0.97f),  SMOOTH(0.12f, 0.87f)};
static const ebm_pen_point digit5b[] = {LIFT(0.28f, 0.08f),   SMOOTH(0.25f, 0.26f), CORNER(0.22f, 0.45f),
                                        SMOOTH(0.5f, 0.4f),   SMOOTH(0.74f, 0.58f), SMOOTH(0.68f, 0.86f),
                                        SMOOTH(0.42f, 0.98f), SMOOTH(0.15f, 0.9f),  LIFT(0.28f, 0.08f),
                                        SMOOTH(0.55f, 0.07f), SMOOTH(0.86f, 0.03f)};
static const ebm_pen_point digit5c[] = {
    LIFT(0.82f, 0.06f),   SMOOTH(0.56f, 0.05f), CORNER(0.36f, 0.07f), SMOOTH(0.28f, 0.26f), CORNER(0.2f, 0.42f),
    SMOOTH(0.46f, 0.46f), SMOOTH(0.66f, 0.64f), SMOOTH(0.6f, 0.86f),  SMOOTH(0.36f, 0.97f), SMOOTH(0.1f, 0.92f)};
static const ebm_pen_point digit5d[] = {LIFT(0.3f, 0.06f),   SMOOTH(0.24f, 0.24f), CORNER(0.2f, 0.4f),
                                        SMOOTH(0.5f, 0.42f), SMOOTH(0.7f, 0.6f),   SMOOTH(0.64f, 0.84f),
                                        SMOOTH(0.4f, 0.97f), SMOOTH(0.14f, 0.94f), LIFT(0.3f, 0.06f),
                                        SMOOTH(0.56f, 0.1f), SMOOTH(0.84f, 0.02f)};
static const ebm_pen_point digit6a[] = {
    LIFT(0.66f, 0.02f),  SMOOTH(0.4f, 0.2f),  SMOOTH(0.2f, 0.52f),  SMOOTH(0.2f, 0.8f),   SMOOTH(0.42f, 0.98f),
    SMOOTH(0.68f, 0.9f), SMOOTH(0.74f, 0.7f), SMOOTH(0.56f, 0.54f), SMOOTH(0.34f, 0.62f), SMOOTH(0.21f, 0.8f)};
static const ebm_pen_point digit6b[] = {LIFT(0.55f, 0.0f),   SMOOTH(0.34f, 0.3f),  SMOOTH(0.2f, 0.62f),
                                        SMOOTH(0.26f, 0.9f), SMOOTH(0.52f, 0.97f), SMOOTH(0.72f, 0.8f),
                                        SMOOTH(0.64f, 0.6f), SMOOTH(0.42f, 0.58f), SMOOTH(0.24f, 0.74f)};
static const ebm_pen_point digit6c[] = {
    LIFT(0.5f, 0.0f),     SMOOTH(0.3f, 0.24f),  SMOOTH(0.16f, 0.58f), SMOOTH(0.2f, 0.88f), SMOOTH(0.44f, 0.98f),
    SMOOTH(0.66f, 0.86f), SMOOTH(0.66f, 0.68f), SMOOTH(0.48f, 0.6f),  SMOOTH(0.28f, 0.7f), SMOOTH(0.2f, 0.84f)};
static const ebm_pen_point digit6d[] = {
    LIFT(0.76f, 0.06f),  SMOOTH(0.5f, 0.1f),  SMOOTH(0.26f, 0.36f), SMOOTH(0.16f, 0.68f), SMOOTH(0.3f, 0.94f),
    SMOOTH(0.6f, 0.97f), SMOOTH(0.8f, 0.76f), SMOOTH(0.66f, 0.56f), SMOOTH(0.4f, 0.58f),  SMOOTH(0.2f, 0.74f)};
static const ebm_pen_point digit7a[] = {LIFT(0.14f, 0.1f), SMOOTH(0.46f, 0.07f), CORNER(0.84f, 0.05f),
                                        SMOOTH(0.6f, 0.5f), SMOOTH(0.42f, 1.0f)};
static const ebm_pen_point digit7b[] = {LIFT(0.14f, 0.1f),    SMOOTH(0.46f, 0.07f), CORNER(0.84f, 0.05f),
                                        SMOOTH(0.6f, 0.5f),   SMOOTH(0.4f, 1.0f),   LIFT(0.32f, 0.54f),
                                        SMOOTH(0.56f, 0.51f), SMOOTH(0.8f, 0.48f)};
static const ebm_pen_point digit7c[] = {LIFT(0.14f, 0.24f),  SMOOTH(0.15f, 0.15f), CORNER(0.17f, 0.07f),
                                        SMOOTH(0.5f, 0.08f), CORNER(0.84f, 0.06f), SMOOTH(0.64f, 0.4f),
                                        SMOOTH(0.5f, 0.98f)};
static const ebm_pen_point digit7d[] = {LIFT(0.12f, 0.14f),   SMOOTH(0.4f, 0.05f), SMOOTH(0.72f, 0.05f),
                                        SMOOTH(0.82f, 0.14f), SMOOTH(0.7f, 0.42f), SMOOTH(0.56f, 0.7f),
                                        SMOOTH(0.5f, 1.0f)};
static const ebm_pen_point digit8a[] = {LIFT(0.72f, 0.14f),   SMOOTH(0.48f, 0.02f), SMOOTH(0.26f, 0.16f),
                                        SMOOTH(0.36f, 0.38f), SMOOTH(0.62f, 0.56f), SMOOTH(0.76f, 0.78f),
                                        SMOOTH(0.5f, 0.98f),  SMOOTH(0.24f, 0.8f),  SMOOTH(0.38f, 0.56f),
                                        SMOOTH(0.64f, 0.36f), SMOOTH(0.74f, 0.16f), SMOOTH(0.6f, 0.03f)};
static const ebm_pen_point digit8b[] = {
    LIFT(0.5f, 0.46f),    SMOOTH(0.28f, 0.3f),  SMOOTH(0.34f, 0.08f), SMOOTH(0.58f, 0.03f), SMOOTH(0.74f, 0.2f),
    SMOOTH(0.6f, 0.42f),  SMOOTH(0.38f, 0.55f), SMOOTH(0.2f, 0.76f),  SMOOTH(0.38f, 0.97f), SMOOTH(0.66f, 0.93f),
    SMOOTH(0.76f, 0.72f), SMOOTH(0.62f, 0.53f), SMOOTH(0.46f, 0.44f)};
static const ebm_pen_point digit8c[] = {LIFT(0.74f, 0.1f),    SMOOTH(0.5f, 0.04f),  SMOOTH(0.28f, 0.2f),
                                        SMOOTH(0.4f, 0.42f),  SMOOTH(0.62f, 0.6f),  SMOOTH(0.66f, 0.84f),
                                        SMOOTH(0.42f, 0.97f), SMOOTH(0.24f, 0.84f), SMOOTH(0.36f, 0.6f),
                                        SMOOTH(0.62f, 0.4f),  SMOOTH(0.82f, 0.12f)};
static const ebm_pen_point digit8d[] = {
    LIFT(0.52f, 0.47f),   SMOOTH(0.28f, 0.34f), SMOOTH(0.3f, 0.1f),   SMOOTH(0.54f, 0.02f), SMOOTH(0.74f, 0.14f),
    SMOOTH(0.7f, 0.36f),  SMOOTH(0.5f, 0.47f),  LIFT(0.5f, 0.47f),    SMOOTH(0.26f, 0.6f),  SMOOTH(0.2f, 0.82f),
    SMOOTH(0.46f, 0.98f), SMOOTH(0.74f, 0.88f), SMOOTH(0.74f, 0.62f), SMOOTH(0.5f, 0.47f)};
static const ebm_pen_point digit9a[] = {LIFT(0.74f, 0.2f),    SMOOTH(0.54f, 0.03f), SMOOTH(0.28f, 0.14f),
                                        SMOOTH(0.24f, 0.38f), SMOOTH(0.44f, 0.5f),  SMOOTH(0.66f, 0.38f),
                                        CORNER(0.76f, 0.14f), SMOOTH(0.73f, 0.5f),  SMOOTH(0.68f, 1.0f)};
static const ebm_pen_point digit9b[] = {LIFT(0.74f, 0.18f),   SMOOTH(0.52f, 0.03f), SMOOTH(0.28f, 0.14f),
                                        SMOOTH(0.24f, 0.36f), SMOOTH(0.44f, 0.5f),  SMOOTH(0.64f, 0.4f),
                                        CORNER(0.76f, 0.14f), SMOOTH(0.78f, 0.5f),  SMOOTH(0.66f, 0.84f),
                                        SMOOTH(0.42f, 0.98f), SMOOTH(0.2f, 0.9f)};
static const ebm_pen_point digit9c[] = {LIFT(0.7f, 0.12f),    SMOOTH(0.46f, 0.04f), SMOOTH(0.24f, 0.22f),
                                        SMOOTH(0.26f, 0.42f), SMOOTH(0.48f, 0.46f), SMOOTH(0.68f, 0.28f),
                                        CORNER(0.76f, 0.08f), SMOOTH(0.62f, 0.54f), SMOOTH(0.46f, 1.0f)};
static const ebm_pen_point digit9d[] = {
    LIFT(0.52f, 0.03f),   SMOOTH(0.3f, 0.12f),  SMOOTH(0.26f, 0.34f), SMOOTH(0.44f, 0.48f), SMOOTH(0.66f, 0.38f),
    SMOOTH(0.72f, 0.16f), SMOOTH(0.52f, 0.03f), LIFT(0.72f, 0.14f),   SMOOTH(0.72f, 0.5f),  SMOOTH(0.56f, 1.0f)};

#define VARIANT(points)                                                                                                \
    { sizeof(points) / sizeof *(points), points }
#define DIGIT(n)                                                                                                       \
    { VARIANT(digit##n##a), VARIANT(digit##n##b), VARIANT(digit##n##c), VARIANT(digit##n##d) }

const ebm_glyph_variant ebm_glyph_variants[EBM_GLYPH_DIGITS][EBM_GLYPH_VARIANTS] = {
    DIGIT(0), DIGIT(1), DIGIT(2), DIGIT(3), DIGIT(4), DIGIT(5), DIGIT(6), DIGIT(7), DIGIT(8), DIGIT(9),
};
