/* One run at a time for a suite in an output folder. The kernel keeps the lock, so that it dies with its holder. */
#include "harness/run.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

ebm_status ebm_run_lock(ebm_run *run, ebm_error *error) {
    struct flock wanted = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    EBM_TRY(ebm_path_format(run->lock_path, sizeof run->lock_path, error, "%s/%s.lock", run->store, run->suite.name));
    run->lock = open(run->lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (run->lock < 0)
        return ebm_fail(error, EBM_IO, "cannot write in %s: %s", run->store, strerror(errno));
    if (fcntl(run->lock, F_SETLK, &wanted) == 0)
        return EBM_OK;
    struct flock holder = wanted;
    if (fcntl(run->lock, F_GETLK, &holder) == 0 && holder.l_type != F_UNLCK && holder.l_pid > 0)
        fprintf(stderr, "ebm: waiting for process %ld, which runs %s in %s\n", (long)holder.l_pid, run->suite.name,
                run->options.out);
    else
        fprintf(stderr, "ebm: waiting for another run of %s in %s\n", run->suite.name, run->options.out);
    /* Asking again and again, where F_SETLKW would sleep through a signal that comes just before it. */
    while (fcntl(run->lock, F_SETLK, &wanted) != 0) {
        if (errno != EAGAIN && errno != EACCES && errno != EINTR)
            return ebm_fail(error, EBM_IO, "cannot lock %s: %s", run->lock_path, strerror(errno));
        if (ebm_signals_caught() > 0)
            return ebm_fail(error, EBM_INTERRUPTED, "interrupted while waiting for another run");
        usleep(100000);
    }
    return EBM_OK;
}

void ebm_run_unlock(ebm_run *run) {
    if (run->lock >= 0)
        close(run->lock);
    run->lock = -1;
}
