# Dense associative memories: the share of patterns that one sweep recalls against the load, unit by unit and all at once, a
# row for each share of flipped units.
load "plots/style.gp"

models = values("metric=share_mean", "model")
units = int(system(sprintf("awk -F, 'NR == 1 {for (i = 1; i <= NF; i++) c[$i] = i} $c[\"metric\"] == \"share_mean\" {print $c[\"dataset.count\"]}' '%s' | sort -n | tail -n 1", csv))) > 2000 ? 100 : 64
steps = values("metric=share_mean", "step")
n = words(steps)
title_of(m) = m eq "hopfield" ? "Hebb's network" : m eq "hopfield-modern-exponential-3" ? "exponential" : sprintf("n = %s", m[28:*])
style_of(m) = m eq "hopfield" ? 6 : m eq "hopfield-modern-exponential-3" ? 1 : m eq "hopfield-modern-polynomial-2" ? 2 : m eq "hopfield-modern-polynomial-3" ? 4 : 5
width_of(m) = m eq "hopfield" ? 8 : 3
points(m, o, s) = rows(sprintf("metric=share_mean;model=%s;sampler.order=%s;step=%s", m, o, s), "dataset.count,value,se")

eval page("", 1280, n > 1 ? 960 : 640)
set multiplot
set label 1 heading("Dense associative memories hold more patterns than there are units", \
    sprintf("%d units; share of patterns to which one sweep comes back (overlap at least 0.97); means over seeds with standard errors", units)) \
    at screen 0.5,(n > 1 ? 0.965 : 0.95) center
set label 2 verdict(0) at screen 0.5,0.02 center font ",13" textcolor rgb "#444444" noenhanced
set tics font ",13"
set xlabel "patterns over units, K / N" font ",14" offset 0,0.4
set title font ",14" offset 0,-0.4
set logscale x
set xrange [0.025:70]
set yrange [0:1.05]
set arrow 1 from 0.138, graph 0 to 0.138, graph 1 nohead linecolor rgb grey linewidth 2 dashtype 4
set label 3 "0.138" at 0.15, graph 0.5 font ",12" textcolor rgb grey
unset key
top = n > 1 ? 0.83 : 0.75
height = n > 1 ? 0.3 : 0.57
do for [r = 1:n] {
    set tmargin at screen (top - (r - 1) * 0.41)
    set bmargin at screen (top - height - (r - 1) * 0.41)
    do for [p = 1:2] {
        order = p == 1 ? "fixed" : "synchronous"
        set lmargin at screen (p == 1 ? 0.06 : 0.56)
        set rmargin at screen (p == 1 ? 0.48 : 0.985)
        set title sprintf("%s, %.0f %% of the units flipped", p == 1 ? "unit by unit" : "all units at once", 100. * int(word(steps, r)) / units)
        plot for [m in models] points(m, order, word(steps, r)) using ($1 / units):2:3 with yerrorlines linestyle style_of(m) linewidth width_of(m)
        unset label 1
        unset label 2
    }
}
unset title
unset label 3
unset arrow 1
eval strip(n > 1 ? 0.9 : 0.845)
set key maxrows 1 font ",14"
plot for [m in models] NaN with linespoints linestyle style_of(m) linewidth width_of(m) title title_of(m)
unset multiplot
