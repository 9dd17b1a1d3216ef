#!/bin/sh
# Prints what `bench` measured, a line for each workload, path and number of threads, with the kernels behind it.
#   scripts/bench-table.sh EBM FILE
set -eu
"$1" --version | grep -E '^(kernels|BLAS|numbers):'
awk -F, '
NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i; next }
{
    metric = $column["metric"]; threads = $column["step"]; value = $column["value"]
    if (metric == "peak_gflops") { peak = value; next }
    if (split(metric, part, "_") < 3) next
    what = substr(metric, length(part[1]) + length(part[2]) + 3)
    key = part[1] " " part[2] " " threads
    if (!(key in seen)) { seen[key] = 1; order[++count] = key }
    number[key, what] = value
}
END {
    printf "peak:     %.1f GFLOP/s of one thread\n\n", peak
    printf "%-9s %-7s %7s %10s %9s %10s %11s %8s\n", "workload", "path", "threads", "seconds", "GFLOP/s", "% of peak", "over floor", "speedup"
    for (i = 1; i <= count; i++) {
        split(order[i], part, " ")
        printf "%-9s %-7s %7s %10.3f %9.1f %10.0f %11.2f %8.2f\n", part[1], part[2], part[3], number[order[i], "seconds"],
            number[order[i], "gflops"], number[order[i], "percent_of_peak"], number[order[i], "over_floor"], number[order[i], "speedup"]
    }
}' "$2"
