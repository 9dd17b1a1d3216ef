# Stochastic gradient Langevin dynamics: distance of means (above) and of standard deviations (below) from the posterior's
# against the step, one column for each posterior. Walks with a decaying step are curves, from right to left in time.
load "plots/style.gp"

models = values("metric=sd_distance_mean", "model")
batches = values("metric=sd_distance_mean;sampler.schedule=constant", "sampler.batch")
scales = values("metric=sd_distance_mean;sampler.schedule=polynomial", "sampler.a")
steps = values("metric=walk_step_size;sampler.schedule=constant", "step")
last = word(steps, words(steps))
seeds = number_of("metric=sd_distance", "seed")
name_of(m) = m[1:7] eq "mixture" ? "means of a mixture: 100 examples, two modes" : "logistic regression: 200 examples, 5 coefficients"
settled(metric, m, b) = rows(sprintf("metric=%s;model=%s;sampler.schedule=constant;sampler.batch=%s;step=%s", metric, m, b, last), "sampler.step,value,se")
# Rows at t steps: the last of them had the size a (231 + t - 1)^-0.55, as the metric walk_step_size says, too.
walked(metric, m, a) = rows(sprintf("metric=%s;model=%s;sampler.schedule=polynomial;sampler.a=%s", metric, m, a), "step,value,se")
size_at(t, a) = real(a) * (230 + t)**-0.55
batch_title(b) = b eq "0" ? "all examples" : b eq "1" ? "1 example a step" : sprintf("%s examples a step", b)
batch_colour(b) = b eq "0" ? black : b eq "1" ? vermillion : blue
batch_mark(b) = b eq "0" ? 6 : b eq "1" ? 8 : 4
walk_colour(k) = k == 1 ? green : orange
walk_dash(k) = k == 1 ? 1 : 2
low(x, e) = x - e > 0.1 * x ? x - e : 0.1 * x

eval page("", 1280, 860)
set multiplot
set label 1 heading("Langevin dynamics on a few examples at a time", \
    sprintf("64 chains; the second half of a walk against the posterior by quadrature (left) or Hamiltonian Monte Carlo; means of %d seeds ± 1 s.e.", seeds)) \
    at screen 0.5,0.962 center
set label 2 verdict(0) at screen 0.5,0.018 center font ",11" textcolor rgb "#444444" noenhanced
set tics font ",13"
set title font ",15" offset 0,-0.5
set logscale xy
set format x "10^{%T}"
set format y "10^{%T}"
set xrange [(size eq "quick" ? 2e-3 : 2e-4):4e-2]
unset key
array metrics[2] = ["mean_distance_mean", "sd_distance_mean"]
array noises[2] = ["mean_noise_mean", "sd_noise_mean"]
array titles[2] = ["distance of the mean / σ", "distance of σ, relative"]
array least[2] = [2e-3, 2e-3]
array most[2] = [2, 3]
do for [k = 1:words(models)] {
    m = word(models, k)
    do for [q = 1:2] {
        set lmargin at screen 0.085 + (k - 1) * 0.475
        set rmargin at screen 0.085 + (k - 1) * 0.475 + 0.42
        set tmargin at screen q == 1 ? 0.79 : 0.44
        set bmargin at screen q == 1 ? 0.475 : 0.125
        if (q == 1) { set title name_of(m) font ",15" offset 0,-0.5; set format x ""; unset xlabel } else { unset title; set format x "10^{%T}"; set xlabel "step ε" offset 0,0.6 }
        if (k == 1) { set ylabel titles[q] offset 1.2,0 font ",15" } else { unset ylabel }
        set yrange [least[q]:most[q]]
        plot for [i = 1:words(scales)] walked(noises[q], m, word(scales, i)) using (size_at($1, word(scales, i))):2 with lines linecolor rgb grey linewidth 1.5 dashtype 4, \
            for [i = 1:words(scales)] walked(metrics[q], m, word(scales, i)) using (size_at($1, word(scales, i))):2 with lines linecolor rgb walk_colour(i) dashtype walk_dash(i) linewidth 3, \
            for [i = 1:words(scales)] walked(metrics[q], m, word(scales, i)) using (size_at($1, word(scales, i))):2:(low($2, $3)):($2 + $3) with yerrorbars linecolor rgb walk_colour(i) linewidth 1.5 pointtype 7 pointsize 0.7, \
            for [b in batches] settled(metrics[q], m, b) using 1:2:(low($2, $3)):($2 + $3) with yerrorbars linecolor rgb batch_colour(b) linewidth 2 pointtype batch_mark(b) pointsize 1.7
        unset label 1
        unset label 2
    }
}
unset title
unset ylabel
unset logscale
eval strip(0.875)
set key font ',13' width -3 samplen 2.4
plot for [b in batches] NaN with points linecolor rgb batch_colour(b) linewidth 2 pointtype batch_mark(b) pointsize 1.7 title "constant ε, " . batch_title(b), \
    for [i = 1:words(scales)] NaN with lines linecolor rgb walk_colour(i) dashtype walk_dash(i) linewidth 3 title sprintf("ε = %s (231 + t)^{−0.55}, 10", word(scales, i)), \
    NaN with lines linecolor rgb grey linewidth 1.5 dashtype 4 title "sampling noise of the curves"
unset multiplot
