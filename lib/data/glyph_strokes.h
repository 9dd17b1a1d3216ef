/* Skeletons of handwritten digits: what a pen's tip passes through. Internal. */
#ifndef EBM_DATA_GLYPH_STROKES_H
#define EBM_DATA_GLYPH_STROKES_H

#include <stddef.h>

/* A stroke starts at LIFT; a smooth curve passes through SMOOTH points and turns sharply at a CORNER. */
typedef enum ebm_pen { EBM_PEN_LIFT, EBM_PEN_SMOOTH, EBM_PEN_CORNER } ebm_pen;

typedef struct ebm_pen_point {
    ebm_pen pen;
    float x, y; /* to the right and downwards, in a box of about 1 x 1 */
} ebm_pen_point;

typedef struct ebm_glyph_variant {
    size_t count;
    const ebm_pen_point *points;
} ebm_glyph_variant;

enum { EBM_GLYPH_DIGITS = 10, EBM_GLYPH_VARIANTS = 4, EBM_GLYPH_POINTS = 16 /* the most in one variant */ };

/* Ways to write each digit. */
extern const ebm_glyph_variant ebm_glyph_variants[EBM_GLYPH_DIGITS][EBM_GLYPH_VARIANTS];

#endif
