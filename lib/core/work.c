/* Scratch memory as a stack of chunks.
 *
 * A position in the stack is chunk.base + chunk.used: a single number that grows with what is taken, so that a mark is
 * that number. Chunks are kept when released, so a loop allocates in its first turn only. A chunk above the current one
 * holds nothing, and is replaced when it proves too small. */
#include "ebm/work.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 64, CHUNK_LIMIT = 48 };
static const size_t FIRST_CHUNK = (size_t)1 << 18;

typedef struct chunk {
    unsigned char *memory;
    size_t base, size, used;
} chunk;

struct ebm_work {
    int threads;
    int current; /* -1: nothing allocated yet */
    int count;
    chunk chunks[CHUNK_LIMIT];
};

/* count * size rounded up to the alignment, or 0 where that overflows. */
static size_t padded_bytes(size_t count, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_MAX / 2)
        return 0;
    return bytes == 0 ? ALIGNMENT : (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

ebm_status ebm_work_create(int threads, ebm_work **out, ebm_error *error) {
    *out = NULL;
    if (threads < 1)
        return ebm_fail(error, EBM_INVALID, "number of threads is %d, expected at least 1", threads);
    ebm_work *work = calloc(1, sizeof *work);
    if (work == NULL)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for the scratch of %d threads", threads);
    work->threads = threads;
    work->current = -1;
    *out = work;
    return EBM_OK;
}

void ebm_work_free(ebm_work *work) {
    if (work == NULL)
        return;
    for (int i = 0; i < work->count; i++)
        free(work->chunks[i].memory);
    free(work);
}

int ebm_work_threads(const ebm_work *work) {
    return work->threads;
}

size_t ebm_work_mark(const ebm_work *work) {
    return work->current < 0 ? 0 : work->chunks[work->current].base + work->chunks[work->current].used;
}

/* Make the chunk after the current one the current one, with room for `bytes`. */
static int next_chunk(ebm_work *work, size_t bytes) {
    const size_t base = ebm_work_mark(work);
    const int next = work->current + 1;
    if (next < work->count && work->chunks[next].size >= bytes) {
        work->chunks[next].base = base;
        work->chunks[next].used = 0;
        work->current = next;
        return 1;
    }
    while (work->count > next)
        free(work->chunks[--work->count].memory);
    if (next == CHUNK_LIMIT)
        return 0;
    size_t size = next == 0 ? FIRST_CHUNK : work->chunks[next - 1].size;
    if (next > 0 && size <= SIZE_MAX / 4)
        size *= 2;
    if (size < bytes)
        size = bytes;
    unsigned char *memory = aligned_alloc(ALIGNMENT, size);
    if (memory == NULL && size > bytes)
        memory = aligned_alloc(ALIGNMENT, size = bytes);
    if (memory == NULL)
        return 0;
    work->chunks[next] = (chunk){memory, base, size, 0};
    work->count = next + 1;
    work->current = next;
    return 1;
}

void *ebm_work_take(ebm_work *work, size_t count, size_t size) {
    const size_t bytes = padded_bytes(count, size);
    if (bytes == 0)
        return NULL;
    if (work->current < 0 || work->chunks[work->current].size - work->chunks[work->current].used < bytes)
        if (!next_chunk(work, bytes))
            return NULL;
    chunk *top = &work->chunks[work->current];
    void *block = top->memory + top->used;
    top->used += bytes;
    return block;
}

void ebm_work_release(ebm_work *work, size_t mark) {
    if (work->current < 0)
        return;
    while (work->current > 0 && work->chunks[work->current].base >= mark)
        work->current--;
    chunk *top = &work->chunks[work->current];
    if (mark - top->base <= top->used)
        top->used = mark - top->base;
}

void *ebm_alloc(size_t count, size_t size) {
    const size_t bytes = padded_bytes(count, size);
    void *memory = bytes == 0 ? NULL : aligned_alloc(ALIGNMENT, bytes);
    if (memory != NULL)
        memset(memory, 0, bytes);
    return memory;
}
