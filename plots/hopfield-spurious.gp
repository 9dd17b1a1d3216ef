# What a small Hopfield network remembers. Left: the sixteen states of four units that stored three patterns, by energy,
# for four sets of patterns. Right: minima of sixteen units, and where descents from all states end, by number of patterns.
load "plots/style.gp"

sets = values("metric=state_kind;dataset.size=4", "dataset.data_seed")
n = words(sets)
set_title(s) = s eq "12" ? "0, 0, 0" : s eq "1" ? "0, 0, 4" : s eq "2" ? "0, 2, 2" : "2, 2, 4"
kind_title(k) = k == 0 ? "no minimum" : k == 1 ? "stored" : k == 2 ? "mirrored" : "fake"
kind_colour(k) = k == 0 ? grey : k == 1 ? black : k == 2 ? blue : vermillion
kind_mark(k) = k == 0 ? 2 : k == 1 ? 7 : k == 2 ? 8 : 5
states(s) = rows_with(sprintf("metric=state_energy;dataset.size=4;dataset.data_seed=%s", s), "step,value", "state_kind")
names = "stored mirrored fake"

eval page("", 1280, 680)
set multiplot
set label 1 heading("What a Hopfield network remembers without being taught", \
    "Hebb's rule; every state listed: a minimum is a stored pattern, the mirror image of one, or a fake") at screen 0.5,0.95 center
set label 2 verdict(0) at screen 0.5,0.03 center font ",13" textcolor rgb "#444444" noenhanced
set tmargin at screen 0.80
set bmargin at screen 0.17
set title font ",15" offset 0,-0.4
set xlabel offset 0,0.3
set tics font ",14"

set lmargin at screen 0.075
set rmargin at screen 0.42
set title "4 units, 3 patterns: the 16 states"
set xlabel "overlaps of the patterns, without sign"
set ylabel "energy" offset 0.8,0
set xrange [0.5:n + 0.5]
set xtics ("" 1)
set for [i = 1:n] xtics add (set_title(word(sets, i)) i)
set yrange [-3.4:3.2]
set key top center horizontal font ",13" samplen 1.5
some(s, k) = sprintf("%s | awk -F, '$3 == %d'", states(s), k)
held(s, k) = number_of(sprintf("metric=state_kind;dataset.size=4;dataset.data_seed=%s;value=%d", s, k), "step")
plot for [k = 0:2] for [i = 1:n] (held(word(sets, i), k) ? some(word(sets, i), k) : "< echo -9,-9,0") using (i + ($1 - 7.5) / 20):2 with points \
    linecolor rgb kind_colour(k) pointtype kind_mark(k) pointsize (k ? 1.6 : 1.1) linewidth 2 title (i == 1 ? kind_title(k) : "")

unset label 1
unset label 2
set lmargin at screen 0.50
set rmargin at screen 0.725
set title "16 units: minima"
set xlabel "patterns"
set ylabel "number, mean over sets" offset 0.8,0
set xrange [0.5:8.5]
set xtics 1
set yrange [0:*]
set key top left vertical font ",13" samplen 3
mean_of(what, k) = rows(sprintf("metric=%s%s_mean;dataset.size=16", what, word(names, k)), "dataset.count,value,se")
plot for [k = 1:3] mean_of("", k) using 1:2:3 with yerrorlines linecolor rgb kind_colour(k) dashtype k linewidth 2.5 \
    pointtype kind_mark(k) pointsize 1.4 title word(names, k)

set lmargin at screen 0.80
set rmargin at screen 0.985
set title "where descents end"
set ylabel "share of all states" offset 0.8,0
set yrange [0:1]
unset key
plot for [k = 1:3] mean_of("basin_", k) using 1:2:3 with yerrorlines linecolor rgb kind_colour(k) dashtype k linewidth 2.5 \
    pointtype kind_mark(k) pointsize 1.4
unset multiplot
