# A Hopfield network at temperature T. Left: long-run means of all units and pairs against the exact ones. Middle and right:
# what the sign of the mean of the last M states has in common with the pattern, at two loads, without and with a field.
load "plots/style.gp"

large = 0
small = 1e9
sizes_all = values("metric=overlap_mean", "dataset.size")
do for [n in sizes_all] { large = int(n) > large ? int(n) : large; small = int(n) < small ? int(n) : small }
loads = values(sprintf("metric=overlap_mean;dataset.size=%d", large), "dataset.count")
fields = values("metric=overlap_mean", "learner.bias")
counts = values("metric=overlap_mean", "step")
array tones[3] = [vermillion, green, black]
array marks[3] = [8, 4, 6]
tone(i) = tones[i]
dash_of(k) = k
mark(i, k) = marks[i] + (k == 1 ? 1 : 0)
series(metric, k, h, m) = rows(sprintf("metric=%s;dataset.size=%d;dataset.count=%s;learner.bias=%s;step=%s", metric, large, k, h, m), \
    "estimator.temperature,value,se")

eval page("", 1280, 680)
set multiplot
set label 1 heading("A network that also climbs: retrieval by the mean of the last M states", \
    sprintf("Hebb's couplings, cues with 10 %% of the units flipped; field h along the mean of the patterns; means over seeds with standard errors")) \
    at screen 0.5,0.955 center
set label 2 verdict(0) at screen 0.5,0.025 center font ",13" textcolor rgb "#444444" noenhanced
set tmargin at screen 0.74
set bmargin at screen 0.155
set tics font ",13"
set xlabel font ",14" offset 0,0.4
set title font ",14" offset 0,-0.4

set lmargin at screen 0.075
set rmargin at screen 0.325
set title sprintf("{/DejaVu-Sans ⟨}y_i{/DejaVu-Sans ⟩} and {/DejaVu-Sans ⟨}y_i y_j{/DejaVu-Sans ⟩}, %d units", small)
set xlabel "exact, by enumeration"
set ylabel "long run of Gibbs sampling (seed 1)" offset 1.5,0 font ",14"
set xrange [-1:1]
set yrange [-1:1]
set key at graph 0.02,0.98 top left reverse Left font ",13" samplen 1
listed(h) = sprintf("< awk -f plots/rows.awk -v want='metric=moment;seed=1;learner.bias=%s' -v show='value,se' -v join=moment_exact '%s'", h, csv)
plot x with lines linecolor rgb grey linewidth 1.5 notitle, \
    for [k = words(fields):1:-1] listed(word(fields, k)) using 3:1:2 with yerrorbars linecolor rgb (k == 1 ? black : vermillion) \
        pointtype (k == 1 ? 7 : 8) pointsize 0.6 title sprintf("h = %s", word(fields, k))

unset label 1
unset label 2
unset ylabel
set xlabel "temperature T"
set xrange [0:1.25]
set yrange [-0.05:1.05]
set parametric
set trange [0.001:0.999999]
set samples 300
unset key
do for [p = 1:2] {
    set lmargin at screen (p == 1 ? 0.395 : 0.72)
    set rmargin at screen (p == 1 ? 0.665 : 0.985)
    set title sprintf("overlap: %s patterns, %d units", word(loads, p), large)
    plot t / atanh(t), t with lines linecolor rgb sky linewidth 4, \
        for [i = 1:words(counts)] for [k = 1:words(fields)] series("overlap_mean", word(loads, p), word(fields, k), word(counts, i)) \
            using 1:2:3 with yerrorlines linecolor rgb tone(i) linewidth 2 dashtype dash_of(k) pointtype mark(i, k) pointsize 1.3
}
unset parametric
unset title
eval strip(0.83)
set key maxrows 1 font ",13" samplen 2.5 width -2
plot NaN with lines linecolor rgb sky linewidth 4 title "m = tanh(m / T)", \
    for [i = 1:words(counts)] NaN with linespoints linecolor rgb tone(i) linewidth 2 pointtype mark(i, 1) pointsize 1.3 title sprintf("M = %s", word(counts, i)), \
    for [k = 1:words(fields)] NaN with lines linecolor rgb "#444444" linewidth 2 dashtype dash_of(k) title sprintf("h = %s", word(fields, k))
unset multiplot
