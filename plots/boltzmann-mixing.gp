# Gibbs sampling of a Boltzmann machine and of an RBM with as many units. Left and middle: exact mixing time and spectral
# gap against the size of the weights, means over machines with standard errors. Right: measured autocorrelation times
# less the exact ones, in standard errors, every machine and sampler.
load "plots/style.gp"

scales = values("metric=mixing_time", "model.init_scale")
least = real(word(scales, 1))
most = real(word(scales, words(scales)))
seeds = number_of("metric=mixing_time;sampler=block-gibbs", "seed")

array machine[5] = ["boltzmann", "boltzmann", "rbm", "rbm", "rbm"]
array sampler[5] = ["gibbs-random", "gibbs-systematic", "gibbs-random", "block-gibbs", "gibbs-systematic"]
array titles[5] = ["Boltzmann, at random", "Boltzmann, in turn", "RBM, visible at random*", "RBM, block Gibbs", "RBM, visible in turn*"]
array tones[5] = [orange, vermillion, sky, blue, black]
array dashes[5] = [2, 1, 2, 1, 4]
array marks[5] = [8, 9, 4, 7, 12]
mean(metric, i) = rows(sprintf("metric=%s;model=%s*;sampler=%s", metric, machine[i], sampler[i]), "model.init_scale,value,se")
away(metric, i) = rows_with(sprintf("metric=%s_tau_z;model=%s*;sampler=%s", metric, machine[i], sampler[i]), "value", metric . "_tau_exact")
beside(i) = (i - 3) * 0.02 * (most - least) / 2   # so that error bars stand side by side

eval page("", 1280, 760)
set multiplot
set label 1 heading("Gibbs sampling of a Boltzmann machine and of an RBM with as many units", \
    sprintf("%s; units updated in turn, at random, or by layers; random normal weights, no biases; means of %d machines ± 1 s.e.", \
    size eq "quick" ? "8 units, RBM 4 + 4" : "10 units, RBM 5 + 5", seeds)) at screen 0.5,0.955 center
set label 2 verdict(0) at screen 0.5,0.025 center font ",12" textcolor rgb "#444444" noenhanced
set label 3 sprintf("* the visible units given each other, hidden ones summed out: a sweep is %d such updates; other sweeps update each unit once", \
    size eq "quick" ? 4 : 5) at screen 0.5,0.068 center font ",13" textcolor rgb "#444444"
array places[5] = [0.195, 0.02, 0.74, 0.39, 0.555]   # of the legend, in the order of the series
do for [i = 1:5] {
    set arrow 20 + i from screen places[i],0.855 to screen places[i] + 0.032,0.855 nohead linecolor rgb tones[i] linewidth 2.5 dashtype dashes[i]
    set label 20 + i "" at screen places[i] + 0.016,0.855 point linecolor rgb tones[i] pointtype marks[i] pointsize 1.5
    set label 30 + i titles[i] at screen places[i] + 0.04,0.855 left font ",12"
}
set tmargin at screen 0.76
set bmargin at screen 0.205
set tics font ",13"
set xlabel font ",13.5" offset 0,0.4
set title font ",14" offset 0,-0.4
unset key

set xrange [least - 0.12 * (most - least):most + 0.12 * (most - least)]
set for [s in scales] xtics (s real(s))
set xlabel "standard deviation of the weights"
set lmargin at screen 0.06
set rmargin at screen 0.335
set title "exact mixing time t_{mix}(1/4), in sweeps"
set logscale y 2
set yrange [0.8:*]
plot for [i = 1:5] mean("mixing_time_mean", i) using ($1 + beside(i)):2:3 with yerrorbars linecolor rgb tones[i] linewidth 1.5 pointtype 0, \
    for [i = 1:5] mean("mixing_time_mean", i) using ($1 + beside(i)):2 with linespoints linecolor rgb tones[i] linewidth 2.5 dashtype dashes[i] \
        pointtype marks[i] pointsize 1.5

unset label 1
unset label 2
unset label 3
unset for [i = 21:35] label i
unset for [i = 21:25] arrow i
unset logscale y
set lmargin at screen 0.395
set rmargin at screen 0.67
set title "exact spectral gap of a sweep"
set yrange [0:1.03]
plot for [i = 1:5] mean("spectral_gap_mean", i) using ($1 + beside(i)):2:3 with yerrorbars linecolor rgb tones[i] linewidth 1.5 pointtype 0, \
    for [i = 1:5] mean("spectral_gap_mean", i) using ($1 + beside(i)):2 with linespoints linecolor rgb tones[i] linewidth 2.5 dashtype dashes[i] \
        pointtype marks[i] pointsize 1.5

set lmargin at screen 0.73
set rmargin at screen 0.985
set title "measured less exact τ, in s.e."
set xlabel "exact autocorrelation time τ (sweeps)"
unset xtics
set xtics nomirror font ",13" (1, 2, 5, 10, 20, 50, 100)
set logscale x
set xrange [0.8:*]
set yrange [-6.5:6.5]
set ytics (-5, 0, 5)
set arrow 1 from graph 0, first 0 to graph 1, first 0 nohead linecolor rgb black linewidth 2
set arrow 2 from graph 0, first 5 to graph 1, first 5 nohead linecolor rgb grey linewidth 1.5 dashtype 4
set arrow 3 from graph 0, first -5 to graph 1, first -5 nohead linecolor rgb grey linewidth 1.5 dashtype 4
plot for [i = 1:5] for [o in "energy m2 first"] away(o, i) using 2:1 with points linecolor rgb tones[i] linewidth 1.2 pointtype marks[i] pointsize 0.9

unset multiplot
