/* Files and folders of a run: finding suites and data, writing so that nothing is ever half there, hashing contents. */
#ifndef EBM_PATHS_H
#define EBM_PATHS_H

#include "ebm/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { EBM_PATH_MAX = 4096 };

/* Make EBM_DATASETS absolute (a folder that does not exist is an error); where it is not set, the project's own
 * datasets/ is used if it is there. Call once, before anything reads data or starts processes. */
EBM_NODISCARD ebm_status ebm_paths_prepare(ebm_error *error);
/* Where this run's results go, for suites that read what another suite has made: an absolute path in the environment
 * (EBM_RESULTS), so that the processes of the cases know it, too. Before it is set: "results". */
EBM_NODISCARD ebm_status ebm_path_results_set(const char *folder, ebm_error *error);
const char *ebm_path_results(void);
/* printf into a buffer; EBM_INVALID when the path is too long. */
EBM_NODISCARD ebm_status ebm_path_format(char *buffer, size_t size, ebm_error *error, const char *format, ...)
    EBM_PRINTF(4, 5);
/* The folder of suites: ./suites or the one of the source tree; false when there is neither. */
bool ebm_path_suites(char *buffer, size_t size);
/* The file of a suite given by name or by path; EBM_INVALID with the nearest name when there is none. */
EBM_NODISCARD ebm_status ebm_path_suite(const char *name, char *buffer, size_t size, ebm_error *error);
/* Names in a folder in alphabetical order: those that end in `suffix` (taken off), or all for NULL, hidden ones left
 * out. NULL-terminated; free with ebm_names_free. */
EBM_NODISCARD ebm_status ebm_path_names(const char *folder, const char *suffix, char ***out, ebm_error *error);
void ebm_names_free(char **names);

EBM_NODISCARD ebm_status ebm_folder_make(const char *path, ebm_error *error); /* with its parents */
void ebm_folder_remove(const char *path);                                     /* with all it holds; silent */
/* Make `to` hold exactly the files of `from` (not its folders) as hard links, or copies where links are refused. */
EBM_NODISCARD ebm_status ebm_folder_link(const char *from, const char *to, ebm_error *error);
/* Remove what a killed process left: names in `folder` that begin with `prefix` and contain ".tmp". */
void ebm_folder_sweep(const char *folder, const char *prefix);

/* The whole file, with a 0 byte after it; at most `limit` bytes. The caller frees. */
EBM_NODISCARD ebm_status ebm_file_read(const char *path, size_t limit, char **bytes, size_t *size, ebm_error *error);
/* A new file that appears complete or not at all: write to file->stream, then commit (fsync, rename) or abandon. */
typedef struct ebm_new_file {
    void *stream; /* FILE * */
    char path[EBM_PATH_MAX], temporary[EBM_PATH_MAX + 32];
} ebm_new_file;
EBM_NODISCARD ebm_status ebm_new_file_open(ebm_new_file *file, const char *path, ebm_error *error);
/* Everything on the disk under the temporary name; closes. Then rename, which can only fail with the folder. */
EBM_NODISCARD ebm_status ebm_new_file_settle(ebm_new_file *file, ebm_error *error);
EBM_NODISCARD ebm_status ebm_new_file_rename(ebm_new_file *file, ebm_error *error);
EBM_NODISCARD ebm_status ebm_new_file_commit(ebm_new_file *file, ebm_error *error); /* settle and rename */
void ebm_new_file_abandon(ebm_new_file *file);

/* A 128-bit hash of contents against accidents, not against malice: two byte-wise multiplicative hashes (the first is
 * FNV-1a 64). */
typedef struct ebm_hash {
    uint64_t a, b;
} ebm_hash;
enum { EBM_HASH_TEXT = 33 };
ebm_hash ebm_hash_begin(void);
void ebm_hash_add(ebm_hash *hash, const void *bytes, size_t size);
void ebm_hash_add_text(ebm_hash *hash, const char *text); /* with its end, so that texts do not run together */
const char *ebm_hash_text(ebm_hash hash, char buffer[EBM_HASH_TEXT]);
/* Contents of a file, or of the files of a folder with their names in order. */
EBM_NODISCARD ebm_status ebm_hash_add_path(ebm_hash *hash, const char *path, ebm_error *error);

#endif
