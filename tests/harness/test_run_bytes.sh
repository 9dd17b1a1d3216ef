#!/bin/sh
# The CSV is the same to the byte for any --jobs and --threads, and after kill -9 of the whole process group at ten
# moments followed by a resume.
. "$(dirname "$0")/run_tools.sh"

small_suite small "1, 2" 400
for jobs in 1 2; do
    for threads in 1 2; do
        status 0 "$EBM_PROGRAM" run ./small.yaml --out "out-$jobs-$threads" --jobs "$jobs" --threads "$threads"
        same out-1-1/small.csv "out-$jobs-$threads/small.csv"
    done
done
[ "$(grep -c ',ok$' out-1-1/small.csv)" -ge 20 ] || fail "too few rows"
says out-1-1/small.run.yaml 'complete: true'

# Long enough to be caught in the middle of cases on a fast machine; a checkpoint every few updates.
EBM_CHECKPOINT_SECONDS=0.01
export EBM_CHECKPOINT_SECONDS
small_suite long "1, 2" 20000
status 0 "$EBM_PROGRAM" run ./long.yaml --out whole --jobs 2
moment=7
for round in 1 2 3 4 5 6 7 8 9 10; do
    setsid "$EBM_PROGRAM" run ./long.yaml --out killed --jobs 2 >/dev/null 2>&1 &
    group=$!
    moment=$(((moment * 1103515245 + 12345) % 2147483648))
    sleep "0.$((moment / 65536 % 6))$((moment / 4096 % 10))"
    kill -9 "-$group" 2>/dev/null
    wait "$group" 2>/dev/null
    if [ -f killed/long.csv ]; then same whole/long.csv killed/long.csv; fi
done
status 0 "$EBM_PROGRAM" run ./long.yaml --out killed --jobs 1
same whole/long.csv killed/long.csv
if find killed -name '*tmp*' | grep -q .; then fail "temporary files are left"; fi
echo "rounds of kill -9: $round; the bytes agree"
