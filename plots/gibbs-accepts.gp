# Gibbs sampling as Metropolis-Hastings that never rejects. Left: how far the acceptance of a Gibbs update is from 1, over
# all states of each model. Middle: moments of a normal posterior from its two conditionals, against their formulas.
# Right: how fast the walk forgets, by the order in which it visits the two.
load "plots/style.gp"

models = values("metric=acceptance_error", "model")
n = words(models)
title_of(m) = m eq "ising" ? "Ising, 3 × 4" : m eq "boltzmann-binary" ? "Boltzmann, 0/1" : m eq "boltzmann-spin" ? "Boltzmann, ±1" : \
    m eq "potts" ? "Potts, 4 colours" : m eq "potts-dense" ? "Potts, dense" : m eq "rbm" ? "RBM" : m
floor_at(x) = x < 1e-17 ? 1e-17 : x
scans = "systematic random"
scan_colour(s) = s eq "systematic" ? black : vermillion
scan_mark(s) = s eq "systematic" ? 7 : 8

eval page("", 1280, 680)
set multiplot
set label 1 heading("A Gibbs update is a proposal that is always accepted", \
    "left: every state, unit and value enumerated; mean µ and variance σ² of n observations, all walks with the same random numbers") \
    at screen 0.5,0.95 center
set label 2 verdict(0) at screen 0.5,0.03 center font ",13" textcolor rgb "#444444" noenhanced
set tmargin at screen 0.8
set bmargin at screen 0.165
set tics font ",13"
set xlabel font ",14"
set title font ",14" offset 0,-0.4

set lmargin at screen 0.125
set rmargin at screen 0.335
set title "largest |α − 1|"
set logscale x
set format x "10^{%T}"
set xtics 1e2
set xrange [3e-18:1e-10]
set yrange [n + 0.6:0.4]
set ytics nomirror ("" 0)
set for [i = 1:n] ytics add (title_of(word(models, i)) i)
set arrow 1 from 1e-12, graph 0 to 1e-12, graph 1 nohead linecolor rgb vermillion linewidth 2 dashtype 2
set label 3 "allowed: 10^{-12}" at 3e-12, graph 0.03 rotate by 90 left font ",12" textcolor rgb vermillion
unset key
plot for [i = 1:n] for [s in scans] rows(sprintf("metric=acceptance_error;model=%s;sampler.scan=%s", word(models, i), s), "value") \
    using (floor_at($1)):(i + (s eq "random" ? 0.15 : -0.15)) with points linecolor rgb scan_colour(s) pointtype scan_mark(s) linewidth 1.5 pointsize 1.4

unset label 1
unset label 2
unset label 3
unset arrow 1
unset logscale x
set format x "%g"
set lmargin at screen 0.425
set rmargin at screen 0.655
set title "estimate less exact, in standard errors"
moments = "first first_square second second_square"
moment_title(m) = m eq "first" ? "E µ" : m eq "first_square" ? "E µ²" : m eq "second" ? "E σ²" : "E σ⁴"
counts = values("metric=second_z", "model.count")
set xrange [-6:6]
set xtics (-5, 0, 5)
set yrange [12.6:0.4]
set ytics ("" 0)
set for [i = 1:4] for [j = 1:3] ytics add (sprintf("%s, n = %s", moment_title(word(moments, i)), word(counts, j)) 3 * (i - 1) + j)
set arrow 1 from 0, graph 0 to 0, graph 1 nohead linecolor rgb black linewidth 2
set arrow 2 from -5, graph 0 to -5, graph 1 nohead linecolor rgb grey linewidth 1.5 dashtype 4
set arrow 3 from 5, graph 0 to 5, graph 1 nohead linecolor rgb grey linewidth 1.5 dashtype 4
plot for [i = 1:4] for [j = 1:3] for [s in scans] \
    rows(sprintf("metric=%s_z;model.count=%s;sampler.scan=%s", word(moments, i), word(counts, j), s), "value") \
    using 1:(3 * (i - 1) + j + (s eq "random" ? 0.15 : -0.15)):(1) with xerrorbars linecolor rgb scan_colour(s) pointtype scan_mark(s) linewidth 1.5 pointsize 1.2

unset for [i = 1:3] arrow i
set lmargin at screen 0.73
set rmargin at screen 0.985
set title sprintf("autocorrelation of µ and σ², n = %s", word(counts, 1))
set xlabel "sweeps" offset 0,0.4
set xrange [0:8.5]
set xtics 2
set yrange [-0.05:1.02]
set ytics auto
set key top right font ",13"
dash_of(f) = f eq "first" ? 1 : 2
pair = "first second"
scan_title(s) = s eq "random" ? "random scan" : "in turn"
of_title(f) = f eq "first" ? "µ" : "σ²"
curve(f, s) = rows(sprintf("metric=%s_autocorrelation;model.count=%s;sampler.scan=%s", f, word(counts, 1), s), "step,value")
plot for [s in scans] for [f in pair] curve(f, s) using 1:2 with linespoints linecolor rgb scan_colour(s) linewidth 2.5 \
    dashtype dash_of(f) pointtype scan_mark(s) pointsize 1.2 title sprintf("%s, %s", of_title(f), scan_title(s))
unset multiplot
