/* Finding suites and data. */
#include "harness/paths.h"

#include "ebm/options.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_folder(const char *path) {
    struct stat facts;
    return stat(path, &facts) == 0 && S_ISDIR(facts.st_mode);
}

static bool is_file(const char *path) {
    struct stat facts;
    return stat(path, &facts) == 0 && S_ISREG(facts.st_mode);
}

ebm_status ebm_path_format(char *buffer, size_t size, ebm_error *error, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(buffer, size, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= size)
        return ebm_fail(error, EBM_INVALID, "the path %.80s... is longer than %zu bytes", buffer, size - 1);
    return EBM_OK;
}

ebm_status ebm_paths_prepare(ebm_error *error) {
    const char *given = getenv("EBM_DATASETS");
    bool wanted = given != NULL && given[0] != '\0';
    if (!wanted)
        given = is_folder("datasets") ? "datasets" : EBM_SOURCE_DIR "/datasets";
    if (!is_folder(given)) {
        if (wanted)
            return ebm_fail(error, EBM_INVALID, "EBM_DATASETS names %s, which is not a folder", given);
        return EBM_OK;
    }
    char *absolute = realpath(given, NULL);
    if (absolute == NULL)
        return ebm_fail(error, EBM_IO, "cannot resolve %s: %s", given, strerror(errno));
    int refused = setenv("EBM_DATASETS", absolute, 1);
    free(absolute);
    return refused ? ebm_fail(error, EBM_NO_MEMORY, "no memory for the environment") : EBM_OK;
}

ebm_status ebm_path_results_set(const char *folder, ebm_error *error) {
    char here[EBM_PATH_MAX], absolute[EBM_PATH_MAX];
    if (folder[0] == '/')
        EBM_TRY(ebm_path_format(absolute, sizeof absolute, error, "%s", folder));
    else if (getcwd(here, sizeof here) == NULL)
        return ebm_fail(error, EBM_IO, "cannot tell the present folder: %s", strerror(errno));
    else
        EBM_TRY(ebm_path_format(absolute, sizeof absolute, error, "%s/%s", here, folder));
    if (setenv("EBM_RESULTS", absolute, 1) != 0)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for the environment");
    return EBM_OK;
}

const char *ebm_path_results(void) {
    const char *folder = getenv("EBM_RESULTS");
    return folder != NULL && folder[0] != '\0' ? folder : "results";
}

bool ebm_path_suites(char *buffer, size_t size) {
    const char *folder = is_folder("suites") ? "suites" : EBM_SOURCE_DIR "/suites";
    return is_folder(folder) && snprintf(buffer, size, "%s", folder) < (int)size;
}

ebm_status ebm_path_suite(const char *name, char *buffer, size_t size, ebm_error *error) {
    char folder[EBM_PATH_MAX];
    if (strchr(name, '/') != NULL || is_file(name)) {
        if (!is_file(name))
            return ebm_fail(error, EBM_INVALID, "no suite at %s: %s", name,
                            is_folder(name) ? "it is a folder" : strerror(errno != 0 ? errno : ENOENT));
        return ebm_path_format(buffer, size, error, "%s", name);
    }
    if (!ebm_path_suites(folder, sizeof folder))
        return ebm_fail(error, EBM_INVALID,
                        "no suite '%s': there is no folder suites/ here; give the path of a suite file", name);
    EBM_TRY(ebm_path_format(buffer, size, error, "%s/%s.yaml", folder, name));
    if (is_file(buffer))
        return EBM_OK;
    EBM_TRY(ebm_path_format(buffer, size, error, "%s/%s", folder, name));
    if (is_file(buffer))
        return EBM_OK;
    char **names;
    EBM_TRY(ebm_path_names(folder, ".yaml", &names, error));
    const char *near = ebm_nearest_name(name, (const char *const *)names);
    ebm_status status =
        near != NULL ? ebm_fail(error, EBM_INVALID, "no suite '%s' in %s; did you mean '%s'?", name, folder, near)
                     : ebm_fail(error, EBM_INVALID,
                                "no suite '%s' in %s; `ebm list` shows those there "
                                "are",
                                name, folder);
    ebm_names_free(names);
    return status;
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The length of the part of `name` to keep, or 0 to leave it out. */
static size_t kept(const char *name, const char *suffix) {
    size_t length = strlen(name), end = suffix != NULL ? strlen(suffix) : 0;
    if (name[0] == '.' || length <= end || strcmp(name + length - end, suffix != NULL ? suffix : "") != 0)
        return 0;
    return length - end;
}

ebm_status ebm_path_names(const char *folder, const char *suffix, char ***out, ebm_error *error) {
    size_t count = 0, room = 16;
    DIR *entries = opendir(folder);
    if (entries == NULL)
        return ebm_fail(error, EBM_IO, "cannot read the folder %s: %s", folder, strerror(errno));
    char **names = malloc(room * sizeof *names);
    bool whole = names != NULL;
    for (struct dirent *entry; whole && (entry = readdir(entries)) != NULL;) {
        size_t length = kept(entry->d_name, suffix);
        if (length == 0)
            continue;
        if (count + 1 == room) {
            char **more = realloc(names, 2 * room * sizeof *names);
            whole = more != NULL;
            if (!whole)
                break;
            names = more;
            room *= 2;
        }
        names[count] = strndup(entry->d_name, length);
        whole = names[count] != NULL;
        count += whole;
    }
    closedir(entries);
    if (names != NULL)
        names[count] = NULL;
    if (!whole) {
        ebm_names_free(names);
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for the names in %s", folder);
    }
    qsort(names, count, sizeof *names, by_name);
    *out = names;
    return EBM_OK;
}

void ebm_names_free(char **names) {
    for (size_t i = 0; names != NULL && names[i] != NULL; i++)
        free(names[i]);
    free(names);
}
