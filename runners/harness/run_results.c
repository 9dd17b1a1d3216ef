/* From the cases' folders to <suite>.csv, <suite>.run.yaml and the side files.
 *
 * Everything is prepared under other names first; the CSV's rename is the moment at which the new results count. Where
 * cases are missing the same goes to <suite>.partial.*, so that an earlier complete result is never replaced by less.
 */
#include "harness/run.h"
#include "harness/command.h"
#include "harness/provenance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static ebm_status add_case(ebm_table *table, const ebm_case_plan *plan, const char *const *keys, ebm_error *error) {
    ebm_table rows;
    char path[EBM_PATH_MAX];
    if (plan->state == EBM_CASE_MISSING)
        return EBM_OK;
    if (plan->state == EBM_CASE_NOT_APPLICABLE)
        return ebm_table_add(table, keys, -1, "not-applicable", NAN, NAN, "not-applicable", error);
    if (plan->state == EBM_CASE_FAILED || plan->state == EBM_CASE_TIMEOUT)
        return ebm_table_add(table, keys, -1, "failure", NAN, NAN, ebm_case_state_name(plan->state), error);
    EBM_TRY(ebm_path_format(path, sizeof path, error, "%s/rows.csv", plan->folder));
    EBM_TRY(ebm_table_read(path, &rows, error));
    ebm_status status = EBM_OK;
    for (size_t i = 0; i < rows.n_rows && status == EBM_OK; i++) {
        const ebm_row *row = &rows.rows[i];
        status = ebm_table_add(table, keys, row->step, row->metric, row->value, row->se, row->status, error);
    }
    ebm_table_free(&rows);
    return status;
}

static ebm_status add_cases(const ebm_run *run, ebm_table *table, ebm_error *error) {
    const char **keys = calloc(EBM_FIXED_COLUMNS + run->suite.n_axes, sizeof *keys);
    if (keys == NULL)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for the rows");
    ebm_status status = EBM_OK;
    for (size_t i = 0; i < run->suite.n_cases && status == EBM_OK; i++) {
        char seed[32];
        ebm_case_keys(&run->suite, &run->suite.cases[i], keys, seed, sizeof seed);
        status = add_case(table, &run->plans[i], keys, error);
    }
    free(keys);
    return status;
}

static ebm_status link_side_files(const ebm_run *run, const char *stem, ebm_error *error) {
    for (size_t i = 0; i < run->suite.n_cases; i++) {
        const ebm_case_plan *plan = &run->plans[i];
        char from[EBM_PATH_MAX] = "", to[EBM_PATH_MAX], name[EBM_PATH_MAX];
        EBM_TRY(ebm_path_format(name, sizeof name, error, "%s", run->suite.cases[i].name));
        for (char *slash = name; (slash = strchr(slash, '/')) != NULL;)
            *slash = '-';
        EBM_TRY(ebm_path_format(to, sizeof to, error, "%s/%s/%s", run->options.out, stem, name));
        if (plan->folder != NULL)
            EBM_TRY(ebm_path_format(from, sizeof from, error, "%s/artifacts", plan->folder));
        bool complete = plan->state == EBM_CASE_OK || plan->state == EBM_CASE_KEPT;
        if (complete && access(from, F_OK) == 0)
            EBM_TRY(ebm_folder_link(from, to, error));
        else if (access(to, F_OK) == 0)
            ebm_folder_remove(to);
    }
    return EBM_OK;
}

static void write_case(const ebm_run *run, size_t i, FILE *out) {
    const ebm_case_plan *plan = &run->plans[i];
    const ebm_case *c = &run->suite.cases[i];
    const char *message = c->not_applicable != NULL ? c->not_applicable : plan->message;
    fputs("  - {case: ", out);
    ebm_yaml_text(out, c->name);
    fprintf(out, ", status: %s", ebm_case_state_name(plan->state));
    if (plan->spent.seconds > 0 || plan->spent.cpu_seconds > 0)
        fprintf(out, ", seconds: %.3f, cpu_seconds: %.3f", plan->spent.seconds, plan->spent.cpu_seconds);
    if (plan->spent.peak_kib > 0)
        fprintf(out, ", peak_kib: %ld", plan->spent.peak_kib);
    if (message != NULL) {
        fputs(", message: ", out);
        ebm_yaml_text(out, message);
    }
    fputs("}\n", out);
}

static void write_provenance(const ebm_run *run, bool partial, FILE *out) {
    char text[EBM_HASH_TEXT];
    fputs("suite: ", out);
    ebm_yaml_text(out, run->suite.name);
    fputs("\nfile: ", out);
    ebm_yaml_text(out, run->suite.path);
    fprintf(out, "\nsuite_hash: \"%016llx\"\nsize: %s\ncomplete: %s\n", (unsigned long long)run->suite.hash,
            ebm_size_name(run->suite.size), partial ? "false" : "true");
    ebm_provenance_write(out);
    fprintf(out, "build_id: \"%s\"\nother_builds_trusted: %s\njobs: %ld\nthreads: %ld\n",
            ebm_hash_text(run->build, text), run->options.trust_build ? "true" : "false", run->options.jobs,
            run->options.threads);
    fprintf(out, "data:%s\n", run->n_data == 0 ? " []" : "");
    for (size_t i = 0; i < run->n_data; i++) {
        fputs("  - {path: ", out);
        ebm_yaml_text(out, run->data[i].path);
        fprintf(out, ", hash: \"%s\"}\n", ebm_hash_text(run->data[i].hash, text));
    }
    fputs("cases:\n", out);
    for (size_t i = 0; i < run->suite.n_cases; i++)
        write_case(run, i, out);
}

/* Side files, provenance and CSV under `stem`. */
static ebm_status write_all(const ebm_run *run, const ebm_table *table, const char *stem, bool partial, char *csv,
                            ebm_error *error) {
    ebm_new_file yaml;
    char path[EBM_PATH_MAX];
    EBM_TRY(ebm_path_format(csv, EBM_PATH_MAX, error, "%s/%s.csv", run->options.out, stem));
    EBM_TRY(ebm_path_format(path, sizeof path, error, "%s/%s.run.yaml", run->options.out, stem));
    EBM_TRY(ebm_new_file_open(&yaml, path, error));
    write_provenance(run, partial, yaml.stream);
    EBM_TRY(ebm_new_file_settle(&yaml, error));
    ebm_status status = link_side_files(run, stem, error);
    if (status == EBM_OK)
        status = ebm_table_write(table, csv, error);
    if (status != EBM_OK) {
        ebm_new_file_abandon(&yaml);
        return status;
    }
    return ebm_new_file_rename(&yaml, error);
}

/* What an earlier partial run left beside the results that are now complete. */
static void remove_partial(const ebm_run *run) {
    static const char *const ends[] = {".csv", ".run.yaml", ""};
    char path[EBM_PATH_MAX];
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        if (ebm_path_format(path, sizeof path, NULL, "%s/%s.partial%s", run->options.out, run->suite.name, ends[i]) !=
            EBM_OK)
            continue;
        if (ends[i][0] != '\0')
            unlink(path);
        else
            ebm_folder_remove(path);
    }
}

static ebm_status judge(const ebm_run *run, ebm_table *table, ebm_check_result *results, size_t *short_laws,
                        ebm_error *error) {
    EBM_TRY(ebm_derive_rows(&run->suite, table, error));
    EBM_TRY(ebm_check_rows(&run->suite, table, results, error));
    for (size_t i = 0; i < run->suite.n_checks; i++)
        *short_laws += results[i].check->law && results[i].verdict == EBM_FELL_SHORT;
    return EBM_OK;
}

static ebm_status write_results(ebm_run *run, ebm_table *table, bool partial, size_t *short_laws, ebm_error *error) {
    char stem[300], csv[EBM_PATH_MAX];
    ebm_check_result *results = partial ? NULL : calloc(run->suite.n_checks + 1, sizeof *results);
    ebm_status status = add_cases(run, table, error);
    if (!partial && results == NULL)
        status = ebm_fail(error, EBM_NO_MEMORY, "no memory for the checks");
    if (status == EBM_OK && !partial)
        status = judge(run, table, results, short_laws, error);
    snprintf(stem, sizeof stem, "%.250s%s", run->suite.name, partial ? ".partial" : "");
    if (status == EBM_OK)
        status = write_all(run, table, stem, partial, csv, error);
    if (status == EBM_OK && !partial)
        remove_partial(run);
    if (status == EBM_OK)
        ebm_run_summary(run, csv, results);
    free(results);
    return status;
}

ebm_status ebm_run_results(ebm_run *run, size_t *short_laws, bool *partial, ebm_error *error) {
    size_t there = 0;
    ebm_table table;
    *partial = false;
    for (size_t i = 0; i < run->suite.n_cases; i++) {
        *partial = *partial || run->plans[i].state == EBM_CASE_MISSING || run->plans[i].blocked;
        there += run->plans[i].state != EBM_CASE_MISSING && run->plans[i].state != EBM_CASE_NOT_APPLICABLE;
    }
    if (*partial && there == 0) {
        fprintf(stderr, "ebm: no case is complete yet; nothing is written\n");
        return EBM_OK;
    }
    EBM_TRY(ebm_table_create(run->suite.n_axes, (const char *const *)run->suite.axes, &table, error));
    ebm_status status = write_results(run, &table, *partial, short_laws, error);
    ebm_table_free(&table);
    return status;
}
