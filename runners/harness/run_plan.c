/* Which cases are there already: keys, and looking them up.
 *
 * The folder of a case is named <settings>.<build>: the hash of all that decides its numbers (suite, settings, contents
 * of the files it reads), and that of the program. Results of another build are found by the first part alone. */
#include "harness/run.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUILD_LETTERS = 16 };

bool ebm_case_selected(const ebm_run_options *options, const char *name) {
    return options->only == NULL || fnmatch(options->only, name, 0) == 0;
}

const char *ebm_case_state_name(ebm_case_state state) {
    static const char *const names[] = {"missing", "ok", "ok", "failed", "timeout", "not-applicable"};
    return names[state];
}

ebm_status ebm_case_settings_hash(const ebm_suite *suite, const ebm_case *c, ebm_hash *out, ebm_error *error) {
    char *settings = ebm_case_settings(suite, c);
    if (settings == NULL)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for the settings of %s", c->name);
    *out = ebm_hash_begin();
    ebm_hash_add_text(out, suite->name);
    ebm_hash_add_text(out, settings);
    free(settings);
    return EBM_OK;
}

/* The hash of what stands at `path`, worked out once in a run. A path that cannot be read counts as empty here: the
 * case itself will say what is wrong with it. */
static ebm_status data_hash(ebm_run *run, const char *path, ebm_hash *out, ebm_error *error) {
    for (size_t i = 0; i < run->n_data; i++) {
        if (strcmp(run->data[i].path, path) == 0) {
            *out = run->data[i].hash;
            return EBM_OK;
        }
    }
    ebm_data_hash *more = realloc(run->data, (run->n_data + 1) * sizeof *more);
    if (more == NULL)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for the hashes of data");
    run->data = more;
    ebm_data_hash *entry = &more[run->n_data];
    entry->path = strdup(path);
    if (entry->path == NULL)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for the hashes of data");
    run->n_data++;
    entry->hash = ebm_hash_begin();
    if (ebm_hash_add_path(&entry->hash, path, NULL) != EBM_OK)
        entry->hash = ebm_hash_begin();
    *out = entry->hash;
    return EBM_OK;
}

static ebm_status add_path(ebm_run *run, const char *path, ebm_hash *hash, ebm_error *error) {
    ebm_hash found;
    EBM_TRY(data_hash(run, path, &found, error));
    ebm_hash_add(hash, &found, sizeof found);
    return EBM_OK;
}

/* Contents of the files that the options of a component name. */
static ebm_status add_paths(ebm_run *run, const ebm_component *component, const void *options, ebm_hash *hash,
                            ebm_error *error) {
    for (const ebm_option *o = component->options; options != NULL && o->name != NULL; o++) {
        if ((o->flags & EBM_OPTION_PATH) == 0 || o->type != EBM_OPTION_STRING)
            continue;
        const char *path = *(char *const *)((const char *)options + o->offset);
        if (path != NULL && path[0] != '\0')
            EBM_TRY(add_path(run, path, hash, error));
    }
    return EBM_OK;
}

/* A data set of the collection lies in the folder of its name. */
static ebm_status add_collection(ebm_run *run, const ebm_setting *dataset, ebm_hash *hash, ebm_error *error) {
    const char *collection = getenv("EBM_DATASETS");
    char path[EBM_PATH_MAX];
    struct stat facts;
    if (dataset->component == NULL || collection == NULL)
        return EBM_OK;
    EBM_TRY(ebm_path_format(path, sizeof path, error, "%s/%s", collection, dataset->component->name));
    return stat(path, &facts) == 0 && S_ISDIR(facts.st_mode) ? add_path(run, path, hash, error) : EBM_OK;
}

static ebm_status case_hash(ebm_run *run, const ebm_case *c, ebm_hash *out, ebm_error *error) {
    const ebm_setting *settings[] = {&c->dataset, &c->model, &c->sampler, &c->learner};
    EBM_TRY(ebm_case_settings_hash(&run->suite, c, out, error));
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        if (settings[i]->component != NULL)
            EBM_TRY(add_paths(run, settings[i]->component, settings[i]->options, out, error));
    }
    for (size_t i = 0; i < c->n_measures; i++)
        EBM_TRY(add_paths(run, c->measures[i].component, c->measures[i].options, out, error));
    EBM_TRY(add_paths(run, &run->suite.runner->info, c->run, out, error));
    return add_collection(run, &c->dataset, out, error);
}

static bool is_complete(const char *folder, struct timespec *when) {
    char path[EBM_PATH_MAX];
    struct stat facts;
    if (ebm_path_format(path, sizeof path, NULL, "%s/rows.csv", folder) != EBM_OK || stat(path, &facts) != 0)
        return false;
    if (when != NULL)
        *when = facts.st_mtim;
    return true;
}

/* The youngest complete folder of the same settings by any build; names are those of the store, in order. */
static void find_other_build(const ebm_run *run, char *const *names, ebm_case_plan *plan) {
    const char *key = strrchr(plan->folder, '/') + 1;
    size_t length = strcspn(key, ".") + 1;
    struct timespec best = {0}, when;
    char folder[EBM_PATH_MAX], chosen[EBM_PATH_MAX] = "";
    for (; *names != NULL; names++) {
        if (strncmp(*names, key, length) != 0 ||
            ebm_path_format(folder, sizeof folder, NULL, "%s/%s", run->store, *names) != EBM_OK ||
            !is_complete(folder, &when))
            continue;
        bool younger = when.tv_sec > best.tv_sec || (when.tv_sec == best.tv_sec && when.tv_nsec > best.tv_nsec);
        if (chosen[0] == '\0' || younger) {
            memcpy(chosen, folder, sizeof chosen);
            best = when;
        }
    }
    char *copy = chosen[0] != '\0' ? strdup(chosen) : NULL;
    if (copy != NULL) {
        free(plan->folder);
        plan->folder = copy;
        plan->state = EBM_CASE_KEPT;
    }
}

typedef struct ebm_plan_order {
    const char *folder;
    size_t index;
} ebm_plan_order;

static int by_folder(const void *a, const void *b) {
    const ebm_plan_order *left = a, *right = b;
    int order = strcmp(left->folder, right->folder);
    return order != 0 ? order : (left->index > right->index) - (left->index < right->index);
}

/* Cases of equal settings are computed once. */
static ebm_status find_repeats(ebm_run *run, ebm_error *error) {
    size_t count = 0;
    ebm_plan_order *order = calloc(run->suite.n_cases, sizeof *order);
    if (order == NULL)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu cases", run->suite.n_cases);
    for (size_t i = 0; i < run->suite.n_cases; i++) {
        run->plans[i].same_as = i;
        if (run->plans[i].selected && run->plans[i].folder != NULL)
            order[count++] = (ebm_plan_order){run->plans[i].folder, i};
    }
    qsort(order, count, sizeof *order, by_folder);
    for (size_t i = 1; i < count; i++) {
        if (strcmp(order[i].folder, order[i - 1].folder) == 0)
            run->plans[order[i].index].same_as = run->plans[order[i - 1].index].same_as;
    }
    free(order);
    return EBM_OK;
}

static ebm_status plan_case(ebm_run *run, size_t i, const char *build, ebm_error *error) {
    const ebm_case *c = &run->suite.cases[i];
    ebm_case_plan *plan = &run->plans[i];
    char path[EBM_PATH_MAX], text[EBM_HASH_TEXT];
    ebm_hash hash;
    plan->selected = ebm_case_selected(&run->options, c->name);
    if (c->not_applicable != NULL) {
        plan->state = EBM_CASE_NOT_APPLICABLE;
        return EBM_OK;
    }
    EBM_TRY(case_hash(run, c, &hash, error));
    EBM_TRY(ebm_path_format(path, sizeof path, error, "%s/%s.%.*s", run->store, ebm_hash_text(hash, text),
                            BUILD_LETTERS, build));
    plan->folder = strdup(path);
    if (plan->folder == NULL)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu cases", run->suite.n_cases);
    if (run->options.fresh && plan->selected)
        ebm_folder_remove(path);
    else if (is_complete(path, NULL))
        plan->state = EBM_CASE_KEPT;
    return EBM_OK;
}

ebm_status ebm_run_plan(ebm_run *run, ebm_error *error) {
    char build[EBM_HASH_TEXT];
    ebm_hash_text(run->build, build);
    run->plans = calloc(run->suite.n_cases, sizeof *run->plans);
    if (run->plans == NULL)
        return ebm_fail(error, EBM_NO_MEMORY, "no memory for %zu cases", run->suite.n_cases);
    for (size_t i = 0; i < run->suite.n_cases; i++)
        EBM_TRY(plan_case(run, i, build, error));
    if (run->options.trust_build && !run->options.fresh) {
        char **names;
        EBM_TRY(ebm_path_names(run->store, NULL, &names, error));
        for (size_t i = 0; i < run->suite.n_cases; i++) {
            if (run->plans[i].state == EBM_CASE_MISSING)
                find_other_build(run, names, &run->plans[i]);
        }
        ebm_names_free(names);
    }
    for (size_t i = 0; i < run->suite.n_cases; i++) {
        if (run->plans[i].state == EBM_CASE_KEPT)
            ebm_spent_read(run->plans[i].folder, &run->plans[i].spent);
    }
    return find_repeats(run, error);
}

size_t ebm_run_missing(const ebm_run *run) {
    size_t count = 0;
    for (size_t i = 0; i < run->suite.n_cases; i++)
        count += run->plans[i].selected && run->plans[i].state == EBM_CASE_MISSING && run->plans[i].same_as == i;
    return count;
}
