/* .npy from memory: whatever is accepted has the size that its shape says, and is read back the same when written. */
#include "fuzz.h"

#include "ebm/npy.h"

#include <string.h>

static const size_t limit = 1 << 16;

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    static const char *const headers[] = {
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }\n",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3, 2, 2), }\n",
        "{\"shape\": (), \"fortran_order\": False, \"descr\": \"<f8\"}",
        "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }\n",
    };
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        for (unsigned major = 1; major <= 2; major++) {
            uint8_t bytes[256] = {0x93, 'N', 'U', 'M', 'P', 'Y', (uint8_t)major, 0};
            size_t length = strlen(headers[i]), preamble = major == 1 ? 10 : 12;
            char name[16];
            bytes[8] = (uint8_t)length;
            memcpy(bytes + preamble, headers[i], length);
            snprintf(name, sizeof name, "%zu-%u", i, major);
            fuzz_seed(*argc, *argv, name, bytes, preamble + length + (i == 3 ? 8 : 24));
        }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const size_t element[] = {4, 8, 1};
    ebm_npy array, back;
    ebm_error error = {0};
    if (ebm_npy_parse("fuzz", data, size, limit, &array, &error) != EBM_OK) {
        FUZZ_CLAIM(array.data == NULL && error.message[0] != '\0');
        return 0;
    }
    size_t count = 1, bytes;
    for (unsigned d = 0; d < array.rank; d++)
        count *= array.shape[d]; /* wraps only to 0, where another dimension is 0 */
    bytes = array.count * element[array.type];
    FUZZ_CLAIM(array.rank <= 4 && array.count == count && bytes <= limit && bytes < size);
    FUZZ_CLAIM(memcmp(array.data, data + size - bytes, bytes) == 0);
    double sum = 0;
    for (size_t i = 0; i < array.count; i++)
        sum += ebm_npy_value(&array, i);
    (void)sum;
    char path[64];
    snprintf(path, sizeof path, "/tmp/ebm-fuzz-npy-%ld", (long)getpid());
    FUZZ_CLAIM(ebm_npy_write(path, array.type, array.rank, array.shape, array.data, &error) == EBM_OK);
    FUZZ_CLAIM(ebm_npy_read(path, limit, &back, &error) == EBM_OK);
    unlink(path);
    FUZZ_CLAIM(back.type == array.type && back.rank == array.rank && back.count == array.count);
    FUZZ_CLAIM(memcmp(back.shape, array.shape, sizeof back.shape) == 0);
    FUZZ_CLAIM(memcmp(back.data, array.data, bytes) == 0);
    ebm_npy_free(&array);
    ebm_npy_free(&back);
    return 0;
}
