/* `ebm run-case`: one case in its own process, started by `ebm run`. */
#include "harness/command.h"
#include "harness/run.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE, CASE, DIR, THREADS, SETTINGS };
static const ebm_flag flags[] = {{"--size", "quick|full", "size of the suite"},
                                 {"--case", "INDEX", "which case, from 0"},
                                 {"--dir", "FOLDER", "where its rows go"},
                                 {"--threads", "N", "threads"},
                                 {"--settings", "HASH", "hash of the settings that are meant"},
                                 {NULL, NULL, NULL}};

/* Whether the failure is about this case's own folder: then the disk is to blame, not the case. */
static bool blames_folder(const ebm_case_output *out, ebm_status status, const ebm_error *error) {
    return status == EBM_IO && (out->write_failed || strstr(error->message, out->folder) != NULL);
}

static int finish(ebm_case_output *out, ebm_status status, const ebm_error *error) {
    char text[1024];
    if (status == EBM_OK)
        return EBM_EXIT_OK;
    if (status == EBM_INTERRUPTED)
        return EBM_EXIT_INTERRUPTED;
    ebm_case_output_message(out, ebm_error_text(error, text, sizeof text));
    fprintf(stderr, "%s\n", text);
    if (out->write_failed || blames_folder(out, status, error))
        return EBM_CASE_EXIT_DISK;
    return status == EBM_IO || status == EBM_FORMAT ? EBM_CASE_EXIT_DATA : EBM_EXIT_FAILED;
}

static int work(const ebm_suite *suite, const ebm_case *c, const char *folder, int threads, int pipe) {
    ebm_error error = {0};
    ebm_case_output out;
    char seed[32];
    const char *key = strrchr(folder, '/');
    const char **keys = calloc(EBM_FIXED_COLUMNS + suite->n_axes, sizeof *keys);
    if (keys == NULL)
        return EBM_EXIT_FAILED;
    ebm_case_keys(suite, c, keys, seed, sizeof seed);
    ebm_status status = ebm_case_output_open(&out, suite, folder, key != NULL ? key + 1 : folder, keys, pipe, &error);
    if (status == EBM_OK)
        status = suite->runner->run(c, &out.output, threads, &error);
    if (status == EBM_OK)
        status = ebm_case_output_complete(&out, &error);
    int exit_status = finish(&out, status, &error);
    ebm_case_output_close(&out);
    free(keys);
    return exit_status;
}

static int run_case(const ebm_words *words) {
    ebm_error error = {0};
    ebm_suite suite;
    ebm_size size = EBM_SIZE_QUICK;
    long index = -1, threads = 1;
    ebm_hash hash;
    char text[EBM_HASH_TEXT];
    if (!ebm_word_size(words->value[SIZE], &size) ||
        !ebm_word_count("--case", words->value[CASE], 0, 1L << 30, &index) ||
        !ebm_word_count("--threads", words->value[THREADS], 1, 4096, &threads) || words->value[DIR] == NULL)
        return EBM_EXIT_USAGE;
    ebm_signals_catch(false);
    int pipe = fcntl(EBM_PROCESS_PIPE, F_GETFD) >= 0 ? EBM_PROCESS_PIPE : -1;
    if (pipe >= 0)
        fcntl(pipe, F_SETFD, FD_CLOEXEC);
    if (ebm_suite_read(words->word[0], size, &suite, &error) != EBM_OK)
        return ebm_complain(EBM_EXIT_USAGE, &error);
    int status = EBM_EXIT_USAGE;
    if (index < 0 || (size_t)index >= suite.n_cases || suite.cases[index].not_applicable != NULL)
        ebm_complain_text(status, "%s has no case %ld to run: it has changed meanwhile", words->word[0], index);
    else if (ebm_case_settings_hash(&suite, &suite.cases[index], &hash, &error) != EBM_OK)
        ebm_complain(status, &error);
    else if (words->value[SETTINGS] != NULL && strcmp(words->value[SETTINGS], ebm_hash_text(hash, text)) != 0)
        ebm_complain_text(status, "%s has changed meanwhile", words->word[0]);
    else
        status = work(&suite, &suite.cases[index], words->value[DIR], (int)threads, pipe);
    ebm_suite_free(&suite);
    return status;
}

const ebm_command ebm_command_run_case = {
    .name = "run-case",
    .usage = "ebm run-case SUITE --case INDEX --dir FOLDER [--size SIZE] [--threads N] [--settings HASH]",
    .about = "run one case; `ebm run` starts this",
    .details = "Internal: `ebm run` calls it for every case.\n",
    .flags = flags,
    .least_words = 1,
    .most_words = 1,
    .run = run_case,
    .internal = true};
