/* `ebm run` */
#include "harness/command.h"
#include "harness/run.h"

enum { SIZE, OUT, JOBS, THREADS, ONLY, FRESH, TRUST };
static const ebm_flag flags[] = {
    {"--size", "quick|full", "which size of the suite (default quick)"},
    {"--out", "DIR", "where results go (default results/<size>)"},
    {"--jobs", "N", "cases at once (default: cores / threads)"},
    {"--threads", "N", "threads inside each case (default 1)"},
    {"--only", "GLOB", "only cases whose name matches, e.g. '*/cd-1/*'"},
    {"--fresh", NULL, "compute again what is there already"},
    {"--trust-build", NULL, "accept results that another build of ebm computed"},
    {NULL, NULL, NULL},
};

static const char details[] =
    "SUITE is a name in suites/ or the path of a YAML file. Each case runs in a process of its own; what is complete\n"
    "is kept, so that the same command after an interruption computes only what is missing. The bytes of the CSV do\n"
    "not depend on --jobs and --threads. Many small cases run fastest with one thread each (the default); one large\n"
    "case with --jobs 1 --threads CORES.\n\n"
    "Results: DIR/SUITE.csv (rows), DIR/SUITE.run.yaml (where they come from), DIR/SUITE/CASE/ (side files). While\n"
    "cases are missing (--only, an interruption) rows go to DIR/SUITE.partial.csv instead.\n\n"
    "Example: all of a suite in its quick size, then only one learner, again, in a folder of its own:\n"
    "  ebm run rbm-learners\n"
    "  ebm run rbm-learners --only '*/cd-1/*' --fresh --out /tmp/try\n\n"
    "Environment: EBM_DATASETS names the folder of data sets; EBM_CHECKPOINT_SECONDS sets how often long cases save\n"
    "their state (20); NO_COLOR switches colours off. EBM_RESULTS is set here, to DIR, for the processes of the cases.\n\n"
    "Exit status: 0 all well, 1 a case failed, 2 usage or suite error, 3 no case selected, 4 a law fell short,\n"
    "             130 interrupted.\n";

static int run(const ebm_words *words) {
    ebm_error error = {0};
    char suite[EBM_PATH_MAX], out[EBM_PATH_MAX];
    ebm_run_options options = {.threads = 1, .only = words->value[ONLY]};
    if (!ebm_word_size(words->value[SIZE], &options.size) ||
        !ebm_word_count("--jobs", words->value[JOBS], 1, 4096, &options.jobs) ||
        !ebm_word_count("--threads", words->value[THREADS], 1, 1024, &options.threads))
        return EBM_EXIT_USAGE;
    if (ebm_path_suite(words->word[0], suite, sizeof suite, &error) != EBM_OK)
        return ebm_complain(EBM_EXIT_USAGE, &error);
    ebm_status status = words->value[OUT] != NULL
                            ? ebm_path_format(out, sizeof out, &error, "%s", words->value[OUT])
                            : ebm_path_format(out, sizeof out, &error, "results/%s", ebm_size_name(options.size));
    if (status == EBM_OK)
        status = ebm_path_results_set(out, &error);
    if (status != EBM_OK)
        return ebm_complain(EBM_EXIT_USAGE, &error);
    options.suite_path = suite;
    options.out = out;
    options.fresh = words->value[FRESH] != NULL;
    options.trust_build = words->value[TRUST] != NULL;
    return ebm_run_suite(&options);
}

const ebm_command ebm_command_run = {.name = "run",
                                     .usage = "ebm run SUITE [options]",
                                     .about = "run a suite: from its cases to rows and a verdict",
                                     .details = details,
                                     .flags = flags,
                                     .least_words = 1,
                                     .most_words = 1,
                                     .run = run};
