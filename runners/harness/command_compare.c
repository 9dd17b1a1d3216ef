/* `ebm compare` */
#include "harness/command.h"
#include "harness/paths.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { TOLERANCE, ALPHA };
static const ebm_flag flags[] = {
    {"--tolerance", "R", "relative tolerance of exact metrics (default 1e-6)"},
    {"--alpha", "A", "false-alarm rate of a whole file for stochastic metrics (default 1e-3)"},
    {NULL, NULL, NULL},
};

static const char details[] =
    "FRESH and REFERENCE are two CSV files of one suite, or two folders: then every CSV of REFERENCE is compared with\n"
    "its namesake in FRESH. Exact metrics must agree to the relative tolerance; stochastic ones by their z-score over\n"
    "seeds, at the level that keeps false alarms of the whole file at A. A row that only one side has is a "
    "difference.\n\n"
    "Example: has a change of the code changed the published numbers?\n"
    "  ebm run rbm-learners --size quick\n"
    "  ebm compare results/quick/rbm-learners.csv results/reference/quick/rbm-learners.csv\n\n"
    "Exit status: 0 they agree, 4 they differ, 2 a file cannot be read.\n";

static bool is_folder(const char *path) {
    struct stat facts;
    return stat(path, &facts) == 0 && S_ISDIR(facts.st_mode);
}

static int compare_files(const char *fresh_path, const char *reference_path, const ebm_compare_options *options) {
    ebm_error error = {0};
    ebm_table fresh, reference;
    size_t differences = 0;
    if (ebm_table_read(fresh_path, &fresh, &error) != EBM_OK)
        return ebm_complain(EBM_EXIT_USAGE, &error);
    if (ebm_table_read(reference_path, &reference, &error) != EBM_OK) {
        ebm_table_free(&fresh);
        return ebm_complain(EBM_EXIT_USAGE, &error);
    }
    ebm_status status = ebm_compare(&fresh, &reference, options, stdout, &differences, &error);
    ebm_table_free(&fresh);
    ebm_table_free(&reference);
    if (status != EBM_OK)
        return ebm_complain(EBM_EXIT_USAGE, &error);
    return differences > 0 ? EBM_EXIT_SHORT : EBM_EXIT_OK;
}

static int compare_folders(const char *fresh, const char *reference, const ebm_compare_options *options) {
    char **names, left[EBM_PATH_MAX], right[EBM_PATH_MAX];
    ebm_error error = {0};
    int worst = EBM_EXIT_OK;
    if (ebm_path_names(reference, ".csv", &names, &error) != EBM_OK)
        return ebm_complain(EBM_EXIT_USAGE, &error);
    if (names[0] == NULL)
        worst = ebm_complain_text(EBM_EXIT_NOTHING, "%s holds no CSV file", reference);
    for (size_t i = 0; names[i] != NULL; i++) {
        int status = EBM_EXIT_USAGE;
        if (ebm_path_format(left, sizeof left, &error, "%s/%s.csv", fresh, names[i]) != EBM_OK ||
            ebm_path_format(right, sizeof right, &error, "%s/%s.csv", reference, names[i]) != EBM_OK) {
            ebm_complain(status, &error);
        } else {
            printf("%s\n", names[i]);
            status = compare_files(left, right, options);
        }
        if (worst != EBM_EXIT_USAGE && status != EBM_EXIT_OK)
            worst = status;
    }
    ebm_names_free(names);
    return worst;
}

static int compare(const ebm_words *words) {
    ebm_compare_options options = {1e-6, 1e-3};
    const char *fresh = words->word[0], *reference = words->word[1];
    if (!ebm_word_real("--tolerance", words->value[TOLERANCE], 0, 1, &options.relative_tolerance) ||
        !ebm_word_real("--alpha", words->value[ALPHA], 1e-300, 0.5, &options.alpha))
        return EBM_EXIT_USAGE;
    if (is_folder(fresh) != is_folder(reference))
        return ebm_complain_text(EBM_EXIT_USAGE, "compare two files or two folders: only %s is a folder",
                                 is_folder(fresh) ? fresh : reference);
    return is_folder(fresh) ? compare_folders(fresh, reference, &options) : compare_files(fresh, reference, &options);
}

const ebm_command ebm_command_compare = {.name = "compare",
                                         .usage = "ebm compare FRESH REFERENCE [--tolerance R] [--alpha A]",
                                         .about = "compare results with reference results",
                                         .details = details,
                                         .flags = flags,
                                         .least_words = 2,
                                         .most_words = 2,
                                         .run = compare};
