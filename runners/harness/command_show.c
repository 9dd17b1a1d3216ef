/* `ebm show`: the manual of a component, or a table of results made readable. */
#include "harness/command.h"
#include "harness/paths.h"

#include <stdio.h>
#include <string.h>

static const ebm_flag flags[] = {{NULL, NULL, NULL}};

enum { WIDTH = 100 };

static const char details[] =
    "KIND is dataset, model, sampler, learner, estimator or runner: prints what NAME does, its source, its options "
    "with\n"
    "type, default, range and meaning, and what it can be paired with; for estimators, samplers and runners also the "
    "metrics\n"
    "that they give. With the path of a CSV file instead: the last row of each case and metric, and the checks.\n\n"
    "Examples:\n"
    "  ebm show model rbm\n"
    "  ebm show learner cd\n"
    "  ebm show results/quick/rbm-learners.csv\n";

static void wrapped(const char *lead, const char *text) {
    size_t column = strlen(lead);
    fputs(lead, stdout);
    while (*text != '\0') {
        size_t length = strcspn(text, " ");
        if (column + length + 1 > WIDTH && column > strlen(lead)) {
            printf("\n%*s", (int)strlen(lead), "");
            column = strlen(lead);
        }
        printf("%.*s", (int)length, text);
        column += length;
        text += length;
        if (*text == ' ') {
            putchar(' ');
            column++;
            text++;
        }
    }
    putchar('\n');
}

/* Whether the pairing of `one` with `other` can be, as far as those two decide it. */
static bool can_pair(ebm_kind kind, const ebm_component *one, ebm_kind other_kind, const ebm_component *other) {
    const ebm_component *of[EBM_KINDS] = {NULL};
    ebm_error error = {0};
    of[kind] = one;
    of[other_kind] = other;
    const ebm_estimator_type *estimator = (const ebm_estimator_type *)of[EBM_KIND_ESTIMATOR];
    const ebm_sampler_type *sampler = (const ebm_sampler_type *)of[EBM_KIND_SAMPLER];
    const ebm_learner_type *learner = (const ebm_learner_type *)of[EBM_KIND_LEARNER];
    const ebm_model_type *model = (const ebm_model_type *)of[EBM_KIND_MODEL];
    const bool needs_sampler =
        (learner != NULL && learner->uses_sampler) || (estimator != NULL && estimator->needs_sampler);
    if (!needs_sampler || sampler != NULL)
        return ebm_pairing_check(model, sampler, learner, &estimator, estimator != NULL, true, &error) == EBM_OK;
    for (size_t i = 0; (sampler = (const ebm_sampler_type *)ebm_component_at(EBM_KIND_SAMPLER, i)) != NULL; i++) {
        if (ebm_pairing_check(model, sampler, learner, &estimator, estimator != NULL, true, &error) == EBM_OK)
            return true;
    }
    return false;
}

static void show_pairs(ebm_kind kind, const ebm_component *component, ebm_kind other) {
    char text[2048] = "", lead[64];
    const ebm_component *candidate;
    size_t used = 0;
    for (size_t i = 0; (candidate = ebm_component_at(other, i)) != NULL && used + 64 < sizeof text; i++) {
        if (can_pair(kind, component, other, candidate))
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%.60s", used > 0 ? ", " : "", candidate->name);
    }
    snprintf(lead, sizeof lead, "  %-12s", "");
    memcpy(lead + 2, ebm_kind_name(other), strlen(ebm_kind_name(other)));
    lead[2 + strlen(ebm_kind_name(other))] = 's';
    wrapped(lead, used > 0 ? text : "none");
}

static void show_pairing(ebm_kind kind, const ebm_component *component) {
    static const ebm_kind kinds[] = {EBM_KIND_MODEL, EBM_KIND_SAMPLER, EBM_KIND_LEARNER, EBM_KIND_ESTIMATOR};
    if (kind == EBM_KIND_DATASET)
        return;
    puts("\nCan be paired with:");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (kinds[i] != kind && (kind == EBM_KIND_MODEL || kinds[i] == EBM_KIND_MODEL))
            show_pairs(kind, component, kinds[i]);
    }
}

static void show_domains(const char *lead, unsigned domains) {
    char text[256] = "";
    size_t used = 0;
    for (int domain = EBM_BINARY; domain <= EBM_REAL_LINE; domain++) {
        if ((domains & 1u << domain) != 0 && used + 40 < sizeof text)
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%.36s", used > 0 ? ", " : "",
                                     ebm_domain_name((ebm_domain)domain));
    }
    wrapped(lead, text);
}

static void show_slots(const char *lead, unsigned slots) {
    char text[512];
    ebm_slot_names(slots, text, sizeof text);
    wrapped(lead, text[0] != '\0' ? text : "nothing");
}

static void show_metrics(const ebm_metric *metrics) {
    if (metrics == NULL || metrics[0].name == NULL)
        return;
    int width = 24;
    for (const ebm_metric *m = metrics; m->name != NULL; m++)
        width = (int)strlen(m->name) > width ? (int)strlen(m->name) : width;
    puts("\nMetrics:");
    for (; metrics->name != NULL; metrics++) {
        char lead[96];
        snprintf(lead, sizeof lead, "  %-*.60s %-8.16s ", width, metrics->name, metrics->unit);
        wrapped(lead, metrics->about);
    }
}

static void show_needs(const ebm_sampler_type *sampler) {
    if (sampler->needs != 0 || sampler->needs_any == 0)
        show_slots("needs    ", sampler->needs);
    if (sampler->needs_any != 0)
        show_slots("needs    one of ", sampler->needs_any);
    show_domains("states   ", sampler->domains);
    printf("kernel   %s%s\n", sampler->exact ? "leaves the model's distribution invariant" : "biased",
           sampler->reversible ? ", reversible" : "");
}

static void show_nature(ebm_kind kind, const ebm_component *component) {
    const void *type = component;
    switch (kind) {
    case EBM_KIND_MODEL:
        show_domains("states   ", ((const ebm_model_type *)type)->domains);
        show_slots("fills    ", ebm_model_slots(type));
        break;
    case EBM_KIND_SAMPLER:
        show_needs(type);
        break;
    case EBM_KIND_LEARNER:
        show_slots("needs    ", ((const ebm_learner_type *)type)->needs);
        printf("sampler  %s\n", ((const ebm_learner_type *)type)->uses_sampler ? "needs one" : "uses none");
        break;
    case EBM_KIND_ESTIMATOR:
        show_slots("needs    ", ((const ebm_estimator_type *)type)->needs);
        printf("model    %s\n", ((const ebm_estimator_type *)type)->without_model ? "needs none" : "needs one");
        printf("data     %s\n", ((const ebm_estimator_type *)type)->needs_data ? "needs a dataset" : "needs none");
        printf("sampler  %s\n", ((const ebm_estimator_type *)type)->needs_sampler ? "needs one" : "needs none");
        break;
    default:
        break;
    }
}

static void show_head(const char *kind, const ebm_component *component) {
    printf("%s %s: %s\n", kind, component->name, component->about);
    if (component->citation[0] != '\0')
        wrapped("source   ", component->citation);
}

static void show_options(const ebm_component *component) {
    if (component->options[0].name == NULL) {
        puts("\nNo options.");
        return;
    }
    puts("\nOptions:");
    ebm_options_manual(component->options, stdout, WIDTH);
}

static int unknown_component(ebm_kind kind, const char *name) {
    const char *names[256];
    const ebm_component *component;
    size_t count = 0;
    while (count < 255 && (component = ebm_component_at(kind, count)) != NULL)
        names[count++] = component->name;
    names[count] = NULL;
    return ebm_complain_unknown(ebm_kind_name(kind), name, names);
}

static int show_component(ebm_kind kind, const char *name) {
    const ebm_component *component = ebm_component_find(kind, name);
    if (component == NULL)
        return unknown_component(kind, name);
    show_head(ebm_kind_name(kind), component);
    show_nature(kind, component);
    show_options(component);
    if (kind == EBM_KIND_ESTIMATOR)
        show_metrics(((const ebm_estimator_type *)(const void *)component)->metrics);
    if (kind == EBM_KIND_SAMPLER)
        show_metrics(((const ebm_sampler_type *)(const void *)component)->metrics);
    show_pairing(kind, component);
    return EBM_EXIT_OK;
}

static int show_runner(const char *name) {
    const ebm_runner_type *runner = ebm_runner_find(name);
    if (runner == NULL) {
        const char *names[64];
        size_t count = 0;
        for (; ebm_runner_types[count] != NULL && count < 63; count++)
            names[count] = ebm_runner_types[count]->info.name;
        names[count] = NULL;
        return ebm_complain_unknown("runner", name, names);
    }
    show_head("runner", &runner->info);
    for (int kind = 0; kind < EBM_KINDS; kind++) {
        const char *role = (runner->required_kinds & 1u << kind) != 0   ? "every case has one"
                           : (runner->optional_kinds & 1u << kind) != 0 ? "may be in the grid"
                                                                        : NULL;
        if (role != NULL)
            printf("  %-10s %s\n", ebm_kind_name((ebm_kind)kind), role);
    }
    show_options(&runner->info);
    show_metrics(runner->metrics);
    return EBM_EXIT_OK;
}

static bool is_check(const ebm_row *row) {
    return strncmp(row->metric, "check:", 6) == 0;
}

/* The next row of the same case and metric comes later in the file, among the rows of that case. */
static bool is_last(const ebm_table *table, size_t i) {
    const ebm_row *row = &table->rows[i];
    for (size_t k = i + 1; k < table->n_rows; k++) {
        const ebm_row *later = &table->rows[k];
        bool same = true;
        for (size_t c = 0; c < table->n_keys && same; c++)
            same = strcmp(row->keys[c], later->keys[c]) == 0;
        if (!same)
            return true;
        if (strcmp(row->metric, later->metric) == 0)
            return false;
    }
    return true;
}

/* What a row is about: its case, or for rows derived from several cases the columns that remain. */
static const char *row_label(const ebm_table *table, const ebm_row *row, char *buffer, size_t size) {
    size_t used = 0;
    if (row->keys[EBM_COLUMN_CASE][0] != '\0')
        return row->keys[EBM_COLUMN_CASE];
    buffer[0] = '\0';
    for (size_t c = EBM_COLUMN_MODEL; c < table->n_keys && used + 1 < size; c++) {
        if (row->keys[c][0] == '\0')
            continue;
        int length = snprintf(buffer + used, size - used, "%s%s%s%s", used > 0 ? "/" : "",
                              c >= EBM_FIXED_COLUMNS ? table->key_names[c] : "", c >= EBM_FIXED_COLUMNS ? "=" : "",
                              row->keys[c]);
        used = length > 0 && (size_t)length < size - used ? used + (size_t)length : size - 1;
    }
    return buffer[0] != '\0' ? buffer : "all cases";
}

static void show_row(const ebm_table *table, const ebm_row *row) {
    char value[48] = "", se[48] = "", step[24] = "", label[512];
    if (row->value == row->value)
        snprintf(value, sizeof value, "%.6g", row->value);
    if (row->se == row->se)
        snprintf(se, sizeof se, "± %.2g", row->se);
    if (row->step >= 0)
        snprintf(step, sizeof step, "%lld", (long long)row->step);
    printf("  %-28s %12s %-10s %9s  %s%s%s\n", row->metric, value, se, step, row_label(table, row, label, sizeof label),
           strcmp(row->status, "ok") != 0 ? "  " : "", strcmp(row->status, "ok") != 0 ? row->status : "");
}

static int show_results(const char *path) {
    ebm_error error = {0};
    ebm_table table;
    size_t checks = 0;
    if (ebm_table_read(path, &table, &error) != EBM_OK)
        return ebm_complain(EBM_EXIT_USAGE, &error);
    printf("  %-28s %12s %-10s %9s  %s\n", "metric", "value", "s.e.", "last step", "case");
    for (size_t i = 0; i < table.n_rows; i++) {
        checks += is_check(&table.rows[i]);
        if (!is_check(&table.rows[i]) && is_last(&table, i))
            show_row(&table, &table.rows[i]);
    }
    if (checks > 0)
        puts("\nChecks:");
    for (size_t i = 0; i < table.n_rows; i++) {
        if (is_check(&table.rows[i]))
            show_row(&table, &table.rows[i]);
    }
    ebm_table_free(&table);
    return EBM_EXIT_OK;
}

static int show(const ebm_words *words) {
    const char *names[EBM_KINDS + 2];
    const char *word = words->word[0];
    if (words->count == 1 && (strchr(word, '/') != NULL || strstr(word, ".csv") != NULL))
        return show_results(word);
    for (int kind = 0; kind < EBM_KINDS; kind++)
        names[kind] = ebm_kind_name((ebm_kind)kind);
    names[EBM_KINDS] = "runner";
    names[EBM_KINDS + 1] = NULL;
    for (int kind = 0; kind <= EBM_KINDS; kind++) {
        if (strcmp(word, names[kind]) != 0)
            continue;
        if (words->count == 1)
            return ebm_complain_text(EBM_EXIT_USAGE, "which %s? `ebm list %ss` shows them", word, word);
        return kind < EBM_KINDS ? show_component((ebm_kind)kind, words->word[1]) : show_runner(words->word[1]);
    }
    return ebm_complain_unknown("kind", word, names);
}

const ebm_command ebm_command_show = {.name = "show",
                                      .usage = "ebm show KIND NAME | ebm show RESULTS.csv",
                                      .about = "show the manual of a component, or a table of results",
                                      .details = details,
                                      .flags = flags,
                                      .least_words = 1,
                                      .most_words = 2,
                                      .run = show};
