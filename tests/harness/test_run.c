/* Running suites: this program is `ebm` with one runner of its own, `probe`, that can be made to crash, hang, diverge
 * or take long; and it is the test that starts itself as such. */
#include "harness/command.h"
#include "harness/paths.h"
#include "harness/process.h"

#include <check.h>
#include <fcntl.h>
#include <glob.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* The runner. ------------------------------------------------------------------------------------------------------ */

typedef enum behaviour { PLAIN, DIVERGE, CRASH, LEAVE, HANG, STUBBORN, UNREADABLE } behaviour;
typedef struct probe_options {
    int64_t updates;
    double pause; /* seconds an update */
    int behaviour;
} probe_options;

static const char *const behaviours[] = {"plain", "diverge", "crash", "leave", "hang", "stubborn", "unreadable", NULL};
static const ebm_option probe_table[] = {
    {"updates", EBM_OPTION_INT, offsetof(probe_options, updates), "100", 1, 1e9, NULL, 0, "updates"},
    {"pause", EBM_OPTION_REAL, offsetof(probe_options, pause), "0", 0, 10, NULL, 0, "seconds an update"},
    {"behaviour", EBM_OPTION_CHOICE, offsetof(probe_options, behaviour), "plain", 0, 0, behaviours, 0, "what it does"},
    {NULL, EBM_OPTION_BOOL, 0, NULL, 0, 0, NULL, 0, NULL}};
static const ebm_metric probe_metrics[] = {
    {"x", "", false, "state of a logistic map"}, {"sum", "", false, "sum of states"}, {NULL, NULL, false, NULL}};

static ebm_status misbehave(behaviour how, ebm_error *error) {
    switch (how) {
    case DIVERGE:
        return ebm_fail(error, EBM_DIVERGED, "x ran away, \"far\", at update 50");
    case UNREADABLE:
        return access("data", F_OK) == 0 ? EBM_OK : ebm_fail(error, EBM_IO, "data: no such file; set EBM_DATASETS");
    case CRASH:
        signal(SIGSEGV, SIG_DFL);
        raise(SIGSEGV);
        break;
    case LEAVE:
        fprintf(stderr, "first line\nlast words\n");
        _exit(9);
    case HANG:
        for (;;)
            sleep(1);
    default:
        break;
    }
    return EBM_OK;
}

static ebm_status probe_run(const ebm_case *c, ebm_output *output, int threads, ebm_error *error) {
    const probe_options *o = c->run;
    struct {
        double x, sum;
        uint64_t update;
    } state = {1.0 / (1.5 + c->seed), 0, 0};
    ebm_region region = {&state, sizeof state};
    bool found;
    char path[EBM_PATH_MAX];
    (void)threads;
    EBM_TRY(output->restore(output, &region, 1, &found, error));
    for (; state.update < (uint64_t)o->updates; state.update++) {
        if (output->checkpoint_due(output) && o->behaviour != STUBBORN) {
            EBM_TRY(output->checkpoint(output, &region, 1, error));
            if (output->stop_requested(output))
                return ebm_fail(error, EBM_INTERRUPTED, "stopped");
        }
        output->step = state.update;
        if (state.update == 50)
            EBM_TRY(misbehave((behaviour)o->behaviour, error));
        state.x = 3.9 * state.x * (1 - state.x); /* chaotic: a wrong resume shows */
        state.sum += state.x;
        if (state.update % 10 == 0)
            EBM_TRY(output->sink.emit(&output->sink, "x", state.x, NAN, error));
        output->progress(output, (double)state.update / (double)o->updates);
        if (o->pause > 0)
            usleep((useconds_t)(1e6 * o->pause));
    }
    EBM_TRY(output->sink.emit(&output->sink, "sum", state.sum, 0.5, error));
    EBM_TRY(output->artifact(output, "final.txt", path, sizeof path, error));
    FILE *file = fopen(path, "w");
    if (file == NULL)
        return ebm_fail(error, EBM_IO, "cannot write %s", path);
    fprintf(file, "%.17g\n", state.x);
    fclose(file);
    return EBM_OK;
}

static const ebm_runner_type probe = {.info = {"probe", "a logistic map", "", probe_table, sizeof(probe_options)},
                                      .metrics = probe_metrics,
                                      .run = probe_run};
const ebm_runner_type *const ebm_runner_types[] = {&probe, NULL};
const ebm_runner_type *ebm_runner_find(const char *name) {
    return strcmp(name, "probe") == 0 ? &probe : NULL;
}

/* Tools of the tests. ---------------------------------------------------------------------------------------------- */

static char folder[64];
static const char *program_file = "/proc/self/exe";

static const char *inside(const char *name) {
    static char paths[4][256];
    static int next;
    next = (next + 1) % 4;
    snprintf(paths[next], sizeof paths[next], "%s/%s", folder, name);
    return paths[next];
}

static void setup(void) {
    snprintf(folder, sizeof folder, "/tmp/ebm-run-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chdir(folder), 0);
    setenv("EBM_CHECKPOINT_SECONDS", "0.02", 1);
}

static void teardown(void) {
    ck_assert_int_eq(chdir("/"), 0);
    ebm_folder_remove(folder);
}

/* A suite named `name` of seeds 1 ... 4 with further lines of YAML. */
static void write_suite(const char *name, const char *run, const char *more) {
    char path[256];
    snprintf(path, sizeof path, "%s/%s.yaml", folder, name);
    FILE *file = fopen(path, "w");
    fprintf(file, "suite: %s\nabout: a test\nrunner: probe\ngrid:\n  seed: [1, 2, 3, 4]\nrun: {%s}\n%s", name, run,
            more);
    fclose(file);
}

/* Start this program with words separated by spaces; its output goes to out.txt and err.txt. */
static pid_t launch(const char *words) {
    char *copy = strdup(words), *argv[24] = {(char *)(uintptr_t) "ebm"};
    size_t count = 1;
    for (char *word = strtok(copy, " "); word != NULL && count < 23; word = strtok(NULL, " "))
        argv[count++] = word;
    pid_t pid = fork();
    if (pid == 0) {
        setsid();
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves nothing running */
        int out = open("out.txt", O_WRONLY | O_CREAT | O_TRUNC, 0600),
            err = open("err.txt", O_WRONLY | O_CREAT | O_TRUNC, 0600);
        dup2(out, 1);
        dup2(err, 2);
        execv(program_file, argv);
        _exit(126);
    }
    free(copy);
    ck_assert_int_gt(pid, 0);
    return pid;
}

static int end_of(pid_t pid) {
    int status;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int ebm(const char *words) {
    return end_of(launch(words));
}

static char *read_text(const char *name) {
    static char *text;
    size_t size;
    free(text);
    text = NULL;
    ck_assert_msg(ebm_file_read(inside(name), 1 << 24, &text, &size, NULL) == EBM_OK, "no file %s", name);
    return text;
}

static bool there(const char *name) {
    return access(inside(name), F_OK) == 0;
}

static void assert_says(const char *name, const char *wanted) {
    const char *text = read_text(name);
    ck_assert_msg(strstr(text, wanted) != NULL, "%s lacks '%s':\n%s", name, wanted, text);
}

static void assert_same(const char *one, const char *other) {
    char *first = strdup(read_text(one));
    const char *second = read_text(other);
    size_t same = 0, line = 1;
    for (; first[same] != '\0' && first[same] == second[same]; same++)
        line += first[same] == '\n';
    ck_assert_msg(first[same] == second[same], "%s and %s differ in line %zu", one, other, line);
    free(first);
}

static size_t count_of(const char *pattern) {
    glob_t found;
    size_t count = glob(inside(pattern), GLOB_PERIOD, NULL, &found) == 0 ? found.gl_pathc : 0;
    globfree(&found);
    return count;
}

/* The tests. ------------------------------------------------------------------------------------------------------- */

START_TEST(test_run_writes_rows_once) {
    write_suite("s", "updates: 100", "");
    ck_assert_int_eq(ebm("run ./s.yaml --out a --jobs 2"), EBM_EXIT_OK);
    assert_says("out.txt", "4 ok, 0 failed");
    ck_assert(there("a/s.csv") && there("a/s.run.yaml"));
    ck_assert_uint_eq(count_of("a/s/*/final.txt"), 4);
    assert_says("a/s.run.yaml", "complete: true");
    assert_says("a/s.run.yaml", "peak_kib:");
    ck_assert_int_eq(ebm("run ./s.yaml --out a"), EBM_EXIT_OK);
    assert_says("err.txt", "0 to compute");
    ck_assert_int_eq(ebm("run ./s.yaml --out b --jobs 1 --threads 2"), EBM_EXIT_OK);
    assert_same("a/s.csv", "b/s.csv");
    ck_assert_int_eq(ebm("run ./s.yaml --out b --fresh"), EBM_EXIT_OK);
    assert_says("err.txt", "4 to compute");
    assert_same("a/s.csv", "b/s.csv");
    ck_assert_uint_eq(count_of("a/*tmp*") + count_of("a/.cases/*/*tmp*") + count_of("a/.cases/*/log"), 0);
}
END_TEST

START_TEST(test_run_failures_are_rows) {
    static const struct {
        const char *behaviour, *more, *row, *message;
    } kinds[] = {
        {"diverge", "", "failure,,,failed", "x ran away"},
        {"crash", "", "failure,,,failed", "signal 11"},
        {"leave", "", "failure,,,failed", "last words"},
        {"hang", "timeout: 0.5\n", "failure,,,timeout", "timeout"},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        char run[64];
        snprintf(run, sizeof run, "behaviour: %s", kinds[i].behaviour);
        write_suite("s", run, kinds[i].more);
        ck_assert_int_eq(ebm("run ./s.yaml --out a --jobs 2"), EBM_EXIT_FAILED);
        assert_says("a/s.csv", kinds[i].row);
        assert_says("a/s.run.yaml", kinds[i].message);
        assert_says("err.txt", kinds[i].message);
        ck_assert_ptr_null(strstr(read_text("a/s.csv"), ",x,"));
        ck_assert_int_eq(ebm("run ./s.yaml --out a --jobs 2"), EBM_EXIT_FAILED);
        assert_says("err.txt", "4 to compute"); /* failed cases are run again */
    }
}
END_TEST

START_TEST(test_run_one_failure_leaves_the_others) {
    FILE *file = fopen(inside("s.yaml"), "w");
    fputs("suite: s\nabout: a test\nrunner: probe\ngrid:\n  seed: [1, 2]\nrun: {behaviour: [plain, crash]}\n", file);
    fclose(file);
    ck_assert_int_eq(ebm("run ./s.yaml --out a"), EBM_EXIT_FAILED);
    assert_says("out.txt", "2 ok, 2 failed");
    assert_says("a/s.csv", ",sum,");
    assert_says("a/s.csv", "failure,,,failed");
}
END_TEST

START_TEST(test_run_missing_data_replaces_nothing) {
    write_suite("s", "behaviour: unreadable", "");
    FILE *data = fopen(inside("data"), "w");
    fclose(data);
    ck_assert_int_eq(ebm("run ./s.yaml --out a"), EBM_EXIT_OK);
    ck_assert_int_eq(link(inside("a/s.csv"), inside("kept.csv")), 0);
    ck_assert_int_eq(unlink(inside("data")), 0);
    ck_assert_int_eq(ebm("run ./s.yaml --out a --fresh"), EBM_EXIT_FAILED);
    const char *said = strstr(read_text("err.txt"), "no such file");
    ck_assert_ptr_nonnull(said);
    ck_assert_ptr_null(strstr(said + 1, "no such file")); /* once, not once a case */
    assert_same("a/s.csv", "kept.csv");
    assert_says("a/s.partial.csv", "failure,,,failed");
}
END_TEST

START_TEST(test_run_usage_errors) {
    write_suite("s", "updates: 100", "");
    static const struct {
        const char *words, *says;
        int status;
    } errors[] = {
        {"rum ./s.yaml", "did you mean 'run'", EBM_EXIT_USAGE},
        {"run", "too few words", EBM_EXIT_USAGE},
        {"run ./s.yaml extra", "no further word 'extra'", EBM_EXIT_USAGE},
        {"run ./s.yaml --jbos 2", "did you mean '--jobs'", EBM_EXIT_USAGE},
        {"run ./s.yaml --jobs two", "'two' is not a whole number", EBM_EXIT_USAGE},
        {"run ./s.yaml --jobs 0", "from 1", EBM_EXIT_USAGE},
        {"run ./s.yaml --jobs", "--jobs needs a value", EBM_EXIT_USAGE},
        {"run ./s.yaml --fresh=1", "--fresh takes no value", EBM_EXIT_USAGE},
        {"run ./s.yaml --size qick", "did you mean 'quick'", EBM_EXIT_USAGE},
        {"run ./none.yaml", "no suite at ./none.yaml", EBM_EXIT_USAGE},
        {"run ./s.yaml --only */seed-9", "no case of s matches", EBM_EXIT_NOTHING},
        {"run ./s.yaml --out s.yaml/x", "s.yaml", EBM_EXIT_USAGE},
        {"run ./s.yaml --out /proc/ebm", "/proc/ebm", EBM_EXIT_USAGE},
        {"show modl rbm", "did you mean 'model'", EBM_EXIT_USAGE},
        {"show runner prob", "did you mean 'probe'", EBM_EXIT_USAGE},
        {"show none.csv", "none.csv", EBM_EXIT_USAGE},
        {"compare none.csv none.csv", "none.csv", EBM_EXIT_USAGE},
        {"compare .", "too few words", EBM_EXIT_USAGE},
    };
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        int status = ebm(errors[i].words);
        ck_assert_msg(status == errors[i].status, "ebm %s: status %d", errors[i].words, status);
        assert_says("err.txt", errors[i].says);
        ck_assert_ptr_eq(strchr(strchr(read_text("err.txt"), '\n') + 1, '\n'), NULL); /* one line */
    }
    ck_assert(!there("results"));
}
END_TEST

START_TEST(test_run_suite_error_touches_nothing) {
    write_suite("s", "updates: 100", "");
    ck_assert_int_eq(ebm("run ./s.yaml --out a"), EBM_EXIT_OK);
    ck_assert_int_eq(rename(inside("a/s.csv"), inside("kept.csv")), 0);
    ck_assert_int_eq(link(inside("kept.csv"), inside("a/s.csv")), 0);
    write_suite("s", "updatse: 100", "");
    ck_assert_int_eq(ebm("run ./s.yaml --out a"), EBM_EXIT_USAGE);
    assert_says("err.txt", "updates");
    assert_same("a/s.csv", "kept.csv");
}
END_TEST

START_TEST(test_run_only_is_partial) {
    write_suite("s", "updates: 100", "checks:\n  - {law: sum, below: -1}\n");
    ck_assert_int_eq(ebm("run ./s.yaml --out a --only *seed-2"), EBM_EXIT_OK);
    ck_assert(!there("a/s.csv") && there("a/s.partial.csv") && there("a/s.partial.run.yaml"));
    assert_says("out.txt", "3 not computed");
    assert_says("out.txt", "partial results");
    ck_assert_int_eq(ebm("run ./s.yaml --out a"), EBM_EXIT_SHORT);
    assert_says("err.txt", "1 complete already, 3 to compute");
    assert_says("out.txt", "FELL SHORT");
    ck_assert(there("a/s.csv"));
    ck_assert_uint_eq(count_of("a/s.partial*"), 0);
    ck_assert_int_eq(ebm("run ./s.yaml --out a --only *seed-2"), EBM_EXIT_SHORT); /* all is there: not partial */
}
END_TEST

START_TEST(test_run_law_and_failure_is_failure) {
    write_suite("s", "behaviour: crash", "checks:\n  - {law: sum, below: -1}\n");
    ck_assert_int_eq(ebm("run ./s.yaml --out a"), EBM_EXIT_FAILED);
    assert_says("out.txt", "FELL SHORT");
}
END_TEST

START_TEST(test_run_claim_that_fails_is_no_error) {
    write_suite("s", "updates: 100", "checks:\n  - {claim: sum, below: -1}\n");
    ck_assert_int_eq(ebm("run ./s.yaml --out a"), EBM_EXIT_OK);
    assert_says("out.txt", "did not reproduce");
}
END_TEST

START_TEST(test_run_settings_decide_the_key) {
    write_suite("s", "updates: 100", "");
    ck_assert_int_eq(ebm("run ./s.yaml --out a"), EBM_EXIT_OK);
    write_suite("s", "updates: 101", "timeout: 100\n");
    ck_assert_int_eq(ebm("run ./s.yaml --out a"), EBM_EXIT_OK);
    assert_says("err.txt", "4 to compute");
    write_suite("s", "updates: 100", "timeout: 200\n");
    ck_assert_int_eq(ebm("run ./s.yaml --out a"), EBM_EXIT_OK);
    assert_says("err.txt", "0 to compute");
}
END_TEST

/* This program with a byte more at its end: another build. */
static const char *other_build(void) {
    char *bytes;
    size_t size;
    ck_assert_int_eq(ebm_file_read("/proc/self/exe", (size_t)1 << 30, &bytes, &size, NULL), EBM_OK);
    FILE *file = fopen(inside("other"), "wb");
    ck_assert_uint_eq(fwrite(bytes, 1, size + 1, file), size + 1);
    ck_assert_int_eq(fclose(file) + chmod(inside("other"), 0700), 0);
    free(bytes);
    return "./other";
}

START_TEST(test_run_other_build_only_if_trusted) {
    write_suite("s", "updates: 100", "");
    ck_assert_int_eq(ebm("run ./s.yaml --out a"), EBM_EXIT_OK);
    ck_assert_int_eq(rename(inside("a/s.csv"), inside("kept.csv")), 0);
    program_file = other_build();
    ck_assert_int_eq(ebm("run ./s.yaml --out a --trust-build"), EBM_EXIT_OK);
    assert_says("err.txt", "0 to compute");
    assert_same("a/s.csv", "kept.csv");
    ck_assert_int_eq(ebm("run ./s.yaml --out a"), EBM_EXIT_OK);
    assert_says("err.txt", "4 to compute");
    program_file = "/proc/self/exe";
    ck_assert_int_eq(ebm("run ./s.yaml --out a"), EBM_EXIT_OK);
    assert_says("err.txt", "0 to compute"); /* what the first build computed is still there */
}
END_TEST

static void wait_for(const char *pattern) {
    while (count_of(pattern) == 0) /* bounded by the test's time limit */
        usleep(5000);
}

START_TEST(test_run_interrupted_goes_on) {
    write_suite("s", "updates: 200, pause: 0.003", "");
    ck_assert_int_eq(ebm("run ./s.yaml --out whole --jobs 4"), EBM_EXIT_OK);
    pid_t pid = launch("run ./s.yaml --out a --jobs 2");
    wait_for("a/.cases/*/checkpoint");
    kill(pid, SIGTERM);
    ck_assert_int_eq(end_of(pid), EBM_EXIT_INTERRUPTED);
    ck_assert(!there("a/s.csv"));
    ck_assert_uint_ge(count_of("a/.cases/*/checkpoint"), 1);
    ck_assert_int_eq(ebm("run ./s.yaml --out a"), EBM_EXIT_OK);
    assert_same("a/s.csv", "whole/s.csv");
}
END_TEST

START_TEST(test_run_second_signal_ends_at_once) {
    write_suite("s", "updates: 100000, pause: 0.01, behaviour: stubborn", "");
    pid_t pid = launch("run ./s.yaml --out a --jobs 2");
    wait_for("a/.cases/*/log");
    usleep(200000);
    kill(pid, SIGINT);
    usleep(100000);
    ck_assert_int_eq(waitpid(pid, NULL, WNOHANG), 0); /* it waits for its cases */
    kill(pid, SIGINT);
    ck_assert_int_eq(end_of(pid), EBM_EXIT_INTERRUPTED);
}
END_TEST

/* kill -9 of the whole group at ten moments of a run of about two seconds; what is left must lead to the same bytes. */
START_TEST(test_run_killed_goes_on) {
    char names[64];
    write_suite("s", "updates: 100, pause: 0.005", "");
    ck_assert_int_eq(ebm("run ./s.yaml --out whole --jobs 4"), EBM_EXIT_OK);
    srand(20);
    for (int i = 0; i < 10; i++) {
        pid_t pid = launch("run ./s.yaml --out a --jobs 2");
        usleep((useconds_t)(30000 + rand() % 400000));
        kill(-pid, SIGKILL);
        end_of(pid);
        snprintf(names, sizeof names, "a/s.csv");
        if (there(names))
            assert_same(names, "whole/s.csv");
    }
    ck_assert_int_eq(ebm("run ./s.yaml --out a --jobs 2"), EBM_EXIT_OK);
    assert_same("a/s.csv", "whole/s.csv");
    ck_assert_uint_eq(count_of("a/*tmp*") + count_of("a/.cases/*/*tmp*"), 0);
}
END_TEST

START_TEST(test_run_corrupt_checkpoint_is_ignored) {
    write_suite("s", "updates: 100, pause: 0.005", "");
    ck_assert_int_eq(ebm("run ./s.yaml --out whole --jobs 4"), EBM_EXIT_OK);
    pid_t pid = launch("run ./s.yaml --out a --jobs 4");
    wait_for("a/.cases/*/checkpoint");
    kill(-pid, SIGKILL);
    end_of(pid);
    glob_t found;
    ck_assert_int_eq(glob(inside("a/.cases/*/checkpoint"), 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++)
        ck_assert_int_eq(truncate(found.gl_pathv[i], 150), 0);
    globfree(&found);
    ck_assert_int_eq(ebm("run ./s.yaml --out a"), EBM_EXIT_OK);
    assert_says("err.txt", "checkpoint cannot be used and is ignored");
    assert_same("a/s.csv", "whole/s.csv");
}
END_TEST

START_TEST(test_run_waits_for_another) {
    char words[64];
    write_suite("s", "updates: 100, pause: 0.004", "");
    pid_t first = launch("run ./s.yaml --out a --jobs 1");
    wait_for("a/.cases/*/log");
    ck_assert_int_eq(rename(inside("err.txt"), inside("first.txt")), 0);
    pid_t second = launch("run ./s.yaml --out a --jobs 1");
    ck_assert_int_eq(end_of(first), EBM_EXIT_OK);
    ck_assert_int_eq(end_of(second), EBM_EXIT_OK);
    snprintf(words, sizeof words, "waiting for process %ld", (long)first);
    assert_says("err.txt", words);
    assert_says("err.txt", "4 complete already, 0 to compute");
}
END_TEST

START_TEST(test_run_stops_while_waiting) {
    write_suite("s", "updates: 100000, pause: 0.01", "");
    pid_t first = launch("run ./s.yaml --out a --jobs 1");
    wait_for("a/.cases/*/log");
    ck_assert_int_eq(rename(inside("err.txt"), inside("first.txt")), 0);
    pid_t second = launch("run ./s.yaml --out a --jobs 1");
    do
        usleep(5000);
    while (!there("err.txt") || strstr(read_text("err.txt"), "waiting for process") == NULL);
    kill(second, SIGTERM);
    ck_assert_int_eq(end_of(second), EBM_EXIT_INTERRUPTED);
    kill(first, SIGTERM);
    ck_assert_int_eq(end_of(first), EBM_EXIT_INTERRUPTED);
}
END_TEST

START_TEST(test_run_quick_leaves_full) {
    write_suite("s", "updates: 100", "quick:\n  run: {updates: 20}\n");
    ck_assert_int_eq(ebm("run ./s.yaml --size full"), EBM_EXIT_OK);
    ck_assert(there("results/full/s.csv") && !there("results/quick"));
    ck_assert_int_eq(ebm("run ./s.yaml"), EBM_EXIT_OK);
    ck_assert(there("results/quick/s.csv"));
    ck_assert_int_eq(ebm("compare results/quick/s.csv results/full/s.csv"), EBM_EXIT_SHORT);
    ck_assert_int_eq(ebm("compare results/full results/full"), EBM_EXIT_OK);
    ck_assert_int_eq(ebm("show results/full/s.csv"), EBM_EXIT_OK);
    assert_says("out.txt", "sum");
    ck_assert_int_eq(ebm("list ./s.yaml --size full"), EBM_EXIT_OK);
    assert_says("out.txt", "seed-4");
}
END_TEST

START_TEST(test_run_help_and_version) {
    static const char *const words[] = {"--help",         "run --help",  "list --help",  "show --help",
                                        "compare --help", "list models", "list runners", "show runner probe"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        ck_assert_int_eq(ebm(words[i]), EBM_EXIT_OK);
    assert_says("out.txt", "behaviour");
    ck_assert_int_eq(ebm(""), EBM_EXIT_USAGE);
}
END_TEST

/* `ebm` itself, as runners/ebm.c has it, with the commands that the tests use. */
static int program(int argc, char **argv) {
    static const ebm_command *const commands[] = {&ebm_command_list,    &ebm_command_run,      &ebm_command_show,
                                                  &ebm_command_compare, &ebm_command_run_case, NULL};
    return ebm_commands_call(commands, argc, argv);
}

int main(int argc, char **argv) {
    const TTest *const tests[] = {test_run_writes_rows_once,
                                  test_run_failures_are_rows,
                                  test_run_one_failure_leaves_the_others,
                                  test_run_missing_data_replaces_nothing,
                                  test_run_usage_errors,
                                  test_run_suite_error_touches_nothing,
                                  test_run_only_is_partial,
                                  test_run_law_and_failure_is_failure,
                                  test_run_claim_that_fails_is_no_error,
                                  test_run_settings_decide_the_key,
                                  test_run_other_build_only_if_trusted,
                                  test_run_interrupted_goes_on,
                                  test_run_second_signal_ends_at_once,
                                  test_run_killed_goes_on,
                                  test_run_corrupt_checkpoint_is_ignored,
                                  test_run_waits_for_another,
                                  test_run_stops_while_waiting,
                                  test_run_quick_leaves_full,
                                  test_run_help_and_version};
    if (strcmp(argv[0], "ebm") == 0)
        return program(argc, argv);
    Suite *s = suite_create("run");
    TCase *t = tcase_create("run");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, setup, teardown);
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        tcase_add_test(t, tests[i]);
    suite_add_tcase(s, t);
    SRunner *runner = srunner_create(s);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
