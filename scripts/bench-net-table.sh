#!/bin/sh
# Prints what `bench-net` measured.
#   scripts/bench-net-table.sh FILE
set -eu
awk -F, '
FNR == 1 { for (i = 1; i <= NF; i++) column[$i] = i; next }
$column["status"] == "ok" {
    t = $column["step"]
    if (!(t in seen)) { seen[t] = 1; order[++count] = t }
    n[t, $column["metric"]] = $column["value"]
}
END {
    for (i = 1; i <= count; i++) {
        t = order[i]
        printf "digits classifier, minibatch of 128, %d thread%s: %.1f ms; of one thread'"'"'s sgemm (%.0f GFLOP/s): convolutions %.0f %%, the whole net %.0f %%\n",
            t, t == 1 ? "" : "s", n[t, "net_ms"], n[t, "peak_gflops"], n[t, "convolutions_percent_of_peak"], n[t, "net_percent_of_peak"]
    }
}' "$@"
