#!/bin/sh
# Draws a suite's figures from its CSV, each as SVG and as PNG.
#   scripts/figure.sh NAME [SIZE [FOLDER]]
# reads FOLDER/NAME.csv (FOLDER: results/SIZE by default) and writes FOLDER/figures/NAME*.svg and NAME*.png. What
# gnuplot has to say is shown; a warning, a missing or an empty file is an error.
set -eu
# gnuplot draws in UTF-8 and needs a locale that knows it, which a bare machine does not set.
export LC_ALL=C.UTF-8
name=$1
size=${2:-quick}
out=${3:-results/$size}

fail() {
    echo "figure $name: $1" >&2
    exit 1
}

[ -f "plots/$name.gp" ] || fail "there is no plots/$name.gp"
[ -s "$out/$name.csv" ] || fail "there is no $out/$name.csv: run the suite first"
command -v gnuplot >/dev/null || fail "gnuplot is not installed: make -f Makefile.experiments deps"
mkdir -p "$out/figures"
work=$(mktemp -d "$out/figures/.new.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

for format in svg png; do
    if ! gnuplot -e "csv='$out/$name.csv'; size='$size'; sides='$out/$name'; figure='$work/$name'; format='$format'" \
        "plots/$name.gp" >"$work/said" 2>&1; then
        cat "$work/said" >&2
        fail "gnuplot failed on plots/$name.gp"
    fi
    if [ -s "$work/said" ]; then
        cat "$work/said" >&2
        fail "gnuplot complains about plots/$name.gp"
    fi
done

count=0
for file in "$work/$name"*.svg; do
    for picture in "$file" "${file%.svg}.png"; do
        [ -s "$picture" ] || fail "$(basename "$picture") is missing or empty"
    done
    count=$((count + 1))
done
# Figures of an earlier run that this one does not draw must not stay beside it.
rm -f "$out/figures/$name".svg "$out/figures/$name".png "$out/figures/$name"-*.svg "$out/figures/$name"-*.png
for file in "$work/$name"*.svg "$work/$name"*.png; do
    mv "$file" "$out/figures/"
done
echo "figures: $count in $out/figures/$name*.{svg,png}"
