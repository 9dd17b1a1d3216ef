#!/bin/sh
# Runs suites and draws their figures.
#   scripts/run-suite.sh NAME...
# SIZE (quick), OUT (results/SIZE), JOBS, THREADS as in Makefile.experiments. The figure is drawn even where a law fell
# short, so that one can see how. Returns the first status other than 0: ebm's own, or 1 where a figure failed.
set -u
size=${SIZE:-quick}
out=${OUT:-results/$size}
result=0
for name in "$@"; do
    build/release/ebm run "$name" --size "$size" --out "$out" ${JOBS:+--jobs "$JOBS"} ${THREADS:+--threads "$THREADS"}
    status=$?
    [ $status -eq 130 ] && exit 130
    [ $result -ne 0 ] || result=$status
    case $status in
    0 | 1 | 4)
        if [ -f "plots/$name.gp" ]; then
            scripts/figure.sh "$name" "$size" "$out" || { [ $result -ne 0 ] || result=1; }
        fi
        ;;
    esac
    echo
done
exit $result
