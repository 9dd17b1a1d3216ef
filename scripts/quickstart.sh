#!/bin/sh
# Runs the suites named, in their quick size or $SIZE, draws their figures, and says where they lie, what they show and
# what the checks found.
#   scripts/quickstart.sh NAME...
set -u
size=${SIZE:-quick}
out=${OUT:-results/$size}
result=0
for name in "$@"; do
    echo "== $name"
    scripts/run-suite.sh "$name"
    status=$?
    [ $status -eq 130 ] && exit 130
    [ $result -ne 0 ] || result=$status
done

echo "What there is to see"
for name in "$@"; do
    [ -f "$out/$name.csv" ] || continue
    echo
    echo "$name: $(sed -n 's/^about: *//p' "suites/$name.yaml" | head -n 1)"
    for figure in "$out/figures/$name".png "$out/figures/$name"-*.png; do
        [ ! -f "$figure" ] || echo "  figure  $figure (and .svg)"
    done
    echo "  rows    $out/$name.csv"
    echo "  $(awk -f plots/verdict.awk "$out/$name.csv")"
done
echo
echo "Numbers: build/release/ebm show $out/$1.csv. All targets: make -f Makefile.experiments"
exit $result
