/* Child processes. The children are this program again, told by its first words what to do. */
#include "harness/process.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static ebm_error error;

static void say(const char *text) {
    if (write(EBM_PROCESS_PIPE, text, strlen(text)) < 0)
        _exit(99);
}

/* What a child does. */
static int child(const char *what) {
    if (strcmp(what, "exit-7") == 0)
        return 7;
    if (strcmp(what, "talk") == 0) {
        char huge[5000];
        say("progress 0.25\nmess");
        say("age half a line, then the rest\nnonsense\n");
        memset(huge, 'x', sizeof huge);
        huge[sizeof huge - 1] = '\0';
        say(huge); /* a line that never ends is cut, not overrun */
        return 0;
    }
    if (strcmp(what, "crash") == 0) {
        signal(SIGSEGV, SIG_DFL); /* a sanitizer would make an exit status of it */
        raise(SIGSEGV);
    }
    if (strcmp(what, "environment") == 0)
        return strcmp(getenv("OMP_NUM_THREADS"), "3") == 0 && strcmp(getenv("OPENBLAS_NUM_THREADS"), "1") == 0 ? 0 : 1;
    if (strcmp(what, "parent") == 0) { /* starts a child of its own and dies; the child must not outlive it */
        ebm_pool pool;
        const char *const arguments[] = {"test", "child", "sleep", NULL};
        if (ebm_pool_create(1, &pool, &error) != EBM_OK ||
            ebm_pool_start(&pool, arguments, 1, "/dev/null", 0, &error) != EBM_OK)
            return 1;
        char text[64];
        snprintf(text, sizeof text, "message %ld\n", (long)pool.running[0].pid);
        say(text);
        kill(getpid(), SIGKILL);
    }
    if (strcmp(what, "sleep") == 0)
        sleep(60);
    if (strcmp(what, "stop") == 0) {
        ebm_signals_catch(false);
        say("progress 0.5\n");
        while (ebm_signals_caught() == 0)
            usleep(1000);
        return 130;
    }
    return 1;
}

typedef struct ends {
    size_t count;
    ebm_process_end last;
    char message[640];
} ends;

static void ended(void *context, const ebm_process_end *end) {
    ends *all = context;
    all->count++;
    all->last = *end;
    snprintf(all->message, sizeof all->message, "%s", end->message);
}

static void start(ebm_pool *pool, ends *all, const char *what) {
    const char *const arguments[] = {"test", "child", what, NULL};
    *all = (ends){0};
    ck_assert_int_eq(ebm_pool_create(2, pool, &error), EBM_OK);
    pool->ended = ended;
    pool->context = all;
    ck_assert_int_eq(ebm_pool_start(pool, arguments, 3, "/dev/null", 5, &error), EBM_OK);
}

static void finish(ebm_pool *pool, const ends *all) {
    while (all->count == 0)
        ebm_pool_wait(pool, 0.1);
    ck_assert_uint_eq(all->count, 1);
    ck_assert_uint_eq(all->last.tag, 5);
    ck_assert_uint_eq(pool->count, 0);
    ebm_pool_free(pool);
}

START_TEST(test_process_exit_status) {
    ebm_pool pool;
    ends all;
    ebm_signals_catch(true);
    start(&pool, &all, "exit-7");
    finish(&pool, &all);
    ck_assert_int_eq(all.last.exit_status, 7);
    ck_assert_int_eq(all.last.signal, 0);
    ck_assert_str_eq(all.message, "");
}
END_TEST

START_TEST(test_process_messages) {
    ebm_pool pool;
    ends all;
    start(&pool, &all, "talk");
    finish(&pool, &all);
    ck_assert_int_eq(all.last.exit_status, 0);
    ck_assert_str_eq(all.message, "half a line, then the rest");
}
END_TEST

START_TEST(test_process_crash_is_a_signal) {
    ebm_pool pool;
    ends all;
    start(&pool, &all, "crash");
    finish(&pool, &all);
    ck_assert_int_eq(all.last.signal, SIGSEGV);
    ck_assert_int_eq(all.last.exit_status, -1);
}
END_TEST

START_TEST(test_process_threads_in_environment) {
    ebm_pool pool;
    ends all;
    setenv("OMP_NUM_THREADS", "17", 1);
    start(&pool, &all, "environment");
    finish(&pool, &all);
    ck_assert_int_eq(all.last.exit_status, 0);
}
END_TEST

START_TEST(test_process_timeout) {
    ebm_pool pool;
    ends all;
    start(&pool, &all, "sleep");
    pool.timeout = 0.2;
    finish(&pool, &all);
    ck_assert(all.last.timed_out);
    ck_assert_int_eq(all.last.signal, SIGKILL);
}
END_TEST

START_TEST(test_process_stops_when_asked) {
    ebm_pool pool;
    ends all;
    start(&pool, &all, "stop");
    while (pool.running[0].fraction != 0.5)
        ebm_pool_wait(&pool, 0.1);
    ebm_pool_signal(&pool, SIGTERM);
    finish(&pool, &all);
    ck_assert_int_eq(all.last.exit_status, 130);
}
END_TEST

START_TEST(test_process_dies_with_its_parent) {
    ebm_pool pool;
    ends all;
    start(&pool, &all, "parent");
    finish(&pool, &all);
    ck_assert_int_eq(all.last.signal, SIGKILL);
    long grandchild = strtol(all.message, NULL, 10);
    ck_assert_int_gt(grandchild, 1);
    char path[64], state[256];
    for (;;) { /* until it is gone, or a zombie that nobody has reaped; the test's own time limit bounds this */
        snprintf(path, sizeof path, "/proc/%ld/stat", grandchild);
        FILE *file = fopen(path, "r");
        if (file == NULL)
            break;
        char *text = fgets(state, sizeof state, file);
        fclose(file);
        if (text == NULL || strstr(state, ") Z") != NULL)
            break;
        usleep(10000);
    }
}
END_TEST

START_TEST(test_process_capture) {
    char text[16];
    const char *const two_lines[] = {"printf", "abc\\ndef\\n", NULL};
    const char *const longer[] = {"printf", "0123456789012345678901234567890", NULL};
    const char *const failing[] = {"false", NULL};
    const char *const missing[] = {"/no/such/program", NULL};
    ck_assert(ebm_process_capture(two_lines, text, sizeof text));
    ck_assert_str_eq(text, "abc");
    ck_assert(ebm_process_capture(longer, text, sizeof text));
    ck_assert_str_eq(text, "012345678901234");
    ck_assert(!ebm_process_capture(failing, text, sizeof text));
    ck_assert(!ebm_process_capture(missing, text, sizeof text));
}
END_TEST

int main(int argc, char **argv) {
    if (argc == 3 && strcmp(argv[1], "child") == 0)
        return child(argv[2]);
    Suite *s = suite_create("process");
    TCase *t = tcase_create("process");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, test_process_exit_status);
    tcase_add_test(t, test_process_messages);
    tcase_add_test(t, test_process_crash_is_a_signal);
    tcase_add_test(t, test_process_threads_in_environment);
    tcase_add_test(t, test_process_timeout);
    tcase_add_test(t, test_process_stops_when_asked);
    tcase_add_test(t, test_process_dies_with_its_parent);
    tcase_add_test(t, test_process_capture);
    suite_add_tcase(s, t);
    SRunner *runner = srunner_create(s);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
