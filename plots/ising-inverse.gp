# The inverse Ising problem. Error of the learnt couplings against the number of draws, one panel for each temperature;
# on the right the largest difference between the moments of data and model.
load "plots/style.gp"

learners = values("metric=gamma", "learner")
temperatures = values("metric=gamma", "dataset.temperature")
seeds = number_of("metric=coupling_error;learner=exact;dataset.data_seed=0", "seed")
n = words(temperatures)
units = size eq "quick" ? 8 : 16
style_of(l) = l eq "exact" ? 1 : l eq "pcd" ? 5 : l eq "pseudo-likelihood" ? 2 : l eq "ratio-matching" ? 3 : l eq "tap" ? 4 : 6
title_of(l) = l eq "exact" ? "exact ML" : l eq "pcd" ? "PCD" : l eq "pseudo-likelihood" ? "pseudo-lik." : \
    l eq "ratio-matching" ? "ratio matching" : l eq "tap" ? "TAP" : "mean field"
curve(l, t) = rows(sprintf("metric=gamma;learner=%s;dataset.temperature=%s", l, t), "dataset.count,value,se")
gap(l, t) = rows(sprintf("metric=gap_mean;learner=%s;dataset.temperature=%s", l, t), "dataset.count,value")

eval page("", 1280, 720)
set multiplot
set label 1 heading("Couplings learnt from M draws of a known machine", \
    sprintf("%d spins, couplings N(0, 1/N) / T, fields N(0, 0.3²) / T; mean of %d data sets ± 1 standard error", units, seeds)) \
    at screen 0.5,0.955 center
set label 2 verdict(0) at screen 0.5,0.03 center font ",13" textcolor rgb "#444444" noenhanced
set tmargin at screen 0.775
set bmargin at screen 0.165
set tics font ",13"
set xlabel "draws M" offset 0,0.4
set title offset 0,-0.4 font ",14"
set logscale xy
set format x "10^{%T}"
set format y "10^{%T}"
set xrange [70:1.4e5]
set yrange [0.015:8]
unset key
left = 0.08
gapwidth = 0.235
width = (1 - left - gapwidth - 0.1) / n
do for [i = 1:n] {
    t = word(temperatures, i)
    set lmargin at screen left + (i - 1) * width + (i > 1 ? 0.012 : 0)
    set rmargin at screen left + i * width
    set title sprintf("T = %s", t)
    if (i == 1) { set ylabel "error of the couplings, γ" offset 1.5,0 } else { unset ylabel; set format y "" }
    if (i == n) { set label 3 "M^{−1/2}" at 2.2e4, 3 * sqrt(100. / 2.2e4) * 1.25 font ",13" textcolor rgb grey }
    plot 3 * sqrt(100. / x) with lines linecolor rgb grey linewidth 1.5 dashtype 4, \
        for [l in learners] curve(l, t) using 1:2 with lines linestyle style_of(l), \
        for [l in learners] curve(l, t) using 1:2:3 with yerrorbars linestyle style_of(l) dashtype 1 linewidth 1.5
    unset label 1
    unset label 2
}
unset label 3
t = word(temperatures, 1)
set lmargin at screen left + n * width + 0.09
set rmargin at screen 0.99
set title sprintf("largest moment gap, T = %s", t)
unset ylabel
set format y "10^{%T}"
set yrange [2e-8:1]
plot for [l in learners] gap(l, t) using 1:2 with linespoints linestyle style_of(l) linewidth 2.5
unset title
unset logscale
eval strip(0.865)
set key maxrows 1 width -2 samplen 2.2 font ',12'
plot for [l in learners] NaN with linespoints linestyle style_of(l) title title_of(l)
unset multiplot
