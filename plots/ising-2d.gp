# The Ising torus. Above: energy, magnetisation and specific heat against temperature, every sampler's points on the exact
# curves. Below: how far every energy lies from Kaufman's value in standard errors, and the autocorrelation time of M^2
# at the critical temperature against the side, in lattice sweeps.
load "plots/style.gp"

samplers = values("metric=energy", "sampler")
sides_all = values("metric=energy", "model.side")
n_sides = words(sides_all)
least = int(word(sides_all, 1))
most = int(word(sides_all, n_sides))
middle = int(word(sides_all, (n_sides + 1) / 2))
shown = n_sides > 2 ? sprintf("%d %d %d", least, middle, most) : sides_all
temperatures = values("metric=energy", "run.temperature")
coldest = real(word(temperatures, 1))
hottest = real(word(temperatures, words(temperatures)))
critical = 2.269185314213022
at_critical = "run.temperature=2.269185314213022"

style_of(s) = s eq "metropolis" ? 2 : s eq "gibbs" ? 1 : s eq "swendsen-wang" ? 4 : 5
title_of(s) = s eq "metropolis" ? "Metropolis" : s eq "gibbs" ? "heat bath" : s eq "swendsen-wang" ? "Swendsen-Wang" : "Wolff"
mark(s) = s eq "metropolis" ? 8 : s eq "gibbs" ? 6 : s eq "swendsen-wang" ? 12 : 2
array tones[3] = [green, orange, blue]
tone(i) = tones[i]
points(metric, s, l) = rows(sprintf("metric=%s;sampler=%s;model.side=%s", metric, s, l), "run.temperature,value,se")
# Between a few temperatures the exact values are marks and not a curve.
lined = words(temperatures) < 5 ? 0 : words(shown)
one(metric, l) = rows(sprintf("metric=%s;sampler=wolff;model.side=%s", metric, l), "run.temperature,value")

# The infinite lattice (Onsager 1944; Yang 1952); the CSV has the same values at the temperatures that were run.
modulus(t) = 2 * sinh(2. / t) / cosh(2. / t) ** 2
onsager(t) = -(1 + 2 / pi * (2 * tanh(2. / t) ** 2 - 1) * EllipticK(modulus(t))) / tanh(2. / t)
# dU/dT, whose peak is a logarithm
heat(t) = abs(t - critical) < 0.003 ? NaN : (onsager(t + 0.001) - onsager(t - 0.001)) / 0.002
yang(t) = t < critical ? (1 - sinh(2. / t) ** -4) ** 0.125 : 0

eval page("", 1280, 960)
set multiplot
set label 1 heading("The Ising model on a torus: four samplers, one truth", \
    "points: samplers, with standard errors; full lines: infinite lattice (Onsager, Yang); crosses and dashes: this torus, exact (Kaufman)") \
    at screen 0.5,0.97 center
set label 2 verdict(0) at screen 0.5,0.018 center font ",13" textcolor rgb "#444444" noenhanced
unset key
set samples 400
set xrange [coldest - 0.08:hottest + 0.08]
set xlabel "temperature T / J" offset 0,0.6
set arrow 9 from critical, graph 0 to critical, graph 1 nohead linecolor rgb grey linewidth 1.5 dashtype (2, 6)
set tmargin at screen 0.84
set bmargin at screen 0.555
set title offset 0,-0.5 font ",14"
set xlabel font ",14"
set tics font ",13"

set lmargin at screen 0.07
set rmargin at screen 0.335
set title "energy per spin"
plot onsager(x) with lines linecolor rgb black linewidth 2, \
    for [i = 1:lined] one("energy_exact", word(shown, i)) using 1:2 with lines linecolor rgb tone(i) linewidth 2 dashtype 2, \
    for [i = 1:words(shown)] one("energy_exact", word(shown, i)) using 1:2 with points linecolor rgb tone(i) linewidth 2 pointtype 1 pointsize 2.6, \
    for [i = 1:words(shown)] for [s in samplers] points("energy", s, word(shown, i)) using 1:2:3 with yerrorbars \
        linecolor rgb tone(i) linewidth 1.5 pointtype mark(s) pointsize 1.5
unset label 1
unset label 2
set lmargin at screen 0.395
set rmargin at screen 0.66
set title "magnetisation ⟨|m|⟩"
set yrange [0:1.02]
plot yang(x) with lines linecolor rgb black linewidth 2, \
    for [i = 1:words(shown)] for [s in samplers] points("abs_magnetisation", s, word(shown, i)) using 1:2:3 with yerrorbars \
        linecolor rgb tone(i) linewidth 1.5 pointtype mark(s) pointsize 1.5
set lmargin at screen 0.72
set rmargin at screen 0.985
set title "specific heat per spin"
set yrange [0:2.5]
plot for [i = 1:lined] one("specific_heat_exact", word(shown, i)) using 1:2 with lines linecolor rgb tone(i) linewidth 2 dashtype 2, \
    for [i = 1:words(shown)] one("specific_heat_exact", word(shown, i)) using 1:2 with points linecolor rgb tone(i) linewidth 2 pointtype 1 pointsize 2.6, \
    heat(x) with lines linecolor rgb black linewidth 2, \
    for [i = 1:words(shown)] for [s in samplers] points("specific_heat", s, word(shown, i)) using 1:2:3 with yerrorbars \
        linecolor rgb tone(i) linewidth 1.5 pointtype mark(s) pointsize 1.5

unset arrow 9
set tmargin at screen 0.43
set bmargin at screen 0.125
set lmargin at screen 0.07
set rmargin at screen 0.43
set title "energy less the exact value, in standard errors"
set xrange [least / 1.4:most * 1.4]
set logscale x 2
set xtics (8, 16, 32, 64)
set xlabel "side L of the torus" offset 0,0.4
set yrange [-6:6]
set ytics (-5, 0, 5)
set arrow 1 from graph 0, first 0 to graph 1, first 0 nohead linecolor rgb black linewidth 2
set arrow 2 from graph 0, first 5 to graph 1, first 5 nohead linecolor rgb grey linewidth 1.5 dashtype 4
set arrow 3 from graph 0, first -5 to graph 1, first -5 nohead linecolor rgb grey linewidth 1.5 dashtype 4
column_of(s) = style_of(s) == 2 ? -1.5 : style_of(s) == 1 ? -0.5 : style_of(s) == 4 ? 0.5 : 1.5
plot for [s in samplers] rows("metric=energy_z;sampler=" . s, "model.side,value") using ($1 * 2 ** (0.08 * column_of(s))):2 with points \
    linestyle style_of(s) linewidth 2 pointtype mark(s) pointsize 1.3

unset for [i = 1:3] arrow i
set lmargin at screen 0.52
set rmargin at screen 0.985
set title "autocorrelation time of M² at criticality, in lattice sweeps"
set logscale y
set yrange [*:*]
set ytics auto
set format y "10^{%T}"
set offsets 0, 0, graph 0.05, graph 0.1
slope(s) = system(sprintf("awk -f plots/rows.awk -v want='metric=exponent;sampler=%s' -v show='value,se' '%s' | awk -F, '{printf \"L^{%%.2f ± %%.2f}\", $1, $2}'", s, csv))
set key at graph 0.03,0.97 top left reverse Left font ",13" samplen 3
plot for [s in samplers] rows(sprintf("metric=m2_tau_sweeps;sampler=%s;%s", s, at_critical), "model.side,value,se") using 1:2:3 with yerrorlines \
    linestyle style_of(s) pointtype mark(s) title sprintf("%s%s", title_of(s), n_sides > 2 ? ": " . slope(s) : "")
unset offsets
unset title
eval strip(0.893)
set key maxrows 1 font ",12" samplen 2 width -1
plot for [i = 1:words(shown)] NaN with lines linecolor rgb tone(i) linewidth 3 dashtype 2 title sprintf("L = %s", word(shown, i)), \
    for [s in samplers] NaN with points linecolor rgb black linewidth 2 pointtype mark(s) pointsize 1.6 title title_of(s)
unset multiplot
reset

load "plots/style.gp"
side(s, t) = sprintf("%s/ising-%d-%s-temperature-%s-seed-1/states.csv", sides, most, s, t)
pictures = words(temperatures) > 3 ? 3 : words(temperatures)
chosen(i) = pictures < 3 ? word(temperatures, i) : i == 1 ? word(temperatures, 1) : i == 2 ? "2.269185314213022" : word(temperatures, words(temperatures))
eval page("-pictures", 1280, 560)
set multiplot
set label 1 heading("States of the torus below, at and above the critical temperature", \
    sprintf("%d × %d spins at the end of a chain of Wolff updates; black: up", most, most)) at screen 0.5,0.9 center
set border 15 linewidth 1 linecolor rgb grey
unset tics
unset colorbox
unset key
set cbrange [0:1]
set yrange [*:*] reverse
set size ratio -1
set palette gray negative
do for [i = 1:pictures] {
    set lmargin at screen (i - 0.97) / pictures
    set rmargin at screen (i - 0.03) / pictures
    set tmargin at screen 0.76
    set bmargin at screen 0.04
    set title sprintf("T = %.3f J", real(chosen(i))) offset 0,-0.4
    plot side("wolff", chosen(i)) matrix with image
    unset label 1
}
unset multiplot
