/* Suites: whatever is accepted has cases with different names, and settings that can be written; a refusal is one line
 * with a place, and leaves nothing behind. */
#include "fuzz.h"

#include "harness/suite.h"

#include <string.h>

static const char small[] = "suite: s\nrunner: learn\ngrid:\n  dataset: bars-and-stripes\n  model: {name: rbm, hidden: "
                            "[2, 4]}\n  sampler: block-gibbs\n  learner: [cd, {name: cd, steps: 3}]\n  seed: [1, 2]\n";

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    static const char *const ends[] = {
        "",
        "run: {updates: 5, batch: [2, 3]}\nmeasure: [kl, {name: ais, chains: 10}]\n",
        "measure: [kl]\nquick: {grid: {seed: 1}, run: {updates: 2}}\nderive:\n - {as: m, of: kl, op: mean, over: "
        "seed}\n"
        "checks:\n - {law: m, below: 1, size: full, model: rbm-2, why: \"so\"}\n",
        "measure: [kl]\nderive:\n - {as: s, of: kl, op: slope, against: model.hidden}\n - {as: c, of: kl, op: "
        "crossing, "
        "against: step, level: 1}\n - {as: d, of: kl, op: ratio, over: seed, between: {learner: [cd-1, cd-3]}}\n",
        "  estimator: [{name: ais, chains: [1, 2]}, kl]\n",
        "a: &b c\nd: *b\n",
        "x: [[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]\n",
    };
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        char name[16], text[2000];
        int length = snprintf(text, sizeof text, "%s%s", small, ends[i]);
        snprintf(name, sizeof name, "%zu", i);
        fuzz_seed(*argc, *argv, name, text, (size_t)length);
    }
    return 0;
}

static void look_at_cases(const ebm_suite *suite) {
    const char *keys[EBM_TABLE_MAX_COLUMNS];
    char seed[16];
    size_t step = suite->n_cases > 50 ? suite->n_cases / 50 : 1;
    for (size_t i = 0; i < suite->n_cases; i += step) {
        const ebm_case *c = &suite->cases[i];
        ebm_case_keys(suite, c, keys, seed, sizeof seed);
        FUZZ_CLAIM(*c->name && strlen(c->name) <= 250);
        FUZZ_CLAIM(i < step || strcmp(c->name, suite->cases[i - step].name) != 0);
        char *settings = ebm_case_settings(suite, c);
        FUZZ_CLAIM(settings != NULL);
        free(settings);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    for (int s = 0; s < 2; s++) {
        ebm_suite suite;
        ebm_error error = {0};
        ebm_status status = ebm_suite_parse("fuzz", (const char *)data, size, (ebm_size)s, &suite, &error);
        if (status != EBM_OK) {
            FUZZ_CLAIM(strcmp(error.file, "fuzz") == 0 && error.line >= 1 && error.column >= 1);
            FUZZ_CLAIM(*error.message && !strpbrk(error.message, "\n\r"));
            FUZZ_CLAIM(!suite.cases && !suite.name);
            continue;
        }
        FUZZ_CLAIM(suite.n_cases >= 1 && suite.n_cases <= 100000);
        look_at_cases(&suite);
        ebm_suite_free(&suite);
    }
    return 0;
}
