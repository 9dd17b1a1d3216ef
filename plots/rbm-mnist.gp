# Test log-likelihood of each learner's machine by AIS, with the bracket between forward and reverse annealing, beside
# published values; then pictures of filters and of samples, from the side files.
load "plots/style.gp"

learners = values("metric=loglik_mean", "learner")
n = words(learners)
seeds = number_of("metric=loglik_test_ais", "seed")
data = word(values("metric=loglik_test_ais", "dataset"), 1)
real_data = data eq "mnist" && size eq "full"
first_of(metric, l, column) = word(values(sprintf("metric=%s;learner=%s", metric, l), column), 1)
published(l) = system(sprintf("awk -F, -v l='%s' '$1 == l {print $2}' plots/published.csv", l))

# $values: place, forward, lower and upper end of the error bar, lower and upper of the two estimates, published or NaN.
deepest = 0
set print $values
do for [i = 1:n] {
    l = word(learners, i)
    forward = real(first_of("loglik_mean", l, "value"))
    backward = real(first_of("loglik_reverse_mean", l, "value"))
    error = real(first_of("loglik_test_ais", l, "se"))
    printed = real_data && strlen(published(l)) > 0 ? published(l) : "NaN"
    low = forward < backward ? forward : backward
    high = forward < backward ? backward : forward
    print sprintf("%d,%g,%g,%g,%.2f,%.2f,%s", i, forward, low - 3 * error, high + 3 * error, low, high, printed)
    deepest = low < deepest ? low : deepest
    deepest = real(printed) < deepest ? real(printed) : deepest
}
unset print

eval page("", 1280, 720)
set label 1 heading("Test log-likelihood of RBMs on " . dataset_title(data), \
    sprintf("%s; bars: AIS; error bars: from forward to reverse AIS and 3 standard errors beyond", \
        seeds > 1 ? sprintf("mean of %d seeds", seeds) : "one seed")) at screen 0.5,0.95 center
set label 2 verdict(0) at screen 0.5,0.03 center font ",13" textcolor rgb "#444444" noenhanced
set label 3 real_data ? "" : "Generated digits and a small machine: the published values are for MNIST (SIZE=full)" \
    at screen 0.5,0.075 center font ",13" textcolor rgb "#444444"
set lmargin at screen 0.1
set rmargin at screen 0.985
set tmargin at screen 0.8
set bmargin at screen 0.14
set border 6
unset xtics
set x2range [0.4:n + 0.6]
set xrange [0.4:n + 0.6]
set x2tics scale 0
set for [i = 1:n] x2tics (learner_title(word(learners, i)) i)
set ylabel "log-likelihood of a test picture in nats" offset 0.5,0
set yrange [deepest * 1.22:0]
set boxwidth 0.44
unset key
if (real_data) { set key at screen 0.5,0.075 center center horizontal maxrows 1 width -4 }
marks = !real_data ? "" : ", '' using ($1 + 0.36):7 with points pointtype 4 pointsize 2.4 linewidth 3" . \
    " linecolor rgb vermillion title 'published (Salakhutdinov and Murray 2008)'," . \
    " '' using ($1 + 0.36):7:(sprintf('%.2f', $7)) with labels left font ',13' textcolor rgb vermillion offset 1.6,0 notitle"
plot $values using 1:2 with boxes fillcolor rgb "#9ecae1" fillstyle solid 1 border rgb "#08519c" linewidth 2 title "here", \
    "" using 1:2:3:4 with yerrorbars linecolor rgb black linewidth 3 pointtype 7 pointsize 0.6 notitle, \
    "" using 1:3:(sprintf("%.2f", $2)) with labels font ":Bold" offset 0,-1 notitle, \
    "" using 1:3:(sprintf("[%.2f, %.2f]", $5, $6)) with labels font ",13" offset 0,-2.2 notitle @marks
reset

load "plots/style.gp"
side(l, name) = sprintf("%s/%s/%s", sides, \
    system(sprintf("echo '%s' | tr / -", first_of("loglik_test_ais", l, "case"))), name)
# The cells between pictures, which the sheets leave undefined, as white.
blank(file, value) = sprintf("< sed 's/NaN/%d/g' '%s'", value, file)
tile = n > 3 ? 1280 * 0.92 / n : 1280 * 0.92 / 3   # pixels of a sheet, which is square
height = 140 + 2 * tile + 50
edge(i, k) = (1280 * (i - 0.5) / n + k * tile / 2) / 1280
eval page("-pictures", 1280, int(height))
set multiplot
set label 1 heading("What the machines have learnt", \
    "above: weights of hidden units, black to white from negative to positive; below: samples of long chains") \
    at screen 0.5,1 offset 0,-1.9 center
unset border
unset tics
unset colorbox
unset key
set cbrange [0:1]
set yrange [*:*] reverse
set size ratio -1
do for [i = 1:n] {
    l = word(learners, i)
    set lmargin at screen edge(i, -1)
    set rmargin at screen edge(i, 1)
    set tmargin at screen 1 - 140 / height
    set bmargin at screen 1 - (140 + tile) / height
    set palette gray positive
    set title learner_title(l) offset 0,-0.4
    plot blank(side(l, "filters.csv"), 1) matrix with image
    unset label 1
    set title
    set palette gray negative
    set tmargin at screen 1 - (170 + tile) / height
    set bmargin at screen 1 - (170 + 2 * tile) / height
    plot blank(side(l, "samples.csv"), 0) matrix with image
}
unset multiplot
