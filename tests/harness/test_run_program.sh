#!/bin/sh
# The program from outside: its exit statuses, what it teaches, and failures with the real components.
. "$(dirname "$0")/run_tools.sh"

for command in run list show compare; do
    status 0 "$EBM_PROGRAM" $command --help
    says out.txt 'Example'
done
status 0 "$EBM_PROGRAM" --version
says out.txt 'BLAS'
says out.txt 'kernels'
status 2 "$EBM_PROGRAM" lits
says err.txt "did you mean 'list'"
status 0 "$EBM_PROGRAM" list models
says out.txt '^rbm '
status 0 "$EBM_PROGRAM" show model rbm
says out.txt 'hidden'
says out.txt 'block-gibbs'
status 2 "$EBM_PROGRAM" show model rmb
says err.txt "did you mean 'rbm'"
status 0 "$EBM_PROGRAM" show runner learn
says out.txt 'log_every'

small_suite small "1, 2" 40
status 0 "$EBM_PROGRAM" list ./small.yaml
[ "$(wc -l <out.txt)" -eq 4 ] || fail "not four cases"
status 3 "$EBM_PROGRAM" run ./small.yaml --only 'nothing'
status 0 "$EBM_PROGRAM" run ./small.yaml --out a
status 0 "$EBM_PROGRAM" compare a/small.csv a/small.csv
status 0 "$EBM_PROGRAM" show a/small.csv
says out.txt 'log_z'

# Numbers that moved by far more than they vary over seeds, and a row that is missing.
awk -F, -v OFS=, '$9 == "log_z" { $10 += 1000 } { print }' a/small.csv >changed.csv
cmp -s a/small.csv changed.csv && fail "the planted change is none"
status 4 "$EBM_PROGRAM" compare changed.csv a/small.csv
sed 2d a/small.csv >shorter.csv
status 4 "$EBM_PROGRAM" compare shorter.csv a/small.csv
status 4 "$EBM_PROGRAM" compare a/small.csv shorter.csv
status 2 "$EBM_PROGRAM" compare a/small.csv none.csv

# A learning rate at which training runs away: failed rows, and the others stand.
small_suite wild "1" 400 1e9
status 1 "$EBM_PROGRAM" run ./wild.yaml --out a
says a/wild.csv 'failure,,,failed$'
says a/wild.run.yaml 'status: failed'
says err.txt 'failed'

# A suite that takes too long.
small_suite slow "1" 100000000
echo 'timeout: 1' >>slow.yaml
status 1 "$EBM_PROGRAM" run ./slow.yaml --out a
says a/slow.csv 'failure,,,timeout$'

# A law that falls short; a claim that does.
small_suite law "1" 40
printf 'checks:\n  - {law: log_z, above: 1e9, why: "it cannot be"}\n' >>law.yaml
status 4 "$EBM_PROGRAM" run ./law.yaml --out a
says out.txt 'FELL SHORT'
sed 's/law: log_z/claim: log_z/' law.yaml >claim.yaml
status 0 "$EBM_PROGRAM" run ./claim.yaml --out a
says out.txt 'did not reproduce'

# Results depend on the contents of the files they were computed from.
cat >own.yaml <<END
suite: own
about: data from a file
runner: learn
grid:
  dataset: [{name: csv, train: own.csv}]
  model:   [{name: rbm, hidden: 2}]
  sampler: [{name: block-gibbs}]
  learner: [{name: cd}]
run:     {updates: 10, batch: 3}
measure: [exact-loglik]
END
printf '0,1,1\n1,0,0\n1,1,0\n' >own.csv
status 0 "$EBM_PROGRAM" run ./own.yaml --out a
cp a/own.csv before.csv
touch own.csv
status 0 "$EBM_PROGRAM" run ./own.yaml --out a
says err.txt ' 0 to compute'
printf '0,1,1\n1,0,0\n1,1,1\n' >own.csv
status 0 "$EBM_PROGRAM" run ./own.yaml --out a
says err.txt ' 1 to compute'
cmp -s before.csv a/own.csv && fail "other data, the same numbers"
cp a/own.csv before.csv
rm own.csv
status 1 "$EBM_PROGRAM" run ./own.yaml --out a
says err.txt 'own.csv'
cmp before.csv a/own.csv || fail "missing data replaced an earlier result"

EBM_DATASETS=/no/such/folder
export EBM_DATASETS
status 2 "$EBM_PROGRAM" run ./small.yaml --out a
says err.txt 'EBM_DATASETS'
