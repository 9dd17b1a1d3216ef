#!/bin/sh
# Features of a net that another suite has trained: found in the folder of results ("results:..."), missed with advice, and
# judged again when the net has changed. The sheet of chains: a row for each, a picture for each step and one of means.
. "$(dirname "$0")/run_tools.sh"

net_suite() { # EPOCHS
    cat >net.yaml <<END
suite: net
about: a small classifier, for the tests of the harness
runner: classifier
grid:
  dataset: [{name: glyphs, side: 16, binarise: none, train: 200, test: 50}]
  seed: [1]
run: {channels: 2, hidden: 8, epochs: $1, batch: 20, shift: 1}
END
}
cat >judged.yaml <<END
suite: judged
about: samples judged by the features of a net
runner: learn
grid:
  dataset: [{name: glyphs, side: 16, binarise: none, standardise: given, train: 200, test: 50}]
  model: [{name: grbm, hidden: 4}]
  sampler: [{name: annealed-langevin, step: 10, batch: 0}]
  learner: [{name: cd, steps: 2, start: noise, rate: 0.01}]
  estimator: [{name: quality, samples: 180, steps: [2, 5], pixels: false, pairs: 20, net: "results:net/glyphs-seed-1"}]
  seed: [1]
run: {updates: 4, batch: 50, log_every: 2, chain_pictures: 3, chain_steps: [1, 4], picture_block: 40}
measure: [{name: frechet, samples: 180, steps: [5], pixels: false, net: "results:net/glyphs-seed-1"}]
END

status 1 "$EBM_PROGRAM" run ./judged.yaml --size full --out one
says err.txt "no net in .*one/net/glyphs-seed-1 .*runner classifier leaves one"

# What the end would refuse is refused at the start: these would train for days.
endless() { # options of run beside the updates
    sed "s/^suite: .*/suite: long/; s/^run: .*/run: {updates: 1000000000, batch: 50$1}/; /^measure:/d" judged.yaml >long.yaml
    status 1 timeout 30 "$EBM_PROGRAM" run ./long.yaml --size full --out one
}
endless ''
says err.txt 'no net in'

net_suite 1
status 0 "$EBM_PROGRAM" run ./net.yaml --size full --out one
endless ', chain_pictures: 3, chain_steps: [4, 1]'
says err.txt 'ascending whole numbers, not 1'
status 0 "$EBM_PROGRAM" run ./judged.yaml --size full --out one
for step in 0 2 4; do
    grep -q ",$step,training_frechet_digits_net,[0-9][0-9.e+-]*,[0-9][0-9.e+-]*,ok" one/judged.csv || fail "no distance after $step updates"
done
for step in 2 5; do
    grep -q ",$step,frechet_digits_net_mean,[0-9][0-9.e+-]*,[0-9][0-9.e+-]*,ok" one/judged.csv || fail "no distance after $step steps"
done
# At the last update the two see the same machine and draw the same chains.
[ "$(sed -n 's/.*,4,training_frechet_digits_net,//p' one/judged.csv)" = "$(sed -n 's/.*,5,frechet_digits_net,//p' one/judged.csv)" ] ||
    fail "frechet and quality differ"

# The same results again, and not computed again; a net of other weights is another matter.
cp one/judged.csv before.csv
status 0 "$EBM_PROGRAM" run ./judged.yaml --size full --out one
says err.txt '1 complete already'
net_suite 2
status 0 "$EBM_PROGRAM" run ./net.yaml --size full --out one
status 0 "$EBM_PROGRAM" run ./judged.yaml --size full --out one
says err.txt '0 complete already'
cmp -s one/judged.csv before.csv && fail "another net, the same distances"

# Three chains of two states and means, 16 x 16, with an empty cell between pictures.
sheet=$(find one/judged -name chains.csv)
awk -F, 'NF != 50 { print "a line of " NF " cells"; exit }
    { for (i = 1; i <= NF; i++) if (i % 17 == 0 || NR % 17 == 0 ? $i != "NaN" : $i !~ /^-?[0-9.e+-]+$/) { print "line " NR ", cell " i ": " $i; exit } }
    END { if (NR != 50) print NR " lines" }' "$sheet" >wrong
[ -s wrong ] && fail "$(cat wrong)"
exit 0
