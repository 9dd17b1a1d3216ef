/* Numbers as text, independent of the process's locale: strict reading of a whole token, shortest writing that reads
 * back to the same value. Internal. */
#ifndef EBM_CORE_NUMBER_H
#define EBM_CORE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum ebm_number_result {
    EBM_NUMBER_OK,
    EBM_NUMBER_SYNTAX, /* not a number, or something follows it */
    EBM_NUMBER_RANGE   /* a number, but too large (or, for reals, too near 0) for its type */
} ebm_number_result;

/* Optional sign and decimal digits, no leading zeros; nothing else. */
ebm_number_result ebm_number_integer(const char *text, int64_t *value);
/* Optional sign, decimal digits with an optional point, optional exponent. Never infinite or NaN. */
ebm_number_result ebm_number_real(const char *text, double *value);
/* The fewest of 15, 16 or 17 significant digits that read back to `value`. Returns the length, as snprintf does. */
size_t ebm_number_text(double value, char *buffer, size_t size);

#endif
