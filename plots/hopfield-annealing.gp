# Annealing and descent from the same starts, Hebb's couplings of few and of very many patterns. Above: the share of walks that
# end in the ground state, against how slowly is cooled. Below: sweeps that find it with probability 99 %, over walks from
# fresh starts.
load "plots/style.gp"

loads = values("metric=ground_share_mean", "dataset.count")
size_of = values("metric=ground_gap", "dataset")
peaks = values("metric=ground_share_mean;sampler=annealed*", "sampler.max_temperature")
orders = "fixed random"
last = 0.002
dash_of(o) = o eq "fixed" ? 2 : 4
array tones[3] = [sky, green, black]
array marks[3] = [9, 5, 7]
# sweeps in which the temperature falls by a factor e
slowness(r) = -1 / log(r)
points(metric, k, t) = rows(sprintf("metric=%s;dataset.count=%s;sampler=annealed*;sampler.max_temperature=%s", metric, k, t), "sampler.rate,value,se")
level(metric, k, o) = real(system(sprintf("awk -f plots/rows.awk -v want='metric=%s;dataset.count=%s;sampler=descent-%s' -v show=value '%s'", metric, k, o, csv)))

eval page("", 1280, 960)
set multiplot
set label 1 heading("Annealing against deterministic descent from the same starts", \
    "ground state by listing all states; temperatures in units of the root mean square field; means over machines with standard errors") \
    at screen 0.5,0.965 center
set label 2 verdict(0) at screen 0.5,0.018 center font ",13" textcolor rgb "#444444" noenhanced
set tics font ",13"
set xlabel font ",14" offset 0,0.4
set title font ",14" offset 0,-0.4
set logscale x
set xrange [1:140]
unset key
do for [p = 1:2] {
    k = word(loads, p)
    set lmargin at screen (p == 1 ? 0.075 : 0.57)
    set rmargin at screen (p == 1 ? 0.485 : 0.985)
    set tmargin at screen 0.83
    set bmargin at screen 0.53
    unset logscale y
    set yrange [0:1.03]
    set format y "%g"
    unset xlabel
    set title sprintf("%s patterns: walks that end in the ground state", k)
    plot for [i = 1:words(peaks)] points("ground_share_mean", k, word(peaks, i)) using (slowness($1)):2:3 with yerrorlines \
            linecolor rgb tones[i] linewidth 2.5 pointtype marks[i] pointsize 1.5, \
        for [o in orders] level("ground_share_mean", k, o) with lines linecolor rgb vermillion linewidth 3 dashtype dash_of(o)
    unset label 1
    unset label 2
    set tmargin at screen 0.43
    set bmargin at screen 0.115
    set logscale y
    set yrange [5:5000]
    set format y "10^{%T}"
    set xlabel "sweeps in which the temperature falls by a factor e"
    set title "sweeps to find it with probability 99 %"
    plot for [i = 1:words(peaks)] points("sweeps_to_solution_mean", k, word(peaks, i)) using (slowness($1)):2:3 with yerrorlines \
            linecolor rgb tones[i] linewidth 2.5 pointtype marks[i] pointsize 1.5, \
        for [o in orders] level("sweeps_to_solution_mean", k, o) with lines linecolor rgb vermillion linewidth 3 dashtype dash_of(o)
}
unset title
eval strip(0.9)
set key maxrows 1 font ",13" samplen 2.5 width -2
plot for [i = 1:words(peaks)] NaN with linespoints linecolor rgb tones[i] linewidth 2.5 pointtype marks[i] pointsize 1.5 \
        title sprintf("from T = %g", last * real(word(peaks, i))), \
    for [o in orders] NaN with lines linecolor rgb vermillion linewidth 3 dashtype dash_of(o) title sprintf("descent, %s", o eq "fixed" ? "in turn" : "at random")
unset multiplot
