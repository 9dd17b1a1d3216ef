#!/bin/sh
# A full disk and folders that cannot be written: one clear line, earlier results untouched, nothing half written left.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/run_tools.sh"

small_suite small "1, 2" 40
one_line() {
    [ "$(grep -c '^ebm: ' err.txt)" -eq 1 ] || {
        cat err.txt >&2
        fail "not one line of complaint"
    }
}

echo file >plain
status 2 "$EBM_PROGRAM" run ./small.yaml --out plain/results
says err.txt 'plain'
one_line
status 2 "$EBM_PROGRAM" run ./small.yaml --out /proc/results
says err.txt '/proc/results'
one_line

# The rest needs a small file system of its own, which a user namespace allows even without privileges.
if [ -z "${EBM_TEST_INSIDE:-}" ]; then
    if unshare --user --map-root-user --mount sh -c 'mount -t tmpfs -o size=64k none /mnt' 2>/dev/null; then
        EBM_TEST_INSIDE=1 unshare --user --map-root-user --mount sh "$here/test_run_disk.sh"
        exit $?
    elif unshare --mount sh -c 'mount -t tmpfs -o size=64k none /mnt' 2>/dev/null; then
        EBM_TEST_INSIDE=1 unshare --mount sh "$here/test_run_disk.sh"
        exit $?
    fi
    skip "no small file system can be mounted here"
fi
mkdir disk
mount -t tmpfs -o size=256k none disk || fail "cannot mount"
trap 'umount -l disk; rm -rf "$scratch"' EXIT
status 0 "$EBM_PROGRAM" run ./small.yaml --out disk/out
cp disk/out/small.csv before.csv

# Full before the run: what there is must survive, and the message names the cause.
dd if=/dev/zero of=disk/filler bs=1k count=1000 2>/dev/null
small_suite small "1, 2" 44
status 1 "$EBM_PROGRAM" run ./small.yaml --out disk/out
says err.txt 'No space left on device'
one_line
same before.csv disk/out/small.csv
if find disk -name '*tmp*' | grep -q .; then fail "temporary files are left"; fi

# Room for a few more cases, then full in the middle of the run.
rm disk/filler
dd if=/dev/zero of=disk/filler bs=1k count=$(($(df -k --output=avail disk | tail -1) - 48)) 2>/dev/null
small_suite small "1, 2, 3, 4, 5, 6, 7, 8" 48
status 1 "$EBM_PROGRAM" run ./small.yaml --out disk/out --jobs 1
says err.txt 'No space left on device'
one_line
same before.csv disk/out/small.csv
if find disk -name '*tmp*' | grep -q .; then fail "temporary files are left"; fi

# With room again the run goes on from the cases that were complete.
rm disk/filler
mount -o remount,size=4m disk
status 0 "$EBM_PROGRAM" run ./small.yaml --out disk/out --jobs 1
if grep -q ' 0 complete already' err.txt; then fail "complete cases were lost"; fi
status 0 "$EBM_PROGRAM" run ./small.yaml --out elsewhere --jobs 1
same elsewhere/small.csv disk/out/small.csv

mount -o remount,ro disk
status 2 "$EBM_PROGRAM" run ./small.yaml --out disk/out
says err.txt 'Read-only file system'
one_line
