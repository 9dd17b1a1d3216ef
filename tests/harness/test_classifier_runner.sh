#!/bin/sh
# Runner classifier: the rows and the saved net are the same to the byte for any --threads, and after kill -9 and resume;
# data without labels are refused.
. "$(dirname "$0")/run_tools.sh"

classifier_suite() { # NAME EPOCHS DATASET
    cat >"$1.yaml" <<END
suite: $1
about: a small classifier, for the tests of the harness
runner: classifier
grid:
  dataset: [$3]
  seed: [1]
run: {channels: 2, hidden: 8, epochs: $2, batch: 20, shift: 1}
END
}
same_net() {
    for file in "$1"/glyphs-seed-1/*.npy; do same "$file" "$2/glyphs-seed-1/$(basename "$file")"; done
}

classifier_suite small 3 '{name: glyphs, side: 16, binarise: none, train: 200, test: 50}'
for threads in 1 3; do
    status 0 "$EBM_PROGRAM" run ./small.yaml --out "out-$threads" --threads "$threads"
done
same out-1/small.csv out-3/small.csv
same_net out-1/small out-3/small
[ "$(find out-1/small -name '*.npy' | wc -l)" -eq 10 ] || fail "not ten files of a net"
[ "$(grep -c ',accuracy,' out-1/small.csv)" -eq 4 ] || fail "not a row for the start and for each epoch"

# Long enough to be caught in the middle; a checkpoint every few updates, in the middle of epochs.
EBM_CHECKPOINT_SECONDS=0.01
export EBM_CHECKPOINT_SECONDS
classifier_suite long 200 '{name: glyphs, side: 16, binarise: none, train: 200, test: 50}'
status 0 "$EBM_PROGRAM" run ./long.yaml --out whole
for moment in 0.1 0.2 0.15 0.25; do
    setsid "$EBM_PROGRAM" run ./long.yaml --out killed >/dev/null 2>&1 &
    group=$!
    sleep "$moment"
    kill -9 "-$group" 2>/dev/null
    wait "$group" 2>/dev/null
done
status 0 "$EBM_PROGRAM" run ./long.yaml --out killed
same whole/long.csv killed/long.csv
same_net whole/long killed/long

classifier_suite unlabelled 1 '{name: bars-and-stripes, side: 12}'
status 1 "$EBM_PROGRAM" run ./unlabelled.yaml --out out-1
says out-1/unlabelled.run.yaml 'label'
