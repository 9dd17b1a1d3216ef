# Importance sampling. Left: the share of draws that is effective against the proposal's width, in 1 to 20 units: as the
# draws themselves see it, and as draws of the target see it, with the formula. Middle: the mean square that the same
# draws give in 10 units, with its own error. Right: the share against rounds of learning.
load "plots/style.gp"

units = "1 2 5 10 20"
array tones[5] = [black, vermillion, blue, green, purple]
array marks[5] = [7, 9, 5, 11, 13]
draws = size eq "quick" ? "10⁴" : "10⁵"
seeds = number_of("metric=importance_ess;step=1;estimator.width=1.2", "seed")
of(metric, d) = rows(sprintf("metric=%s;model.units=%s;model.covariance=identity;estimator.proposal=normal", metric, d), "estimator.width,value,se")
# 1 / E_q[(p/q)^2] of normal laws; no value where the variance of the weights is infinite
fraction(s, d) = s * s > 0.5 ? (sqrt(2 * s * s - 1) / (s * s)) ** d : NaN
floor_at(x) = x < 1.3e-6 ? 1.3e-6 : x

eval page("", 1280, 720)
set multiplot
set label 1 heading("Importance sampling: effective draws, light tails, and learning", \
    sprintf("targets known exactly; %s draws a round, %d seeds", draws, seeds)) at screen 0.5,0.955 center
set label 2 verdict(0) at screen 0.5,0.03 center font ",12" textcolor rgb "#444444" noenhanced
set tics font ",13"
set title font ",14" offset 0,-0.4
set xlabel font ",14" offset 0,0.4
set ylabel font ",14"
set tmargin at screen 0.785
set bmargin at screen 0.155

set lmargin at screen 0.075
set rmargin at screen 0.355
set title "effective share of the draws, N(0, I)\n{/*0.85 filled: as they see it; open: by exact draws}"
set xlabel "width of the normal proposal"
set ylabel "ESS / N" offset 2.2,0
set logscale xy
set xrange [0.27:3.4]
set yrange [7e-7:60]
set xtics (0.3, 0.5, 1, 2, 3)
set format y "10^{%T}"
set ytics 1e-6, 10, 1
set arrow 1 from 0.70711, graph 0 to 0.70711, graph 1 nohead linecolor rgb grey linewidth 1.5 dashtype 4
set label 3 "infinite variance" at 0.62, 6e-6 rotate by 90 left font ",12" textcolor rgb "#555555"
set key at graph 0.99,0.99 right top Right vertical maxrows 2 samplen 1 spacing 1.15 font ",12" width -1
plot for [i = 1:5] [s = 0.708:3.4] fraction(s, word(units, i) + 0) with lines linecolor rgb tones[i] linewidth 1.5 dashtype 1 notitle, \
    for [i = 1:5] of("ess_fraction_mean", word(units, i)) using 1:2 with points linecolor rgb tones[i] pointtype marks[i] pointsize 1.2 \
        title word(units, i) . (i == 1 ? " unit" : " units"), \
    for [i = 1:5] of("ess_fraction_exact_mean", word(units, i)) using ($1 < 0.8 ? $1 : NaN):(floor_at($2)) with points linecolor rgb tones[i] \
        pointtype marks[i] - 1 linewidth 1.5 pointsize 1.5 notitle

unset label 1
unset label 2
unset label 3
set lmargin at screen 0.43
set rmargin at screen 0.66
set title "mean square in 10 units\n{/*0.85 ± the error that they claim; all seeds}"
set ylabel "E x² as estimated" offset 0.8,0
unset logscale y
set format y "%g"
set yrange [0:1.6]
set ytics 0.2
set arrow 2 from graph 0, first 1 to graph 1, first 1 nohead linecolor rgb black linewidth 1.5
set label 4 "exact" at graph 0.03, first 1.04 left font ",12"
unset key
square = rows("metric=importance_square;model.units=10;model.covariance=identity;estimator.proposal=normal", "estimator.width,value,se,seed")
spread(w, seed) = w * exp(0.035 * ((seed - 1) / (seeds - 1.0) - 0.5) * 2)
plot square using (spread($1, $4)):2:3 with yerrorbars linecolor rgb green linewidth 1.5 pointtype 11 pointsize 0.9

unset arrow 1
unset arrow 2
unset label 4
set lmargin at screen 0.735
set rmargin at screen 0.985
set title "Student proposals learnt in rounds\n{/*0.85 flattened weights, worth 200 draws or more}"
set xlabel "round"
set ylabel "ESS / N" offset 2.2,0
unset logscale x
set logscale y
set format y "10^{%T}"
set xrange [0.7:6.3]
set xtics 1, 1, 6
set yrange [7e-7:2]
set ytics 1e-6, 10, 1
set key at graph 0.99,0.02 right bottom Right vertical maxrows 4 samplen 3 spacing 1.15 font ",12"
targets = "autoregressive identity banana"
learnt(t, e) = rows(t eq "banana" ? "metric=ess_fraction_mean;model=banana;estimator.rounds=6;estimator.learn_ess=" . e : \
    t eq "autoregressive" ? "metric=ess_fraction_mean;model.covariance=autoregressive;estimator.rounds=6;estimator.learn_ess=" . e : \
    "metric=ess_fraction_mean;model.covariance=identity;model.units=20;estimator.rounds=6;estimator.learn_ess=" . e, "step,value,se")
target_title(t) = t eq "banana" ? "banana" : t eq "identity" ? "N(0, I), 20 units" : "ρ = 0.9, 10 units"
low(x, e) = x - e > 0.3 * x ? x - e : 0.3 * x
array tone_of[3] = [vermillion, purple, blue]
array mark_of[3] = [9, 13, 5]
plot for [i = 1:3] learnt(word(targets, i), "200") using 1:2:(low($2, $3)):($2 + $3) with yerrorlines linecolor rgb tone_of[i] \
        linewidth 2.5 pointtype mark_of[i] pointsize 1.2 title target_title(word(targets, i)), \
    for [i = 1:3] learnt(word(targets, i), "0") using 1:2:(low($2, $3)):($2 + $3) with yerrorlines linecolor rgb tone_of[i] \
        linewidth 1.5 dashtype 4 pointtype mark_of[i] - 1 pointsize 1.2 title (i == 1 ? "weights as they are" : "")
unset multiplot
