#!/bin/sh
# Builds and runs every test in each preset, and closes with one line of totals over all of them.
#   scripts/check.sh [PRESET...]       default: release double sanitize, and fuzz where clang can build it
# JOBS sets how many compilers and tests run at once. Status 1 when a test or a build failed.
set -u
jobs=${JOBS:-$(nproc 2>/dev/null || echo 2)}
passed=0 failed=0 skipped=0 summary=

number() { # attribute file
    sed -n "s/.*[^a-z]$1=\"\([0-9]*\)\".*/\1/p" "$2" | head -n 1
}

note() { # preset text
    summary="$summary
$(printf '  %-9s %s' "$1" "$2")"
}

# A compiler that has libFuzzer and the sanitizers.
can_fuzz() {
    command -v clang >/dev/null || return 1
    probe=$(mktemp -d) || return 1
    echo 'int LLVMFuzzerTestOneInput(const unsigned char *d, unsigned long n) { return d && n ? 0 : 0; }' >"$probe/f.c"
    clang -fsanitize=fuzzer,address,undefined "$probe/f.c" -o "$probe/f" >/dev/null 2>&1
    result=$?
    rm -rf "$probe"
    return $result
}

check_preset() { # preset
    folder=build/$1
    report=$folder/tests.xml
    printf '\n== %s: configure, build, test\n' "$1"
    rm -f "$report"
    if ! cmake --preset "$1" >"$folder.log" 2>&1 || ! cmake --build "$folder" -j "$jobs" >>"$folder.log" 2>&1; then
        tail -n 40 "$folder.log"
        failed=$((failed + 1))
        note "$1" "did not build (see $folder.log)"
        return
    fi
    ctest --test-dir "$folder" -j "$jobs" --no-tests=error --output-on-failure --output-junit "$PWD/$report"
    status=$?
    grep -h '^skipped: ' "$folder/Testing/Temporary/LastTest.log" 2>/dev/null | sort -u | sed 's/^/  /'
    if [ ! -s "$report" ]; then
        failed=$((failed + 1))
        note "$1" "the tests could not be run"
        return
    fi
    all=$(number tests "$report") bad=$(number failures "$report") disabled=$(number disabled "$report")
    left=$(($(number skipped "$report") + disabled))
    good=$((all - bad - left))
    if [ $status -ne 0 ] && [ "$bad" -eq 0 ]; then
        bad=1
    fi
    passed=$((passed + good)) failed=$((failed + bad)) skipped=$((skipped + left))
    note "$1" "$good passed, $bad failed, $left skipped"
}

presets=${*:-release double sanitize fuzz}
mkdir -p build
for preset in $presets; do
    if [ "$preset" = fuzz ] && ! can_fuzz; then
        skipped=$((skipped + 1))
        note fuzz "skipped: needs clang with libFuzzer (scripts/install-deps.sh fuzz)"
        continue
    fi
    check_preset "$preset"
done

printf '\nTests (one executable or script each)%s\n' "$summary"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
