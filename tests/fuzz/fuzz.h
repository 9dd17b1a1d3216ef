/* What the fuzz targets share: seeds, files in memory, and claims that do not depend on NDEBUG.
 *
 * A target's LLVMFuzzerInitialize runs before libFuzzer reads its corpus, so it can put seeds there: the folder is the
 * last argument. */
#ifndef EBM_TESTS_FUZZ_H
#define EBM_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_CLAIM(condition)                                                                                          \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);                             \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

/* Writes one seed into the corpus folder, if the target was started with one. */
static inline void fuzz_seed(int argc, char **argv, const char *name, const void *bytes, size_t size) {
    char path[4096];
    struct stat info;
    if (argc < 2 || stat(argv[argc - 1], &info) != 0 || !S_ISDIR(info.st_mode))
        return;
    snprintf(path, sizeof path, "%s/seed-%s", argv[argc - 1], name);
    FILE *out = fopen(path, "wb");
    FUZZ_CLAIM(out != NULL);
    FUZZ_CLAIM(fwrite(bytes, 1, size, out) == size);
    fclose(out);
}

/* An open file in memory that holds the input, at its start. */
static inline int fuzz_file(const uint8_t *data, size_t size) {
    int file = memfd_create("fuzz", 0);
    FUZZ_CLAIM(file >= 0);
    FUZZ_CLAIM(write(file, data, size) == (ssize_t)size);
    FUZZ_CLAIM(lseek(file, 0, SEEK_SET) == 0);
    return file;
}

#endif
