# Walks of a Hopfield network from random states. Left: energy against changes, unit by unit. Right: energy against sweeps,
# all units at once; bars below: how many walks end in a cycle of length 2.
load "plots/style.gp"

counts = values("metric=fixed_share", "dataset.count")
units = size eq "full" ? 1024 : 256
load_of(k) = sprintf("%.2f N", real(word(counts, k)) / units)
orders = "fixed random"
order_colour(o) = o eq "fixed" ? black : vermillion
order_dash(o) = o eq "fixed" ? 1 : 2
order_title(o) = o eq "fixed" ? "first unstable unit" : "random unit"
mark_of(k) = k == 1 ? 7 : 8
trace(o, k) = rows(sprintf("metric=trace_energy;sampler.order=%s;dataset.count=%s", o, word(counts, k)), "step,value,se")

eval page("", 1280, 680)
set multiplot
set label 1 heading(sprintf("A Hopfield network of %d units goes downhill and stops", units), \
    "Hebb's rule, random patterns, walks from random states; unit by unit no change raises the energy, all at once some walks never rest") \
    at screen 0.5,0.95 center
set label 2 verdict(0) at screen 0.5,0.03 center font ",13" textcolor rgb "#444444" noenhanced
set tmargin at screen 0.80
set bmargin at screen 0.17
set title font ",15" offset 0,-0.4
set xlabel offset 0,0.3
set tics font ",14"

set lmargin at screen 0.085
set rmargin at screen 0.44
set title "one unit after another"
set xlabel "changes of a unit, per unit"
set ylabel "energy per unit" offset 0.8,0
set yrange [-0.75:0.22]
set xrange [0:*]
set key top right font ",13" spacing 1.1 samplen 3
plot for [k = 1:2] for [o in orders] trace(o, k) using ($1 / units):2 every (size eq "full" ? 10 : 6) with linespoints \
    linecolor rgb order_colour(o) dashtype order_dash(o) linewidth 2.5 pointtype mark_of(k) pointsize 0.9 \
    title sprintf("%s, K = %s", order_title(o), load_of(k))

unset label 1
unset label 2
set lmargin at screen 0.515
set rmargin at screen 0.745
set title "all units at once"
set xlabel "sweeps"
unset ylabel
set xrange [0:20]
set key top right
plot for [k = 1:2] trace("synchronous", k) using 1:2:3 with yerrorlines linecolor rgb blue dashtype k \
    linewidth 2.5 pointtype mark_of(k) pointsize 1 title sprintf("K = %s", load_of(k))

set lmargin at screen 0.825
set rmargin at screen 0.985
set title "end in a cycle of 2"
set xlabel "patterns"
set ylabel "share of walks" offset 1,0
set yrange [0:*]
set xrange [0.4:2.6]
set xtics ("" 1)
set for [k = 1:2] xtics add (load_of(k) k)
set boxwidth 0.5
unset key
cycles(k) = rows(sprintf("metric=cycle_share;sampler.order=synchronous;dataset.count=%s", word(counts, k)), "value,se")
plot for [k = 1:2] cycles(k) using (k):1:2 with boxerrorbars fillcolor rgb sky fillstyle solid border linecolor rgb blue linewidth 2
unset multiplot
