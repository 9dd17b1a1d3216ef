/* What `ebm run` says at its end: a line for each check, counts, and where the results lie. */
#include "harness/command.h"
#include "harness/run.h"

#include <math.h>
#include <string.h>

static const char *verdict_text(const ebm_check_result *result) {
    switch (result->verdict) {
    case EBM_HELD:
        return "held";
    case EBM_FELL_SHORT:
        return "FELL SHORT";
    case EBM_DID_NOT_REPRODUCE:
        return "did not reproduce";
    case EBM_NOT_CHECKED:
        break;
    }
    return "not checked";
}

static void print_number(const ebm_check_result *result, char *buffer, size_t size) {
    if (result->verdict == EBM_NOT_CHECKED)
        snprintf(buffer, size, "-");
    else if (result->examined == 0)
        snprintf(buffer, size, "no rows");
    else if (isnan(result->se))
        snprintf(buffer, size, "%.6g", result->value);
    else
        snprintf(buffer, size, "%.6g ± %.2g", result->value, result->se);
}

static void print_bound(const ebm_check *check, char *buffer, size_t size) {
    int used = 0;
    buffer[0] = '\0';
    if (!isinf(check->above))
        used = snprintf(buffer, size, "above %g", check->above);
    if (!isinf(check->below) && used >= 0 && (size_t)used < size)
        used += snprintf(buffer + used, size - (size_t)used, "%sbelow %g", used > 0 ? ", " : "", check->below);
    if (check->errors > 0 && used >= 0 && (size_t)used < size)
        snprintf(buffer + used, size - (size_t)used, " (± %g s.e.)", check->errors);
}

static void print_checks(const ebm_suite *suite, const ebm_check_result *results) {
    for (size_t i = 0; i < suite->n_checks; i++) {
        const ebm_check *check = results[i].check;
        char number[64], bound[96];
        print_number(&results[i], number, sizeof number);
        print_bound(check, bound, sizeof bound);
        printf("  %-5s %-17s %s", check->law ? "law" : "claim", verdict_text(&results[i]), check->metric);
        for (size_t k = 0; k < check->n_where; k++)
            printf("%s%s %s", k == 0 ? " [" : ", ", check->where[k].column, check->where[k].value);
        printf("%s: %s, should be %s\n", check->n_where > 0 ? "]" : "", number, bound);
        if (check->why != NULL && check->why[0] != '\0')
            printf("        %s\n", check->why);
        if ((results[i].verdict == EBM_FELL_SHORT || results[i].verdict == EBM_DID_NOT_REPRODUCE) &&
            results[i].worst_case[0] != '\0')
            printf("        worst: %s\n", results[i].worst_case);
    }
}

/* Each reason once, in suite order, with how many cases share it. */
static void print_reasons(const ebm_run *run) {
    const ebm_case *cases = run->suite.cases;
    const size_t n = run->suite.n_cases;
    for (size_t i = 0; i < n; i++) {
        size_t earlier = 0, same = 1;
        if (cases[i].not_applicable == NULL)
            continue;
        while (earlier < i &&
               (!cases[earlier].not_applicable || strcmp(cases[earlier].not_applicable, cases[i].not_applicable) != 0))
            earlier++;
        if (earlier < i)
            continue;
        for (size_t k = i + 1; k < n; k++)
            same += cases[k].not_applicable && strcmp(cases[k].not_applicable, cases[i].not_applicable) == 0;
        printf("  not applicable (%zu): %s\n", same, cases[i].not_applicable);
    }
}

void ebm_run_summary(const ebm_run *run, const char *csv, const ebm_check_result *results) {
    size_t counts[EBM_CASE_NOT_APPLICABLE + 1] = {0};
    for (size_t i = 0; i < run->suite.n_cases; i++)
        counts[run->plans[i].state]++;
    printf("%s (%s): %zu cases: %zu ok", run->suite.name, ebm_size_name(run->suite.size), run->suite.n_cases,
           counts[EBM_CASE_OK] + counts[EBM_CASE_KEPT]);
    if (counts[EBM_CASE_KEPT] > 0)
        printf(" (%zu from earlier runs)", counts[EBM_CASE_KEPT]);
    printf(", %zu failed, %zu timed out, %zu not applicable", counts[EBM_CASE_FAILED], counts[EBM_CASE_TIMEOUT],
           counts[EBM_CASE_NOT_APPLICABLE]);
    if (counts[EBM_CASE_MISSING] > 0)
        printf(", %zu not computed", counts[EBM_CASE_MISSING]);
    putchar('\n');
    print_reasons(run);
    if (results != NULL)
        print_checks(&run->suite, results);
    else
        puts("  Cases are missing or cannot read their data: these are partial results, without derived rows and\n"
             "  checks; an earlier complete result stands as it was.");
    printf("rows: %s\n", csv);
}
