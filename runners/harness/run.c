/* Running a suite: the loop over processes. */
#include "harness/run.h"
#include "harness/command.h"
#include "harness/provenance.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const double patience = 0.25; /* seconds between looks at the clock while nothing happens */
static const double grace = 15;      /* seconds that cases get to save their state when asked to stop */

/* The last line of a case's log that says something. */
static void last_words(const char *folder, char *buffer, size_t size) {
    char path[EBM_PATH_MAX], *text;
    size_t length;
    buffer[0] = '\0';
    if (ebm_path_format(path, sizeof path, NULL, "%s/log", folder) != EBM_OK ||
        ebm_file_read(path, 1 << 24, &text, &length, NULL) != EBM_OK)
        return;
    while (length > 0 && (unsigned char)text[length - 1] <= ' ')
        text[--length] = '\0';
    char *newline = strrchr(text, '\n');
    snprintf(buffer, size, "%s", newline != NULL ? newline + 1 : text);
    free(text);
}

static void failure_text(const ebm_run *run, const ebm_process_end *end, const char *folder, char *text, size_t size) {
    char words[256];
    last_words(folder, words, sizeof words);
    const char *colon = words[0] != '\0' ? ": " : "";
    if (end->timed_out)
        snprintf(text, size, "stopped after the suite's timeout of %g s", run->suite.timeout);
    else if (end->signal == SIGKILL)
        snprintf(text, size, "killed from outside (signal 9): out of memory, perhaps%s%s", colon, words);
    else if (end->signal != 0)
        snprintf(text, size, "crashed: signal %d (%s)%s%s", end->signal, strsignal(end->signal), colon, words);
    else if (end->message[0] != '\0')
        snprintf(text, size, "%s", end->message);
    else
        snprintf(text, size, "its process ended with status %d%s%s", end->exit_status, colon, words);
}

static void forget(const char *folder, const char *name) {
    char path[EBM_PATH_MAX];
    if (ebm_path_format(path, sizeof path, NULL, "%s/%s", folder, name) == EBM_OK)
        unlink(path);
}

static void case_ended(void *context, const ebm_process_end *end) {
    ebm_run *run = context;
    ebm_case_plan *plan = &run->plans[end->tag];
    const char *name = run->suite.cases[end->tag].name;
    char text[700];
    if (end->exit_status == EBM_EXIT_OK) {
        plan->state = EBM_CASE_OK;
        ebm_spent_read(plan->folder, &plan->spent);
        plan->message = end->message[0] != '\0' ? strdup(end->message) : NULL;
        forget(plan->folder, "log");
        ebm_progress_case(&run->progress, name, "ok", end->seconds, end->message);
        return;
    }
    bool ours = ebm_signals_caught() > 0 || run->stopped;
    if (!end->timed_out && (end->exit_status == EBM_EXIT_INTERRUPTED || (ours && end->signal != 0)))
        return; /* stays missing; its checkpoint stays */
    failure_text(run, end, plan->folder, text, sizeof text);
    if (end->exit_status == EBM_CASE_EXIT_DISK) {
        if (!run->stopped)
            (void)ebm_fail(&run->stop_reason, EBM_IO, "%.600s", text);
        run->stopped = true;
        return;
    }
    plan->state = end->timed_out ? EBM_CASE_TIMEOUT : EBM_CASE_FAILED;
    plan->message = strdup(text);
    plan->spent = (ebm_spent){end->seconds, end->cpu_seconds, 0};
    if (!end->timed_out)
        forget(plan->folder, "checkpoint");
    plan->blocked = end->exit_status == EBM_CASE_EXIT_DATA;
    bool said = plan->blocked && strcmp(run->blocked, end->message) == 0;
    if (plan->blocked)
        snprintf(run->blocked, sizeof run->blocked, "%s", end->message);
    ebm_progress_case(&run->progress, said ? NULL : name, ebm_case_state_name(plan->state), end->seconds, text);
}

static ebm_status start_case(ebm_run *run, size_t i, ebm_error *error) {
    char index[24], threads[24], log[EBM_PATH_MAX], settings[EBM_HASH_TEXT];
    const char *folder = run->plans[i].folder;
    ebm_hash hash;
    EBM_TRY(ebm_case_settings_hash(&run->suite, &run->suite.cases[i], &hash, error));
    ebm_hash_text(hash, settings);
    EBM_TRY(ebm_folder_make(folder, error));
    EBM_TRY(ebm_path_format(log, sizeof log, error, "%s/log", folder));
    snprintf(index, sizeof index, "%zu", i);
    snprintf(threads, sizeof threads, "%ld", run->options.threads);
    const char *arguments[] = {"ebm",    "run-case",   run->suite.path, "--size", ebm_size_name(run->suite.size),
                               "--case", index,        "--dir",         folder,   "--threads",
                               threads,  "--settings", settings,        NULL};
    return ebm_pool_start(&run->pool, arguments, (int)run->options.threads, log, i, error);
}

/* Pass signals on: the first asks the cases to save and stop; the second, or the end of patience, ends them. */
static void heed_signals(ebm_run *run) {
    int caught = ebm_signals_caught();
    if (caught > 0 && run->signals_seen == 0) {
        ebm_progress_note(&run->progress, "ebm: stopping; %zu running cases save their state (again: at once)",
                          run->pool.count);
        ebm_pool_signal(&run->pool, SIGTERM);
        run->stop_asked = ebm_now();
        run->signals_seen = 1;
    }
    if (run->stopped || caught > 1 || (caught > 0 && ebm_now() - run->stop_asked > grace))
        ebm_pool_signal(&run->pool, SIGKILL);
}

static ebm_status run_cases(ebm_run *run, ebm_error *error) {
    size_t next = 0, n = run->suite.n_cases;
    run->pool.timeout = run->suite.timeout;
    run->pool.ended = case_ended;
    run->pool.context = run;
    for (;;) {
        bool going = ebm_signals_caught() == 0 && !run->stopped;
        while (going && run->pool.count < run->pool.limit && next < n) {
            size_t i = next++;
            if (!run->plans[i].selected || run->plans[i].state != EBM_CASE_MISSING || run->plans[i].same_as != i)
                continue;
            if (start_case(run, i, &run->stop_reason) != EBM_OK) {
                run->stopped = true;
                going = false;
            }
        }
        if (run->pool.count == 0 && (next == n || !going))
            break;
        heed_signals(run);
        ebm_progress_draw(&run->progress, &run->pool);
        if (run->pool.count > 0)
            ebm_pool_wait(&run->pool, patience);
    }
    for (size_t i = 0; i < n; i++) {
        const ebm_case_plan *first = &run->plans[run->plans[i].same_as];
        if (first != &run->plans[i] && run->plans[i].state == EBM_CASE_MISSING) {
            run->plans[i].state = first->state;
            run->plans[i].blocked = first->blocked;
            run->plans[i].message = first->message != NULL ? strdup(first->message) : NULL;
        }
    }
    if (run->stopped && error != NULL)
        *error = run->stop_reason;
    return run->stopped ? EBM_IO : EBM_OK;
}

static void say_what_comes(const ebm_run *run, size_t missing) {
    size_t kept = 0;
    for (size_t i = 0; i < run->suite.n_cases; i++)
        kept += run->plans[i].selected && run->plans[i].state == EBM_CASE_KEPT;
    fprintf(stderr, "%s (%s): %zu cases, %zu complete already, %zu to compute; %zu at once, %ld thread%s each\n",
            run->suite.name, ebm_size_name(run->suite.size), run->suite.n_cases, kept, missing, run->pool.limit,
            run->options.threads, run->options.threads == 1 ? "" : "s");
}

static int compute(ebm_run *run, ebm_error *error) {
    bool partial;
    size_t short_laws = 0, failed = 0, missing = ebm_run_missing(run);
    if (ebm_pool_create((size_t)run->options.jobs, &run->pool, error) != EBM_OK)
        return ebm_complain(EBM_EXIT_FAILED, error);
    say_what_comes(run, missing);
    ebm_progress_begin(&run->progress, stderr, missing);
    ebm_status status = run_cases(run, error);
    ebm_progress_end(&run->progress);
    ebm_pool_free(&run->pool);
    if (status == EBM_OK)
        status = ebm_run_results(run, &short_laws, &partial, error);
    if (status != EBM_OK)
        return ebm_complain(status == EBM_INVALID ? EBM_EXIT_USAGE : EBM_EXIT_FAILED, error);
    for (size_t i = 0; i < run->suite.n_cases; i++)
        failed += run->plans[i].state == EBM_CASE_FAILED || run->plans[i].state == EBM_CASE_TIMEOUT;
    if (ebm_signals_caught() > 0 && partial)
        return EBM_EXIT_INTERRUPTED;
    return failed > 0 ? EBM_EXIT_FAILED : short_laws > 0 ? EBM_EXIT_SHORT : EBM_EXIT_OK;
}

/* The folder and its lock; what a killed run left half written is swept away under the lock. */
static ebm_status take_folder(ebm_run *run, ebm_error *error) {
    static const char *const ends[] = {".csv.", ".run.yaml.", ".partial.csv.", ".partial.run.yaml."};
    char prefix[300];
    EBM_TRY(ebm_path_format(run->store, sizeof run->store, error, "%s/.cases", run->options.out));
    EBM_TRY(ebm_folder_make(run->store, error));
    EBM_TRY(ebm_run_lock(run, error));
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        snprintf(prefix, sizeof prefix, "%.250s%s", run->suite.name, ends[i]);
        ebm_folder_sweep(run->options.out, prefix);
    }
    return EBM_OK;
}

static void run_free(ebm_run *run) {
    for (size_t i = 0; run->plans != NULL && i < run->suite.n_cases; i++) {
        free(run->plans[i].folder);
        free(run->plans[i].message);
    }
    for (size_t i = 0; i < run->n_data; i++)
        free(run->data[i].path);
    free(run->plans);
    free(run->data);
    ebm_run_unlock(run);
    ebm_suite_free(&run->suite);
}

static int run_suite(ebm_run *run, ebm_error *error) {
    size_t selected = 0;
    if (ebm_suite_read(run->options.suite_path, run->options.size, &run->suite, error) != EBM_OK)
        return ebm_complain(EBM_EXIT_USAGE, error);
    for (size_t i = 0; i < run->suite.n_cases; i++)
        selected += ebm_case_selected(&run->options, run->suite.cases[i].name);
    if (selected == 0)
        return ebm_complain_text(EBM_EXIT_NOTHING, "no case of %s matches '%s'; `ebm list %s` shows them",
                                 run->suite.name, run->options.only != NULL ? run->options.only : "*",
                                 run->options.suite_path);
    ebm_signals_catch(true);
    ebm_status status = take_folder(run, error);
    if (status != EBM_OK)
        return ebm_complain(status == EBM_INTERRUPTED ? EBM_EXIT_INTERRUPTED : EBM_EXIT_USAGE, error);
    if (ebm_provenance_build_id(&run->build, error) != EBM_OK || ebm_run_plan(run, error) != EBM_OK)
        return ebm_complain(EBM_EXIT_FAILED, error);
    return compute(run, error);
}

int ebm_run_suite(const ebm_run_options *options) {
    ebm_error error = {0};
    ebm_run *run = calloc(1, sizeof *run);
    if (run == NULL)
        return ebm_complain_text(EBM_EXIT_FAILED, "no memory");
    run->options = *options;
    run->lock = -1;
    if (run->options.jobs == 0) {
        long jobs = ebm_cores() / run->options.threads;
        run->options.jobs = jobs > 0 ? jobs : 1;
    }
    int status = run_suite(run, &error);
    run_free(run);
    free(run);
    return status;
}
