/* Child processes: fork and exec of this same program, a pipe for each, one loop that waits for all of them. */
#include "harness/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t signals_caught;
static int wake_pipe[2] = {-1, -1};

double ebm_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void on_signal(int signal) {
    int saved = errno;
    if (signal != SIGCHLD && signals_caught < 100)
        signals_caught = signals_caught + 1;
    if (wake_pipe[1] >= 0 && write(wake_pipe[1], "", 1) < 0)
        errno = saved; /* the pipe is full: it will wake the loop anyway */
    errno = saved;
}

void ebm_signals_catch(bool wake) {
    struct sigaction action = {.sa_handler = on_signal};
    sigemptyset(&action.sa_mask);
    if (wake && wake_pipe[0] < 0 && pipe2(wake_pipe, O_CLOEXEC | O_NONBLOCK) != 0)
        wake_pipe[0] = wake_pipe[1] = -1; /* ebm_pool_wait then notices ends a little later */
    struct sigaction earlier;
    if (sigaction(SIGINT, NULL, &earlier) != 0 || earlier.sa_handler != SIG_IGN)
        sigaction(SIGINT, &action, NULL); /* a job in the background ignores the terminal's SIGINT */
    sigaction(SIGTERM, &action, NULL);
    if (wake) {
        action.sa_flags = SA_NOCLDSTOP;
        sigaction(SIGCHLD, &action, NULL);
    }
    signal(SIGPIPE, SIG_IGN);
}

int ebm_signals_caught(void) {
    return signals_caught;
}

int ebm_cores(void) {
    cpu_set_t cores;
    if (sched_getaffinity(0, sizeof cores, &cores) == 0 && CPU_COUNT(&cores) > 0)
        return CPU_COUNT(&cores);
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count > 0 ? (int)count : 1;
}

ebm_status ebm_pool_create(size_t limit, ebm_pool *out, ebm_error *error) {
    *out = (ebm_pool){.limit = limit, .running = calloc(limit, sizeof(ebm_process))};
    return out->running != NULL ? EBM_OK : ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu processes", limit);
}

void ebm_pool_free(ebm_pool *pool) {
    for (size_t i = 0; i < pool->count; i++) {
        kill(pool->running[i].pid, SIGKILL);
        waitpid(pool->running[i].pid, NULL, 0);
        if (pool->running[i].pipe >= 0)
            close(pool->running[i].pipe);
    }
    free(pool->running);
    *pool = (ebm_pool){0};
}

/* In the child, between fork and exec: only what is safe there. */
static _Noreturn void become(const char *const *arguments, char *const *environment, int pipe_end, int log,
                             pid_t parent) {
    int null = open("/dev/null", O_RDONLY);
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigemptyset(&action.sa_mask);
    sigaction(SIGCHLD, &action, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(127);
    if (dup2(null, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0)
        _exit(127);
    if (pipe_end == EBM_PROCESS_PIPE)
        fcntl(pipe_end, F_SETFD, 0);
    else if (dup2(pipe_end, EBM_PROCESS_PIPE) < 0)
        _exit(127);
    execve("/proc/self/exe", (char *const *)arguments, environment);
    _exit(127);
}

enum { CASE_VARIABLES = 5, VARIABLE_SIZE = 48 };

/* The environment with what a case's process gets first; the array is the caller's to free, and its first entries point
 * into `texts`. Where there are more threads than cores, waiting threads sleep; else they spin, but for a few microseconds
 * only: a thread that waits for one whose core another program has taken must not hold its own core for that long. */
static char **case_environment(int threads, bool crowded, char texts[CASE_VARIABLES][VARIABLE_SIZE]) {
    extern char **environ;
    size_t count = 0, used = 0;
    while (environ[count] != NULL)
        count++;
    char **out = calloc(count + CASE_VARIABLES + 1, sizeof *out);
    if (out == NULL)
        return NULL;
    snprintf(texts[0], VARIABLE_SIZE, "OMP_NUM_THREADS=%d", threads);
    snprintf(texts[1], VARIABLE_SIZE, "OPENBLAS_NUM_THREADS=1");
    snprintf(texts[2], VARIABLE_SIZE, "OMP_DYNAMIC=FALSE");
    snprintf(texts[3], VARIABLE_SIZE, "OMP_PROC_BIND=FALSE");
    snprintf(texts[4], VARIABLE_SIZE, crowded ? "OMP_WAIT_POLICY=PASSIVE" : "GOMP_SPINCOUNT=2000");
    for (; used < CASE_VARIABLES; used++)
        out[used] = texts[used];
    for (size_t i = 0; i < count; i++) {
        bool replaced = false;
        for (size_t k = 0; k < CASE_VARIABLES; k++) {
            size_t name = (size_t)(strchr(texts[k], '=') - texts[k]) + 1;
            replaced = replaced || strncmp(environ[i], texts[k], name) == 0;
        }
        if (!replaced)
            out[used++] = environ[i];
    }
    return out;
}

ebm_status ebm_pool_start(ebm_pool *pool, const char *const *arguments, int threads, const char *log, size_t tag,
                          ebm_error *error) {
    int ends[2];
    char texts[CASE_VARIABLES][VARIABLE_SIZE];
    pid_t parent = getpid();
    int log_file = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (log_file < 0)
        return ebm_fail(error, EBM_IO, "cannot write %s: %s", log, strerror(errno));
    char **environment = case_environment(threads, pool->limit * (size_t)threads > (size_t)ebm_cores(), texts);
    if (environment == NULL || pipe2(ends, O_CLOEXEC) != 0) {
        free(environment);
        close(log_file);
        return ebm_fail(error, EBM_IO, "cannot make a pipe: %s", strerror(errno));
    }
    pid_t pid = fork();
    if (pid == 0)
        become(arguments, environment, ends[1], log_file, parent);
    int reason = errno;
    free(environment);
    close(log_file);
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return ebm_fail(error, EBM_IO, "cannot start a process: %s", strerror(reason));
    }
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    pool->running[pool->count++] = (ebm_process){.pid = pid, .tag = tag, .pipe = ends[0], .started = ebm_now()};
    return EBM_OK;
}

static void take_line(ebm_process *process) {
    process->line[process->line_used] = '\0';
    process->line_used = 0;
    if (strncmp(process->line, "progress ", 9) == 0)
        process->fraction = strtod(process->line + 9, NULL);
    else if (strncmp(process->line, "message ", 8) == 0)
        snprintf(process->message, sizeof process->message, "%.639s", process->line + 8);
}

static void listen_to(ebm_process *process) {
    char bytes[1024];
    while (process->pipe >= 0) {
        ssize_t got = read(process->pipe, bytes, sizeof bytes);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return;
        if (got <= 0) {
            close(process->pipe);
            process->pipe = -1;
            return;
        }
        for (ssize_t i = 0; i < got; i++) {
            if (bytes[i] == '\n')
                take_line(process);
            else if (process->line_used + 1 < sizeof process->line)
                process->line[process->line_used++] = bytes[i];
        }
    }
}

/* True, and the pool's entry i replaced by its last, when that process has ended. */
static bool reap(ebm_pool *pool, size_t i) {
    int wait_status;
    struct rusage usage;
    ebm_process ended = pool->running[i];
    pid_t got = wait4(ended.pid, &wait_status, WNOHANG, &usage);
    if (got == 0 || (got < 0 && errno == EINTR))
        return false;
    listen_to(&ended);
    if (ended.pipe >= 0)
        close(ended.pipe);
    ebm_process_end end = {.tag = ended.tag, .timed_out = ended.timed_out, .message = ended.message};
    end.exit_status = got > 0 && WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : -1;
    end.signal = got > 0 && WIFSIGNALED(wait_status) ? WTERMSIG(wait_status) : 0;
    end.seconds = ebm_now() - ended.started;
    if (got > 0)
        end.cpu_seconds = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                          1e-6 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
    pool->running[i] = pool->running[--pool->count];
    pool->ended(pool->context, &end);
    return true;
}

static void enforce_timeout(ebm_pool *pool) {
    for (size_t i = 0; pool->timeout > 0 && i < pool->count; i++) {
        ebm_process *process = &pool->running[i];
        if (!process->timed_out && ebm_now() - process->started > pool->timeout) {
            process->timed_out = true;
            kill(process->pid, SIGKILL);
        }
    }
}

void ebm_pool_wait(ebm_pool *pool, double seconds) {
    struct pollfd *watched = calloc(pool->count + 1, sizeof *watched);
    if (watched == NULL) {
        usleep(10000);
    } else {
        watched[0] = (struct pollfd){.fd = wake_pipe[0], .events = POLLIN};
        for (size_t i = 0; i < pool->count; i++)
            watched[i + 1] = (struct pollfd){.fd = pool->running[i].pipe, .events = POLLIN};
        poll(watched, pool->count + 1, (int)(seconds * 1000));
        free(watched);
    }
    for (char bytes[64]; wake_pipe[0] >= 0 && read(wake_pipe[0], bytes, sizeof bytes) > 0;)
        continue;
    for (size_t i = 0; i < pool->count; i++)
        listen_to(&pool->running[i]);
    enforce_timeout(pool);
    for (size_t i = 0; i < pool->count;) {
        if (!reap(pool, i))
            i++;
    }
}

void ebm_pool_signal(ebm_pool *pool, int signal) {
    for (size_t i = 0; i < pool->count; i++)
        kill(pool->running[i].pid, signal);
}

bool ebm_process_capture(const char *const *arguments, char *buffer, size_t size) {
    int ends[2], wait_status = -1;
    size_t used = 0;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return false;
    pid_t pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_RDWR);
        if (null < 0 || dup2(null, 0) < 0 || dup2(null, 2) < 0 || dup2(ends[1], 1) < 0)
            _exit(127);
        execvp(arguments[0], (char *const *)arguments);
        _exit(127);
    }
    close(ends[1]);
    for (char bytes[512]; pid > 0;) {
        ssize_t got = read(ends[0], bytes, sizeof bytes);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        for (ssize_t i = 0; i < got && used + 1 < size; i++)
            buffer[used++] = bytes[i];
    }
    close(ends[0]);
    while (pid > 0 && waitpid(pid, &wait_status, 0) < 0 && errno == EINTR)
        continue;
    buffer[used] = '\0';
    buffer[strcspn(buffer, "\n")] = '\0';
    return pid > 0 && wait_status == 0;
}
