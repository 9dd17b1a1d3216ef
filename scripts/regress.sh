#!/bin/sh
# Computes every suite that has a committed reference afresh, in a folder of its own, and compares.
#   scripts/regress.sh [NAME...]
# Always the quick size. With FROM=FOLDER the results that lie there already are compared, and none computed. Status 4
# where results differ or a law fell short, as `ebm compare` and `ebm run` have it.
set -u
reference=results/reference/quick
ebm=build/release/ebm
names=$*
if [ -z "$names" ]; then
    for file in "$reference"/*.csv; do
        [ -f "$file" ] && names="$names $(basename "$file" .csv)"
    done
fi
if [ -z "$names" ]; then
    echo "regress: $reference holds no CSV" >&2
    exit 3
fi
if [ -n "${FROM:-}" ]; then
    fresh=$FROM
else
    fresh=$(mktemp -d) || exit 1
    trap 'rm -rf "$fresh"' EXIT
    trap 'exit 130' INT TERM
fi

same=0 different=0 result=0
for name in $names; do
    status=0
    if [ -z "${FROM:-}" ]; then
        $ebm run "$name" --size quick --out "$fresh" ${JOBS:+--jobs "$JOBS"} ${THREADS:+--threads "$THREADS"} >"$fresh/said"
        status=$?
        [ $status -eq 130 ] && exit 130
        [ $status -eq 0 ] || cat "$fresh/said"
    fi
    if [ $status -eq 0 ]; then
        $ebm compare "$fresh/$name.csv" "$reference/$name.csv"
        status=$?
    fi
    if [ $status -eq 0 ]; then
        same=$((same + 1))
    else
        different=$((different + 1))
        [ $result -ne 0 ] || result=$status
    fi
done
echo "regress: $same agree with $reference, $different do not"
exit $result
