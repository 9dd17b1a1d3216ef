/* Parsing and documenting the words of a command from its table. */
#include "harness/command.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int ebm_complain(int status, const ebm_error *error) {
    char text[1024];
    fprintf(stderr, "ebm: %s\n", ebm_error_text(error, text, sizeof text));
    return status;
}

int ebm_complain_text(int status, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("ebm: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    return status;
}

int ebm_complain_unknown(const char *what, const char *word, const char *const *names) {
    const char *near = ebm_nearest_name(word, names);
    if (near != NULL)
        return ebm_complain_text(EBM_EXIT_USAGE, "unknown %s '%s'; did you mean '%s'?", what, word, near);
    fprintf(stderr, "ebm: unknown %s '%s'; there is", what, word);
    for (size_t i = 0; names[i] != NULL; i++)
        fprintf(stderr, "%s %s", i == 0 ? "" : ",", names[i]);
    fputs(names[0] == NULL ? " none\n" : "\n", stderr);
    return EBM_EXIT_USAGE;
}

static void command_help(const ebm_command *command) {
    printf("%s\n\n%s\n", command->about, command->usage);
    if (command->flags[0].name != NULL)
        puts("\nOptions:");
    for (const ebm_flag *flag = command->flags; flag->name != NULL; flag++) {
        char left[64];
        snprintf(left, sizeof left, "%s%s%s", flag->name, flag->argument != NULL ? " " : "",
                 flag->argument != NULL ? flag->argument : "");
        printf("  %-22s %s\n", left, flag->help);
    }
    printf("\n%s", command->details);
}

/* The index of the flag that argv[0] names, or -1 after complaining; *text is what stands after "=", or NULL. */
static int find_flag(const ebm_command *command, const char *argument, const char **text) {
    const char *equals = strchr(argument, '=');
    size_t length = equals != NULL ? (size_t)(equals - argument) : strlen(argument);
    const char *names[EBM_MAX_FLAGS + 2];
    size_t count = 0;
    *text = equals != NULL ? equals + 1 : NULL;
    for (const ebm_flag *flag = command->flags; flag->name != NULL; flag++) {
        if (strlen(flag->name) == length && strncmp(flag->name, argument, length) == 0)
            return (int)count;
        names[count++] = flag->name;
    }
    names[count++] = "--help";
    names[count] = NULL;
    char what[64], word[128];
    snprintf(what, sizeof what, "option of `ebm %s`", command->name);
    snprintf(word, sizeof word, "%.*s", (int)(length < 127 ? length : 127), argument);
    ebm_complain_unknown(what, word, names);
    return -1;
}

static bool parse_words(const ebm_command *command, int argc, char **argv, ebm_words *words) {
    bool only_words = false;
    for (int i = 0; i < argc; i++) {
        if (!only_words && strcmp(argv[i], "--") == 0) {
            only_words = true;
            continue;
        }
        if (only_words || argv[i][0] != '-' || argv[i][1] == '\0') {
            if (words->count == command->most_words) {
                ebm_complain_text(0, "`ebm %s` takes no further word '%s'; usage: %s", command->name, argv[i],
                                  command->usage);
                return false;
            }
            words->word[words->count++] = argv[i];
            continue;
        }
        const char *text;
        int index = find_flag(command, argv[i], &text);
        if (index < 0)
            return false;
        const ebm_flag *flag = &command->flags[index];
        if (words->value[index] != NULL) {
            ebm_complain_text(0, "%s is given twice", flag->name);
            return false;
        }
        if (flag->argument == NULL && text != NULL) {
            ebm_complain_text(0, "%s takes no value", flag->name);
            return false;
        }
        if (flag->argument != NULL && text == NULL && i + 1 < argc)
            text = argv[++i];
        if (flag->argument != NULL && (text == NULL || text[0] == '\0')) {
            ebm_complain_text(0, "%s needs a value: %s", flag->name, flag->argument);
            return false;
        }
        words->value[index] = flag->argument != NULL ? text : "";
    }
    return true;
}

int ebm_command_call(const ebm_command *command, int argc, char **argv) {
    ebm_words words = {0};
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            command_help(command);
            return EBM_EXIT_OK;
        }
    }
    if (!parse_words(command, argc, argv, &words))
        return EBM_EXIT_USAGE;
    if (words.count < command->least_words)
        return ebm_complain_text(EBM_EXIT_USAGE, "too few words; usage: %s (more: ebm %s --help)", command->usage,
                                 command->name);
    return command->run(&words);
}

bool ebm_word_size(const char *text, ebm_size *size) {
    static const char *const names[] = {"quick", "full", NULL};
    if (text == NULL)
        return true;
    for (int i = 0; names[i] != NULL; i++) {
        if (strcmp(text, names[i]) == 0) {
            *size = (ebm_size)i;
            return true;
        }
    }
    ebm_complain_unknown("size", text, names);
    return false;
}

const char *ebm_size_name(ebm_size size) {
    return size == EBM_SIZE_QUICK ? "quick" : "full";
}

bool ebm_word_count(const char *flag, const char *text, long least, long most, long *value) {
    if (text == NULL)
        return true;
    char *end;
    errno = 0;
    long parsed = strtol(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || parsed < least || parsed > most) {
        ebm_complain_text(0, "%s '%s' is not a whole number from %ld to %ld", flag, text, least, most);
        return false;
    }
    *value = parsed;
    return true;
}

bool ebm_word_real(const char *flag, const char *text, double least, double most, double *value) {
    if (text == NULL)
        return true;
    char *end;
    double parsed = strtod(text, &end);
    if (end == text || *end != '\0' || !(parsed >= least && parsed <= most)) {
        ebm_complain_text(0, "%s '%s' is not a number from %g to %g", flag, text, least, most);
        return false;
    }
    *value = parsed;
    return true;
}
