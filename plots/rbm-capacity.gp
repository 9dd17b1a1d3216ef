# How near an RBM comes to random distributions: exact KL(target || machine) against its hidden units, for three optimisers of
# the exact log-likelihood. Points: mean over targets with its standard error, cut off at 1e-8.
load "plots/style.gp"

learners = values("metric=kl_mean", "learner")
n = size eq "full" ? 8 : 5
enough = 2 ** (n - 1) - 1                          # Montufar & Ay 2011
parameters = (2.0 ** n - 1 - n) / (n + 1)          # n H + n + H = 2^n - 1
# Montufar, Rauh & Ay 2011: no target is further than this from the best machine, in nats.
power(m) = floor(log(m + 1) / log(2) + 1e-9)
bound(m) = (n - power(m) - (m + 1) / 2.0 ** power(m)) * log(2)
title_of(l) = l eq "exact-lbfgs" ? "L-BFGS" : l eq "exact-adam" ? "Adam" : "gradient ascent, momentum"
colour_of(l) = l eq "exact-lbfgs" ? black : l eq "exact-adam" ? orange : vermillion
mark_of(l) = l eq "exact-lbfgs" ? 7 : l eq "exact-adam" ? 5 : 9
dash_of(l) = l eq "exact-lbfgs" ? 1 : l eq "exact-adam" ? 2 : 3
shift_of(l) = l eq "exact-lbfgs" ? 1 : l eq "exact-adam" ? 0.975 : 1.025

eval page("", 1280, 720)
set label 1 heading("A restricted Boltzmann machine approximates any distribution", \
    sprintf("random distributions of %d bits (uniform on the simplex), log-likelihood and gradient exact by enumeration", n)) \
    at screen 0.5,0.945 center
set label 2 verdict(0) at screen 0.5,0.028 center font ",13" textcolor rgb "#444444" noenhanced
set tmargin at screen 0.86
set bmargin at screen 0.21
set lmargin at screen 0.1
set rmargin at screen 0.97
set xlabel "hidden units"
set ylabel "KL(target || machine), nats"
set logscale xy
set xrange [0.9:enough * 1.12]
set xtics (1, 2, 4, 8, 16, 32, 64, 127)
if (n == 5) set xtics (1, 2, 3, 4, 5, 6, 8, 10, 15)
set yrange [1e-8:5]
set format y "10^{%T}"
set key at graph 0.02,0.04 left bottom Left reverse samplen 3 spacing 1.15 font ",15"
set arrow 1 from parameters, graph 0 to parameters, graph 1 nohead linecolor rgb grey linewidth 2 dashtype 4
set arrow 2 from enough, graph 0 to enough, graph 1 nohead linecolor rgb blue linewidth 2.5 dashtype 2
set label 3 "as many parameters\nas probabilities" at parameters, graph 0.37 offset -0.7,0 right font ",13" textcolor rgb "#444444"
set label 4 sprintf("enough for every\ntarget: 2^{n-1} - 1 = %d", enough) at enough, graph 0.36 offset -0.7,0 right font ",13" textcolor rgb blue
plot sample [m=1:enough] '+' using (floor($1 + 0.5)):(bound(floor($1 + 0.5)) > 0 ? bound(floor($1 + 0.5)) : NaN) with lines linecolor rgb blue linewidth 2 dashtype 5 \
        title "upper bound for any target, best machine", \
    for [l in learners] rows("metric=kl_mean;learner=" . l, "model.hidden,value,se") \
        using ($1 * shift_of(l)):2:($2 - $3 > 1e-8 ? $2 - $3 : 1e-8):($2 + $3) with yerrorbars linecolor rgb colour_of(l) pointtype mark_of(l) linewidth 2 pointsize 1.5 notitle, \
    for [l in learners] rows("metric=kl_mean;learner=" . l, "model.hidden,value") \
        using ($1 * shift_of(l)):2 with linespoints linecolor rgb colour_of(l) pointtype mark_of(l) dashtype dash_of(l) linewidth 3 pointsize 1.5 title title_of(l)
