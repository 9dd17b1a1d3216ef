#!/bin/sh
# Downloads the data sets of catalog.yaml and verifies what is inside them.
#
#   datasets/fetch.sh [NAME ...]     all of them, or those named
#
# They go to $EBM_DATASETS/NAME/, or beside this script where the variable is not set. A file that is there and right
# is left alone; one that is wrong is replaced only by one that is right. Exit status: 0 all there and right, 1 a file
# could not be had, 2 usage.
set -u

here=$(cd "$(dirname "$0")" && pwd) || exit 1
catalog=$here/catalog.yaml
root=${EBM_DATASETS:-$here}
part=

say() { printf '%s\n' "$*" >&2; }
# shellcheck disable=SC2317 # called by the trap
clean() { [ -z "$part" ] || rm -f "$part"; }
trap clean EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# One line a file: set, packed name, packed bytes, bytes, sum, addresses.
entries() {
    awk '
        function flush() { if (file != "") lines[++n] = set " " packed " " packed_bytes " " bytes " " sum; file = "" }
        function finish() { flush(); for (i = 1; i <= n; i++) print lines[i] urls; n = 0; urls = "" }
        /^ *#/ { next }
        $1 == "-" && $2 == "name:" { finish(); set = $3 }
        $1 == "-" && $2 == "file:" { flush(); file = $3 }
        $1 == "-" && $2 ~ /^(https?|file):/ { urls = urls " " $2 }
        $1 == "packed:" { packed = $2 }
        $1 == "packed_bytes:" { packed_bytes = $2 }
        $1 == "bytes:" { bytes = $2 }
        $1 == "sha256:" { sum = $2 }
        END { finish() }' "$catalog"
}

sha256() {
    if command -v sha256sum >/dev/null 2>&1; then
        sha256sum
    elif command -v shasum >/dev/null 2>&1; then
        shasum -a 256
    else
        openssl dgst -sha256 -r
    fi | cut -d ' ' -f 1
}

# sum_of FILE: of what is inside, packed or not. Nothing for a damaged archive.
sum_of() {
    case $1 in
    *.gz | *.part) gzip -t <"$1" 2>/dev/null && gzip -dc <"$1" | sha256 ;;
    *) sha256 <"$1" ;;
    esac
}

# download URL FILE
download() {
    if command -v curl >/dev/null 2>&1; then
        curl --fail --silent --show-error --location --connect-timeout 20 --retry 2 --output "$2" "$1"
    elif command -v wget >/dev/null 2>&1; then
        wget --quiet --timeout=20 --tries=3 --output-document="$2" "$1"
    else
        say "neither curl nor wget is installed: apt-get install curl"
        return 1
    fi
}

# get SET PACKED PACKED_BYTES BYTES SUM URL...
get() {
    set_name=$1 packed=$2 packed_bytes=$3 bytes=$4 sum=$5
    shift 5
    folder=$root/$set_name
    for present in "$folder/${packed%.gz}" "$folder/$packed"; do
        [ -f "$present" ] || continue
        if [ "$(sum_of "$present")" = "$sum" ]; then
            say "$set_name/${present##*/}: there, SHA-256 right"
            return 0
        fi
        # The reader takes the unpacked file first, so a wrong one must not hide a right archive.
        say "$present: wrong or damaged (SHA-256 is not $sum)"
        case $present in *.gz) ;; *)
            say "remove or rename it, then run this again"
            return 1
            ;;
        esac
    done
    mkdir -p "$folder" || return 1
    part=$folder/.$packed.$$.part
    for url in "$@"; do
        say "$set_name/$packed: fetching about $packed_bytes bytes from $url"
        if ! download "$url/$packed" "$part"; then
            say "$url/$packed: could not be fetched (offline?)"
        elif [ "$(sum_of "$part")" != "$sum" ]; then
            say "$url/$packed: damaged, or not the published file: $bytes bytes with SHA-256 $sum were expected inside"
        elif mv -f "$part" "$folder/$packed"; then
            say "$set_name/$packed: fetched, SHA-256 right"
            return 0
        fi
        rm -f "$part"
    done
    say "$set_name/$packed: not fetched; put the file into $folder by hand, or set EBM_DATASETS to a folder that has it"
    return 1
}

case ${1-} in -*)
    sed -n '2,8s/^# \{0,1\}//p' "$0"
    [ "$1" = --help ] || [ "$1" = -h ] || exit 2
    exit 0
    ;;
esac
[ -r "$catalog" ] || { say "$catalog: not there"; exit 2; }
if [ -n "${EBM_DATASETS-}" ] && [ ! -d "$EBM_DATASETS" ]; then
    say "EBM_DATASETS is '$EBM_DATASETS': that is not an existing folder"
    exit 2
fi
known=$(entries | cut -d ' ' -f 1 | sort -u)
for wanted; do
    printf '%s\n' "$known" | grep -Fqx -- "$wanted" || {
        say "no data set '$wanted': there are $(printf '%s' "$known" | tr '\n' ' ')"
        exit 2
    }
done

list=$(entries)
failed=0
while read -r set_name rest; do
    case " ${*:-$set_name} " in *" $set_name "*) ;; *) continue ;; esac
    # shellcheck disable=SC2086 # the entry is a list of words
    get "$set_name" $rest || failed=1
done <<EOF
$list
EOF
exit $failed
