#!/bin/sh
# Prints what the suites of the runner bench-updates measured, a line for each learner, sampler and estimator.
#   scripts/bench-updates-table.sh FILE...
set -eu
printf '%-16s %-36s %14s %14s %12s %16s\n' suite learner "ms an update" "outer % peak" "over floor" "ms an estimate"
for file; do
    awk -F, '
    function shown(metric, form, scale) {
        return (k, metric) in number ? sprintf(form, scale * number[k, metric]) : "-"
    }
    NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i; next }
    $column["status"] == "ok" {
        sampler = $column["sampler"]
        key = $column["learner"] (sampler == "" ? "" : ", " sampler)
        if (!(key in seen)) { seen[key] = 1; order[++count] = key }
        number[key, $column["metric"]] = $column["value"]
        suite = $column["suite"]
    }
    END {
        for (i = 1; i <= count; i++) {
            k = order[i]
            printf "%-16s %-36s %14.3f %14s %12s %16s\n", suite, k, 1000 * number[k, "seconds_per_update"],
                shown("outer_percent_of_peak", "%.0f", 1), shown("over_floor", "%.2f", 1),
                shown("seconds_per_estimate", "%.1f", 1000)
        }
    }' "$file"
done
