#!/bin/sh
# Finds which Debian packages are missing and installs them with apt-get, as root or through sudo; where neither is
# possible it prints the line to run and stops with status 1.
#   scripts/install-deps.sh          what building, running, testing and drawing need
#   scripts/install-deps.sh fuzz     also what the fuzz targets need (clang)
set -eu

packages="gcc cmake make pkg-config libopenblas-dev libcsv-dev libyaml-dev zlib1g-dev librandom123-dev liblbfgs-dev
check gnuplot-nox fonts-dejavu-core"
[ "${1:-}" != fuzz ] || packages="$packages clang libclang-rt-14-dev"

installed() { # package
    dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null | grep -q '^.i'
}

# Whether the thing itself is there, whoever installed it: a compiler from elsewhere is as good.
present() { # package
    case $1 in
    gcc) command -v gcc >/dev/null || command -v cc >/dev/null ;;
    cmake | make | clang) command -v "$1" >/dev/null ;;
    pkg-config) command -v pkg-config >/dev/null ;;
    gnuplot-nox) command -v gnuplot >/dev/null ;;
    libopenblas-dev) pkg-config --exists openblas 2>/dev/null ;;
    libyaml-dev) pkg-config --exists yaml-0.1 2>/dev/null ;;
    zlib1g-dev) pkg-config --exists zlib 2>/dev/null ;;
    liblbfgs-dev) pkg-config --exists liblbfgs 2>/dev/null ;;
    check) pkg-config --exists check 2>/dev/null ;;
    fonts-dejavu-core) command -v fc-list >/dev/null && fc-list | grep -q . ;;
    libcsv-dev) header csv.h ;;
    librandom123-dev) header Random123/philox.h ;;
    *) false ;;
    esac
}

header() { # file
    echo "#include <$1>" | "${CC:-cc}" -E -x c - >/dev/null 2>&1
}

missing=
for package in $packages; do
    installed "$package" || present "$package" || missing="$missing $package"
done
if [ -z "$missing" ]; then
    echo "packages: all there"
    exit 0
fi

install="apt-get install -y --no-install-recommends$missing"
if ! command -v apt-get >/dev/null; then
    echo "packages missing (Debian's names):$missing" >&2
    echo "This system has no apt-get: install them by its own means, then run this again." >&2
    exit 1
fi
as=
if [ "$(id -u)" != 0 ]; then
    if command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
        as=sudo
    else
        echo "packages missing:$missing" >&2
        echo "Run this as root, then try again:" >&2
        echo "  apt-get update && $install" >&2
        exit 1
    fi
fi
echo "packages missing:$missing; installing them"
$as env DEBIAN_FRONTEND=noninteractive apt-get update -q
# shellcheck disable=SC2086 # a list of words
$as env DEBIAN_FRONTEND=noninteractive $install
