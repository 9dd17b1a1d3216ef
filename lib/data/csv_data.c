/* A user's own tables: one example a row, one unit a column, and a column of labels if there is one. */
#include "data/csv_table.h"
#include "data/user_data.h"

#include <errno.h>
#include <string.h>

typedef struct csv_options {
    ebm_user_options common;
    char *label;
    int header;
    int64_t rows;
} csv_options;

static const char *const header_names[] = {"auto", "present", "absent", NULL};

static const ebm_option options_table[] = {
    EBM_USER_OPTIONS(csv_options, "none"),
    {"label", EBM_OPTION_STRING, EBM_OFFSET(csv_options, label), NULL, 0, 0, NULL, 0,
     "column of labels (whole numbers from 0): its name in the header, or its number from 1"},
    {"header", EBM_OPTION_CHOICE, EBM_OFFSET(csv_options, header), "auto", 0, 0, header_names, 0,
     "auto: the first row is a header if any of its fields is no number"},
    {"rows", EBM_OPTION_INT, EBM_OFFSET(csv_options, rows), "0", 0, 1e6, NULL, 0,
     "rows of the picture that an example is, given row by row; 0: a line of units"},
    EBM_OPTIONS_END,
};

static const char *expected(const void *context, double value) {
    return ebm_user_value_expected(context, value);
}

static ebm_status read_half(const csv_options *options, const char *path, ebm_csv_table *table, ebm_examples *half,
                            size_t *classes, ebm_error *error) {
    ebm_csv_format format = {(ebm_csv_header)options->header, options->label, expected, &options->common};
    FILE *in = fopen(path, "rbe");
    if (!in)
        return ebm_fail(error, EBM_IO, "%s: cannot be opened: %s", path, strerror(errno));
    ebm_status status = ebm_csv_table_read(path, in, &format, table, error);
    fclose(in);
    EBM_TRY(status);
    *half = (ebm_examples){.count = table->rows, .reals = table->values, .labels = table->labels};
    if (table->labels && *classes < (size_t)table->largest_label + 1)
        *classes = (size_t)table->largest_label + 1;
    return EBM_OK;
}

static ebm_status load(const void *options, uint32_t seed, ebm_dataset *out, ebm_error *error) {
    const csv_options *chosen = options;
    const ebm_user_options *common = &chosen->common;
    ebm_csv_table train, test;
    EBM_TRY(ebm_user_options_check(common, error));
    EBM_TRY(read_half(chosen, common->train, &train, &out->train, &out->classes, error));
    if (common->test)
        EBM_TRY(read_half(chosen, common->test, &test, &out->test, &out->classes, error));
    EBM_TRY(ebm_user_space(common, 1, &train.columns, common->test ? 1 : 0, &test.columns, out, error));
    size_t rows = (size_t)chosen->rows;
    if (rows > 0) {
        if (train.columns % rows != 0)
            return ebm_fail(error, EBM_INVALID, "option 'rows' is %zu: %s has %zu columns of values", rows,
                            common->train, train.columns);
        out->space = ebm_space_picture(out->space.domain, rows, train.columns / rows);
    }
    return ebm_user_finish(common, seed, out, error);
}

const ebm_dataset_type ebm_csv_data = {
    .info = {.name = "csv",
             .about = "your own tables of numbers, one example a row",
             .citation = "",
             .options = options_table,
             .options_size = sizeof(csv_options)},
    .load = load,
};
