/* The runner `mix`, and what `estimate` and `mix` share: cases without data.
 *
 * Seeds are fixed. A mean may be off by 6 of its standard errors: for a normal law 2e-9 a comparison, and 1e-7 for the
 * comparisons of a test even where the error itself is a few per cent too small. */
#include "mix_case.h"

#include "ebm/npy.h"
#include "ebm/observable.h"

START_TEST(test_estimate_needs_no_dataset) {
    mix_case m;
    mix_run_ok("suite: s\nrunner: estimate\ngrid: {model: {name: rbm, visible: 4, hidden: 3, init_scale: 1}}\n"
               "measure: exact-loglik\n",
               0, 1, &m);
    ck_assert_str_eq(m.suite.cases[0].name, "rbm/seed-1");
    ck_assert_str_eq(m.keys[EBM_COLUMN_DATASET], "");
    ck_assert_uint_eq(m.out.table.n_rows, 1);
    ck_assert(mix_value(&m, "log_z") > 0);
    mix_close(&m);
}
END_TEST

/* Without data a model whose options do not say what its units are cannot be made: a failure that says so. */
START_TEST(test_estimate_without_dataset_says_what_is_missing) {
    mix_case m;
    mix_run("suite: s\nrunner: estimate\ngrid: {model: {name: rbm, hidden: 3}}\nmeasure: exact-loglik\n", 0, "case", 1,
            0, &m);
    ck_assert_int_eq(m.status, EBM_INVALID);
    ck_assert_ptr_nonnull(strstr(m.error.message, "model rbm needs a dataset"));
    mix_close(&m);
}
END_TEST

START_TEST(test_estimate_without_dataset_refuses_what_needs_one) {
    ebm_suite suite;
    parse_suite("suite: s\nrunner: estimate\ngrid: {model: {name: rbm, visible: 4, hidden: 3}}\nmeasure: kl\n",
                EBM_SIZE_FULL, &suite);
    ck_assert_str_eq(suite.cases[0].not_applicable, "estimator kl needs a dataset");
    ebm_suite_free(&suite);
}
END_TEST

#define RBM "{name: rbm, visible: 6, hidden: 4, init_scale: 1.5, init: normal}"
#define MIX(model, run) "suite: s\nrunner: mix\ngrid: {model: " model ", sampler: block-gibbs}\nrun: {" run "}\n"

static double standard_errors(const mix_case *m, const char *metric, double exact) {
    const ebm_row *row = mix_row(m, metric);
    ck_assert_msg(row && row->se > 0, "%s has no standard error", metric);
    return fabs(row->value - exact) / row->se;
}

static const char *const discrete[] = {"energy", "magnetisation", "abs_magnetisation", "m2", "first"};
enum { DISCRETE = sizeof discrete / sizeof discrete[0] };

START_TEST(test_mix_means_are_exact_at_each_temperature) {
    static const char text[] = MIX(RBM, "chains: 8, warmup: 200, draws: 4000, temperature: [0.7, 1, 3]");
    double exact[3] = {0}, widest = 0;
    for (size_t k = 0; k < 3; k++) {
        mix_case m;
        mix_run_ok(text, k, 1, &m);
        for (size_t i = 0; i < DISCRETE; i++) {
            char name[80];
            snprintf(name, sizeof name, "%s_exact", discrete[i]);
            double z = standard_errors(&m, discrete[i], mix_value(&m, name));
            ck_assert_msg(z < 6, "%s in case %zu: off by %g standard errors", discrete[i], k, z);
            snprintf(name, sizeof name, "%s_rhat", discrete[i]);
            ck_assert_double_lt(mix_value(&m, name), 1.01);
            ck_assert_int_eq(mix_row(&m, name)->step, 4000);
        }
        exact[k] = mix_value(&m, "energy_exact");
        widest = fmax(widest, standard_errors(&m, "energy", exact[(k + 1) % 3]));
        ck_assert_ptr_null(mix_row(&m, "specific_heat")); /* E is not the energy of a machine with hidden units */
        mix_close(&m);
    }
    ck_assert(exact[0] < exact[1] && exact[1] < exact[2]); /* energy rises with temperature */
    ck_assert_double_gt(widest, 6);                        /* another temperature's mean is seen */
}
END_TEST

START_TEST(test_mix_costs_are_counted_after_warmup) {
    mix_case m;
    mix_run_ok(MIX(RBM, "chains: 3, warmup: 77, draws: 50, thin: 4"), 0, 1, &m);
    ck_assert(mix_value(&m, "site_updates") == 4 * (6 + 4)); /* a step of block Gibbs renews both layers */
    ck_assert(mix_value(&m, "evaluations_per_draw") == 4 * (6 + 4) / 6.0);
    ck_assert(mix_value(&m, "energy_evaluations") == 0 && mix_value(&m, "gradient_evaluations") == 0);
    ck_assert_ptr_null(mix_row(&m, "energy_ess_per_gradient"));
    ck_assert_ptr_null(mix_row(&m, "acceptance"));
    double ess = mix_value(&m, "energy_ess_bulk"), cost = 150 * 4 * (6 + 4) / 6.0;
    ck_assert_double_eq_tol(mix_value(&m, "energy_ess_per_evaluation"), ess / cost, 1e-12);
    ck_assert_double_eq_tol(mix_value(&m, "energy_tau_sweeps"), mix_value(&m, "energy_tau") * 4 * 10 / 6.0, 1e-12);
    mix_close(&m);
}
END_TEST

/* What someone pays who only asks for energies of whole states: of q values given the rest q - 1 more, of a proposal one. */
START_TEST(test_mix_black_box_counts_the_values_weighed) {
    static const char text[] =
        "suite: s\nrunner: mix\ngrid: {model: [{name: potts, rows: 2, columns: 3, lattice: grid, "
        "categories: 4}, {name: rbm, visible: 6, hidden: 4, init_scale: 1}], sampler: [{name: "
        "gibbs, sweeps: 2}, metropolis, {name: gibbs-with-gradients, proposals: 5}]}\n"
        "run: {chains: 3, warmup: 7, draws: 50, thin: 2, black_box: [true, false]}\n";
    /* By gradients: an energy and a gradient of each of 10 proposals, and of the state that a call starts from. */
    static const double expected[] = {2 * 2 * 6 * 3, 2 * 6, 2 * 11, 2 * 2 * 6, 2 * 6, 2 * 11};
    for (size_t k = 0; k < 6; k++) {
        mix_case m;
        mix_run_ok(text, 2 * k, 1, &m);
        ck_assert(mix_value(&m, "black_box_evaluations_per_draw") == expected[k]);
        const double ess = mix_value(&m, "m2_ess_bulk"), each = mix_value(&m, "m2_ess_per_black_box_evaluation");
        ck_assert_double_eq_tol(each, ess / (150 * expected[k]), 1e-12);
        mix_close(&m);
        mix_run_ok(text, 2 * k + 1, 1, &m);
        ck_assert_ptr_null(mix_row(&m, "black_box_evaluations_per_draw"));
        ck_assert_ptr_null(mix_row(&m, "m2_ess_per_black_box_evaluation"));
        mix_close(&m);
    }
    mix_case real; /* no number of energies gives a conditional of a real unit */
    mix_run_ok("suite: s\nrunner: mix\ngrid: {model: normal-posterior, sampler: gibbs}\n"
               "run: {chains: 2, draws: 50, black_box: true}\n",
               0, 1, &real);
    ck_assert_ptr_null(mix_row(&real, "black_box_evaluations_per_draw"));
    ck_assert_ptr_null(mix_row(&real, "first_ess_per_black_box_evaluation"));
    mix_close(&real);
}
END_TEST

START_TEST(test_mix_curves_stand_at_their_lags) {
    static const int64_t lags[] = {1, 2, 4, 8};
    mix_case m;
    mix_run_ok(MIX(RBM, "chains: 2, draws: 10, lags: 6") "measure: exact-loglik\n", 0, 1, &m);
    for (size_t k = 0; k < 4; k++)
        ck_assert_int_eq(nth_row(&m.out.table, "m2_autocorrelation", k)->step, lags[k]);
    ck_assert_ptr_null(nth_row(&m.out.table, "m2_autocorrelation", 4)); /* 16 is beyond the draws */
    ck_assert_int_eq(mix_row(&m, "log_z")->step, 10);
    mix_close(&m);
}
END_TEST

/* Rows of some observables alone: the same values, nothing of the others, and costs, whose names begin alike, stay. */
#define ISING(run)                                                                                                     \
    "suite: s\nrunner: mix\ngrid: {model: {name: ising, rows: 3, columns: 3}, sampler: gibbs}\nrun: "                  \
    "{draws: 20, temperature: 4, worst: true, lags: 1" run "}\n"
START_TEST(test_mix_observables_may_be_chosen) {
    static const char *const kept[] = {"first",    "first_tau", "m2_exact", "m2_autocorrelation", "energy_evaluations",
                                       "least_ess"};
    static const char *const dropped[] = {
        "energy",        "energy_tau",          "energy_exact",      "energy_autocorrelation",
        "specific_heat", "specific_heat_exact", "magnetisation_rhat"};
    mix_case all, some, none;
    mix_run_ok(ISING(""), 0, 1, &all);
    mix_run_ok(ISING(", observables: 'first, m2'"), 0, 1, &some);
    mix_run_ok(ISING(", observables: none"), 0, 1, &none);
    for (size_t k = 0; k < sizeof kept / sizeof *kept; k++)
        ck_assert_msg(mix_value(&some, kept[k]) == mix_value(&all, kept[k]), "%s: %g, not %g", kept[k],
                      mix_value(&some, kept[k]), mix_value(&all, kept[k]));
    for (size_t k = 0; k < sizeof dropped / sizeof *dropped; k++) {
        ck_assert_msg(nth_row(&all.out.table, dropped[k], 0) != NULL, "no %s to leave out", dropped[k]);
        ck_assert_msg(nth_row(&some.out.table, dropped[k], 0) == NULL, "%s is left", dropped[k]);
    }
    ck_assert_ptr_null(nth_row(&none.out.table, "first", 0));
    ck_assert_double_eq(mix_value(&none, "least_ess"), mix_value(&all, "least_ess"));
    mix_close(&all);
    mix_close(&some);
    mix_close(&none);
}
END_TEST

/* Tests of the last states: passed at equilibrium, failed by chains on the way there. Squared MMD divided by its error
 * is not normal where the laws are equal, but is bounded by the same 6 in practice: the jackknife error is too large
 * there, not too small. */
START_TEST(test_mix_last_states_follow_the_law) {
    mix_case m;
    mix_run_ok(MIX(RBM, "chains: 1500, warmup: 100, draws: 1, mmd: true"), 0, 1, &m);
    ck_assert_double_gt(mix_value(&m, "chi_square_p"), 1e-6);
    ck_assert_double_lt(standard_errors(&m, "mmd", 0), 6);
    mix_close(&m);
    mix_run_ok(MIX(RBM, "chains: 1500, warmup: 0, draws: 1, start: exact, mmd: true"), 0, 1, &m);
    ck_assert_double_gt(mix_value(&m, "chi_square_p"), 1e-6);
    ck_assert_double_lt(standard_errors(&m, "mmd", 0), 6);
    mix_close(&m);
    mix_run_ok(MIX(RBM, "chains: 1500, warmup: 0, draws: 1, start: uniform, mmd: true, temperature: 0.3"), 0, 1, &m);
    ck_assert_double_lt(mix_value(&m, "chi_square_p"), 1e-6);
    ck_assert_double_gt(standard_errors(&m, "mmd", 0), 6);
    mix_close(&m);
    mix_run_ok(MIX(RBM, "chains: 4"), 0, 1, &m); /* too few for a test */
    ck_assert_ptr_null(mix_row(&m, "chi_square_p"));
    ck_assert_ptr_null(mix_row(&m, "mmd"));
    mix_close(&m);
}
END_TEST

/* The same on the real line, by the first unit's law and by the score; and chains that have hardly left where they
 * started, three deviations out in one unit and all. */
#define NORMAL "{name: gaussian, units: 3}"
#define REAL(sampler, run) "suite: s\nrunner: mix\ngrid: {model: " NORMAL ", sampler: " sampler "}\nrun: {" run "}\n"

START_TEST(test_mix_last_real_states_follow_the_law) {
    mix_case m;
    mix_run_ok(REAL("exact", "chains: 400, warmup: 0, draws: 1, stein: true"), 0, 1, &m);
    ck_assert_double_gt(mix_value(&m, "ks_p"), 1e-6);
    ck_assert_double_lt(mix_value(&m, "ks_distance"), 3 / sqrt(400)); /* p = 2 e^-18 = 3e-8 */
    ck_assert_double_lt(standard_errors(&m, "stein", 0), 6);
    ck_assert_double_gt(mix_value(&m, "stein_p"), 1e-3);
    mix_close(&m);
    mix_run_ok(REAL("{name: mala, step: 1e-6}", "chains: 400, warmup: 0, draws: 1, dispersion: 3, stein: true"), 0, 1,
               &m);
    ck_assert_double_lt(mix_value(&m, "ks_p"), 1e-6);
    ck_assert_double_gt(standard_errors(&m, "stein", 0), 6);
    ck_assert_double_eq_tol(mix_value(&m, "stein_p"), 1e-3, 1e-12);
    mix_close(&m);
    mix_run_ok(REAL("exact", "chains: 1, warmup: 0, draws: 8, stein: true"), 0, 1, &m); /* one state has no pairs */
    ck_assert_ptr_nonnull(mix_row(&m, "ks_p"));
    ck_assert_ptr_null(mix_row(&m, "stein"));
    mix_close(&m);
    mix_run_ok(MIX(RBM, "chains: 4, stein: true"), 0, 1, &m); /* not of real units */
    ck_assert_ptr_null(mix_row(&m, "ks_p"));
    ck_assert_ptr_null(mix_row(&m, "stein"));
    mix_close(&m);
}
END_TEST

static char *rows_of(const mix_case *m) {
    return table_text(&m->out.table);
}

/* A walk cut at any look at the clock, in the warm-up or in the draws, ends in the bytes of one that was not; so does
 * one on two threads. Shapes are such that there are many looks: 2^20 sites between two of them. */
#define LONG MIX("{name: rbm, visible: 64, hidden: 6, init_scale: 0.3}", "chains: 512, warmup: 700, draws: 400")

START_TEST(test_mix_goes_on_from_a_checkpoint) {
    mix_case m;
    mix_run(LONG, 0, "whole", 1, 0, &m);
    char *whole = rows_of(&m);
    mix_close(&m);
    for (size_t stop = 1; stop <= 31; stop += 15) { /* 22 looks in the warm-up, 13 in the draws */
        mix_run(LONG, 0, "cut", 1, stop, &m);
        ck_assert_int_eq(m.status, EBM_INTERRUPTED);
        ck_assert_uint_eq(m.out.table.n_rows, 0);
        mix_close(&m);
        mix_run(LONG, 0, "cut", 2, 2, &m); /* go on, on two threads, and stop soon again */
        ck_assert_int_eq(m.status, EBM_INTERRUPTED);
        mix_close(&m);
        mix_run(LONG, 0, "cut", 1, 0, &m);
        ck_assert_int_eq(m.status, EBM_OK);
        char *cut = rows_of(&m);
        ck_assert_msg(strcmp(cut, whole) == 0, "stopped at look %zu: other rows", stop);
        free(cut);
        mix_close(&m);
        char path[128];
        snprintf(path, sizeof path, "%s/cut", mix_folder);
        ebm_folder_remove(path);
    }
    free(whole);
}
END_TEST

START_TEST(test_mix_bytes_do_not_depend_on_threads) {
    char *text[2];
    for (int threads = 1; threads <= 2; threads++) {
        mix_case m;
        mix_run(LONG, 0, threads == 1 ? "one" : "two", threads, 0, &m);
        text[threads - 1] = rows_of(&m);
        mix_close(&m);
    }
    ck_assert_msg(strcmp(text[0], text[1]) == 0, "other rows");
    free(text[0]);
    free(text[1]);
}
END_TEST

/* Frozen chains. One: all that looks at variation is empty. Several, at different places: R-hat is infinite. */
START_TEST(test_mix_constant_traces_leave_empty_values) {
    static const char *const undefined[] = {"energy_rhat",       "energy_ess_bulk",   "energy_ess_tail",
                                            "energy_tau",        "energy_tau_sweeps", "energy_ess_per_evaluation",
                                            "m2_autocorrelation"};
    mix_case m;
    mix_run_ok(
        MIX("{name: rbm, visible: 6, hidden: 4, init_scale: 20}", "chains: 1, draws: 50, temperature: 0.001, lags: 1"),
        0, 1, &m);
    for (size_t i = 0; i < sizeof undefined / sizeof *undefined; i++) {
        const ebm_row *row = mix_row(&m, undefined[i]);
        ck_assert_msg(row && isnan(row->value) && isnan(row->se), "%s is not empty", undefined[i]);
        ck_assert_str_eq(row->status, "ok");
    }
    ck_assert_double_eq_tol(mix_value(&m, "m2"), mix_value(&m, "m2_exact"), 1e-9);
    ck_assert(isnan(mix_row(&m, "m2")->se));
    char *text = rows_of(&m);
    ck_assert_ptr_null(strstr(text, "nan"));
    ck_assert_ptr_nonnull(strstr(text, ",energy_rhat,,,ok"));
    free(text);
    mix_close(&m);
}
END_TEST

static void read_traces(const mix_case *m, ebm_npy *out) {
    char path[EBM_PATH_MAX + 32];
    snprintf(path, sizeof path, "%s/artifacts/traces.npy", m->out.folder);
    ck_assert_int_eq(ebm_npy_read(path, 1 << 24, out, NULL), EBM_OK);
}

START_TEST(test_mix_side_files) {
    mix_case m;
    ebm_npy traces;
    char path[EBM_PATH_MAX + 32], *sheet;
    size_t size;
    mix_run_ok("suite: s\nrunner: mix\ngrid: {dataset: {name: bars-and-stripes, side: 3}, model: {name: rbm, hidden: "
               "4}, sampler: block-gibbs}\nrun: {chains: 5, draws: 70, warmup: 3, traces: true, states: 20}\n",
               0, 1, &m);
    read_traces(&m, &traces);
    ck_assert_uint_eq(traces.rank, 3);
    ck_assert(traces.type == EBM_NPY_FLOAT64);
    ck_assert(traces.shape[0] == DISCRETE && traces.shape[1] == 5 && traces.shape[2] == 70);
    for (size_t i = 0; i < DISCRETE; i++) {
        double mean = 0;
        for (size_t k = 0; k < 350; k++)
            mean += ebm_npy_value(&traces, i * 350 + k) / 350;
        ck_assert_double_eq_tol(mean, mix_value(&m, discrete[i]), 1e-12);
    }
    ebm_npy_free(&traces);
    snprintf(path, sizeof path, "%s/artifacts/states.csv", m.out.folder);
    ck_assert_int_eq(ebm_file_read(path, 1 << 20, &sheet, &size, NULL), EBM_OK);
    size_t lines = 0;
    for (size_t i = 0; i < size; i++)
        lines += sheet[i] == '\n';
    ck_assert_uint_eq(lines, 2 * 3 + 1); /* five pictures in two rows, with a border between */
    free(sheet);
    mix_close(&m);
}
END_TEST

START_TEST(test_mix_refuses_what_cannot_be) {
    static const struct {
        const char *text;
        ebm_status status;
        const char *says;
    } bad[] = {
        {MIX(RBM, "draws: 1000000000"), EBM_INVALID, "lower `draws`, or raise `thin`"},
        {MIX(RBM, "observables: 'first, secnd'"), EBM_INVALID, "unknown observable 'secnd'"},
        {MIX("{name: rbm, hidden: 4}", ""), EBM_INVALID, "model rbm needs a dataset"},
        {MIX("{name: rbm, visible: 40, hidden: 40}", "start: exact"), EBM_UNSUPPORTED, "exact draws"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        mix_case m;
        mix_run(bad[i].text, 0, "bad", 1, 0, &m);
        ck_assert_int_eq(m.status, bad[i].status);
        ck_assert_msg(strstr(m.error.message, bad[i].says) != NULL, "%s", m.error.message);
        mix_close(&m);
    }
    static const struct {
        const char *text, *says;
    } suites[] = {
        {MIX(RBM, "temperature: 0"), "temperature"},
        {MIX(RBM, "start: overdispered"), "did you mean 'overdispersed'"},
        {MIX(RBM, "chains: 0"), "chains"},
        {"suite: s\nrunner: mix\ngrid: {model: " RBM "}\n", "the grid has no 'sampler': runner mix needs one"},
        {"suite: s\nrunner: mix\ngrid: {model: " RBM ", sampler: block-gibbs, learner: cd}\n",
         "runner mix takes no 'learner'"},
        {MIX(RBM, "") "checks:\n  - {law: energy_tua, below: 3}\n", "did you mean 'energy_tau'"},
    };
    for (size_t i = 0; i < sizeof suites / sizeof *suites; i++) {
        ebm_suite suite;
        ebm_error error = {0};
        ck_assert_int_eq(
            ebm_suite_parse("s.yaml", suites[i].text, strlen(suites[i].text), EBM_SIZE_FULL, &suite, &error),
            EBM_INVALID);
        ck_assert_msg(strstr(error.message, suites[i].says) != NULL, "%s", error.message);
    }
}
END_TEST

#define POTTS "{name: potts, rows: 2, columns: 2, lattice: grid, categories: 3}"
#define SITES "[{name: gibbs, scan: [systematic, random]}, metropolis, wolff]"

/* Measured autocorrelation times against those of the transition matrix, both in draws of `thin` steps. (Sokal's window
 * cuts off about exp(-5) of tau, well below these errors of one to two per cent.) */
START_TEST(test_mix_autocorrelation_times_are_exact) {
    static const char text[] = "suite: s\nrunner: mix\ngrid: {model: " POTTS ", sampler: " SITES
                               "}\nrun: {chains: 8, warmup: 100, draws: 4000, temperature: 1.2, thin: [1, 3]}\n"
                               "measure: transition-matrix\n";
    static const char *const names[] = {"energy", "m2", "first"};
    double exact[2] = {0, 0}, apart = 0;
    for (size_t k = 0; k < 8; k++) {
        mix_case m;
        mix_run_ok(text, k, 1, &m);
        for (size_t i = 0; i < 3; i++) {
            char measured[80], known[80];
            snprintf(measured, sizeof measured, "%s_tau", names[i]);
            snprintf(known, sizeof known, "%s_tau_exact", names[i]);
            double z = standard_errors(&m, measured, mix_value(&m, known));
            ck_assert_msg(z < 6, "%s: %s off by %g standard errors", m.suite.cases[k].name, measured, z);
        }
        exact[k % 2] = mix_value(&m, "energy_tau_exact");
        if (k % 2 == 1)
            apart = fmax(apart, standard_errors(&m, "energy_tau", exact[0]));
        ck_assert_double_lt(standard_errors(&m, "specific_heat", mix_value(&m, "specific_heat_exact")), 6);
        ck_assert_double_lt(mix_value(&m, "stationarity"), 1e-12);
        mix_close(&m);
    }
    ck_assert_double_gt(apart, 6); /* another thinning is seen */
}
END_TEST

/* The energy of a small magnet in a weak field has a part that changes only with the sign of all spins: a slow mode of
 * small weight. The usual window closes before it shows, by 40 errors here; a long one finds it. */
START_TEST(test_mix_long_window_finds_slow_modes) {
    static const char text[] = "suite: s\nrunner: mix\ngrid: {model: {name: ising, side: 3, coupling: 0.5, field: "
                               "0.05}, sampler: gibbs}\n"
                               "run: {chains: 20, warmup: 100, draws: 10000, window: [5, 30]}\n"
                               "measure: transition-matrix\n";
    for (size_t k = 0; k < 2; k++) {
        mix_case m;
        mix_run_ok(text, k, 1, &m);
        const double z = standard_errors(&m, "energy_tau", mix_value(&m, "energy_tau_exact"));
        ck_assert_msg(k == 0 ? z > 12 : z < 6, "window %s: off by %g standard errors", k == 0 ? "5" : "30", z);
        mix_close(&m);
    }
}
END_TEST

/* Single flips keep the field up to date from step to step: a walk that is cut goes on with the same rounding. */
START_TEST(test_mix_checkpoint_keeps_the_field) {
    static const char text[] = "suite: s\nrunner: mix\ngrid: {model: {name: rbm, visible: 64, hidden: 16, init_scale: "
                               "0.7}, sampler: gibbs-with-gradients}\n"
                               "run: {chains: 64, warmup: 500, draws: 700}\n";
    mix_case m;
    mix_run(text, 0, "whole", 1, 0, &m);
    char *whole = rows_of(&m);
    mix_close(&m);
    mix_run(text, 0, "cut", 1, 1, &m);
    ck_assert_int_eq(m.status, EBM_INTERRUPTED);
    mix_close(&m);
    mix_run(text, 0, "cut", 1, 2, &m);
    ck_assert_int_eq(m.status, EBM_INTERRUPTED);
    mix_close(&m);
    mix_run(text, 0, "cut", 2, 0, &m);
    ck_assert_int_eq(m.status, EBM_OK);
    char *cut = rows_of(&m);
    ck_assert_msg(strcmp(cut, whole) == 0, "other rows");
    free(cut);
    free(whole);
    mix_close(&m);
}
END_TEST

/* Frozen at once, a ferromagnet keeps what it started with: odd chains all of one category, which differs from chain to
 * chain, even chains in domains. */
START_TEST(test_mix_starts_are_overdispersed) {
    enum { CHAINS = 40, M2 = 1, FIRST = 2 };
    mix_case m;
    ebm_npy traces;
    mix_run_ok("suite: s\nrunner: mix\ngrid: {model: {name: potts, side: 16, categories: 3}, sampler: gibbs}\n"
               "run: {chains: 40, warmup: 0, draws: 1, temperature: 0.001, traces: true}\n",
               0, 1, &m);
    read_traces(&m, &traces);
    ck_assert_uint_eq(traces.shape[1], CHAINS);
    size_t zeros = 0;
    for (size_t b = 0; b < CHAINS; b++) {
        const double m2 = ebm_npy_value(&traces, M2 * CHAINS + b);
        ck_assert_msg(b % 2 == 1 ? m2 == 1 : m2 < 0.9, "chain %zu: m2 = %g", b, m2);
        zeros += b % 2 == 1 && ebm_npy_value(&traces, FIRST * CHAINS + b) == 1;
    }
    ck_assert(zeros > 0 && zeros < CHAINS / 2); /* by chance with probability 2 (2/3)^20 at most: the seed is fixed */
    ebm_npy_free(&traces);
    mix_close(&m);
}
END_TEST

/* Starts where the energy is infinite (a variance below 0) are drawn anew. */
START_TEST(test_mix_starts_have_finite_energy) {
    mix_case m;
    mix_run_ok("suite: s\nrunner: mix\ngrid: {model: normal-posterior, sampler: gibbs}\n"
               "run: {chains: 50, warmup: 10, draws: 500}\n",
               0, 1, &m);
    ck_assert_double_lt(standard_errors(&m, "first", mix_value(&m, "first_exact")), 6);
    ck_assert_double_lt(standard_errors(&m, "second", mix_value(&m, "second_exact")), 6);
    ck_assert_ptr_null(mix_row(&m, "chi_square_p"));
    mix_close(&m);
}
END_TEST

/* Where no random real number is a state (counts, categories), one sweep of blocks makes starts; copies at higher temperatures are
 * started alike. */
START_TEST(test_mix_starts_of_mixed_units) {
    static const char *const samplers[] = {"block-gibbs", "{name: tempering, inner: block-gibbs, temperatures: 2}"};
    for (size_t k = 0; k < 2; k++) {
        char text[512];
        mix_case m;
        snprintf(text, sizeof text,
                 "suite: s\nrunner: mix\ngrid: {model: {name: harmonium, units: 2 poisson + categorical(3) + gaussian, "
                 "hidden: 3, init_scale: 0.7}, sampler: %s}\nrun: {chains: 50, warmup: 50, draws: 500}\n",
                 samplers[k]);
        mix_run_ok(text, 0, 1, &m);
        ck_assert_double_lt(standard_errors(&m, "first", mix_value(&m, "first_exact")), 6);
        ck_assert_double_lt(standard_errors(&m, "second", mix_value(&m, "second_exact")), 6);
        ck_assert_double_lt(standard_errors(&m, "square", mix_value(&m, "square_exact")), 6);
        mix_close(&m);
    }
}
END_TEST

/* Every observable has its metrics, and only exact values are compared as such. */
START_TEST(test_mix_metrics_name_every_observable) {
    static const char *const kinds[] = {"",
                                        "_exact",
                                        "_rhat",
                                        "_ess_bulk",
                                        "_ess_tail",
                                        "_tau",
                                        "_tau_sweeps",
                                        "_ess_per_evaluation",
                                        "_ess_per_black_box_evaluation",
                                        "_ess_per_gradient",
                                        "_autocorrelation"};
    const ebm_runner_type *mix = ebm_runner_find("mix");
    for (size_t i = 0; i < EBM_OBSERVABLE_COUNT; i++)
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
            char name[80];
            const ebm_metric *found = NULL;
            snprintf(name, sizeof name, "%s%s", ebm_observable_at(i)->name, kinds[k]);
            for (const ebm_metric *metric = mix->metrics; metric->name; metric++)
                found = strcmp(metric->name, name) == 0 ? metric : found;
            ck_assert_msg(found != NULL, "no metric %s", name);
            ck_assert(found->stochastic == (k != 1));
        }
}
END_TEST

int main(void) {
    TCase *t = tcase_create("mix");
    tcase_set_timeout(t, 120);
    tcase_add_checked_fixture(t, mix_setup, mix_teardown);
    tcase_add_test(t, test_estimate_needs_no_dataset);
    tcase_add_test(t, test_estimate_without_dataset_says_what_is_missing);
    tcase_add_test(t, test_estimate_without_dataset_refuses_what_needs_one);
    tcase_add_test(t, test_mix_means_are_exact_at_each_temperature);
    tcase_add_test(t, test_mix_costs_are_counted_after_warmup);
    tcase_add_test(t, test_mix_black_box_counts_the_values_weighed);
    tcase_add_test(t, test_mix_curves_stand_at_their_lags);
    tcase_add_test(t, test_mix_observables_may_be_chosen);
    tcase_add_test(t, test_mix_last_states_follow_the_law);
    tcase_add_test(t, test_mix_last_real_states_follow_the_law);
    tcase_add_test(t, test_mix_goes_on_from_a_checkpoint);
    tcase_add_test(t, test_mix_bytes_do_not_depend_on_threads);
    tcase_add_test(t, test_mix_constant_traces_leave_empty_values);
    tcase_add_test(t, test_mix_side_files);
    tcase_add_test(t, test_mix_refuses_what_cannot_be);
    tcase_add_test(t, test_mix_autocorrelation_times_are_exact);
    tcase_add_test(t, test_mix_long_window_finds_slow_modes);
    tcase_add_test(t, test_mix_checkpoint_keeps_the_field);
    tcase_add_test(t, test_mix_starts_are_overdispersed);
    tcase_add_test(t, test_mix_starts_have_finite_energy);
    tcase_add_test(t, test_mix_starts_of_mixed_units);
    tcase_add_test(t, test_mix_metrics_name_every_observable);
    return run_tests("mix", t);
}
