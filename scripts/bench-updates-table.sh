#!/bin/sh
# Prints what the suites of the runner bench-updates measured, a line for each learner and estimator.
#   scripts/bench-updates-table.sh FILE...
set -eu
printf '%-16s %-16s %14s %14s %16s\n' suite learner "ms an update" "outer % peak" "ms an estimate"
for file; do
    awk -F, '
    NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i; next }
    $column["status"] == "ok" {
        key = $column["learner"]
        if (!(key in seen)) { seen[key] = 1; order[++count] = key }
        number[key, $column["metric"]] = $column["value"]
        suite = $column["suite"]
    }
    END {
        for (i = 1; i <= count; i++) {
            k = order[i]
            estimate = (k, "seconds_per_estimate") in number ? sprintf("%.1f", 1000 * number[k, "seconds_per_estimate"]) : "-"
            printf "%-16s %-16s %14.3f %14.0f %16s\n", suite, k, 1000 * number[k, "seconds_per_update"], number[k, "outer_percent_of_peak"], estimate
        }
    }' "$file"
done
