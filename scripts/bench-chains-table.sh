#!/bin/sh
# Prints what `bench-chains` measured, a line for each model and sampler.
#   scripts/bench-chains-table.sh FILE ...
set -eu
awk -F, '
FNR == 1 { delete column; for (i = 1; i <= NF; i++) column[$i] = i; next }
$column["status"] == "ok" {
    key = sprintf("%-24s %-24s", $column["model"], $column["sampler"])
    if (!(key in seen)) { seen[key] = 1; order[++count] = key }
    number[key, $column["metric"]] = $column["value"]
}
END {
    printf "%-24s %-24s %12s %12s %12s %12s %14s\n", "model", "sampler", "ms a step", "updates/s", "/plain loop", "dense % peak", "changes % mem."
    for (i = 1; i <= count; i++) {
        k = order[i]
        printf "%s %12.3f", k, 1000 * number[k, "seconds_per_step"]
        if ((k, "gradient_rate") in number) { gradients = 1; printf " %12.3g %12s %12.0f", number[k, "gradient_rate"], "", number[k, "gradient_percent_of_peak"] }
        else printf " %12.3g %12.2f %12.0f", number[k, "update_rate"], number[k, "over_plain_loop"], number[k, "dense_percent_of_peak"]
        printf (k, "change_rate") in number ? " %14.0f\n" : "\n", number[k, "changes_percent_of_memory"]
        if (number[k, "memory_rate"] > memory) memory = number[k, "memory_rate"]
        if ((k, "diagnostics_seconds") in number && (!best || number[k, "diagnostics_seconds"] < best)) best = number[k, "diagnostics_seconds"]
        if (number[k, "peak_gflops"] > peak) peak = number[k, "peak_gflops"]
        if (number[k, "plain_loop_rate"] > plain) plain = number[k, "plain_loop_rate"]
    }
    printf "\npeak %.1f GFLOP/s, plain loop %.3g updates/s, of one thread\n", peak, plain
    if (gradients) print "hmc: gradients a second; 2 V^2 operations for each, with everything else that a step takes for nothing"
    if (memory) printf "memory %.1f GB/s by y += a x; changes: 3 V numbers each, in chains that descend from random states\n", memory
    if (best) printf "R-hat and ESS of 4 chains x 10,000 draws x 200 variables: %.3f s (the R package posterior 1.4.0 takes 5.7 s on such a core)\n", best
}' "$@"
