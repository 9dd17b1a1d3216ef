/* Nearest name by the Damerau-Levenshtein distance in its restricted form (optimal string alignment): the fewest
 * insertions, deletions, replacements and swaps of neighbours (Damerau 1964; Levenshtein 1966). Upper and lower case
 * count as equal. */
#include "ebm/options.h"

#include <ctype.h>
#include <string.h>

enum { LONGEST = 63 };

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

static int fold(char c) {
    return tolower((unsigned char)c);
}

static size_t distance(const char *a, size_t a_length, const char *b, size_t b_length) {
    size_t rows[3][LONGEST + 1];
    size_t *before = rows[0], *last = rows[1], *row = rows[2];
    for (size_t j = 0; j <= b_length; j++)
        last[j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            bool equal = fold(a[i - 1]) == fold(b[j - 1]);
            row[j] = smaller(smaller(last[j], row[j - 1]) + 1, last[j - 1] + !equal);
            if (i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) && fold(a[i - 2]) == fold(b[j - 1]))
                row[j] = smaller(row[j], before[j - 2] + 1);
        }
        size_t *reused = before;
        before = last;
        last = row;
        row = reused;
    }
    return last[b_length];
}

const char *ebm_nearest_name(const char *name, const char *const *candidates) {
    size_t length = strlen(name), best = LONGEST + 1;
    const char *nearest = NULL;
    if (length == 0 || length > LONGEST)
        return NULL;
    for (; *candidates; candidates++) {
        size_t other = strlen(*candidates);
        if (other == 0 || other > LONGEST)
            continue;
        size_t edits = distance(name, length, *candidates, other);
        /* A likely slip keeps two characters in three; two-letter names may differ in none. */
        if (edits < best && 3 * edits <= (length > other ? length : other)) {
            best = edits;
            nearest = *candidates;
        }
    }
    return nearest;
}
