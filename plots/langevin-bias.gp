# Left: the variance that ULA and MALA end with on N(0, sigma^2), in units of sigma^2, against the step in the same
# units, for two sigma; the curve is ULA's law. Middle: MALA's acceptance on V standard normal units at fixed steps, with
# the normal approximation of the log ratio. Right: MALA's step adapted to an acceptance of 0.574.
load "plots/style.gp"

seeds = number_of("metric=first_square;sampler=ula-0.1;model.units=2", "seed")
two = "model.covariance=diagonal"
many = "model.covariance=identity"
spread(metric, s) = rows(sprintf("metric=%s_square_mean;sampler=%s*;%s", metric, s, two), "sampler.step,value,se")
accepted(eta) = rows(sprintf("metric=acceptance_mean;sampler=mala-%s;%s", eta, many), "model.units,value,se")
adapted = rows(sprintf("metric=step_mean;sampler=mala-0;%s", many), "model.units,value,se")
ula(x) = x < 2 ? 1 / (1 - x / 2) : NaN
Phi(z) = norm(z)
mu(e, V) = -e**3 * V / 4
s2(e, V) = e**3 * V / 2 + e**6 * V / 8
law(e, V) = Phi(mu(e, V) / sqrt(s2(e, V))) + exp(mu(e, V) + s2(e, V) / 2) * Phi(-sqrt(s2(e, V)) - mu(e, V) / sqrt(s2(e, V)))
array steps[4] = ["0.05", "0.1", "0.2", "0.4"]
array tones[4] = [green, blue, vermillion, black]
array marks[4] = [13, 7, 9, 5]
array dashes[4] = [4, 1, 2, 3]

eval page("", 1280, 660)
set multiplot
set label 1 heading("What a Langevin step costs: bias without, rejections with Metropolis–Hastings", \
    sprintf("x′ = x − η ∇E + √(2η) ξ on normal targets that are known exactly; means of %d seeds ± 1 s.e.; curves are formulas, not fits", seeds)) \
    at screen 0.5,0.945 center
set label 2 verdict(0) at screen 0.5,0.03 center font ",12" textcolor rgb "#444444" noenhanced
set tmargin at screen 0.80
set bmargin at screen 0.19
set tics font ",13"
set xlabel font ",13.5" offset 0,0.3
set title font ",14" offset 0,-0.3
set samples 300

set lmargin at screen 0.055
set rmargin at screen 0.335
set title "variance of the samples / σ²"
set xlabel "step η / σ²"
set xrange [0:1.78]
set xtics 0, 0.4, 1.6
set yrange [0.8:8]
set logscale y
set ytics (1, 2, 3, 5, 8)
set key at graph 0.03,0.98 left top font ",12.5" Left reverse samplen 2.5
plot ula(x) with lines linecolor rgb black linewidth 2 title "1 / (1 − η / 2σ²)", \
    spread("first", "ula") using 1:2:3 with yerrorbars linecolor rgb vermillion linewidth 2 pointtype 9 pointsize 1.7 title "ULA, σ² = 1", \
    spread("second", "ula") using (4 * $1):(4 * $2):(4 * $3) with yerrorbars linecolor rgb orange linewidth 2 pointtype 8 pointsize 1.7 title "ULA, σ² = 1/4", \
    spread("first", "mala") using ($1 > 0 ? $1 : NaN):2:3 with yerrorbars linecolor rgb blue linewidth 2 pointtype 7 pointsize 1.3 title "MALA, σ² = 1", \
    spread("second", "mala") using ($1 > 0 ? 4 * $1 : NaN):(4 * $2):(4 * $3) with yerrorbars linecolor rgb sky linewidth 2 pointtype 6 pointsize 1.3 title "MALA, σ² = 1/4"

unset label 1
unset label 2
unset logscale y
set lmargin at screen 0.395
set rmargin at screen 0.67
set title "MALA: share of proposals accepted"
set xlabel "units V (standard normal)"
set logscale x 2
set xrange [3:1400]
set xtics (4, 16, 64, 256, 1024)
set yrange [0:1.02]
set ytics 0, 0.2, 1
set key at graph 0.03,0.03 left bottom
plot for [i = 1:4] law(real(steps[i]), x) with lines linecolor rgb tones[i] linewidth 2 dashtype dashes[i] notitle, \
    for [i = 1:4] accepted(steps[i]) using 1:2:3 with yerrorbars linecolor rgb tones[i] linewidth 2 pointtype marks[i] pointsize 1.6 title "η = " . steps[i]

set lmargin at screen 0.74
set rmargin at screen 0.985
set title "MALA: step η that accepts 0.574"
set logscale y 2
set yrange [0.1:1.6]
set ytics (0.125, 0.25, 0.5, 1)
plot 0.5 * 1.65**2 * x**(-1.0 / 3) with lines linecolor rgb black linewidth 2 title "1.36 V^{−1/3} (V → ∞)", \
    adapted using 1:2:3 with yerrorbars linecolor rgb blue linewidth 2 pointtype 7 pointsize 1.6 title "adapted in warm-up"
unset multiplot
