/* Rows, progress and side files of a running case. */
#include "harness/output.h"
#include "harness/output_checkpoint.h"
#include "harness/process.h"
#include "harness/provenance.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static ebm_case_output *of(ebm_output *output) {
    return (ebm_case_output *)output;
}

static ebm_status emit(ebm_sink *sink, const char *metric, double value, double se, ebm_error *error) {
    ebm_case_output *out = (ebm_case_output *)sink;
    if (metric == NULL || metric[0] == '\0' || strlen(metric) > 255)
        return ebm_fail(error, EBM_INVALID, "a row needs the name of a metric, of at most 255 bytes");
    if (out->output.step > (uint64_t)INT64_MAX)
        return ebm_fail(error, EBM_INVALID, "the step of a row of %s is too large", metric);
    return ebm_table_add(&out->table, out->keys, (int64_t)out->output.step, metric, value, se, "ok", error);
}

static void at(ebm_sink *sink, uint64_t step) {
    ((ebm_case_output *)sink)->output.step = step;
}

static void tell(ebm_case_output *out, const char *text, size_t size) {
    while (out->pipe >= 0 && write(out->pipe, text, size) < 0 && errno == EINTR)
        continue;
}

static void progress(ebm_output *output, double fraction) {
    ebm_case_output *out = of(output);
    double now = ebm_now();
    char text[64];
    if (out->pipe < 0 || now - out->told < 0.1)
        return;
    out->told = now;
    int length = snprintf(text, sizeof text, "progress %.4f\n", fraction < 0 ? 0 : fraction > 1 ? 1 : fraction);
    tell(out, text, (size_t)length);
}

void ebm_case_output_message(ebm_case_output *out, const char *text) {
    char line[700];
    int length = snprintf(line, sizeof line, "message %.640s", text);
    for (int i = 0; i < length; i++) {
        if ((unsigned char)line[i] < 0x20)
            line[i] = ' ';
    }
    line[length] = '\n';
    tell(out, line, (size_t)length + 1);
}

static bool stop_requested(ebm_output *output) {
    (void)output;
    return ebm_signals_caught() > 0;
}

static bool checkpoint_due(ebm_output *output) {
    return stop_requested(output) || ebm_now() - of(output)->checkpointed >= of(output)->interval;
}

static ebm_spent spent_so_far(const ebm_case_output *out) {
    ebm_spent spent = out->before;
    long peak = ebm_peak_memory();
    spent.seconds += ebm_now() - out->started;
    spent.cpu_seconds += ebm_cpu_seconds();
    spent.peak_kib = spent.peak_kib > peak ? spent.peak_kib : peak;
    return spent;
}

static ebm_status checkpoint(ebm_output *output, const ebm_region *regions, size_t count, ebm_error *error) {
    ebm_case_output *out = of(output);
    ebm_checkpoint point = {out->key, output->step, spent_so_far(out), &out->table, regions, count};
    char path[EBM_PATH_MAX];
    EBM_TRY(ebm_path_format(path, sizeof path, error, "%s/checkpoint", out->folder));
    ebm_status status = ebm_checkpoint_write(&point, path, error);
    out->write_failed = out->write_failed || status == EBM_IO;
    out->checkpointed = ebm_now();
    return status;
}

static ebm_status restore(ebm_output *output, const ebm_region *regions, size_t count, bool *found, ebm_error *error) {
    ebm_case_output *out = of(output);
    ebm_checkpoint point = {.key = out->key, .table = &out->table, .regions = regions, .n_regions = count};
    char path[EBM_PATH_MAX], why[256];
    *found = false;
    EBM_TRY(ebm_path_format(path, sizeof path, error, "%s/checkpoint", out->folder));
    if (access(path, F_OK) != 0)
        return EBM_OK;
    ebm_status status = ebm_checkpoint_read(&point, out->keys, path, error);
    if (status == EBM_FORMAT || status == EBM_IO) {
        snprintf(why, sizeof why, "its checkpoint cannot be used and is ignored: %.180s",
                 error != NULL ? error->message : "");
        ebm_case_output_message(out, why);
        return EBM_OK;
    }
    if (status != EBM_OK)
        return status;
    output->step = point.step;
    out->before = point.spent;
    *found = true;
    return EBM_OK;
}

static ebm_status artifact(ebm_output *output, const char *name, char *path, size_t size, ebm_error *error) {
    ebm_case_output *out = of(output);
    char folder[EBM_PATH_MAX];
    if (name[0] == '\0' || name[0] == '.' || strchr(name, '/') != NULL)
        return ebm_fail(error, EBM_INVALID, "'%s' cannot be the name of a side file", name);
    EBM_TRY(ebm_path_format(folder, sizeof folder, error, "%s/artifacts", out->folder));
    ebm_status status = ebm_folder_make(folder, error);
    out->write_failed = out->write_failed || status == EBM_IO;
    EBM_TRY(status);
    return ebm_path_format(path, size, error, "%s/%s", folder, name);
}

static double checkpoint_interval(void) {
    const char *text = getenv("EBM_CHECKPOINT_SECONDS");
    char *end;
    if (text == NULL || text[0] == '\0')
        return 20;
    double seconds = strtod(text, &end);
    return *end == '\0' && seconds >= 0 ? seconds : 20;
}

ebm_status ebm_case_output_open(ebm_case_output *out, const ebm_suite *suite, const char *folder, const char *key,
                                const char *const *keys, int pipe, ebm_error *error) {
    *out = (ebm_case_output){.keys = keys, .pipe = pipe, .started = ebm_now()};
    out->output = (ebm_output){.sink = {emit, at},
                               .progress = progress,
                               .checkpoint_due = checkpoint_due,
                               .stop_requested = stop_requested,
                               .checkpoint = checkpoint,
                               .restore = restore,
                               .artifact = artifact};
    out->checkpointed = out->started;
    out->interval = checkpoint_interval();
    snprintf(out->key, sizeof out->key, "%s", key);
    EBM_TRY(ebm_path_format(out->folder, sizeof out->folder, error, "%s", folder));
    ebm_status status = ebm_folder_make(folder, error);
    out->write_failed = status == EBM_IO;
    EBM_TRY(status);
    ebm_folder_sweep(folder, "");
    return ebm_table_create(suite->n_axes, (const char *const *)suite->axes, &out->table, error);
}

ebm_status ebm_case_output_complete(ebm_case_output *out, ebm_error *error) {
    ebm_new_file file;
    char path[EBM_PATH_MAX];
    ebm_spent spent = spent_so_far(out);
    EBM_TRY(ebm_path_format(path, sizeof path, error, "%s/case.yaml", out->folder));
    ebm_status status = ebm_new_file_open(&file, path, error);
    if (status == EBM_OK) {
        fprintf(file.stream, "seconds: %.3f\ncpu_seconds: %.3f\npeak_kib: %ld\n", spent.seconds, spent.cpu_seconds,
                spent.peak_kib);
        status = ebm_new_file_commit(&file, error);
    }
    if (status == EBM_OK)
        status = ebm_path_format(path, sizeof path, error, "%s/rows.csv", out->folder);
    if (status == EBM_OK)
        status = ebm_table_write(&out->table, path, error);
    out->write_failed = out->write_failed || status == EBM_IO;
    EBM_TRY(status);
    if (ebm_path_format(path, sizeof path, error, "%s/checkpoint", out->folder) == EBM_OK)
        unlink(path);
    return EBM_OK;
}

void ebm_case_output_close(ebm_case_output *out) {
    ebm_table_free(&out->table);
}

bool ebm_spent_read(const char *folder, ebm_spent *spent) {
    char path[EBM_PATH_MAX], *text;
    size_t size;
    *spent = (ebm_spent){0};
    if (ebm_path_format(path, sizeof path, NULL, "%s/case.yaml", folder) != EBM_OK ||
        ebm_file_read(path, 4096, &text, &size, NULL) != EBM_OK)
        return false;
    bool whole = sscanf(text, "seconds: %lf cpu_seconds: %lf peak_kib: %ld", &spent->seconds, &spent->cpu_seconds,
                        &spent->peak_kib) == 3;
    free(text);
    return whole;
}
