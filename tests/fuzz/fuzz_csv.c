/* CSV tables: whatever is accepted is a full rectangle of finite numbers, with labels in range; refusals name a line.
 */
#include "fuzz.h"

#include "data/csv_table.h"

#include <math.h>
#include <string.h>

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    static const char *const tables[] = {"1,2,3\n4,5,6\n",
                                         "a,b,label\n0.5,1e-3,2\n-1,.5,0\n",
                                         "\xef\xbb\xbfx,\"y \"\"z\"\"\"\r\n\"1\",2\r\n\r\n3,4",
                                         "1,nan\n2,\n",
                                         "1,\"2\n3,4\n",
                                         "1;2\n",
                                         "\"a\nb\",c\n 1 ,\t2 \n",
                                         "0,1\n1\n"};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        char name[16], option_and_table[128];
        /* The first byte chooses the options. */
        int length = snprintf(option_and_table, sizeof option_and_table, "%c%s", (int)('0' + i), tables[i]);
        snprintf(name, sizeof name, "%zu", i);
        fuzz_seed(*argc, *argv, name, option_and_table, (size_t)length);
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const labels[] = {NULL, "label", "1", "99"};
    ebm_csv_table table;
    ebm_error error = {0};
    if (size < 2)
        return 0;
    ebm_csv_format format = {.header = (ebm_csv_header)(data[0] % 3), .label = labels[data[0] / 3 % 4]};
    FILE *in = fmemopen((void *)(uintptr_t)(data + 1), size - 1, "rb");
    FUZZ_CLAIM(in != NULL);
    ebm_status status = ebm_csv_table_read("fuzz", in, &format, &table, &error);
    fclose(in);
    if (status != EBM_OK) {
        FUZZ_CLAIM(table.values == NULL && table.labels == NULL);
        FUZZ_CLAIM(strcmp(error.file, "fuzz") == 0 && error.line >= 1);
        return 0;
    }
    FUZZ_CLAIM(table.rows >= 1 && table.columns >= 1 && table.rows * table.columns <= size);
    FUZZ_CLAIM(!format.label == !table.labels);
    for (size_t i = 0; i < table.rows * table.columns; i++)
        FUZZ_CLAIM(isfinite((double)table.values[i]));
    for (size_t i = 0; table.labels && i < table.rows; i++)
        FUZZ_CLAIM(table.labels[i] >= 0 && table.labels[i] <= table.largest_label);
    ebm_csv_table_free(&table);
    return 0;
}
