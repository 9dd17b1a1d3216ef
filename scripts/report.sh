#!/bin/sh
# Every result of a folder on one page: what each suite is about, its checks, its figures.
#   scripts/report.sh [FOLDER]      writes FOLDER/report.md (FOLDER: results/quick)
set -eu
out=${1:-results/quick}
page=$out/report.md
[ -d "$out" ] || { echo "report: there is no folder $out" >&2; exit 1; }

checks() { # csv: a table of its checks
    awk -f plots/rows.awk -v want='metric=check:*' -v show='metric,dataset,learner,value,se,status' "$1" | awk -F, '
        NR == 1 { print "| check | value | verdict |"; print "| --- | --- | --- |" }
        {
            sub(/^check: /, "", $1)
            where = ($2 == "NaN" ? "" : ", " $2) ($3 == "NaN" ? "" : ", " $3)
            value = $4 == "NaN" ? "" : sprintf("%.4g", $4) ($5 == "NaN" ? "" : sprintf(" ± %.2g", $5))
            gsub(/-/, " ", $6)
            printf "| `%s`%s | %s | %s |\n", $1, where, value, $6
        }'
}

{
    echo "# Results in $out"
    found=0
    for csv in "$out"/*.csv; do
        name=$(basename "$csv" .csv)
        [ -f "suites/$name.yaml" ] || continue
        found=1
        printf '\n## %s\n\n%s\n\n' "$name" "$(sed -n 's/^about: *//p' "suites/$name.yaml" | head -n 1)"
        checks "$csv"
        for figure in "$out/figures/$name".svg "$out/figures/$name"-*.svg; do
            [ ! -f "$figure" ] || printf '\n![%s](figures/%s)\n' "$name" "$(basename "$figure")"
        done
        [ ! -f "$out/$name.run.yaml" ] || printf '\nProvenance: %s.run.yaml\n' "$name"
    done
    [ $found = 1 ] || echo "No results yet."
} >"$page.new"
mv "$page.new" "$page"
echo "report: $page"
