/* Suites: the house plan's example as it stands, grids and names, and what is refused with its line and column. */
#include "suite_text.h"

#include <limits.h>
#include <unistd.h>

static const char example[] =
    "suite: rbm-learners\n"
    "about: CD-1, CD-10, PCD and exact maximum likelihood where everything can be enumerated\n"
    "source: 000_324c932abb4901e2.txt, \"Restricted Boltzmann Machine\"\n"
    "runner: learn\n"
    "grid:                                  # the cases are the product of the lists below\n"
    "  dataset: [{name: bars-and-stripes, side: 3}]\n"
    "  model:   [{name: rbm, hidden: 8}]    # a list where a scalar is expected, hidden: [4, 8], is one more axis\n"
    "  sampler: [{name: block-gibbs}]\n"
    "  learner: [{name: cd, steps: [1, 10], rate: 0.1}, {name: pcd, steps: 10, rate: 0.1}, {name: exact, rate: 0.1}]\n"
    "  seed:    [1, 2, 3]\n"
    "run:     {updates: 20000, batch: 14, log_every: 1000}\n"
    "measure: [exact-loglik, kl]\n"
    "quick:                                 # merged over the rest for --size quick: mappings merge, lists replace\n"
    "  run: {updates: 500, log_every: 100}\n"
    "derive:                                # rows computed from rows, from a fixed table of operations\n"
    "  - {as: kl_mean, of: kl, over: seed, at: last, op: mean}\n"
    "  - {as: kl_gap, of: kl, over: seed, at: last, op: paired-difference, between: {learner: [exact, cd-1]}}\n"
    "checks:                                # a check is only ever a bound on one metric\n"
    "  - {law: kl_mean, learner: exact, below: 0.1, size: full, why: \"maximum likelihood fits bars and stripes\"}\n"
    "  - {claim: kl_gap, below: 0, size: full, why: \"lecture T: CD-1 is biased; exact ascent ends lower\"}\n";

/* The rest of a suite that only shows one thing. */
#define HEAD "suite: s\nrunner: learn\n"
#define GRID                                                                                                           \
    "grid:\n  dataset: bars-and-stripes\n  model: {name: rbm, hidden: 4}\n  sampler: block-gibbs\n"                    \
    "  learner: cd\n"

static const char *option(const ebm_suite *suite, size_t c, const char *line) {
    static char found[300];
    char *settings = ebm_case_settings(suite, &suite->cases[c]);
    ck_assert_ptr_nonnull(settings);
    const char *at = strstr(settings, line);
    snprintf(found, sizeof found, "%s", at ? at + strlen(line) : "(none)");
    found[strcspn(found, "\n")] = '\0';
    free(settings);
    return found;
}

START_TEST(test_suite_example_of_the_house_plan) {
    static const char *const names[] = {"cd-1", "cd-10", "pcd", "exact"}, *const steps[] = {"1", "10", "10", ""};
    ebm_suite suite;
    parse_suite(example, EBM_SIZE_FULL, &suite);
    ck_assert_str_eq(suite.name, "rbm-learners");
    ck_assert_str_eq(suite.runner->info.name, "learn");
    ck_assert_uint_eq(suite.n_cases, 12);
    ck_assert_uint_eq(suite.n_axes, 1);
    ck_assert_str_eq(suite.axes[0], "learner.steps");
    for (size_t i = 0; i < 12; i++) {
        char expected[100], seed[16];
        const char *keys[EBM_FIXED_COLUMNS + 1];
        snprintf(expected, sizeof expected, "rbm/bars-and-stripes/block-gibbs/%s/seed-%zu", names[i / 3], i % 3 + 1);
        ebm_case_keys(&suite, &suite.cases[i], keys, seed, sizeof seed);
        ck_assert_str_eq(suite.cases[i].name, expected);
        ck_assert_str_eq(keys[EBM_COLUMN_CASE], expected);
        ck_assert_str_eq(keys[EBM_COLUMN_MODEL], "rbm");
        ck_assert_str_eq(keys[EBM_COLUMN_DATASET], "bars-and-stripes");
        ck_assert_str_eq(keys[EBM_COLUMN_SAMPLER], "block-gibbs");
        ck_assert_str_eq(keys[EBM_COLUMN_LEARNER], names[i / 3]);
        ck_assert_str_eq(keys[EBM_FIXED_COLUMNS], steps[i / 3]);
        ck_assert_uint_eq(suite.cases[i].n_measures, 2);
        ck_assert_ptr_null(suite.cases[i].not_applicable);
    }
    ck_assert_str_eq(option(&suite, 0, "runner.updates: "), "20000");
    ck_assert_uint_eq(suite.n_derives, 2);
    ck_assert_int_eq(suite.derives[1].op, EBM_DERIVE_PAIRED_DIFFERENCE);
    ck_assert_str_eq(suite.derives[1].between_column, "learner");
    ck_assert_str_eq(suite.derives[1].between_b, "cd-1");
    ck_assert_int_eq(suite.derives[1].at, EBM_AT_LAST);
    ck_assert_uint_eq(suite.n_checks, 2);
    ck_assert(suite.checks[0].law && !suite.checks[1].law);
    ck_assert(suite.checks[0].below == 0.1 && isinf(suite.checks[0].above));
    ck_assert_int_eq(suite.checks[0].at_sizes, 1 << EBM_SIZE_FULL);
    ck_assert_uint_eq(suite.checks[0].n_where, 1);
    ck_assert_str_eq(suite.checks[0].where[0].value, "exact");
    ck_assert_uint_eq(suite.checks[0].position.line, 19);
    ebm_suite_free(&suite);
}
END_TEST

START_TEST(test_suite_quick_merges_mappings_and_replaces_lists) {
    ebm_suite suite;
    parse_suite(example, EBM_SIZE_QUICK, &suite);
    ck_assert_str_eq(option(&suite, 0, "runner.updates: "), "500");
    ck_assert_str_eq(option(&suite, 0, "runner.batch: "), "14");
    ebm_suite_free(&suite);
    static const char text[] = HEAD GRID "  seed: [1, 2, 3]\nmeasure: [kl, exact-loglik]\n"
                                         "quick:\n  grid: {seed: [7], model: {hidden: 2}}\n  measure: [kl]\n";
    parse_suite(text, EBM_SIZE_QUICK, &suite);
    ck_assert_uint_eq(suite.n_cases, 1);
    ck_assert_str_eq(suite.cases[0].name, "rbm/bars-and-stripes/block-gibbs/cd/seed-7");
    ck_assert_uint_eq(suite.cases[0].n_measures, 1);
    ck_assert_str_eq(option(&suite, 0, "model.hidden: "), "2");
    ebm_suite_free(&suite);
    parse_suite(text, EBM_SIZE_FULL, &suite);
    ck_assert_uint_eq(suite.n_cases, 3);
    ck_assert_str_eq(option(&suite, 0, "model.hidden: "), "4");
    ebm_suite_free(&suite);
}
END_TEST

START_TEST(test_suite_axes_become_names_and_columns) {
    static const char text[] = HEAD
        "grid:\n  dataset: [bars-and-stripes]\n  model: [{name: rbm, hidden: [4, 8]}]\n  sampler: [block-gibbs]\n"
        "  learner:\n    - {name: cd, steps: [1, 2], rate: [0.1, 0.05]}\n    - {name: cd, steps: 5, momentum: 0.5}\n"
        "    - {name: exact, rate: 0.2}\n"
        "  estimator: [{name: ais, chains: [10, 20]}, kl]\n"
        "run: {updates: [5, 50]}\nmeasure: exact-loglik\n";
    static const char *const axes[] = {"model.hidden", "learner.steps", "learner.rate",    "learner.momentum",
                                       "run.updates",  "estimator",     "estimator.chains"};
    ebm_suite suite;
    parse_suite(text, EBM_SIZE_FULL, &suite);
    ck_assert_uint_eq(suite.n_cases, 2 * (4 + 1 + 1) * 3 * 2);
    ck_assert_uint_eq(suite.n_axes, sizeof axes / sizeof axes[0]);
    for (size_t i = 0; i < suite.n_axes; i++)
        ck_assert_str_eq(suite.axes[i], axes[i]);
    ck_assert_str_eq(suite.cases[0].name, "rbm-4/bars-and-stripes/block-gibbs/cd-1-0.1-0.9/updates-5/ais-10/seed-1");
    ck_assert_str_eq(suite.cases[0].axis_values[5], "ais-10");
    ck_assert_str_eq(suite.cases[2].axis_values[5], "kl");
    ck_assert_str_eq(suite.cases[2].axis_values[6], "");
    ck_assert_str_eq(suite.cases[3].axis_values[4], "50"); /* run runs slower than the estimator */
    ck_assert_uint_eq(suite.cases[0].n_measures, 2);
    ck_assert_str_eq(suite.cases[0].measures[1].component->name, "ais");
    /* Rates differ among cd's alone: that exact's rate is another does not show in its name, but in its column. */
    const ebm_case *last = &suite.cases[suite.n_cases - 1];
    ck_assert_str_eq(last->name, "rbm-8/bars-and-stripes/block-gibbs/exact/updates-50/kl/seed-1");
    ck_assert_str_eq(last->axis_values[2], "0.2");
    for (size_t i = 0; i < suite.n_cases; i++)
        for (size_t j = 0; j < i; j++)
            ck_assert_str_ne(suite.cases[i].name, suite.cases[j].name);
    ebm_suite_free(&suite);
}
END_TEST

START_TEST(test_suite_list_option_is_one_value_and_a_list_of_lists_an_axis) {
    ebm_suite suite;
    parse_suite("suite: s\nrunner: bench\ngrid: {dataset: glyphs, model: rbm}\nrun: {threads: [1, 2]}\n", EBM_SIZE_FULL,
                &suite);
    ck_assert_uint_eq(suite.n_cases, 1);
    ck_assert_uint_eq(suite.n_axes, 0);
    ck_assert_str_eq(option(&suite, 0, "runner.threads: "), "[1, 2]");
    ebm_suite_free(&suite);
    parse_suite("suite: s\nrunner: bench\ngrid: {dataset: glyphs, model: rbm}\nrun: {threads: [[1, 2], [4]]}\n",
                EBM_SIZE_FULL, &suite);
    ck_assert_uint_eq(suite.n_cases, 2);
    ck_assert_str_eq(suite.axes[0], "run.threads");
    ck_assert_str_eq(suite.cases[0].axis_values[0], "[1, 2]");
    ck_assert_str_eq(suite.cases[0].name, "rbm/glyphs/threads-1+2/seed-1");
    ebm_suite_free(&suite);
}
END_TEST

START_TEST(test_suite_settings_do_not_depend_on_the_order_of_keys) {
    static const char other[] = "measure: [kl]\nrun: {batch: 3, updates: 7}\nrunner: learn\ngrid:\n  learner: [cd]\n"
                                "  seed: [5]\n  sampler: [block-gibbs]\n  model: [{hidden: 4, name: rbm}]\n"
                                "  dataset: [{name: bars-and-stripes}]\nsuite: s\n";
    ebm_suite a, b;
    parse_suite(HEAD GRID "  seed: 5\nrun: {updates: 7, batch: 3}\nmeasure: kl\n", EBM_SIZE_FULL, &a);
    parse_suite(other, EBM_SIZE_FULL, &b);
    char *left = ebm_case_settings(&a, &a.cases[0]), *right = ebm_case_settings(&b, &b.cases[0]);
    ck_assert_str_eq(left, right);
    ck_assert_ptr_nonnull(strstr(left, "learner.momentum: 0.9\n")); /* defaults are written out */
    ck_assert_ptr_nonnull(strstr(left, "seed: 5\n"));
    ck_assert(a.hash != b.hash);
    free(left);
    free(right);
    ebm_suite_free(&b);
    parse_suite(HEAD GRID "  seed: 6\nrun: {updates: 7, batch: 3}\nmeasure: kl\n", EBM_SIZE_FULL, &b);
    left = ebm_case_settings(&a, &a.cases[0]);
    right = ebm_case_settings(&b, &b.cases[0]);
    ck_assert_str_ne(left, right);
    free(left);
    free(right);
    ebm_suite_free(&a);
    ebm_suite_free(&b);
}
END_TEST

START_TEST(test_suite_paths_start_at_its_folder) {
    char here[PATH_MAX], expected[PATH_MAX + 20];
    ck_assert_ptr_nonnull(getcwd(here, sizeof here));
    snprintf(expected, sizeof expected, "%s/weights/a", here);
    ebm_suite suite;
    parse_suite(HEAD "grid: {dataset: bars-and-stripes, sampler: block-gibbs, learner: cd, model: {name: rbm, load: "
                     "[weights/a, /b]}}\n",
                EBM_SIZE_FULL, &suite);
    ck_assert_uint_eq(suite.n_cases, 2);
    ck_assert_str_eq(option(&suite, 0, "model.load: "), expected);
    ck_assert_str_eq(option(&suite, 1, "model.load: "), "/b");
    /* Names and columns keep what was written, so that results do not depend on where the project lies. */
    ck_assert_str_eq(suite.cases[0].axis_values[0], "weights/a");
    ck_assert_str_eq(suite.cases[0].name, "rbm-weights_a/bars-and-stripes/block-gibbs/cd/seed-1");
    ebm_suite_free(&suite);
}
END_TEST

START_TEST(test_suite_pairing_that_cannot_be_is_not_applicable) {
    ebm_suite suite;
    parse_suite(HEAD "grid: {dataset: bars-and-stripes, model: rbm, learner: [cd, exact]}\n", EBM_SIZE_FULL, &suite);
    ck_assert_uint_eq(suite.n_cases, 2);
    ck_assert_ptr_nonnull(suite.cases[0].not_applicable);
    ck_assert_ptr_nonnull(strstr(suite.cases[0].not_applicable, "sampler"));
    ck_assert_ptr_null(suite.cases[1].not_applicable);
    ck_assert_str_eq(suite.cases[1].name, "rbm/bars-and-stripes/exact/seed-1");
    ebm_suite_free(&suite);
}
END_TEST

START_TEST(test_suite_rules_of_the_other_size_are_left_out) {
    static const char text[] =
        HEAD GRID "  seed: [1, 2]\nmeasure: [kl]\nquick: {measure: [exact-loglik]}\n"
                  "derive: [{as: m, of: kl, op: mean, over: seed}, {as: l, of: log_z, op: mean, over: seed}]\n"
                  "checks: [{law: m, below: 1, size: full}, {law: l, below: 1, size: quick}, {claim: kl, above: 0, "
                  "size: full}]\n";
    ebm_suite suite;
    parse_suite(text, EBM_SIZE_FULL, &suite);
    ck_assert(!suite.derives[0].absent && suite.derives[1].absent);
    ebm_suite_free(&suite);
    parse_suite(text, EBM_SIZE_QUICK, &suite);
    ck_assert(suite.derives[0].absent && !suite.derives[1].absent);
    ebm_suite_free(&suite);
}
END_TEST

#define NEST4(x) "[[[[" x "]]]]"
#define NEST32(x) NEST4(NEST4(NEST4(NEST4(NEST4(NEST4(NEST4(NEST4(x))))))))
#define TEN "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]"

static const struct {
    const char *text;
    unsigned line, column;
    const char *words[3]; /* what was found, what was expected, the nearest name */
} bad[] = {
    /* the file */
    {"", 1, 1, {"empty", "mapping", ""}},
    {"- a\n- b\n", 1, 1, {"list", "mapping", ""}},
    {"just words\n", 1, 1, {"single value", "mapping", ""}},
    {"suite: s\n  runner: learn\n", 2, 9, {"not YAML", "", ""}},
    {"suite: [s\nrunner: learn\n", 2, 7, {"not YAML", "", ""}},
    {"suite: \"s\n", 2, 1, {"not YAML", "quoted scalar", ""}},
    {"suite: a\001b\n", 1, 9, {"not YAML", "control characters", ""}},
    {"suite: s\nrunner: \xff\n", 2, 9, {"not YAML", "UTF-8", ""}},
    {HEAD GRID "---\nsuite: t\n", 8, 1, {"second document", "expected one", ""}},
    {"suite: &a s\nrunner: learn\n", 1, 8, {"anchor '&a'", "not allowed", "write the value out"}},
    {"suite: s\nabout: *a\n", 2, 8, {"alias '*a'", "not allowed", ""}},
    {"suite: !!str s\n", 1, 8, {"tag", "not allowed", ""}},
    {"suite: !x s\n", 1, 8, {"tag '!x'", "not allowed", ""}},
    {"suite: s\nabout: \"a\\0b\"\n", 2, 8, {"NUL", "", ""}},
    {"? [a, b]\n: c\n", 1, 3, {"list", "key was expected", ""}},
    {"suite: s\nrunner: learn\nsuite: t\n", 3, 1, {"duplicate key 'suite'", "line 1", ""}},
    {HEAD "grid:\n  model: [{name: rbm, hidden: 4, hidden: 5}]\n", 4, 34, {"duplicate key 'hidden'", "line 4", ""}},
    {"suite: " NEST32("x") "\n", 1, 39, {"deeper than 32", "", ""}},
    /* the top */
    {"suit: s\nrunner: learn\n", 1, 1, {"unknown key 'suit'", "'suite'", "expected"}},
    {HEAD GRID "mesure: [kl]\n", 8, 1, {"unknown key 'mesure'", "did you mean 'measure'", ""}},
    {HEAD GRID "zzzzzzz: 1\n", 8, 1, {"unknown key 'zzzzzzz'", "expected suite, about", ""}},
    {"about: x\nrunner: learn\n", 1, 1, {"required key 'suite'", "missing", ""}},
    {"suite: s\n" GRID, 1, 1, {"required key 'runner'", "missing", ""}},
    {HEAD, 1, 1, {"required key 'grid'", "missing", ""}},
    {"suite: My Suite\nrunner: learn\n", 1, 8, {"'My Suite'", "a-z", ""}},
    {"suite: ../up\nrunner: learn\n", 1, 8, {"'../up'", "a-z", ""}},
    {"suite: -s\nrunner: learn\n", 1, 8, {"'-s'", "not beginning with -", ""}},
    {"suite: [a, b]\nrunner: learn\n", 1, 8, {"suite is a list", "single value", ""}},
    {"suite:\nrunner: learn\n", 1, 7, {"suite is nothing", "single value", ""}},
    {"suite: s\nrunner: lern\n", 2, 9, {"unknown runner 'lern'", "did you mean 'learn'", ""}},
    {HEAD GRID "timeout: soon\n", 8, 10, {"'soon'", "a finite number", ""}},
    {HEAD GRID "timeout: -1\n", 8, 10, {"'-1'", "0", ""}},
    /* the grid */
    {HEAD "grid: {}\n", 3, 7, {"grid is empty", "expected a mapping", ""}},
    {HEAD "grid: [a]\n", 3, 7, {"grid is a list", "expected a mapping", ""}},
    {HEAD GRID "  modle: rbm\n", 8, 3, {"unknown key 'modle'", "did you mean 'model'", "grid"}},
    {HEAD "grid: {dataset: bars-and-stripes, learner: cd}\n", 3, 7, {"no 'model'", "runner learn needs", ""}},
    {"suite: s\nrunner: bench\ngrid: {dataset: glyphs, model: rbm, learner: cd}\n",
     3,
     37,
     {"runner bench takes no 'learner'", "", ""}},
    {HEAD "grid:\n  dataset: glyphs\n  model: []\n", 5, 10, {"model is an empty list", "at least one", ""}},
    {HEAD "grid:\n  dataset: glyphs\n  model: [{hidden: 4}]\n", 5, 11, {"no 'name'", "expected", ""}},
    {HEAD "grid:\n  dataset: bars-and-stripes\n  model: [rmb]\n",
     5,
     11,
     {"unknown model 'rmb'", "did you mean 'rbm'", ""}},
    {HEAD "grid:\n  dataset: bars-and-stripes\n  model: [[rbm]]\n", 5, 11, {"found a list", "name of a model", ""}},
    {HEAD "grid:\n  dataset: bars-and-stripes\n  model: {name: [rbm]}\n",
     5,
     17,
     {"found a list", "name of a model", ""}},
    {HEAD "grid:\n  dataset: bars-and-stripes\n  model: [{name: rbm, hiden: 4}]\n",
     5,
     23,
     {"unknown key 'hiden'", "did you mean 'hidden'", "rbm"}},
    {HEAD GRID "  seed: [1, x]\n", 8, 13, {"seed is 'x'", "whole number", ""}},
    {HEAD GRID "  seed: [1, -1]\n", 8, 13, {"seed is '-1'", "whole number", ""}},
    {HEAD GRID "  seed: 4294967296\n", 8, 9, {"'4294967296'", "4294967295", ""}},
    {HEAD GRID "  seed: []\n", 8, 9, {"empty list", "at least one", ""}},
    {HEAD GRID "  seed: [1, 2, 1]\n", 8, 9, {"seed 1 stands twice", "", ""}},
    {HEAD "grid:\n  dataset: bars-and-stripes\n  model: {name: rbm, hidden: four}\n  learner: exact\n",
     5,
     30,
     {"model rbm", "'four'", "whole number"}},
    {HEAD "grid:\n  dataset: bars-and-stripes\n  model: {name: rbm, hidden: -1}\n  learner: exact\n",
     5,
     30,
     {"model rbm", "'-1'", "whole number"}},
    {HEAD "grid:\n  dataset: bars-and-stripes\n  model: {name: rbm, hidden: [4, 4.5]}\n  learner: exact\n",
     5,
     34,
     {"model rbm", "'4.5'", "whole number"}},
    {HEAD "grid:\n  dataset: bars-and-stripes\n  model: {name: rbm, hidden: []}\n  learner: exact\n",
     5,
     30,
     {"'hidden' is an empty list", "at least one", ""}},
    {HEAD "grid:\n  dataset: bars-and-stripes\n  model: {name: rbm, hidden: {a: 1}}\n  learner: exact\n",
     5,
     30,
     {"'hidden' is a mapping", "single value", ""}},
    {HEAD "grid:\n  dataset: bars-and-stripes\n  model: {name: rbm, hidden: }\n  learner: exact\n",
     5,
     30,
     {"'hidden' has no value", "", ""}},
    {HEAD "grid:\n  dataset: bars-and-stripes\n  model: {name: rbm, hidden: [4, 4]}\n  learner: exact\n",
     5,
     10,
     {"'rbm-4' stands twice", "", ""}},
    {HEAD "grid:\n  dataset: bars-and-stripes\n  model: [rbm, rbm]\n  learner: exact\n",
     5,
     16,
     {"'rbm' stands twice", "", ""}},
    {HEAD "grid:\n  dataset: npy\n  model: rbm\n  learner: exact\n", 4, 12, {"required option 'train'", "missing", ""}},
    {HEAD GRID "run: [updates]\n", 8, 6, {"run is a list", "mapping", ""}},
    {HEAD GRID "run: {update: 5}\n", 8, 7, {"unknown key 'update'", "did you mean 'updates'", ""}},
    {HEAD GRID "measure: [exact-loglik, kll]\n", 8, 25, {"unknown estimator 'kll'", "did you mean 'kl'", ""}},
    {HEAD GRID "measure: [kl, kl]\n", 8, 15, {"'kl' stands twice", "", ""}},
    {HEAD GRID "  estimator: [kl]\nmeasure: [kl]\n", 9, 11, {"'kl' stands under measure and in the grid", "", ""}},
    {HEAD GRID "measure: [{name: ais, chains: [1, 2]}]\n", 8, 11, {"ais", "one value", "estimator:"}},
    /* ten to the ninth, and more than can be counted */
    {HEAD "grid:\n  dataset: bars-and-stripes\n  sampler: block-gibbs\n"
          "  model: {name: rbm, hidden: " TEN ", init_scale: " TEN ", centred: " TEN "}\n"
          "  learner: {name: cd, steps: " TEN ", rate: " TEN ", momentum: " TEN ", beta2: " TEN ", clip: " TEN "}\n"
          "  seed: " TEN "\n",
     4,
     3,
     {"1000000000 cases", "model 1000", "at most 100000"}},
    {HEAD "grid:\n  dataset: bars-and-stripes\n  sampler: block-gibbs\n"
          "  model: {name: rbm, hidden: " TEN ", init_scale: " TEN ", centred: " TEN ", init: " TEN
          ", visible_bias: " TEN ", load: " TEN "}\n"
          "  learner: {name: cd, steps: " TEN ", rate: " TEN ", momentum: " TEN ", beta2: " TEN ", clip: " TEN
          ", start: " TEN ", chains: " TEN ", epsilon: " TEN ", schedule: " TEN ", rate_end: " TEN ", optimiser: " TEN
          ", weight_decay: " TEN "}\n"
          "  seed: " TEN "\nrun: {updates: " TEN ", batch: " TEN ", log_every: " TEN "}\n",
     4,
     3,
     {"more cases than can be counted", "expected at most", ""}},
    /* quick: */
    {HEAD GRID "quick: 5\n", 8, 8, {"quick is a single value", "mapping", ""}},
    {HEAD GRID "quick: {runner: learn}\n", 8, 9, {"unknown key 'runner' in quick", "expected grid", ""}},
    {HEAD GRID "quick: {run: {updates: many}}\n", 8, 24, {"'many'", "whole number", ""}},
    {HEAD GRID "quick: {grid: {model: {name: rbn}}}\n", 8, 30, {"unknown model 'rbn'", "'rbm'", ""}},
/* derive */
#define KL HEAD GRID "  seed: [1, 2]\nmeasure: [kl]\n"
    {KL "derive: {as: m}\n", 10, 9, {"derive is a mapping", "list", ""}},
    {KL "derive: [m]\n", 10, 10, {"found a single value", "derive rule", ""}},
    {KL "derive:\n - {of: kl, op: mean, over: seed}\n", 11, 4, {"no 'as'", "", ""}},
    {KL "derive:\n - {as: m, of: kl, op: men, over: seed}\n", 11, 24, {"'men'", "did you mean 'mean'", ""}},
    {KL "derive:\n - {as: m, of: lk, op: mean, over: seed}\n",
     11,
     16,
     {"nothing gives the metric 'lk'", "expected kl", ""}},
    {KL "derive:\n - {as: kl, of: kl, op: mean, over: seed}\n", 11, 9, {"'kl'", "metric already", ""}},
    {KL "derive:\n - {as: m, of: kl, op: mean, over: seed}\n - {as: m, of: kl, op: mean, over: seed}\n",
     12,
     9,
     {"'m'", "line 11 derives", ""}},
    {KL "derive:\n - {as: a b, of: kl, op: mean, over: seed}\n", 11, 9, {"'a b'", "letters", ""}},
    {KL "derive:\n - {as: m, of: kl, op: mean}\n", 11, 4, {"op mean needs 'over'", "", ""}},
    {KL "derive:\n - {as: m, of: kl, op: mean, over: sed}\n", 11, 36, {"no column 'sed'", "did you mean 'seed'", ""}},
    {KL "derive:\n - {as: m, of: kl, op: mean, over: seed, level: 1}\n", 11, 42, {"mean takes no 'level'", "", ""}},
    {KL "derive:\n - {as: m, of: kl, op: mean, over: seed, lerner: cd}\n",
     11,
     42,
     {"unknown key 'lerner'", "did you mean 'learner'", ""}},
    {KL "derive:\n - {as: m, of: kl, op: mean, over: seed, learner: dc}\n", 11, 51, {"learner 'dc'", "cd", ""}},
    {KL "derive:\n - {as: m, of: kl, op: mean, over: seed, at: lst}\n", 11, 46, {"at is 'lst'", "last, each", ""}},
    {KL "derive:\n - {as: m, of: kl, op: mean, over: step, at: last}\n", 11, 46, {"at chooses one step", "", ""}},
    {KL "derive:\n - {as: m, of: kl, op: ratio, over: seed, between: {learner: cd}}\n", 11, 52, {"between", "two", ""}},
    {KL "derive:\n - {as: m, of: kl, op: ratio, over: seed, between: {seed: [1, 3]}}\n",
     11,
     63,
     {"seed '3'", "1, 2", ""}},
    {KL "derive:\n - {as: m, of: kl, op: ratio, over: seed, between: {seed: [1, 1]}}\n",
     11,
     63,
     {"'1' stands twice", "", ""}},
    {KL "derive:\n - {as: m, of: kl, op: z, against: exakt}\n", 11, 36, {"metric 'exakt'", "kl", ""}},
    {KL "derive:\n - {as: m, of: kl, op: slope, against: hidden}\n", 11, 40, {"no column 'hidden'", "or step", ""}},
    {KL "derive:\n - {as: m, of: kl, op: crossing, against: step, level: x}\n", 11, 56, {"'x'", "number", ""}},
    /* checks */
    {KL "checks: [{law: k1, below: 1}]\n", 10, 16, {"nothing gives the metric 'k1'", "expected kl", ""}},
    {KL "checks: [{below: 1}]\n", 10, 10, {"law", "claim", ""}},
    {KL "checks: [{law: kl, claim: kl, below: 1}]\n", 10, 10, {"either", "not both", ""}},
    {KL "checks: [{law: kl}]\n", 10, 10, {"no bound", "above", ""}},
    {KL "checks: [{law: kl, below: 0.1x}]\n", 10, 27, {"'0.1x'", "number", ""}},
    {KL "checks: [{law: kl, below: [1, 2]}]\n", 10, 27, {"'below' is a list", "single value", ""}},
    {KL "checks: [{law: kl, above: 2, below: 1}]\n", 10, 37, {"below is less than above", "", ""}},
    {KL "checks: [{law: kl, below: 1, size: ful}]\n", 10, 36, {"'ful'", "did you mean 'full'", ""}},
    {KL "checks: [{law: kl, below: 1, errors: -1}]\n", 10, 38, {"'-1'", "0", ""}},
    {KL "checks: [{law: kl, below: 1, modle: rbm}]\n", 10, 30, {"unknown key 'modle'", "'model'", ""}},
    {KL "checks: [{law: kl, below: 1, learner: exact}]\n", 10, 39, {"learner 'exact'", "expected one of cd", ""}},
    {KL "checks: [{law: kl, below: 1, learner.steps: 1}]\n", 10, 30, {"unknown key 'learner.steps'", "learner", ""}},
    {KL "quick: {measure: [exact-loglik]}\nchecks: [{law: kl, below: 1}]\n",
     11,
     16,
     {"'kl' at size quick", "log_z", ""}},
};

START_TEST(test_suite_refuses_with_line_and_column) {
    ebm_suite suite;
    ebm_error error = {0};
    char text[1200];
    ebm_status status = ebm_suite_parse("s.yaml", bad[_i].text, strlen(bad[_i].text), EBM_SIZE_FULL, &suite, &error);
    ebm_error_text(&error, text, sizeof text);
    ck_assert_msg(status != EBM_OK, "accepted:\n%s", bad[_i].text);
    ck_assert_str_eq(error.file, "s.yaml");
    ck_assert_msg(error.line == bad[_i].line && error.column == bad[_i].column, "%s (expected %u:%u)\n%s", text,
                  bad[_i].line, bad[_i].column, bad[_i].text);
    for (size_t w = 0; w < 3; w++)
        ck_assert_msg(strstr(text, bad[_i].words[w]), "%s (expected '%s')\n%s", text, bad[_i].words[w], bad[_i].text);
    for (const char *c = text; *c; c++)
        ck_assert_msg((unsigned char)*c >= ' ', "more than one line: %s", text);
    ck_assert_ptr_null(suite.cases);
    ck_assert_ptr_null(suite.name);
}
END_TEST

START_TEST(test_suite_bounds_its_size) {
    size_t size = (1u << 20) + 1;
    char *text = malloc(size + 200000);
    memset(text, '#', size);
    ebm_suite suite;
    ebm_error error = {0};
    ck_assert_int_eq(ebm_suite_parse("s.yaml", text, size, EBM_SIZE_FULL, &suite, &error), EBM_FORMAT);
    ck_assert_ptr_nonnull(strstr(error.message, "1048577 bytes"));
    size_t used = (size_t)sprintf(text, "suite: [");
    for (size_t i = 0; i < 70000; i++, used += 2)
        memcpy(text + used, "1,", 3);
    memcpy(text + used, "1]", 3);
    ck_assert_int_eq(ebm_suite_parse("s.yaml", text, strlen(text), EBM_SIZE_FULL, &suite, &error), EBM_FORMAT);
    ck_assert_ptr_nonnull(strstr(error.message, "too large"));
    used = 0;
    for (size_t i = 0; i < 1001; i++)
        used += (size_t)sprintf(text + used, "k%zu: 1\n", i);
    ck_assert_int_eq(ebm_suite_parse("s.yaml", text, used, EBM_SIZE_FULL, &suite, &error), EBM_FORMAT);
    ck_assert_ptr_nonnull(strstr(error.message, "1000 keys"));
    used = (size_t)sprintf(text, "suite: ");
    memset(text + used, 'a', 5000);
    ck_assert_int_eq(ebm_suite_parse("s.yaml", text, used + 5000, EBM_SIZE_FULL, &suite, &error), EBM_FORMAT);
    ck_assert_ptr_nonnull(strstr(error.message, "5000 characters"));
    free(text);
}
END_TEST

START_TEST(test_suite_read_names_a_missing_file) {
    ebm_suite suite;
    ebm_error error = {0};
    ck_assert_int_eq(ebm_suite_read("/nowhere/s.yaml", EBM_SIZE_FULL, &suite, &error), EBM_IO);
    ck_assert_ptr_nonnull(strstr(error.message, "/nowhere/s.yaml"));
    ebm_suite_free(&suite);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("suite");
    tcase_add_test(tests, test_suite_example_of_the_house_plan);
    tcase_add_test(tests, test_suite_quick_merges_mappings_and_replaces_lists);
    tcase_add_test(tests, test_suite_axes_become_names_and_columns);
    tcase_add_test(tests, test_suite_list_option_is_one_value_and_a_list_of_lists_an_axis);
    tcase_add_test(tests, test_suite_settings_do_not_depend_on_the_order_of_keys);
    tcase_add_test(tests, test_suite_paths_start_at_its_folder);
    tcase_add_test(tests, test_suite_pairing_that_cannot_be_is_not_applicable);
    tcase_add_test(tests, test_suite_rules_of_the_other_size_are_left_out);
    tcase_add_loop_test(tests, test_suite_refuses_with_line_and_column, 0, (int)(sizeof bad / sizeof bad[0]));
    tcase_add_test(tests, test_suite_bounds_its_size);
    tcase_add_test(tests, test_suite_read_names_a_missing_file);
    return run_tests("suite", tests);
}
