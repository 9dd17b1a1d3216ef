# Above: distance to the data against sampler steps from noise, on bars and stripes by enumeration of the law, on digits
# (full size) by kernel discrepancy; the best number of steps of each machine that was trained from noise is marked.
# Below: the autocorrelation time as training goes on, and how far TAP and mean field lie from exact log Z.
load "plots/style.gp"

learners = "cd-3-noise-100 cd-10-noise-100 cd-30-noise-100 cd-1-data-0 cd-10-data-0 pcd-10"
noisy = "cd-3-noise-100 cd-10-noise-100 cd-30-noise-100"
bars = "dataset=bars-and-stripes"
digits = number_of("metric=mmd_mean;dataset=mnist", "dataset") > 0
seeds = number_of("metric=equilibrium_tv;" . bars . ";learner=pcd-10", "seed")
hidden = word(values("metric=equilibrium_tv;" . bars, "model"), 1)

# CD from the data and PCD keep their colours; those from noise are the dark solid ones.
set style line 11 linecolor rgb black dashtype solid linewidth 3.5 pointtype 7 pointsize 1.4
set style line 12 linecolor rgb purple dashtype solid linewidth 3.5 pointtype 5 pointsize 1.4
set style line 13 linecolor rgb green dashtype solid linewidth 3.5 pointtype 13 pointsize 1.8
style_of(l) = l eq "cd-3-noise-100" ? 11 : l eq "cd-10-noise-100" ? 12 : l eq "cd-30-noise-100" ? 13 : l eq "cd-1-data-0" ? 2 : l eq "cd-10-data-0" ? 3 : 5
colour_of(l) = l eq "cd-3-noise-100" ? black : l eq "cd-10-noise-100" ? purple : l eq "cd-30-noise-100" ? green : l eq "cd-1-data-0" ? vermillion : l eq "cd-10-data-0" ? orange : blue
title_of(l) = l eq "cd-1-data-0" ? "CD-1, from the data" : l eq "cd-10-data-0" ? "CD-10, from the data" : l eq "pcd-10" ? "PCD-10, chains persist" : sprintf("CD-%s, from noise", word("3 10 30", style_of(l) - 10))
curve(metric, d, l) = rows(sprintf("metric=%s;%s;learner=%s", metric, d, l), "step,value,se")
last(metric, d) = int(system(sprintf("awk -f plots/rows.awk -v want='metric=%s;%s' -v show=step '%s' | sort -n | tail -n 1", metric, d, csv)))
# best number of steps, its error over seeds, and the lowest value of the mean curve
best(metric, mean, d, l) = sprintf("< { awk -f plots/rows.awk -v want='metric=%s;%s;learner=%s' -v show=value,se '%s' | tr -d '\\n'; awk -f plots/rows.awk -v want='metric=%s;%s;learner=%s' -v show=value '%s' | sort -g | awk '{print \",\" $1; exit}'; }", metric, d, l, csv, mean, d, l, csv)

eval page("", 1280, 960)
set multiplot
set label 1 heading("Machines learn their sampler: generation and mixing of an RBM", \
    sprintf("block Gibbs on bars and stripes 3 × 3%s; mean of %d seeds ± 1 standard error}\n{/*0.85 dotted: steps from noise that a machine was trained with; large mark: those after which it is best", digits ? " and on MNIST" : "", seeds)) \
    at screen 0.5,0.955 center
set label 2 verdict(0) at screen 0.5,0.018 center font ",13" textcolor rgb "#444444" noenhanced
unset key
set title font ",14"
set ylabel font ",14"
set xlabel font ",14"
set title offset 0,-0.5
set tmargin at screen 0.79
set bmargin at screen 0.53
set lmargin at screen 0.08
set rmargin at screen 0.485
set logscale x
set xrange [1:last("tv_mean", bars)]
set format x "%g"
set xlabel "sampler steps from noise" offset 0,0.4
set ylabel "total variation to the data" offset 0.8,0
set yrange [0:0.65]
set title "bars and stripes: the exact law of the states"
do for [i = 1:3] { set arrow 10 + i from word("3 10 30", i) + 0., graph 0 to word("3 10 30", i) + 0., graph 1 nohead linecolor rgb colour_of(word(noisy, i)) linewidth 1.5 dashtype (2, 6) }
plot for [l in learners] curve("tv_mean", bars, l) using 1:($2 - $3):($2 + $3) with filledcurves fillcolor rgb colour_of(l) fillstyle transparent solid 0.1 noborder, \
    for [l in learners] curve("tv_mean", bars, l) using 1:2 with lines linestyle style_of(l), \
    for [l in noisy] best("best_steps", "tv_mean", bars, l) using 1:3:2 with xerrorbars linestyle style_of(l) linewidth 2 pointsize 2.2

unset label 1
unset label 2
set lmargin at screen 0.59
set rmargin at screen 0.97
set yrange [*:*]
d = digits ? "dataset=mnist" : bars
set ylabel "squared kernel discrepancy" offset 0.3,0
set title digits ? "MNIST: 300 states beside 300 test examples" : "bars and stripes: 300 states beside 300 draws"
shown = digits ? 3 : 1 # the sampled curves of bars and stripes are too noisy for a lowest point
mark(i) = digits ? best("best_steps_mmd", "mmd_mean", d, word(noisy, i)) : curve("mmd_mean", d, word(noisy, i))
plot for [l in learners] curve("mmd_mean", d, l) using 1:2:3 with yerrorlines linestyle style_of(l) linewidth 2 pointsize 0.7, \
    for [i = 1:shown] mark(i) using 1:(digits ? $3 : $2):(digits ? $2 : 0) with xerrorbars linestyle style_of(word(noisy, i)) linewidth 2 pointsize (digits ? 2.2 : 0.7)

unset for [i = 11:13] arrow i
set tmargin at screen 0.42
set bmargin at screen 0.125
set lmargin at screen 0.08
set rmargin at screen 0.485
unset logscale x
set xrange [0:last("tau_m2_mean", bars)]
set xlabel "updates" offset 0,0.4
set logscale y
set yrange [0.8:*]
set format y "10^{%T}"
set ylabel "autocorrelation time of m² / steps" offset 0.8,0
set title "bars and stripes: mixing slows down in training (exact)"
plot for [l in learners] curve("tau_m2_mean", bars, l) using 1:2:3 with yerrorlines linestyle style_of(l) linewidth 2 pointsize 1.1

set lmargin at screen 0.59
set rmargin at screen 0.97
unset logscale y
set format y "%g"
set yrange [*:*]
set ylabel "estimate less exact log Z / nats" offset 0.3,0
set title sprintf("bars and stripes: log Z of PCD-10, %d seeds", seeds)
set arrow 1 from graph 0, first 0 to graph 1, first 0 nohead linecolor rgb grey linewidth 2
set key at graph 0.97, graph 0.93 top right samplen 1.5 font ",13"
error_of(metric, s) = rows(sprintf("metric=%s;%s;learner=pcd-10;seed=%d", metric, bars, s), "step,value")
plot for [s = 1:seeds] error_of("tap_error", s) using 1:2 with linespoints linestyle 5 dashtype solid linewidth 2 pointsize 1.3 title (s == 1 ? "TAP, summed over its fixed points" : ""), \
    for [s = 1:seeds] error_of("mean_field_error", s) using 1:2 with linespoints linecolor rgb grey dashtype 4 linewidth 2.5 pointtype 6 pointsize 1.3 title (s == 1 ? "naive mean field" : "")
unset arrow 1
unset title
unset ylabel
eval strip(0.86)
plot for [l in learners] NaN with linespoints linestyle style_of(l) title title_of(l)
unset multiplot
