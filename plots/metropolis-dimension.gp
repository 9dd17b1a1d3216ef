# Left: acceptance of random-walk Metropolis on V standard normal units at fixed scales; the curves are exact. Middle and
# right: what a step of a random walk and of MALA is worth, against the acceptance that their warm-up aims at. A unit whose
# autocorrelation falls as rho^t has 1 - rho = 2 / (tau + 1): the share of its memory that a step wipes out, here times V or
# V^(1/3). The black curve is the limit (Roberts, Gelman & Gilks 1997; Roberts & Rosenthal 1998): with l^2 the variance of a
# proposal in units of V^(-1) or V^(-1/3) and acceptance a(l), the walk becomes a diffusion of speed h = l^2 a(l), which
# forgets at the rate h / 2. The dashed curve adds MALA's next order in eta = l^2 V^(-1/3) / 2 on these targets, where the log
# ratio is eta (|x|^2 - |x'|^2) / 4: E[x_1 (x_1 - x'_1) min(1, e^Y)] = a eta (1 + eta / 2) + ...
load "plots/style.gp"

seeds = number_of("metric=acceptance;sampler=random-walk-0.1*;model.units=10", "seed")
units = values("metric=tau_mean", "model.units")
scales = values("metric=acceptance_mean;sampler=random-walk-0.*", "sampler.scale")
accepted(s) = rows(sprintf("metric=acceptance_mean;sampler.scale=%s", s), "model.units,value,se")
tau(sampler, V) = rows(sprintf("metric=tau_mean;sampler=%s*;model.units=%s", sampler, V), "sampler.acceptance,value,se")
# P(|t| > s sqrt(V) / 2), t of V degrees, V an integer: with tan theta = s / 2 (Abramowitz & Stegun 1964, 26.7.3 and 26.7.4)
even(theta, V) = 1 - sin(theta) * sum [k = 0:V / 2 - 1] exp(lgamma(2 * k + 1) - 2 * lgamma(k + 1) - k * log(4)) * cos(theta)**(2 * k)
odd(theta, V) = 1 - 2 / pi * (theta + (V == 1 ? 0 : sin(theta) * \
    sum [k = 0:(V - 3) / 2] exp(k * log(4) + 2 * lgamma(k + 1) - lgamma(2 * k + 2)) * cos(theta)**(2 * k + 1)))
tail(s, V) = int(V) % 2 ? odd(atan(s / 2), int(V)) : even(atan(s / 2), int(V))
worth(tau) = 2 / (tau + 1)
error(tau, se) = 2 * se / (tau + 1)**2
array tones[5] = [orange, vermillion, green, blue, purple]
array marks[5] = [8, 9, 13, 7, 4]
array dashes[5] = [1, 2, 4, 3, 5]

eval page("", 1280, 700)
set multiplot
set label 1 heading("How large a step? Random-walk Metropolis and MALA as units are added", \
    sprintf("V standard normal units; means of %d seeds ± 1 s.e.; memory lost: 2 / (τ + 1), τ of one unit in steps; curves are formulas, not fits", seeds)) \
    at screen 0.5,0.945 center
set label 2 verdict(0) at screen 0.5,0.03 center font ",12" textcolor rgb "#444444" noenhanced
set tmargin at screen 0.80
set bmargin at screen 0.18
set tics font ",13"
set xlabel font ",13.5" offset 0,0.3
set title font ",14" offset 0,-0.3
set samples 400

set lmargin at screen 0.055
set rmargin at screen 0.335
set title "random walk of scale s: accepted"
set xlabel "units V"
set logscale x
set xrange [0.8:140]
set xtics (1, 3, 10, 30, 100)
set yrange [0:1.02]
set ytics 0, 0.2, 1
set key at graph 0.03,0.03 left bottom font ",12.5" Left reverse samplen 2.5
plot for [i = 1:words(scales)] "+" using (int($1 + 0.5)):(tail(real(word(scales, i)), int($1 + 0.5))) with lines linecolor rgb tones[i] linewidth 2 dashtype dashes[i] notitle, \
    for [i = 1:words(scales)] accepted(word(scales, i)) using 1:2:3 with yerrorbars linecolor rgb tones[i] linewidth 2 pointtype marks[i] pointsize 1.6 \
        title "s = " . word(scales, i)

unset label 1
unset label 2
unset logscale x
set parametric
set lmargin at screen 0.395
set rmargin at screen 0.67
set title "random walk: V × memory lost in a step"
set xlabel "acceptance"
set xrange [0:1]
set yrange [0:0.85]
set trange [0.05:7]
set xtics 0, 0.2, 1
set ytics 0, 0.2, 0.8
set arrow 1 from 0.234, graph 0 to 0.234, graph 1 nohead linecolor rgb grey linewidth 1.5 dashtype 4
set label 11 "0.234" at 0.245, graph 0.04 left font ",12" textcolor rgb "#444444"
set key at graph 0.98,0.98 right top noreverse Right
plot 2 * norm(-t / 2), t**2 * 2 * norm(-t / 2) / 2 with lines linecolor rgb black linewidth 2 title "V → ∞", \
    for [i = 1:words(units)] tau("random-walk-0-", word(units, i)) using 1:(word(units, i) * worth($2)):(word(units, i) * error($2, $3)) with yerrorbars \
        linecolor rgb tones[i] linewidth 2 pointtype marks[i] pointsize 1.6 title "V = " . word(units, i)

set lmargin at screen 0.73
set rmargin at screen 0.985
set title "MALA: V^{1/3} × memory lost in a step"
set yrange [0:1.65]
set trange [0.05:2.8]
set ytics 0, 0.2, 1.6
set arrow 1 from 0.574, graph 0 to 0.574, graph 0.56 nohead linecolor rgb grey linewidth 1.5 dashtype 4
set label 11 "0.574" at 0.585, graph 0.04
set key at graph 0.03,0.98 left top reverse Left
largest = real(word(units, words(units)))
gain(l, V) = 1 + l**2 * V**(-1.0 / 3) / 4   # eta / 2: proposals that shrink |x| are accepted more often
plot 2 * norm(-t**3 / 8), t**2 * 2 * norm(-t**3 / 8) / 2 with lines linecolor rgb black linewidth 2 title "V → ∞", \
    2 * norm(-t**3 / 8), t**2 * 2 * norm(-t**3 / 8) / 2 * gain(t, largest) with lines linecolor rgb black linewidth 1.5 dashtype 2 \
        title sprintf("V = %g, × (1 + η / 2)", largest), \
    for [i = 1:words(units)] tau("mala", word(units, i)) using 1:(word(units, i)**(1.0 / 3) * worth($2)):(word(units, i)**(1.0 / 3) * error($2, $3)) with yerrorbars \
        linecolor rgb tones[i] linewidth 2 pointtype marks[i] pointsize 1.6 title "V = " . word(units, i)
unset multiplot
