# Outliers told by the free energy: ROC curves (mean over the digits held out) and areas, digit by digit, beside those of single
# pixels. Then missing pixels: wrong ones against how many are missing, and the pictures.
load "plots/style.gp"

digits = values("metric=auc_held_out", "dataset.leave_out")
n = words(digits)
data = word(values("metric=auc_held_out", "dataset"), 1)
is_mnist = size eq "full"
kinds = is_mnist ? "noise shuffled against held_out halves" : "noise shuffled held_out halves"
title_of(k) = k eq "held_out" ? "digits held out" : k eq "against" ? "generated digits" : k eq "shuffled" ? "shuffled pixels" : \
    k eq "noise" ? "independent pixels" : "test digits (control)"
style_of(k) = k eq "held_out" ? 2 : k eq "against" ? 5 : k eq "shuffled" ? 4 : k eq "noise" ? 1 : 3

eval page("", 1280, 720)
set multiplot
set label 1 heading("Outliers told by the free energy of an RBM", \
    is_mnist ? "MNIST without one digit, 200 hidden units, PCD; outliers against the test digits that were learnt; mean and s.e. over the ten machines" : \
    "generated digits without one, 100 hidden units, PCD; outliers against the test digits that were learnt; mean and s.e. over the machines") \
    at screen 0.5,0.945 center
set label 2 verdict(0) at screen 0.5,0.028 center font ",13" textcolor rgb "#444444" noenhanced
set tmargin at screen 0.84
set bmargin at screen 0.19
set lmargin at screen 0.08
set rmargin at screen 0.44
set xlabel "share of known digits flagged"
set ylabel "share of outliers found" offset 1,0
set xrange [0:1]
set yrange [0:1.02]
set xtics 0.2
set ytics 0.2
set key at graph 0.98,0.05 right bottom font ",14" samplen 3
plot x with lines linecolor rgb grey linewidth 1.5 dashtype 3 notitle, \
    for [k in kinds] rows("metric=found_" . k . "_mean", "step,value,se") using ($1 / 1000):2:3 with yerrorlines \
        linestyle style_of(k) linewidth 2.5 pointsize 0.9 title title_of(k)
unset label 1
unset label 2
set lmargin at screen 0.53
set rmargin at screen 0.985
set xlabel
set ylabel "area under the curve" offset 1,0
others = is_mnist ? "against shuffled noise halves" : "shuffled noise halves"
short(k) = k eq "against" ? "gener-\nated" : k eq "shuffled" ? "shuf-\nfled" : k eq "noise" ? "noise" : "control"
m = words(others)
spot(i) = n - 0.2 + (is_mnist ? 1.8 : 1.2) * i
set xrange [0.4:spot(m) + 1]
set yrange [0:1.05]
set xtics scale 0 font ",13"
set xtics ("" 0)
set for [i = 1:n] xtics add (word(digits, i) i)
set for [i = 1:m] xtics add (short(word(others, i)) spot(i))
set label 3 "digit held out" at (n + 1) / 2., graph 0 center offset 0,-3.4
set label 4 "other outliers" at spot((m + 1) / 2.), graph 0 center offset 0,-3.4
set key at screen 0.757,0.868 center center horizontal maxrows 1 font ",14" samplen 2
$F << EOD
EOD
set print $F
do for [i = 1:n] {
    where = ";dataset.leave_out=" . word(digits, i)
    print sprintf("%d,%s,%s,%s,%s", i, word(values("metric=auc_held_out" . where, "value"), 1), word(values("metric=auc_held_out" . where, "se"), 1), \
        word(values("metric=auc_base_held_out" . where, "value"), 1), word(values("metric=auc_base_held_out" . where, "se"), 1))
}
unset print
average(metric) = real(system(sprintf("awk -f plots/rows.awk -v want='metric=%s' -v show=value '%s' | awk '{s += $1} END {print s / NR}'", metric, csv)))
error(metric) = real(system(sprintf("awk -f plots/rows.awk -v want='metric=%s' -v show=se '%s' | awk '{s += $1} END {print s / NR}'", metric, csv)))
$G << EOD
EOD
set print $G
do for [i = 1:m] {
    k = word(others, i)
    print sprintf("%g,%g,%g,%g,%g", spot(i), average("auc_" . k), error("auc_" . k), average("auc_base_" . k), error("auc_base_" . k))
}
unset print
set arrow 1 from n + 0.5, graph 0 to n + 0.5, graph 1 nohead linecolor rgb "#bbbbbb" linewidth 1.5
plot 0.5 with lines linecolor rgb grey linewidth 1.5 dashtype 3 notitle, \
    $F using ($1 - 0.1):2:3 with yerrorbars linecolor rgb vermillion pointtype 9 pointsize 1.8 linewidth 2.5 title "free energy", \
    $F using ($1 + 0.1):4:5 with yerrorbars linecolor rgb grey pointtype 6 pointsize 1.5 linewidth 2.5 title "single pixels alone", \
    $G using ($1 - 0.1):2:3 with yerrorbars linecolor rgb vermillion pointtype 9 pointsize 1.8 linewidth 2.5 notitle, \
    $G using ($1 + 0.1):4:5 with yerrorbars linecolor rgb grey pointtype 6 pointsize 1.5 linewidth 2.5 notitle
unset multiplot
reset

load "plots/style.gp"
digits = values("metric=auc_held_out", "dataset.leave_out")
shown = word(digits, words(digits))
side = is_mnist ? 28. : 14.
folder = system(sprintf("echo '%s' | tr / -", word(values("metric=auc_held_out;dataset.leave_out=" . shown, "case"), 1)))
eval page("-imputed", 1280, 640)
set multiplot
set label 1 heading("Missing pixels filled in from those that are seen", \
    sprintf("lower rows missing; error bars: s.e. over the machines; pictures: test digits, lower half missing, by the machine that never saw %s", shown)) \
    at screen 0.5,0.935 center
set label 2 verdict(0) at screen 0.5,0.03 center font ",13" textcolor rgb "#444444" noenhanced
set tmargin at screen 0.81
set bmargin at screen 0.2
set lmargin at screen 0.09
set rmargin at screen 0.385
set xlabel "missing pixels"
set ylabel "share of them filled in wrong" offset 1,0
set xrange [0:side * side * 0.55]
set xtics is_mnist ? 100 : 20
set yrange [0:0.18]
set key at graph 0.02,0.99 left top Left reverse font ",14"
plot rows("metric=wrong_mean", "step,value,se") using 1:2:3 with yerrorlines linecolor rgb grey pointtype 6 dashtype 4 linewidth 3 pointsize 1.5 title "pixel's mean", \
    rows("metric=wrong_descent", "step,value,se") using 1:2:3 with yerrorlines linestyle 2 linewidth 3 title "free-energy descent", \
    rows("metric=wrong_gibbs", "step,value,se") using 1:2:3 with yerrorlines linestyle 5 linewidth 3 title "clamped sampling"
unset label 1
unset label 2
unset border
unset tics
unset grid
unset xlabel
unset ylabel
unset colorbox
unset key
set cbrange [0:1]
set palette gray negative
set lmargin at screen 0.49
set rmargin at screen 0.99
set tmargin at screen 0.77
set bmargin at screen 0.24
set xrange [*:*]
set yrange [*:*] reverse
set size ratio -1
names = "true seen mean sampling descent"
set for [i = 1:5] label 10 + i word(names, i) at -2, (side + 1) * (i - 0.5) right font ",15"
plot sprintf("< sed 's/NaN/0.15/g' '%s/%s/imputed.csv'", sides, folder) matrix with image
unset multiplot
