/* The kinds of experiment, by the name that a suite gives in `runner:`. Adding one is its file and one line here. */
#include "runners.h"

#include <string.h>

const ebm_runner_type *const ebm_runner_types[] = {
    &ebm_learn_runner,
    &ebm_estimate_runner,
    &ebm_mix_runner,
    &ebm_recall_runner,
    &ebm_restore_runner,
    &ebm_bench_runner,
    &ebm_bench_chains_runner,
    &ebm_bench_updates_runner,
    &ebm_bench_draws_runner,
    &ebm_bench_mixing_runner,
    &ebm_classifier_runner,
    &ebm_bench_net_runner,
    NULL,
};

const ebm_runner_type *ebm_runner_find(const char *name) {
    for (size_t i = 0; ebm_runner_types[i] != NULL; i++) {
        if (strcmp(ebm_runner_types[i]->info.name, name) == 0)
            return ebm_runner_types[i];
    }
    return NULL;
}
