# The free energy of a Gibbs sampler's law over all states. Left and middle: F above its least value against steps, for each
# start and temperature; right: where energy and entropy go.
load "plots/style.gp"

starts = values("metric=free_energy_rise", "estimator.start")
temperatures = values("metric=free_energy_rise", "estimator.temperature")
units = values("metric=free_energy_rise", "model.units")
of(metric, s, t, scan) = rows(sprintf("metric=%s;estimator.start=%s;estimator.temperature=%s;sampler.scan=%s;model.states=spin", metric, s, t, scan), "step,value")
both(s, t) = rows_with(sprintf("metric=entropy;estimator.start=%s;estimator.temperature=%s;sampler.scan=random;model.states=spin", s, t), "step,value", "mean_energy")
tone(i) = i == 1 ? blue : i == 2 ? black : vermillion
dash(s) = s eq "point" ? 1 : s eq "uniform" ? 2 : 3
mark(s) = s eq "point" ? 7 : s eq "uniform" ? 9 : 4
title_of(s) = s eq "point" ? "one state" : s eq "uniform" ? "uniform" : "a mixture"
states = size eq "quick" ? 256 : 1024

eval page("", 1280, 720)
set multiplot
set label 1 heading("Helmholtz free energy of the law of a Gibbs sampler", \
    sprintf("F = ⟨E⟩ − T H, summed over all %d states of a Boltzmann machine of spins; its least value is −T log Z", states)) \
    at screen 0.5,0.955 center
set label 2 verdict(0) at screen 0.5,0.03 center font ",13" textcolor rgb "#444444" noenhanced
set tmargin at screen 0.765
set bmargin at screen 0.165
set tics font ",13"
set xlabel "steps (sweeps of all units)" offset 0,0.4
set title offset 0,-0.4 font ",14"
set logscale y
set format y "10^{%T}"
set yrange [1e-13:100]
unset key
do for [k = 1:2] {
    scan = k == 1 ? "systematic" : "random"
    set lmargin at screen k == 1 ? 0.085 : 0.38
    set rmargin at screen k == 1 ? 0.34 : 0.635
    set title k == 1 ? "units in turn" : "units at random"
    set xrange [0:(k == 1 ? 60 : 90)]
    if (k == 1) { set ylabel "F + T log Z in nats" offset 1.2,0 } else { unset ylabel }
    plot for [i = 1:words(temperatures)] for [s in starts] of("free_energy_above", s, word(temperatures, i), scan) using 1:($2 > 1e-14 ? $2 : NaN) \
        with linespoints linecolor rgb tone(i) linewidth 2 dashtype dash(s) pointtype mark(s) pointsize 1
    unset label 1
    unset label 2
}
unset logscale y
set format y "%g"
set yrange [*:*]
set xrange [0:*]
set lmargin at screen 0.715
set rmargin at screen 0.985
set title "the way, units at random"
set xlabel "entropy H in nats" offset 0,0.4
set ylabel "mean energy ⟨E⟩ in nats" offset 1,0
plot for [i = 1:words(temperatures)] for [s in starts] both(s, word(temperatures, i)) using 2:3 \
    with linespoints linecolor rgb tone(i) linewidth 2 dashtype dash(s) pointtype mark(s) pointsize 1
unset title
eval strip(0.855)
set key maxrows 1 width -5 samplen 2.2 font ',12'
plot for [i = 1:words(temperatures)] NaN with lines linecolor rgb tone(i) linewidth 4 title sprintf("T = %s", word(temperatures, i)), \
    for [s in starts] NaN with linespoints linecolor rgb grey linewidth 2 dashtype dash(s) pointtype mark(s) pointsize 1.2 \
        title "from " . title_of(s)
unset multiplot
