/* Facts about the program, its build and the machine. */
#include "harness/provenance.h"
#include "harness/process.h"

#include "ebm/matrix.h"

#include <cblas.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <time.h>

static const char *number_type(void) {
    return sizeof(ebm_real) == sizeof(double) ? "double" : "float";
}

void ebm_provenance_version(FILE *out) {
    fprintf(out, "ebm %s\n", EBM_VERSION);
    fprintf(out, "compiler: %s\n", EBM_COMPILER);
    fprintf(out, "flags:    %s\n", EBM_BUILD_FLAGS);
    fprintf(out, "numbers:  %s\n", number_type());
    fprintf(out, "kernels:  %s\n", ebm_kernels_name());
    fprintf(out, "BLAS:     %s, kernel %s\n", openblas_get_config(), ebm_blas_name());
}

ebm_status ebm_provenance_build_id(ebm_hash *out, ebm_error *error) {
    *out = ebm_hash_begin();
    EBM_TRY(ebm_hash_add_path(out, "/proc/self/exe", error));
    ebm_hash_add_text(out, openblas_get_config());
    ebm_hash_add_text(out, ebm_blas_name());
    ebm_hash_add_text(out, ebm_kernels_name());
    return EBM_OK;
}

void ebm_yaml_text(FILE *out, const char *text) {
    fputc('"', out);
    for (; *text != '\0'; text++) {
        unsigned char letter = (unsigned char)*text;
        if (letter == '"' || letter == '\\')
            fprintf(out, "\\%c", letter);
        else if (letter < 0x20 || letter == 0x7f)
            fprintf(out, "\\x%02x", letter);
        else
            fputc(letter, out);
    }
    fputc('"', out);
}

static void line(FILE *out, const char *key, const char *text) {
    fprintf(out, "%s: ", key);
    ebm_yaml_text(out, text);
    fputc('\n', out);
}

/* The text after the colon of the first line of a file that begins with `key`; "" if there is none. */
static void field_of(const char *path, const char *key, char *buffer, size_t size) {
    char text[1024];
    FILE *file = fopen(path, "re");
    buffer[0] = '\0';
    while (file != NULL && fgets(text, sizeof text, file) != NULL) {
        char *colon = strchr(text, ':');
        if (strncmp(text, key, strlen(key)) != 0 || colon == NULL)
            continue;
        char *start = colon + 1 + strspn(colon + 1, " \t");
        start[strcspn(start, "\n")] = '\0';
        snprintf(buffer, size, "%s", start);
        break;
    }
    if (file != NULL)
        fclose(file);
}

static void cpu_name(char *buffer, size_t size) {
    struct utsname machine;
    field_of("/proc/cpuinfo", "model name", buffer, size);
    if (buffer[0] != '\0')
        return;
    char part[64];
    field_of("/proc/cpuinfo", "CPU part", part, sizeof part);
    uname(&machine);
    snprintf(buffer, size, "%.64s%s%s", machine.machine, part[0] != '\0' ? " part " : "", part);
}

static void revision(FILE *out) {
    char text[256];
    const char *const which[] = {"git", "-C", EBM_SOURCE_DIR, "rev-parse", "HEAD", NULL};
    const char *const changes[] = {"git", "-C", EBM_SOURCE_DIR, "status", "--porcelain", "--untracked-files=no", NULL};
    if (!ebm_process_capture(which, text, sizeof text)) {
        line(out, "revision", "unknown");
        return;
    }
    line(out, "revision", text);
    if (ebm_process_capture(changes, text, sizeof text))
        fprintf(out, "dirty: %s\n", text[0] != '\0' ? "true" : "false");
}

void ebm_provenance_write(FILE *out) {
    char text[256];
    struct utsname machine;
    time_t now = time(NULL);
    struct tm utc;
    revision(out);
    line(out, "version", EBM_VERSION);
    line(out, "compiler", EBM_COMPILER);
    line(out, "flags", EBM_BUILD_FLAGS);
    line(out, "numbers", number_type());
    line(out, "blas", openblas_get_config());
    line(out, "blas_kernel", ebm_blas_name());
    line(out, "kernels", ebm_kernels_name());
    cpu_name(text, sizeof text);
    line(out, "cpu", text);
    uname(&machine);
    snprintf(text, sizeof text, "%.64s %.64s %.64s", machine.sysname, machine.release, machine.machine);
    line(out, "system", text);
    fprintf(out, "cores: %d\n", ebm_cores());
    gmtime_r(&now, &utc);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    line(out, "date", text);
}

long ebm_peak_memory(void) {
    char text[64];
    field_of("/proc/self/status", "VmHWM", text, sizeof text);
    if (text[0] != '\0' && isdigit((unsigned char)text[0]))
        return strtol(text, NULL, 10);
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? usage.ru_maxrss : 0;
}

double ebm_cpu_seconds(void) {
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) != 0)
        return 0;
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           1e-6 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}
