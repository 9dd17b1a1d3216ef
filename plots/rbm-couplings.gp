# Couplings of an RBM's marginal energy against those of the law that its data were drawn from. Left: each coupling of up to
# four bodies, of the largest machine and data set, all seeds; the law has none of four. Middle: correlation with the true ones
# against hidden units, most draws. Right: root mean square error of each order against draws, most hidden units.
load "plots/style.gp"

hidden = values("metric=correlation", "model.hidden")
counts = values("metric=correlation", "dataset.count")
most = word(hidden, words(hidden))
draws = word(counts, words(counts))
units = size eq "full" ? 8 : 6
biggest = sprintf("model.hidden=%s;dataset.count=%s", most, draws)
# Bodies in a set of units written as bits.
bodies(s) = s == 0 ? 0 : (int(s) & 1) + bodies(int(s) >> 1)
only(s, k, y) = bodies(s) == k ? y : NaN
colour_of(k) = k == 1 ? grey : k == 2 ? black : k == 3 ? vermillion : blue
mark_of(k) = k == 1 ? 13 : k == 2 ? 7 : k == 3 ? 9 : 1
dash_of(k) = k == 2 ? 1 : k == 3 ? 2 : k == 4 ? 4 : 3
title_of(k) = word("one two three four", k) . (k == 1 ? " body" : " bodies")

eval page("", 1280, 680)
set multiplot
set label 1 heading("The marginal energy of an RBM holds couplings of every order", \
    sprintf("laws of %d bits with couplings of one, two and three bodies; maximum likelihood on draws, couplings by the Walsh–Hadamard transform", units)) \
    at screen 0.5,0.945 center
set label 2 verdict(0) at screen 0.5,0.028 center font ",13" textcolor rgb "#444444" noenhanced
set tmargin at screen 0.8
set bmargin at screen 0.25
set tics font ",13"
set title font ",15" offset 0,-0.4
set xlabel font ",14" offset 0,0.4
set ylabel font ",14" offset 1,0
set key at screen 0.5,0.105 center center maxrows 1 samplen 2.5 font ",14"

set lmargin at screen 0.07
set rmargin at screen 0.36
set title sprintf("%s hidden units, %s draws", most, draws)
set xlabel "true coupling"
set ylabel "coupling of the RBM"
set xrange [-0.7:0.7]
set yrange [-0.7:0.7]
set xtics 0.3
set ytics 0.3
plot x with lines linecolor rgb grey linewidth 1.5 notitle, \
    for [k = 1:4] rows_with("metric=coupling;" . biggest, "step,value", "coupling_true") using (only($1, k, $3)):2 \
        with points linecolor rgb colour_of(k) pointtype mark_of(k) pointsize 1.0 linewidth 1.5 title title_of(k)

unset label 1
unset label 2
set key off
set lmargin at screen 0.435
set rmargin at screen 0.675
set title "correlation with the truth"
set xlabel "hidden units"
set ylabel ""
set logscale x 2
set xrange [1.7:1.2 * most]
set yrange [*:1.02]
set xtics (2, 4, 8, 16, 32)
set ytics auto
plot 0.95 with lines linecolor rgb grey linewidth 2 dashtype 4, \
    for [k = 1:3] rows(sprintf("metric=correlation;dataset.count=%s;step=%d", draws, k), "model.hidden,value,se") \
        using 1:2:3 with yerrorbars linecolor rgb colour_of(k) pointtype mark_of(k) linewidth 2 pointsize 1.4, \
    for [k = 1:3] rows(sprintf("metric=correlation;dataset.count=%s;step=%d", draws, k), "model.hidden,value") \
        using 1:2 with lines linecolor rgb colour_of(k) dashtype dash_of(k) linewidth 3

set lmargin at screen 0.745
set rmargin at screen 0.985
set title "root mean square error"
set xlabel "draws"
unset logscale x
set logscale xy
set xrange [word(counts, 1) * 0.8:draws * 1.25]
set yrange [*:*]
set xtics ("1,000" 1000, "3,000" 3000, "10,000" 10000, "30,000" 30000)
set format y "%g"
plot for [k = 1:4] rows(sprintf("metric=error;model.hidden=%s;step=%d", most, k), "dataset.count,value,se") \
        using 1:2:3 with yerrorbars linecolor rgb colour_of(k) pointtype mark_of(k) linewidth 2 pointsize 1.4, \
    for [k = 1:4] rows(sprintf("metric=error;model.hidden=%s;step=%d", most, k), "dataset.count,value") \
        using 1:2 with lines linecolor rgb colour_of(k) dashtype dash_of(k) linewidth 3
unset multiplot
