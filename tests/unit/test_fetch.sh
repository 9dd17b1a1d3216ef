#!/bin/sh
# datasets/fetch.sh: a right file is fetched and kept, a wrong one never arrives, in words that name it.
set -u
command -v curl >/dev/null 2>&1 || { echo "skipped: curl, which reads file:// addresses, is not installed"; exit 77; }
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
mkdir "$work/mirror" "$work/bin" "$work/data"
cp "$EBM_SOURCE_DIR/datasets/fetch.sh" "$work/bin/"
printf 'some data\n' | gzip -n >"$work/mirror/good.gz"
printf 'other data\n' | gzip -n >"$work/mirror/bad.gz"
head -c 12 "$work/mirror/good.gz" >"$work/mirror/cut.gz"
sum=$(printf 'some data\n' | sha256sum | cut -d ' ' -f 1)

catalogue() { # NAME...
    echo "datasets:"
    for name; do
        printf '  - name: set-%s\n    urls:\n      - file://%s/nowhere\n      - file://%s/mirror\n    files:\n' \
            "$name" "$work" "$work"
        printf '      - file: %s\n        packed: %s.gz\n        packed_bytes: 30\n        bytes: 10\n        sha256: %s\n' \
            "$name" "$name" "$sum"
    done
}
catalogue good bad cut missing >"$work/bin/catalog.yaml"

checks=0
failures=0
check() { # WHAT STATUS EXPECTED-STATUS EXPECTED-TEXT
    checks=$((checks + 1))
    if [ "$2" -ne "$3" ] || ! grep -q -- "$4" "$work/said"; then
        echo "FAILED: $1: status $2 (expected $3), said:"
        cat "$work/said"
        failures=$((failures + 1))
    fi
}
fetch() { EBM_DATASETS=$work/data sh "$work/bin/fetch.sh" "$@" >"$work/said" 2>&1; }

fetch set-good; check "a right file" $? 0 'good.gz: fetched, SHA-256 right'
fetch set-good; check "a right file again" $? 0 'there, SHA-256 right'
cmp -s "$work/mirror/good.gz" "$work/data/set-good/good.gz"; check "its content" $? 0 'there'
fetch set-bad; check "a wrong file" $? 1 'not the published file'
fetch set-cut; check "a truncated file" $? 1 'damaged'
fetch set-missing; check "a missing file" $? 1 'could not be fetched'
fetch set-god; check "an unknown set" $? 2 "no data set 'set-god'"
fetch; check "all sets, one of them good" $? 1 'there, SHA-256 right'
EBM_DATASETS=$work/none sh "$work/bin/fetch.sh" >"$work/said" 2>&1; check "no such folder" $? 2 'not an existing folder'
# A damaged archive is replaced; a wrong unpacked file is named and left alone.
echo rubbish >"$work/data/set-good/good.gz"
fetch set-good; check "a damaged archive" $? 0 'fetched, SHA-256 right'
echo rubbish >"$work/data/set-good/good"
fetch set-good; check "a wrong unpacked file" $? 1 'remove or rename it'
printf 'some data\n' >"$work/data/set-good/good"
fetch set-good; check "a right unpacked file" $? 0 'there, SHA-256 right'
find "$work/data" -type f | sort >"$work/said"
[ "$(wc -l <"$work/said")" -eq 2 ]; check "nothing else was left" $? 0 'good'
# The real catalogue is read whole: four files of MNIST, each with its sum.
n=$(grep -c 'sha256: [0-9a-f]\{64\}$' "$EBM_SOURCE_DIR/datasets/catalog.yaml")
[ "$n" -eq 4 ]; check "the catalogue" $? 0 'good'
echo "$checks checks, $failures failures"
exit "$failures"
