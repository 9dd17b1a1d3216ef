/* IDX, plain and gzip: whatever is accepted holds as many bytes as its header says, within the limit. */
#include "fuzz.h"

#include "data/idx.h"

#include <string.h>
#include <zlib.h>

static const size_t limit = 1 << 20;

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    static const uint8_t pictures[] = {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 1, 9, 255, 0, 7};
    static const uint8_t labels[] = {0, 0, 8, 1, 0, 0, 0, 5, 1, 2, 3, 4, 5};
    uint8_t packed[256];
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)pictures,
                       .avail_in = sizeof pictures,
                       .next_out = packed,
                       .avail_out = sizeof packed};
    FUZZ_CLAIM(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    FUZZ_CLAIM(deflate(&stream, Z_FINISH) == Z_STREAM_END);
    size_t length = sizeof packed - stream.avail_out;
    deflateEnd(&stream);
    fuzz_seed(*argc, *argv, "pictures", pictures, sizeof pictures);
    fuzz_seed(*argc, *argv, "labels", labels, sizeof labels);
    fuzz_seed(*argc, *argv, "pictures-gz", packed, length);
    fuzz_seed(*argc, *argv, "cut-gz", packed, length - 9);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ebm_idx array;
    ebm_error error = {0};
    if (ebm_idx_read_open("fuzz", fuzz_file(data, size), limit, &array, &error) != EBM_OK) {
        FUZZ_CLAIM(array.data == NULL && error.message[0] != '\0');
        return 0;
    }
    size_t count = 1, sum = 0;
    for (unsigned d = 0; d < array.rank; d++)
        count *= array.shape[d];
    FUZZ_CLAIM(array.rank >= 1 && array.rank <= 4 && array.count == count && count <= limit);
    for (size_t i = 0; i < count; i++)
        sum += array.data[i]; /* each byte is there */
    FUZZ_CLAIM(sum <= 255 * count);
    ebm_idx_free(&array);
    return 0;
}
