/* Memory and threads lent to a computation by its caller. Steps allocate nothing: they take scratch from here.
 *
 * An ebm_work belongs to one thread of control (the library opens its own parallel regions inside). Results never
 * depend on `threads`: work is cut into blocks that depend on the shape alone, and sums go in block order. */
#ifndef EBM_WORK_H
#define EBM_WORK_H

#include "ebm/status.h"

#include <stddef.h>

typedef struct ebm_work ebm_work;

/* `threads` >= 1. Grows on demand; the caller frees with ebm_work_free. */
EBM_NODISCARD ebm_status ebm_work_create(int threads, ebm_work **out, ebm_error *error);
void ebm_work_free(ebm_work *work);
int ebm_work_threads(const ebm_work *work);

/* A stack of scratch: take a mark, allocate, release to the mark. Blocks are aligned to 64 bytes and not cleared.
 * ebm_work_take(work, count, size) checks count * size for overflow and returns NULL when there is no memory;
 * addresses stay valid until released (growing never moves what was taken). */
size_t ebm_work_mark(const ebm_work *work);
void *ebm_work_take(ebm_work *work, size_t count, size_t size);
void ebm_work_release(ebm_work *work, size_t mark);

/* Zeroed, 64-byte aligned memory that outlives a step; NULL on failure or overflow. Freed with free(). */
void *ebm_alloc(size_t count, size_t size);

#endif
