/* Progress on stderr. */
#include "harness/progress.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

const char *ebm_duration_text(double seconds, char *buffer, size_t size) {
    if (seconds < 10)
        snprintf(buffer, size, "%.1fs", seconds);
    else if (seconds < 60)
        snprintf(buffer, size, "%.0fs", seconds);
    else if (seconds < 3600)
        snprintf(buffer, size, "%dm %02ds", (int)seconds / 60, (int)seconds % 60);
    else
        snprintf(buffer, size, "%ldh %02ldm", (long)seconds / 3600, (long)seconds / 60 % 60);
    return buffer;
}

void ebm_progress_begin(ebm_progress *progress, FILE *out, size_t total) {
    const char *no_colour = getenv("NO_COLOR"), *terminal = getenv("TERM");
    bool plain = terminal == NULL || strcmp(terminal, "dumb") == 0;
    *progress = (ebm_progress){.out = out, .total = total, .started = ebm_now()};
    progress->terminal = isatty(fileno(out)) && !plain;
    progress->colour = progress->terminal && (no_colour == NULL || no_colour[0] == '\0');
}

static void clear_line(ebm_progress *progress) {
    if (progress->drawn)
        fputs("\r\033[K", progress->out);
    progress->drawn = false;
}

void ebm_progress_note(ebm_progress *progress, const char *format, ...) {
    va_list arguments;
    clear_line(progress);
    va_start(arguments, format);
    vfprintf(progress->out, format, arguments);
    va_end(arguments);
    fputc('\n', progress->out);
    fflush(progress->out);
}

void ebm_progress_case(ebm_progress *progress, const char *name, const char *outcome, double seconds,
                       const char *message) {
    char duration[32];
    bool well = strcmp(outcome, "ok") == 0;
    const char *colour = !progress->colour ? "" : well ? "\033[32m" : "\033[31m";
    progress->done++;
    progress->failed += !well;
    if (name == NULL || (well && progress->terminal && message[0] == '\0'))
        return; /* the redrawn line says enough */
    ebm_progress_note(progress, "[%zu/%zu] %s%s%s %s (%s)%s%s", progress->done, progress->total, colour, outcome,
                      progress->colour ? "\033[0m" : "", name, ebm_duration_text(seconds, duration, sizeof duration),
                      message[0] != '\0' ? ": " : "", message);
}

void ebm_progress_draw(ebm_progress *progress, const ebm_pool *pool) {
    char text[512], duration[32], left[32] = "?";
    double now = ebm_now(), elapsed = now - progress->started, work = (double)progress->done;
    struct winsize window = {0};
    size_t width = ioctl(fileno(progress->out), TIOCGWINSZ, &window) == 0 && window.ws_col > 8 ? window.ws_col : 80;
    if (!progress->terminal || now - progress->last_drawn < 0.1)
        return;
    for (size_t i = 0; i < pool->count; i++)
        work += pool->running[i].fraction;
    if (work > 0 && elapsed > 0.5)
        ebm_duration_text(elapsed * ((double)progress->total - work) / work, left, sizeof left);
    size_t used = (size_t)snprintf(text, sizeof text, "%zu/%zu done, %s%zu failed, %.3g/min, %s, %s left; running",
                                   progress->done, progress->total, progress->failed > 0 ? "! " : "", progress->failed,
                                   elapsed > 0 ? 60 * work / elapsed : 0,
                                   ebm_duration_text(elapsed, duration, sizeof duration), left);
    for (size_t i = 0; i < pool->count && used + 8 < sizeof text; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, " %.0f%%", 100 * pool->running[i].fraction);
    clear_line(progress);
    fprintf(progress->out, "%.*s", (int)(width < sizeof text ? width - 1 : sizeof text - 1), text);
    fflush(progress->out);
    progress->drawn = true;
    progress->last_drawn = now;
}

void ebm_progress_end(ebm_progress *progress) {
    clear_line(progress);
    fflush(progress->out);
}
