/* Child processes of a run: starting, listening to, timing out, stopping.
 *
 * A child speaks to its parent in lines on a pipe: "progress 0.25" and "message <one line>". It dies with its parent.
 */
#ifndef EBM_PROCESS_H
#define EBM_PROCESS_H

#include "ebm/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { EBM_PROCESS_PIPE = 3 }; /* the child's end of the pipe is this descriptor */

typedef struct ebm_process {
    pid_t pid;
    size_t tag;      /* the caller's name for it */
    int pipe;        /* -1 after its end */
    double started;  /* ebm_now */
    double fraction; /* of its work, as it last said */
    bool timed_out;
    size_t line_used;
    char line[1024];
    char message[640];
} ebm_process;

typedef struct ebm_process_end {
    size_t tag;
    int exit_status; /* -1 when a signal ended it */
    int signal;
    bool timed_out;
    double seconds, cpu_seconds;
    const char *message; /* "" if none; valid during the call */
} ebm_process_end;

typedef struct ebm_pool {
    size_t limit, count;
    ebm_process *running;
    double timeout; /* seconds a process; 0 = none */
    void (*ended)(void *context, const ebm_process_end *end);
    void *context;
} ebm_pool;

EBM_NODISCARD ebm_status ebm_pool_create(size_t limit, ebm_pool *out, ebm_error *error);
void ebm_pool_free(ebm_pool *pool); /* kills what still runs */
/* Run this program's own file with `arguments` (NULL-terminated, [0] is the program's name), `threads` in its
 * environment, standard output and error going to the file `log`. */
EBM_NODISCARD ebm_status ebm_pool_start(ebm_pool *pool, const char *const *arguments, int threads, const char *log,
                                        size_t tag, ebm_error *error);
/* Wait up to `seconds` for news; calls `ended` for each process that has ended. */
void ebm_pool_wait(ebm_pool *pool, double seconds);
void ebm_pool_signal(ebm_pool *pool, int signal);

/* Monotonic seconds. */
double ebm_now(void);
/* Count SIGINT and SIGTERM instead of dying of them. `wake`: they and SIGCHLD also end ebm_pool_wait. */
void ebm_signals_catch(bool wake);
int ebm_signals_caught(void);
/* Cores that this process may use. */
int ebm_cores(void);
/* The first line that a command prints, into `buffer`; false if it cannot be run or fails. */
bool ebm_process_capture(const char *const *arguments, char *buffer, size_t size);

#endif
