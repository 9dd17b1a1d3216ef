#!/bin/sh
# The sheet of pictures with missing pixels: its shape, what stands in its rows, and what is said where there is nothing to show.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() {
    echo "test_imputed: $1" >&2
    exit 1
}
suite() { # measure
    cat >"$work/filled.yaml" <<EOF
suite: filled
about: pictures with missing pixels
source: none
runner: learn
grid:
  dataset: [{name: glyphs, side: 8, train: 50, test: 20, binarise: threshold}]
  model: [{name: rbm, hidden: 4}]
  sampler: [{name: block-gibbs}]
  learner: [{name: cd, steps: 1, rate: 0.05}]
  seed: [1]
run: {updates: 5, batch: 10, imputed: 3}
measure: [$1]
EOF
}

suite '{name: imputation, shares: [0.25, 0.5], missing: right, sweeps: 10, burn_in: 5}'
"$EBM_PROGRAM" run "$work/filled.yaml" --size full --out "$work/out" >"$work/said" 2>&1 || fail "$(cat "$work/said")"
sheet=$(find "$work/out/filled" -name imputed.csv)
# Five rows of three pictures of 8 x 8 with an empty cell between them. The right half is 0.5 in the second row and that of no other;
# the left half is the same in all rows.
awk -F, '
    NF != 26 { print "a line of " NF " cells"; exit }
    {
        row = int((NR - 1) / 9); y = (NR - 1) % 9
        for (i = 1; i <= NF; i++) {
            x = (i - 1) % 9
            if (x == 8 || y == 8) { if ($i != "NaN") print "a cell between pictures is " $i; continue }
            if (x < 4 && row == 0) seen[y, i] = $i
            if (x < 4 && $i != seen[y, i]) print "row " row " changes a pixel that is seen"
            if (x >= 4 && row == 1 && $i != 0.5) print "a missing pixel is " $i
            if (x >= 4 && (row == 0 || row == 4) && $i != 0 && $i != 1) print "row " row " has a pixel of " $i
            if (x >= 4 && row == 3 && ($i <= 0 || $i >= 1)) print "a mean is " $i
        }
    }
    END { if (NR != 44) print NR " lines" }' "$sheet" >"$work/wrong"
[ -s "$work/wrong" ] && fail "$(head -3 "$work/wrong")"

suite '{name: free-energy-gap}'
"$EBM_PROGRAM" run "$work/filled.yaml" --size full --out "$work/none" >"$work/said" 2>&1 && fail "a sheet of nothing"
grep -q "nothing to show without the estimator imputation" "$work/said" || fail "$(cat "$work/said")"
