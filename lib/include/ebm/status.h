/* Errors are values. Whatever can fail returns an ebm_status and fills an ebm_error that a person can act on.
 * Nothing in the library prints, exits or keeps global state. */
#ifndef EBM_STATUS_H
#define EBM_STATUS_H

#include <stddef.h>

#define EBM_NODISCARD __attribute__((warn_unused_result))
#define EBM_PRINTF(format_index, first_index) __attribute__((format(printf, format_index, first_index)))

typedef enum ebm_status {
    EBM_OK = 0,
    EBM_INVALID,     /* an argument, option or setting that cannot be: the caller's mistake */
    EBM_FORMAT,      /* a file that is not what it should be */
    EBM_IO,          /* the system refused: missing, unreadable, full */
    EBM_NO_MEMORY,   /* an allocation failed or its size overflowed */
    EBM_UNSUPPORTED, /* a pairing that cannot be: a slot that the model does not have, a space too large to enumerate */
    EBM_DIVERGED,    /* a number stopped being finite or ran away */
    EBM_INTERRUPTED  /* asked to stop */
} ebm_status;

/* What went wrong. `file` is empty and `line`, `column` are 0 where no place in a file is to blame (both count from 1).
 */
typedef struct ebm_error {
    ebm_status status;
    char file[256];
    unsigned line, column;
    char message[640];
} ebm_error;

/* A place in a text file, for messages. `file` is borrowed. */
typedef struct ebm_position {
    const char *file;
    unsigned line, column;
} ebm_position;

/* Fill `error` (which may be NULL) with a formatted message and return `status`. */
ebm_status ebm_fail(ebm_error *error, ebm_status status, const char *format, ...) EBM_PRINTF(3, 4);
/* The same with a place; `position` may be NULL. */
ebm_status ebm_fail_at(ebm_error *error, ebm_status status, const ebm_position *position, const char *format, ...)
    EBM_PRINTF(4, 5);
/* "file:line:column: message", or the message alone. Returns `buffer`. */
const char *ebm_error_text(const ebm_error *error, char *buffer, size_t size);
/* One word for a status, for logs and CSV. */
const char *ebm_status_name(ebm_status status);

/* Leave the enclosing function with the status of `call` unless it is EBM_OK. */
#define EBM_TRY(call)                                                                                                  \
    do {                                                                                                               \
        ebm_status ebm_try_status_ = (call);                                                                           \
        if (ebm_try_status_ != EBM_OK)                                                                                 \
            return ebm_try_status_;                                                                                    \
    } while (0)

#endif
