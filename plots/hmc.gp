# Left: effective draws of the worst observable for each gradient, by target and sampler. Where chains disagree or means are
# wrong there is no such number, and R-hat or the error in standard errors stands on the left. Right: the leapfrog method's error of the energy against its step,
# with the line of slope 2 through its last point.
load "plots/style.gp"

array models[6] = ["gaussian-100", "gaussian-1000", "banana", "funnel", "eight-schools-centred", "eight-schools-non-centred"]
array names[6] = ["Gaussian, 20 units\n{/*0.8 condition 100}", "Gaussian, 20 units\n{/*0.8 condition 1000}", "banana", "funnel\n{/*0.8 10 units}", "eight schools\n{/*0.8 centred}", "eight schools\n{/*0.8 not centred}"]
array samplers[5] = ["mala", "hmc-0-10-0.2-diagonal", "hmc-0-40-0.2-diagonal", "nuts-0.8", "nuts-0.95"]
array titles[5] = ["MALA", "HMC, 10 steps", "HMC, 40 steps", "NUTS, target 0.8", "NUTS, target 0.95"]
array tones[5] = [black, orange, vermillion, sky, blue]
array marks[5] = [5, 9, 11, 13, 7]
limit = 1.05
chains = size eq "quick" ? 16 : 32
draws = values("metric=acceptance;model=gaussian-1000;sampler=mala;seed=1", "step")
seeds = number_of("metric=acceptance;model=gaussian-1000;sampler=mala", "seed")
of(metric, k, i) = rows(sprintf("metric=%s;model=%s;sampler=%s", metric, models[k], samplers[i]), "value,se")
array rhat[30]
array z[30]
worst(metric, k, i) = real(values(sprintf("metric=%s;model=%s;sampler=%s", metric, models[k], samplers[i]), "value"))
do for [k = 1:6] { do for [i = 1:5] {
    rhat[5 * k + i - 5] = worst("rhat", k, i)
    z[5 * k + i - 5] = worst("z", k, i)
} }
agree(k, i) = rhat[5 * k + i - 5] <= limit && z[5 * k + i - 5] <= 5
fault(k, i) = rhat[5 * k + i - 5] > limit ? sprintf("R-hat %.2f", rhat[5 * k + i - 5]) : sprintf("z = %.0f", z[5 * k + i - 5])
y(k, i) = k + 0.18 * (i - 3)
low(x, e) = x - e > 0.3 * x ? x - e : 0.3 * x

eval page("", 1280, 720)
set multiplot
set label 1 heading("What a gradient buys: Langevin proposals, Hamiltonian Monte Carlo, NUTS", \
    sprintf("the worst of six observables; %d chains of %s draws from N(0, 1), means of %d seeds ± 1 s.e.", chains, draws, seeds)) \
    at screen 0.5,0.955 center
set label 2 verdict(0) at screen 0.5,0.03 center font ",11" textcolor rgb "#444444" noenhanced
set tics font ",13"
set title font ",15" offset 0,-0.3
set tmargin at screen 0.76
set bmargin at screen 0.155
set xlabel font ",14" offset 0,0.4

set lmargin at screen 0.175
set rmargin at screen 0.63
set logscale x
set xrange [0.12:200]
set xtics (1, 10, 100) scale 0.6
set yrange [6.55:0.45]
set ytics nomirror scale 0
set for [k = 1:6] ytics (names[k] k)
set grid noytics
set for [k = 1:5] arrow 10 + k from graph 0, first k + 0.5 to graph 1, first k + 0.5 nohead linecolor rgb "#bbbbbb" linewidth 1 back
set xlabel "effective draws / 1000 gradients"
set arrow 20 from 0.6, graph 0 to 0.6, graph 1 nohead linecolor rgb "#888888" linewidth 1.5 dashtype 4 back
set label 3 sprintf("R-hat > %g or\na mean wrong by z > 5", limit) at 0.27, graph 1.055 center font ",12.5" textcolor rgb "#444444"
set label 4 "chains agree, means right: effective draws" at 11, graph 1.025 center font ",12.5" textcolor rgb "#444444"
set key at screen 0.5,0.862 center center maxrows 1 maxcols 5 horizontal samplen 0.5 spacing 1 width 1 font ",13"
plot for [i = 1:5] NaN with points linecolor rgb tones[i] pointtype marks[i] pointsize 1.7 title titles[i], \
    for [k = 1:6] for [i = 1:5] of("efficiency", k, i) using (1000 * $1):(agree(k, i) ? y(k, i) : -9):(1000 * low($1, $2)):(1000 * ($1 + $2)) \
        with xerrorbars linecolor rgb tones[i] linewidth 2 pointtype marks[i] pointsize 1.7 notitle, \
    for [k = 1:6] for [i = 1:5] of("efficiency", k, i) using (agree(k, i) ? 1e-9 : 0.16):(y(k, i)) with points \
        linecolor rgb tones[i] linewidth 2 pointtype marks[i] - 1 pointsize 1.7 notitle, \
    for [k = 1:6] for [i = 1:5] of("efficiency", k, i) using (agree(k, i) ? 1e-9 : 0.19):(y(k, i)):(fault(k, i)) \
        with labels left font ",9.5" textcolor rgb "#444444" notitle

unset label 1
unset label 2
unset label 3
unset label 4
unset for [k = 1:5] arrow 10 + k
unset arrow 20
set lmargin at screen 0.73
set rmargin at screen 0.975
set title "error of the energy\n{/*0.85 HMC, condition 1000, 1 to 60 steps}"
set xlabel "leapfrog step ε"
set ylabel "r.m.s. error / nats" font ",14" offset 1.5,0
set logscale xy
set xrange [0.003:0.022]
set yrange [0.002:0.2]
unset ytics
set ytics nomirror scale 0.6
set xtics (0.004, 0.008, 0.016)
set grid ytics
set key at graph 0.04,0.97 left top Left reverse vertical maxrows 3 samplen 2 spacing 1.3 font ",13"
slope = values("metric=energy_slope", "value")
slope_se = values("metric=energy_slope", "se")
last = real(values("metric=energy_error;model=gaussian-1000;sampler=hmc-0.016*", "value"))
plot last * (x / 0.016) ** 2 with lines linecolor rgb grey linewidth 2 dashtype 2 title "∝ ε^2", \
    rows("metric=energy_error;model=gaussian-1000;sampler.length=30", "sampler.step,value,se") using 1:2:3 with yerrorbars \
        linecolor rgb vermillion linewidth 2 pointtype 11 pointsize 1.7 title sprintf("slope %.3f ± %.3f", real(slope), real(slope_se))
unset multiplot
