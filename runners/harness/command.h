/* The command line of `ebm`: one const table a command, parsed and documented by the same code. */
#ifndef EBM_COMMAND_H
#define EBM_COMMAND_H

#include "harness/suite.h"

/* Exit statuses of the program; each has one meaning. When a case failed and a law fell short, FAILED wins. */
enum {
    EBM_EXIT_OK = 0,
    EBM_EXIT_FAILED = 1,       /* a case failed, or results could not be written */
    EBM_EXIT_USAGE = 2,        /* the command line, the suite or the output folder cannot be used */
    EBM_EXIT_NOTHING = 3,      /* no case was selected */
    EBM_EXIT_SHORT = 4,        /* a law or a comparison fell short */
    EBM_EXIT_INTERRUPTED = 130 /* asked to stop by a signal */
};

enum { EBM_MAX_WORDS = 4, EBM_MAX_FLAGS = 12, EBM_MAX_COMMANDS = 16 };

typedef struct ebm_flag {
    const char *name;     /* "--size" */
    const char *argument; /* "quick|full"; NULL for a switch */
    const char *help;
} ebm_flag;

/* What was given: words in order; value[i] is the text of the command's i-th flag, "" for a switch, NULL if absent. */
typedef struct ebm_words {
    size_t count;
    const char *word[EBM_MAX_WORDS];
    const char *value[EBM_MAX_FLAGS];
} ebm_words;

typedef struct ebm_command {
    const char *name, *usage, *about;
    const char *details; /* what --help adds: the meaning of the words, and examples */
    const ebm_flag *flags;
    size_t least_words, most_words;
    int (*run)(const ebm_words *words);
    bool internal; /* not shown */
} ebm_command;

extern const ebm_command ebm_command_list, ebm_command_run, ebm_command_compare, ebm_command_show, ebm_command_run_case;

/* The program: find the command that argv[1] names in the NULL-terminated list and run it. Returns an exit status. */
int ebm_commands_call(const ebm_command *const *commands, int argc, char **argv);
/* Parse argv[0 ... argc) (after the command's name) and run it; --help prints its manual. */
int ebm_command_call(const ebm_command *command, int argc, char **argv);

/* Print "ebm: <error>" on stderr and return the exit status given. */
int ebm_complain(int status, const ebm_error *error);
int ebm_complain_text(int status, const char *format, ...) EBM_PRINTF(2, 3);
/* "unknown <what> 'word'; did you mean 'x'?" or the list of what there is; returns EBM_EXIT_USAGE. */
int ebm_complain_unknown(const char *what, const char *word, const char *const *names);

/* Values of flags; each returns false after complaining. NULL text: the value given stays. */
bool ebm_word_size(const char *text, ebm_size *size);
bool ebm_word_count(const char *flag, const char *text, long least, long most, long *value);
bool ebm_word_real(const char *flag, const char *text, double least, double most, double *value);
const char *ebm_size_name(ebm_size size);

#endif
