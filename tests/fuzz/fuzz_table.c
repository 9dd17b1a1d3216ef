/* Result tables: whatever is accepted is written and read back to the same text; a refusal names a line and leaves
 * nothing behind. */
#include "fuzz.h"

#include "harness/table.h"

#include <string.h>

#define HEADER "suite,case,model,dataset,sampler,learner,seed,step,metric,value,se,status\n"

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    static const char *const tables[] = {
        HEADER,
        HEADER "s,rbm/d/g/cd-1/seed-1,rbm,d,g,cd-1,1,10,kl,0.5,,ok\ns,c,m,d,g,l,2,,log_z,-1e-300,inf,ok",
        "suite,case,model,dataset,sampler,learner,seed,learner.steps,step,metric,value,se,status\r\n"
        "s,\"a \"\"b\"\"\nc\",m,\"d,e\",g,l,1,,3,kl,,,failed\r\n",
        HEADER "s,c,m,d,g,l,1,1,kl,nan,,ok\n",
        HEADER "s,\"c,m,d,g,l,1,1,kl,1,,ok\n",
        HEADER "s,c\n\n",
    };
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        char name[16];
        snprintf(name, sizeof name, "%zu", i);
        fuzz_seed(*argc, *argv, name, tables[i], strlen(tables[i]));
    }
    return 0;
}

static char *print(const ebm_table *table, size_t *size) {
    char *text = NULL;
    FILE *out = open_memstream(&text, size);
    FUZZ_CLAIM(out != NULL);
    ebm_table_print(table, out);
    FUZZ_CLAIM(fclose(out) == 0);
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ebm_table table, again;
    ebm_error error = {0};
    if (ebm_table_parse("fuzz", (const char *)data, size, &table, &error) != EBM_OK) {
        FUZZ_CLAIM(strcmp(error.file, "fuzz") == 0 && error.line >= 1);
        FUZZ_CLAIM(!table.rows && !table.key_names);
        return 0;
    }
    size_t first_size, second_size;
    char *first = print(&table, &first_size);
    FUZZ_CLAIM(ebm_table_parse("fuzz", first, first_size, &again, &error) == EBM_OK);
    FUZZ_CLAIM(again.n_rows == table.n_rows && again.n_keys == table.n_keys);
    char *second = print(&again, &second_size);
    FUZZ_CLAIM(first_size == second_size && memcmp(first, second, first_size) == 0);
    free(first);
    free(second);
    ebm_table_free(&table);
    ebm_table_free(&again);
    return 0;
}
