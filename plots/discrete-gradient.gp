# Effective draws of the order parameter for each evaluation, by two accountings: one for who can sum over a unit's
# neighbours (V site updates cost what an energy does), one for who can only ask for energies of whole states and their
# gradients (a site update costs an energy for each other value). Gradient samplers cost the same in both.
load "plots/style.gp"

samplers = values("metric=m2_efficiency", "sampler")
n = words(samplers)
models = values("metric=m2_efficiency", "model")
seeds = number_of("metric=m2;sampler=gibbs", "seed")
title_of(s) = s eq "gibbs" ? "Gibbs" : s eq "metropolis" ? "Metropolis" : s eq "gibbs-with-gradients" ? "Gibbs with gradients" : \
    s[1:5] eq "dmala" ? sprintf("discrete Langevin, α = %s", s[7:*]) : s
name_of(m) = m eq "ising" ? "Ising, 8 × 8, J = 0.35" : m eq "rbm" ? "RBM, 16 + 32 units, weights 1.5" : "Potts, 2 × 4, q = 4, J = 1.6"
of(metric, m, i) = rows(sprintf("metric=%s;model=%s;sampler=%s", metric, m, word(samplers, i)), "value,se")
tried = values("metric=acceptance_mean", "sampler")
place(s) = int(sum [i = 1:n] (word(samplers, i) eq s ? i : 0))
accepted(m, s) = rows(sprintf("metric=acceptance_mean;model=%s;sampler=%s", m, s), "value")
low(x, e) = x - e > 0.1 * x ? x - e : 0.1 * x

eval page("", 1280, 720)
set multiplot
set label 1 heading("What following gradients buys on discrete units", \
    sprintf("effective draws of m^2 for each 1000 evaluations of the energy; means of %d seeds ± 1 s.e.; in %% the share of proposals accepted", seeds)) \
    at screen 0.5,0.95 center
set label 2 verdict(0) at screen 0.5,0.03 center font ",11" textcolor rgb "#444444" noenhanced
set label 3 "" at screen 0.10,0.85 point linecolor rgb vermillion linewidth 2 pointtype 6 pointsize 2.1
set label 4 "" at screen 0.555,0.85 point linecolor rgb blue pointtype 7 pointsize 1.2
set label 5 "as it is coded: V site updates cost one evaluation" at screen 0.115,0.85 left font ",13"
set label 6 "as a black box: each value that an update weighs costs one" at screen 0.57,0.85 left font ",13"
set tmargin at screen 0.755
set bmargin at screen 0.155
set tics font ",13"
set title font ",15" offset 0,-0.4
set logscale x
set yrange [n + 0.6:0.4]
unset ytics
set grid noytics
set xlabel "effective draws / 1000 evaluations" font ",13.5" offset 0,0.4
unset key
set for [i = 1:n] arrow 10 + i from graph 0, first i to graph 1, first i nohead linecolor rgb "#dddddd" linewidth 1 back

width = 0.237
do for [k = 1:words(models)] {
    m = word(models, k)
    set lmargin at screen 0.225 + (k - 1) * (width + 0.02)
    set rmargin at screen 0.225 + (k - 1) * (width + 0.02) + width
    set title name_of(m)
    unset ytics
    if (k == 1) { set ytics nomirror font ",14" scale 0; set for [i = 1:n] ytics (title_of(word(samplers, i)) i) }
    if (k > 1) { set ytics scale 0; set for [i = 1:n] ytics ("" i) }
    unset logscale x
    set xrange [*:*]
    set yrange [*:*]
    stats rows(sprintf("metric=m2_efficiency*;model=%s", m), "value") using 1 nooutput name "all"
    set logscale x
    set yrange [n + 0.6:0.4]
    set xrange [1000 * all_min / 2.5:1000 * all_max * 12]
    plot for [i = 1:n] of("m2_efficiency", m, i) using (1000 * $1):(i):(1000 * low($1, $2)):(1000 * ($1 + $2)) with xerrorbars \
            linecolor rgb vermillion linewidth 2 pointtype 6 pointsize 2.1, \
        for [i = 1:n] of("m2_efficiency_black_box", m, i) using (1000 * $1):(i):(1000 * low($1, $2)):(1000 * ($1 + $2)) with xerrorbars \
            linecolor rgb blue linewidth 2 pointtype 7 pointsize 1.2, \
        for [s in tried] accepted(m, s) using (1000 * all_max * 9):(place(s)):(sprintf("%.0f %%", 100 * $1)) with labels right font ",12" textcolor rgb "#444444"
    unset label 1
    unset label 2
    unset for [i = 3:6] label i
}
unset multiplot
