/* The program `ebm`: its commands. Everything they do is in runners/harness/. */
#include "harness/command.h"

static const ebm_command *const commands[] = {&ebm_command_list,    &ebm_command_run,      &ebm_command_show,
                                              &ebm_command_compare, &ebm_command_run_case, NULL};

int main(int argc, char **argv) {
    return ebm_commands_call(commands, argc, argv);
}
