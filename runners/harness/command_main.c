/* The program's own words: help, version, and finding the command. */
#include "harness/command.h"
#include "harness/paths.h"
#include "harness/provenance.h"

#include <locale.h>
#include <stdio.h>
#include <string.h>

static void program_help(const ebm_command *const *commands) {
    puts("ebm: reproducible experiments on energy-based models\n\n"
         "A suite (a YAML file) names models, data, samplers and learners. `ebm run` makes a case of every "
         "combination,\n"
         "runs each in its own process, and writes rows (CSV), where they came from (.run.yaml) and a verdict.\n");
    for (size_t i = 0; commands[i] != NULL; i++) {
        if (!commands[i]->internal)
            printf("  %-9s %s\n", commands[i]->name, commands[i]->about);
    }
    puts("\n`ebm COMMAND --help` teaches each one. `ebm --version` says how this program was built.\n\n"
         "Try:\n"
         "  ebm list                            the suites there are\n"
         "  ebm run rbm-learners                run one in its quick size: results/quick/rbm-learners.csv\n"
         "  ebm show results/quick/rbm-learners.csv\n\n"
         "Exit status: 0 all well, 1 a case failed, 2 usage or suite error, 3 nothing selected,\n"
         "             4 a law or a comparison fell short, 130 interrupted.");
}

int ebm_commands_call(const ebm_command *const *commands, int argc, char **argv) {
    const char *names[EBM_MAX_COMMANDS + 3];
    size_t count = 0;
    setlocale(LC_ALL, "C");
    if (argc < 2) {
        program_help(commands);
        return EBM_EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        program_help(commands);
        return EBM_EXIT_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        ebm_provenance_version(stdout);
        return EBM_EXIT_OK;
    }
    for (size_t i = 0; commands[i] != NULL && i < EBM_MAX_COMMANDS; i++) {
        if (strcmp(argv[1], commands[i]->name) == 0) {
            ebm_error error = {0};
            if (ebm_paths_prepare(&error) != EBM_OK)
                return ebm_complain(EBM_EXIT_USAGE, &error);
            int status = ebm_command_call(commands[i], argc - 2, argv + 2);
            if (fflush(stdout) != 0)
                return ebm_complain_text(EBM_EXIT_FAILED, "cannot write to standard output");
            return status;
        }
        if (!commands[i]->internal)
            names[count++] = commands[i]->name;
    }
    names[count++] = "--help";
    names[count++] = "--version";
    names[count] = NULL;
    return ebm_complain_unknown(argv[1][0] == '-' ? "option" : "command", argv[1], names);
}
