# What a Hopfield network holds against the load K / N. Left: Hebb's rule, where descent from a stored pattern ends.
# Right: the share of patterns that are fixed points, for four rules.
load "plots/style.gp"

sizes = values("metric=overlap_mean;learner=hebbian", "dataset.size")
large = word(sizes, 2)
middle = word(sizes, 1)
small = word(sizes, 3)
rules = values("metric=fixed_mean", "learner")
rule_title(r) = r eq "hebbian" ? "Hebb" : r eq "storkey" ? "Storkey" : r eq "pseudo-inverse" ? "pseudo-inverse" : "perceptron"
rule_style(r) = r eq "hebbian" ? 2 : r eq "storkey" ? 3 : r eq "pseudo-inverse" ? 4 : 1
fixed_load(n) = 1 / (4 * log(real(n)))
critical = 0.138
crossing(n) = system(sprintf("awk -f plots/rows.awk -v want='metric=critical_load;learner=hebbian;dataset.size=%s' -v show='value,se' '%s' | awk -F, '$1 != \"NaN\" {printf \": passes 0.8 at %%.4f ± %%.4f\", $1, $2}'", n, csv))
curve(metric, r, n) = rows(sprintf("metric=%s;learner=%s;dataset.size=%s", metric, r, n), "dataset.load,value,se")

eval page("", 1280, 680)
set multiplot
set label 1 heading("What a Hopfield network holds", \
    sprintf("random patterns; mean over %d networks, bars: standard errors over networks", number_of("metric=recall_overlap;learner=hebbian;dataset.load=0.02;dataset.size=" . large, "seed"))) at screen 0.5,0.95 center
set label 2 verdict(0) at screen 0.5,0.03 center font ",13" textcolor rgb "#444444" noenhanced
set tmargin at screen 0.8
set bmargin at screen 0.165
set tics font ",14"
set xlabel "load K / N" font ",15" offset 0,0.3
set title font ",15" offset 0,-0.4
set yrange [0:1.06]
set ytics 0.2

set lmargin at screen 0.06
set rmargin at screen 0.475
set title "Hebb: overlap of the end with the pattern it started at"
set xrange [0:0.26]
set xtics 0.05
set key bottom left opaque font ",13" samplen 3
set arrow 1 from critical, graph 0 to critical, graph 1 nohead linecolor rgb black linewidth 2 dashtype 2 back
set label 3 "0.138, N → ∞" at critical - 0.007, 0.6 rotate by 90 center font ",13"
set arrow 2 from fixed_load(large), graph 0 to fixed_load(large), graph 1 nohead linecolor rgb grey linewidth 2 dashtype 4 back
set label 4 sprintf("1/(4 ln N), N = %s", large) at fixed_load(large) - 0.007, 0.6 rotate by 90 center font ",13" textcolor rgb grey
plot curve("overlap_mean", "hebbian", middle) using 1:2:3 with yerrorlines linestyle 6 pointtype 13 title sprintf("N = %s%s", middle, crossing(middle)), \
     curve("overlap_mean", "hebbian", large) using 1:2:3 with yerrorlines linestyle 5 title sprintf("N = %s%s", large, crossing(large))

unset label 1
unset label 2
unset label 3
unset label 4
set lmargin at screen 0.545
set rmargin at screen 0.985
set title sprintf("patterns that are fixed points, N = %s", small)
set xrange [0:2.1]
set xtics 0.5
set yrange [0:1.32]
set ytics 0, 0.2, 1
set key at graph 0.5,0.985 center top maxrows 2 font ",13" width 1
set arrow 2 from fixed_load(small), graph 0 to fixed_load(small), graph 1 nohead linecolor rgb grey linewidth 2 dashtype 4 back
set arrow 3 from 1, graph 0 to 1, graph 1 nohead linecolor rgb green linewidth 1.5 dashtype 4 back
set arrow 4 from 2, graph 0 to 2, graph 1 nohead linecolor rgb grey linewidth 1.5 dashtype 2 back
set label 3 "0.138" at critical + 0.06, 0.12 rotate by 90 center font ",12"
set label 5 "1: all dimensions" at 0.945, 0.33 rotate by 90 center font ",13"
set label 6 "2: Gardner, asymmetric W" at 1.94, 0.5 rotate by 90 center font ",13" textcolor rgb grey
plot for [r in rules] curve("fixed_mean", r, small) using 1:2:3 with yerrorlines linestyle rule_style(r) title rule_title(r)
unset multiplot
