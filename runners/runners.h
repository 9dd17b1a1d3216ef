/* The runners of this folder, for runners.c. */
#ifndef EBM_RUNNERS_H
#define EBM_RUNNERS_H

#include "harness/runner.h"

extern const ebm_runner_type ebm_learn_runner, ebm_estimate_runner, ebm_mix_runner, ebm_recall_runner,
    ebm_restore_runner, ebm_bench_runner, ebm_bench_chains_runner, ebm_bench_updates_runner, ebm_bench_draws_runner,
    ebm_bench_mixing_runner, ebm_classifier_runner, ebm_bench_net_runner;

#endif
