#!/bin/sh
# Prints what `bench-mixing` measured: effective draws a second, a line for each sampler, a column for each model.
#   scripts/bench-mixing-table.sh FILE
set -eu
awk -F, '
NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i; next }
$column["status"] == "ok" {
    m = $column["model"]; s = $column["sampler"]
    if ($column["metric"] == "peak_gflops" && $column["value"] > peak) peak = $column["value"]
    if ($column["metric"] != "ess_per_second") next
    if (!(m in model)) { model[m] = 1; models[++columns] = m }
    if (!(s in sampler)) { sampler[s] = 1; samplers[++lines] = s }
    number[m, s] = $column["value"]
}
END {
    printf "%-24s", "effective draws / s"
    for (i = 1; i <= columns; i++) printf " %13s", substr(models[i], 1, 13)
    printf "\n"
    for (k = 1; k <= lines; k++) {
        printf "%-24s", samplers[k]
        for (i = 1; i <= columns; i++) {
            if ((models[i], samplers[k]) in number) printf " %13.3g", number[models[i], samplers[k]]
            else printf " %13s", ""
        }
        printf "\n"
    }
    printf "\nof the worst observable, one thread; peak %.1f GFLOP/s\n", peak
}' "$1"
