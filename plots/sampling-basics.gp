# Random draws by textbook methods. Left: how far sums of N uniforms are from normal, as measured and as the law of Irwin and
# Hall says. Middle: p values of all seeds in ascending order, which lie on the diagonal where draws are right. Right: what a
# draw of a category reads.
load "plots/style.gp"

seeds = system(sprintf("awk -F, '$0 ~ /,p_value,/ {n[$2]++} END {for (c in n) if (n[c] > m) m = n[c]; print m}' '%s'", csv)) + 0
sums = "metric=%s;estimator.method=central-limit"
one(metric, method) = real(word(values(sprintf("metric=%s;estimator.method=%s", metric, method), "value"), 1))
floor_at(x) = x < 1e-5 ? 1e-5 : x

eval page("", 1280, 740)
set multiplot
set label 1 heading("Random draws from first principles, and what tests say of them", \
    sprintf("every method at %d seeds; ± 1 s.e.", seeds)) at screen 0.5,0.95 center
set label 2 verdict(0) at screen 0.5,0.03 center font ",13" textcolor rgb "#444444" noenhanced
set tmargin at screen 0.82
set bmargin at screen 0.285
set tics font ",13"
set xlabel font ",14" offset 0,0.4
set title font ",14" offset 0,-0.4

set lmargin at screen 0.075
set rmargin at screen 0.33
set title "largest |F − Φ| of a normal draw"
set xlabel "N, uniforms added"
set logscale xy
set xrange [0.8:40]
set yrange [*:0.8]
set format y "10^{%T}"
set xtics (1, 2, 3, 6, 12, 24)
set key top right font ",12.5" samplen 2.5
plot rows(sprintf(sums, "distance_exact"), "estimator.uniforms,value") using 1:2 with lines linecolor rgb black linewidth 2.5 title "exact law of the sum", \
    rows(sprintf(sums, "distance"), "estimator.uniforms,value,se") using 1:2:3 with yerrorbars linecolor rgb vermillion linewidth 2 pointtype 7 pointsize 1.3 title "measured", \
    one("distance", "box-muller") with lines linecolor rgb blue linewidth 2 dashtype 2 title "Box–Muller, measured", \
    one("distance", "library") with lines linecolor rgb green linewidth 2 dashtype 4 title "the library, measured"

unset label 1
unset label 2
unset logscale
set format y "%g"
set lmargin at screen 0.405
set rmargin at screen 0.66
set title "p values of the seeds, ascending"
set xlabel sprintf("rank / %d", seeds + 1)
set xrange [0:1]
set yrange [0:1]
set xtics 0.25
set ytics 0.25
set key at screen 0.5,0.125 center center vertical maxrows 2 font ",12.5" samplen 2.2 width -3 spacing 1.2
curve(method, more) = rows(sprintf("metric=p_value;estimator.method=%s%s", method, more), "step,value,se")
at(step) = step / (seeds + 1.0)
plot curve("library", "") using (at($1)):(at($1) - 2 * $3):(at($1) + 2 * $3) with filledcurves linecolor rgb "#dddddd" title "± 2 s.d. of right draws", \
    curve("library", "") using (at($1)):2 with lines linecolor rgb green linewidth 3 title "normal, the library", \
    curve("box-muller", "") using (at($1)):2 with lines linecolor rgb blue linewidth 2 dashtype 2 title "normal, Box–Muller", \
    curve("inverse", ";estimator.categories=1000") using (at($1)):2 with lines linecolor rgb orange linewidth 2 dashtype 3 title "1000 categories, inverse", \
    curve("alias", ";estimator.categories=1000") using (at($1)):2 with lines linecolor rgb purple linewidth 2 dashtype 4 title "1000 categories, alias", \
    rows("metric=p_value;estimator.units=20", "step,value") using (at($1)):2 with lines linecolor rgb black linewidth 2 dashtype 5 title "N(µ, Σ), Cholesky", \
    curve("central-limit", ";estimator.uniforms=3") using (at($1)):2 every 4 with linespoints linecolor rgb vermillion linewidth 2 pointtype 7 pointsize 0.8 title "sums of 3 uniforms", \
    curve("central-limit", ";estimator.uniforms=12") using (at($1)):2 every 4 with linespoints linecolor rgb vermillion linewidth 1.5 pointtype 6 pointsize 0.9 title "sums of 12"

set lmargin at screen 0.735
set rmargin at screen 0.985
set title "table entries that a draw reads"
set xlabel "K, categories"
set logscale x
set xrange [6:16000]
set yrange [0:18]
set xtics ("10" 10, "100" 100, "1000" 1000, "10⁴" 10000)
set ytics 5
unset key
set key inside top left vertical maxrows 3 font ",13" width 0 Left reverse samplen 2
of(method) = rows(sprintf("metric=reads;estimator.method=%s", method), "estimator.categories,value")
plot log(x) / log(2) with lines linecolor rgb grey linewidth 2 dashtype 4 title "log_2 K", \
    of("inverse") using 1:2 with points linecolor rgb orange linewidth 2 pointtype 7 pointsize 1.5 title "inverse, by bisection", \
    of("alias") using 1:2 with linespoints linecolor rgb purple linewidth 2 pointtype 9 pointsize 1.6 title "alias table"
unset multiplot
