/* `ebm list` */
#include "harness/command.h"
#include "harness/paths.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE };
static const ebm_flag flags[] = {{"--size", "quick|full", "which size of the suite (default quick)"},
                                 {NULL, NULL, NULL}};

static const char details[] =
    "Without a word: the suites in suites/, each with what it is about. With the name of a suite (or the path of its\n"
    "file): its cases, and for those that cannot be, why. With the plural of a kind: what there is of it.\n\n"
    "Examples:\n"
    "  ebm list\n"
    "  ebm list rbm-learners --size full\n"
    "  ebm list samplers           (also: datasets, models, learners, estimators, runners)\n\n"
    "The numbers of a case are `ebm run SUITE --only 'CASE'`.\n";

static int list_suites(ebm_size size) {
    char folder[EBM_PATH_MAX], path[EBM_PATH_MAX], text[1024], **names;
    ebm_error error = {0};
    int status = EBM_EXIT_OK;
    if (!ebm_path_suites(folder, sizeof folder))
        return ebm_complain_text(EBM_EXIT_USAGE, "there is no folder suites/ here");
    if (ebm_path_names(folder, ".yaml", &names, &error) != EBM_OK)
        return ebm_complain(EBM_EXIT_USAGE, &error);
    for (size_t i = 0; names[i] != NULL; i++) {
        ebm_suite suite = {0};
        if (ebm_path_format(path, sizeof path, &error, "%s/%s.yaml", folder, names[i]) == EBM_OK &&
            ebm_suite_read(path, size, &suite, &error) == EBM_OK) {
            printf("%-18s %5zu cases  %s\n", names[i], suite.n_cases, suite.about != NULL ? suite.about : "");
            ebm_suite_free(&suite);
        } else {
            printf("%-18s cannot be read: %s\n", names[i], ebm_error_text(&error, text, sizeof text));
            status = EBM_EXIT_USAGE;
        }
    }
    ebm_names_free(names);
    return status;
}

static int list_cases(const char *word, ebm_size size) {
    char path[EBM_PATH_MAX];
    ebm_error error = {0};
    ebm_suite suite = {0};
    size_t impossible = 0;
    if (ebm_path_suite(word, path, sizeof path, &error) != EBM_OK ||
        ebm_suite_read(path, size, &suite, &error) != EBM_OK)
        return ebm_complain(EBM_EXIT_USAGE, &error);
    for (size_t i = 0; i < suite.n_cases; i++) {
        const ebm_case *c = &suite.cases[i];
        impossible += c->not_applicable != NULL;
        if (c->not_applicable != NULL)
            printf("%s  not applicable: %s\n", c->name, c->not_applicable);
        else
            puts(c->name);
    }
    fprintf(stderr, "%s (%s): %zu cases, %zu of them not applicable; runner %s\n", suite.name, ebm_size_name(size),
            suite.n_cases, impossible, suite.runner->info.name);
    ebm_suite_free(&suite);
    return EBM_EXIT_OK;
}

static bool is_plural(const char *word, const char *name) {
    size_t length = strlen(name);
    return strncmp(word, name, length) == 0 && strcmp(word + length, "s") == 0;
}

static int list_kind(ebm_kind kind) {
    const ebm_component *component;
    for (size_t i = 0; (component = ebm_component_at(kind, i)) != NULL; i++)
        printf("%-20s %s\n", component->name, component->about);
    return EBM_EXIT_OK;
}

static int list(const ebm_words *words) {
    ebm_size size = EBM_SIZE_QUICK;
    if (!ebm_word_size(words->value[SIZE], &size))
        return EBM_EXIT_USAGE;
    if (words->count == 0)
        return list_suites(size);
    for (int kind = 0; kind < EBM_KINDS; kind++) {
        if (is_plural(words->word[0], ebm_kind_name((ebm_kind)kind)))
            return list_kind((ebm_kind)kind);
    }
    if (is_plural(words->word[0], "runner")) {
        for (size_t i = 0; ebm_runner_types[i] != NULL; i++)
            printf("%-20s %s\n", ebm_runner_types[i]->info.name, ebm_runner_types[i]->info.about);
        return EBM_EXIT_OK;
    }
    return list_cases(words->word[0], size);
}

const ebm_command ebm_command_list = {.name = "list",
                                      .usage = "ebm list [SUITE | KIND] [--size quick|full]",
                                      .about = "list suites, a suite's cases, or the components there are",
                                      .details = details,
                                      .flags = flags,
                                      .least_words = 0,
                                      .most_words = 1,
                                      .run = list};
