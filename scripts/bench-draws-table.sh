#!/bin/sh
# Prints what `bench-draws` measured.
#   scripts/bench-draws-table.sh FILE
set -eu
awk -F, '
FNR == 1 { for (i = 1; i <= NF; i++) column[$i] = i; next }
$column["status"] == "ok" { n[$column["metric"]] = $column["value"] }
END {
    printf "one thread, ns each: words %.2f; normals %.2f, by the C library %.2f, ratio %.1f (NumPy'"'"'s standard_normal in float takes 8.6 on such a core); categories by inverse %.1f, by alias %.1f\n",
        n["words_ns"], n["normals_ns"], n["normals_plain_ns"], n["normals_over_plain"], n["categories_inverse_ns"], n["categories_alias_ns"]
}' "$@"
