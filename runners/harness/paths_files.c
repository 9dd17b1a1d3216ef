/* Files that appear complete or not at all, folders, and hashes of contents. */
#include "harness/paths.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

ebm_status ebm_folder_make(const char *path, ebm_error *error) {
    char part[EBM_PATH_MAX];
    EBM_TRY(ebm_path_format(part, sizeof part, error, "%s", path));
    for (char *end = part + 1;; end++) {
        if (*end != '/' && *end != '\0')
            continue;
        char saved = *end;
        struct stat facts;
        *end = '\0';
        if (mkdir(part, 0777) != 0 && errno != EEXIST)
            return ebm_fail(error, EBM_IO, "cannot make the folder %s: %s", part, strerror(errno));
        if (stat(part, &facts) != 0 || !S_ISDIR(facts.st_mode))
            return ebm_fail(error, EBM_IO, "cannot make the folder %s: %s", part, strerror(ENOTDIR));
        if (saved == '\0')
            return EBM_OK;
        *end = saved;
    }
}

void ebm_folder_remove(const char *path) {
    DIR *entries = opendir(path);
    for (struct dirent *entry; entries != NULL && (entry = readdir(entries)) != NULL;) {
        char inner[EBM_PATH_MAX];
        struct stat facts;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            ebm_path_format(inner, sizeof inner, NULL, "%s/%s", path, entry->d_name) != EBM_OK)
            continue;
        if (lstat(inner, &facts) == 0 && S_ISDIR(facts.st_mode))
            ebm_folder_remove(inner);
        else
            unlink(inner);
    }
    if (entries != NULL)
        closedir(entries);
    rmdir(path);
}

void ebm_folder_sweep(const char *folder, const char *prefix) {
    DIR *entries = opendir(folder);
    if (entries == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0 && strstr(entry->d_name, ".tmp") != NULL)
            unlinkat(dirfd(entries), entry->d_name, 0);
    }
    closedir(entries);
}

static ebm_status copy_file(const char *from, const char *to, ebm_error *error) {
    static const size_t block = 1 << 16;
    ebm_new_file file;
    FILE *source = fopen(from, "rb");
    if (source == NULL)
        return ebm_fail(error, EBM_IO, "cannot read %s: %s", from, strerror(errno));
    char *bytes = malloc(block);
    ebm_status status = bytes == NULL ? ebm_fail(error, EBM_NO_MEMORY, "no memory to copy %s", from)
                                      : ebm_new_file_open(&file, to, error);
    if (status == EBM_OK) {
        for (size_t got; (got = fread(bytes, 1, block, source)) > 0;)
            fwrite(bytes, 1, got, file.stream);
        status = ebm_new_file_commit(&file, error);
    }
    free(bytes);
    fclose(source);
    return status;
}

/* One file of `from` as a link in `to`, replacing what has its name there at once. */
static ebm_status link_file(const char *from, const char *to, const char *name, ebm_error *error) {
    char source[EBM_PATH_MAX], target[EBM_PATH_MAX], temporary[EBM_PATH_MAX];
    struct stat facts;
    EBM_TRY(ebm_path_format(source, sizeof source, error, "%s/%s", from, name));
    EBM_TRY(ebm_path_format(target, sizeof target, error, "%s/%s", to, name));
    EBM_TRY(ebm_path_format(temporary, sizeof temporary, error, "%s.tmp%ld", target, (long)getpid()));
    if (lstat(source, &facts) != 0 || !S_ISREG(facts.st_mode))
        return EBM_OK;
    if (link(source, temporary) != 0)
        return copy_file(source, target, error);
    if (rename(temporary, target) != 0) {
        int reason = errno;
        unlink(temporary);
        return ebm_fail(error, EBM_IO, "cannot write %s: %s", target, strerror(reason));
    }
    unlink(temporary); /* rename leaves it where both were the same file already */
    return EBM_OK;
}

/* Remove from `to` the files that `from` does not have. */
static ebm_status drop_others(const char *from, const char *to, ebm_error *error) {
    char **names, path[EBM_PATH_MAX];
    struct stat facts;
    EBM_TRY(ebm_path_names(to, NULL, &names, error));
    for (size_t i = 0; names[i] != NULL; i++) {
        if (ebm_path_format(path, sizeof path, NULL, "%s/%s", from, names[i]) == EBM_OK && lstat(path, &facts) != 0 &&
            ebm_path_format(path, sizeof path, NULL, "%s/%s", to, names[i]) == EBM_OK)
            unlink(path);
    }
    ebm_names_free(names);
    return EBM_OK;
}

ebm_status ebm_folder_link(const char *from, const char *to, ebm_error *error) {
    char **names;
    EBM_TRY(ebm_folder_make(to, error));
    EBM_TRY(ebm_path_names(from, NULL, &names, error));
    ebm_status status = EBM_OK;
    for (size_t i = 0; names[i] != NULL && status == EBM_OK; i++)
        status = link_file(from, to, names[i], error);
    ebm_names_free(names);
    return status == EBM_OK ? drop_others(from, to, error) : status;
}

ebm_status ebm_file_read(const char *path, size_t limit, char **bytes, size_t *size, ebm_error *error) {
    struct stat facts;
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return ebm_fail(error, EBM_IO, "cannot read %s: %s", path, strerror(errno));
    if (fstat(fileno(file), &facts) != 0 || !S_ISREG(facts.st_mode) || (uintmax_t)facts.st_size > limit) {
        fclose(file);
        return ebm_fail(error, EBM_FORMAT, "%s is not a plain file of at most %zu bytes", path, limit);
    }
    char *text = malloc((size_t)facts.st_size + 1);
    size_t got = text != NULL ? fread(text, 1, (size_t)facts.st_size, file) : 0;
    fclose(file);
    if (text == NULL)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory to read %s", path);
    text[got] = '\0';
    *bytes = text;
    *size = got;
    return EBM_OK;
}

ebm_status ebm_new_file_open(ebm_new_file *file, const char *path, ebm_error *error) {
    file->stream = NULL;
    file->temporary[0] = '\0';
    EBM_TRY(ebm_path_format(file->path, sizeof file->path, error, "%s", path));
    EBM_TRY(ebm_path_format(file->temporary, sizeof file->temporary, error, "%s.tmp%ld", path, (long)getpid()));
    file->stream = fopen(file->temporary, "wbe");
    if (file->stream == NULL)
        return ebm_fail(error, EBM_IO, "cannot write %s: %s", path, strerror(errno));
    return EBM_OK;
}

void ebm_new_file_abandon(ebm_new_file *file) {
    if (file->stream != NULL)
        fclose(file->stream);
    file->stream = NULL;
    if (file->temporary[0] != '\0')
        unlink(file->temporary);
    file->temporary[0] = '\0';
}

ebm_status ebm_new_file_settle(ebm_new_file *file, ebm_error *error) {
    FILE *stream = file->stream;
    errno = 0;
    bool whole = fflush(stream) == 0 && !ferror(stream) && fsync(fileno(stream)) == 0;
    int reason = errno;
    whole = fclose(stream) == 0 && whole;
    file->stream = NULL;
    if (whole)
        return EBM_OK;
    ebm_new_file_abandon(file);
    return ebm_fail(error, EBM_IO, "cannot write %s: %s", file->path, strerror(reason != 0 ? reason : EIO));
}

ebm_status ebm_new_file_rename(ebm_new_file *file, ebm_error *error) {
    if (rename(file->temporary, file->path) == 0)
        return EBM_OK;
    int reason = errno;
    ebm_new_file_abandon(file);
    return ebm_fail(error, EBM_IO, "cannot write %s: %s", file->path, strerror(reason));
}

ebm_status ebm_new_file_commit(ebm_new_file *file, ebm_error *error) {
    EBM_TRY(ebm_new_file_settle(file, error));
    return ebm_new_file_rename(file, error);
}

ebm_hash ebm_hash_begin(void) {
    ebm_hash hash = {UINT64_C(0xcbf29ce484222325), UINT64_C(0x9e3779b97f4a7c15)};
    return hash;
}

void ebm_hash_add(ebm_hash *hash, const void *bytes, size_t size) {
    const unsigned char *byte = bytes;
    uint64_t a = hash->a, b = hash->b;
    for (size_t i = 0; i < size; i++) {
        a = (a ^ byte[i]) * UINT64_C(0x100000001b3);
        b = ((b + byte[i]) ^ (b >> 29)) * UINT64_C(0xff51afd7ed558ccd);
    }
    hash->a = a;
    hash->b = b;
}

void ebm_hash_add_text(ebm_hash *hash, const char *text) {
    ebm_hash_add(hash, text, strlen(text) + 1);
}

const char *ebm_hash_text(ebm_hash hash, char buffer[EBM_HASH_TEXT]) {
    snprintf(buffer, EBM_HASH_TEXT, "%016llx%016llx", (unsigned long long)hash.a, (unsigned long long)hash.b);
    return buffer;
}

static ebm_status hash_file(ebm_hash *hash, const char *path, ebm_error *error) {
    static const size_t block = 1 << 18;
    FILE *file = fopen(path, "rb");
    unsigned char *bytes = malloc(block);
    uint64_t total = 0;
    if (file == NULL || bytes == NULL) {
        ebm_status status = file == NULL ? ebm_fail(error, EBM_IO, "cannot read %s: %s", path, strerror(errno))
                                         : ebm_fail(error, EBM_NO_MEMORY, "no memory to read %s", path);
        free(bytes);
        if (file != NULL)
            fclose(file);
        return status;
    }
    for (size_t got; (got = fread(bytes, 1, block, file)) > 0; total += got)
        ebm_hash_add(hash, bytes, got);
    bool whole = !ferror(file);
    ebm_hash_add(hash, &total, sizeof total);
    fclose(file);
    free(bytes);
    return whole ? EBM_OK : ebm_fail(error, EBM_IO, "cannot read %s: %s", path, strerror(EIO));
}

ebm_status ebm_hash_add_path(ebm_hash *hash, const char *path, ebm_error *error) {
    struct stat facts;
    char **names;
    if (stat(path, &facts) != 0)
        return ebm_fail(error, EBM_IO, "cannot read %s: %s", path, strerror(errno));
    if (!S_ISDIR(facts.st_mode))
        return hash_file(hash, path, error);
    EBM_TRY(ebm_path_names(path, NULL, &names, error));
    ebm_status status = EBM_OK;
    for (size_t i = 0; names[i] != NULL && status == EBM_OK; i++) {
        char inner[EBM_PATH_MAX];
        status = ebm_path_format(inner, sizeof inner, error, "%s/%s", path, names[i]);
        if (status == EBM_OK && stat(inner, &facts) == 0 && S_ISREG(facts.st_mode)) {
            ebm_hash_add_text(hash, names[i]);
            status = hash_file(hash, inner, error);
        }
    }
    ebm_names_free(names);
    return status;
}
