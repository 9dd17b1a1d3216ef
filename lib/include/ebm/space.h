/* The space that a model lives on: what one unit can be, how many there are, and their shape, so that pictures stay
 * pictures. */
#ifndef EBM_SPACE_H
#define EBM_SPACE_H

#include <stdbool.h>
#include <stddef.h>

typedef enum ebm_domain {
    EBM_BINARY,      /* 0 or 1 */
    EBM_SPIN,        /* -1 or +1 */
    EBM_CATEGORICAL, /* integer codes 0 ... categories - 1 */
    EBM_REAL_LINE    /* any real number */
} ebm_domain;

enum { EBM_MAX_RANK = 4 };

typedef struct ebm_space {
    ebm_domain domain;
    size_t size;       /* number of units: the product of the shape */
    size_t categories; /* for EBM_CATEGORICAL, else 2 or 0 */
    unsigned rank;
    size_t shape[EBM_MAX_RANK]; /* row-major; {28, 28} for a picture */
} ebm_space;

const char *ebm_domain_name(ebm_domain domain);
/* A line of `size` units; a picture of rows x columns. */
ebm_space ebm_space_line(ebm_domain domain, size_t size);
ebm_space ebm_space_picture(ebm_domain domain, size_t rows, size_t columns);
bool ebm_space_equal(const ebm_space *a, const ebm_space *b); /* same domain, size and categories */

#endif
