#!/bin/sh
# Tools of the shell tests of `ebm run`: a scratch folder that goes away, and assertions that name themselves.
# The program under test is $EBM_PROGRAM; suites are written by the tests.
set -u
: "${EBM_PROGRAM:?the program under test}"
scratch=$(mktemp -d "${TMPDIR:-/tmp}/ebm-test-XXXXXX") || exit 1
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' INT TERM HUP
cd "$scratch" || exit 1

fail() {
    echo "FAILED: $*" >&2
    exit 1
}
skip() {
    echo "skipped: $*"
    exit 77
}
# status WANTED COMMAND...: run it, its output in out.txt and err.txt
status() {
    wanted=$1
    shift
    "$@" >out.txt 2>err.txt
    found=$?
    [ "$found" -eq "$wanted" ] || {
        cat out.txt err.txt >&2
        fail "status $found, not $wanted: $*"
    }
}
says() {
    grep -q -e "$2" "$1" || {
        cat "$1" >&2
        fail "$1 does not say '$2'"
    }
}
same() {
    cmp "$1" "$2" || fail "$1 and $2 differ"
}
# small_suite NAME SEEDS UPDATES [RATE]: a restricted Boltzmann machine small enough to be measured exactly
small_suite() {
    cat >"$1.yaml" <<END
suite: $1
about: a small machine, for the tests of the harness
runner: learn
grid:
  dataset: [{name: bars-and-stripes, side: 3}]
  model:   [{name: rbm, hidden: 6}]
  sampler: [{name: block-gibbs}]
  learner: [{name: cd, steps: 1, rate: ${4:-0.1}}, {name: pcd, steps: 2, rate: ${4:-0.1}}]
  seed:    [$2]
run:     {updates: $3, batch: 7, log_every: $(($3 / 4))}
measure: [exact-loglik]
END
}
