/* Errors as values: formatting and names. */
#include "ebm/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static ebm_status fail_with(ebm_error *error, ebm_status status, const ebm_position *position, const char *format,
                            va_list arguments) EBM_PRINTF(4, 0);

static ebm_status fail_with(ebm_error *error, ebm_status status, const ebm_position *position, const char *format,
                            va_list arguments) {
    if (error == NULL)
        return status;
    /* Format first: the arguments may point into the error that is being replaced. */
    char message[sizeof error->message];
    char file[sizeof error->file] = "";
    unsigned line = 0, column = 0;
    vsnprintf(message, sizeof message, format, arguments);
    if (position != NULL) {
        snprintf(file, sizeof file, "%s", position->file != NULL ? position->file : "");
        line = position->line;
        column = position->column;
    }
    error->status = status;
    error->line = line;
    error->column = column;
    memcpy(error->file, file, sizeof file);
    memcpy(error->message, message, sizeof message);
    return status;
}

ebm_status ebm_fail(ebm_error *error, ebm_status status, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fail_with(error, status, NULL, format, arguments);
    va_end(arguments);
    return status;
}

ebm_status ebm_fail_at(ebm_error *error, ebm_status status, const ebm_position *position, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fail_with(error, status, position, format, arguments);
    va_end(arguments);
    return status;
}

const char *ebm_error_text(const ebm_error *error, char *buffer, size_t size) {
    if (error->file[0] == '\0')
        snprintf(buffer, size, "%s", error->message);
    else if (error->line == 0)
        snprintf(buffer, size, "%s: %s", error->file, error->message);
    else if (error->column == 0)
        snprintf(buffer, size, "%s:%u: %s", error->file, error->line, error->message);
    else
        snprintf(buffer, size, "%s:%u:%u: %s", error->file, error->line, error->column, error->message);
    return buffer;
}

const char *ebm_status_name(ebm_status status) {
    switch (status) {
    case EBM_OK:
        return "ok";
    case EBM_INVALID:
        return "invalid";
    case EBM_FORMAT:
        return "format";
    case EBM_IO:
        return "io";
    case EBM_NO_MEMORY:
        return "no-memory";
    case EBM_UNSUPPORTED:
        return "unsupported";
    case EBM_DIVERGED:
        return "diverged";
    case EBM_INTERRUPTED:
        return "interrupted";
    }
    return "unknown";
}
