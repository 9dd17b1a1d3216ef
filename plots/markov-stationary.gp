# Exact transition matrices. Left: how far each sampler's matrix moves the model's distribution, all models. Right: total
# variation against steps from the worst start on the small Ising model, and on free spins, where a Metropolis sweep
# never forgets.
load "plots/style.gp"

samplers = values("metric=stationarity", "sampler")
n = words(samplers)
models = number_of("metric=stationarity", "model")
model = "ising-0.4-0.1"
title_of(s) = s eq "gibbs-systematic" ? "Gibbs" : s eq "gibbs-random" ? "Gibbs, random scan" : s eq "metropolis-systematic" ? "Metropolis" : \
    s eq "metropolis-random" ? "Metropolis, random scan" : s eq "block-gibbs" ? "block Gibbs" : s eq "swendsen-wang" ? "Swendsen-Wang" : \
    s eq "wolff" ? "Wolff" : s eq "gibbs-with-gradients" ? "Gibbs with gradients" : s eq "dmala" ? "discrete Langevin" : \
    s eq "tempering" ? "tempering, 2 copies" : s eq "exact" ? "exact draws" : s
curve(s, m) = rows(sprintf("metric=total_variation;sampler=%s;model=%s", s, m), "step,value")
array tones[11] = [black, black, vermillion, vermillion, grey, green, blue, orange, purple, sky, grey]
array dashes[11] = [1, 2, 1, 2, 3, 4, 5, 3, 4, 5, 4]
floor_at(x) = x < 1e-19 ? 1e-19 : x

eval page("", 1280, 760)
set multiplot
set label 1 heading("Transition matrices of the discrete samplers, exactly", \
    sprintf("%d models of 16 to %s states; every matrix enumerated from the sampler's definition, in double", models, size eq "quick" ? "729" : "1024")) \
    at screen 0.5,0.955 center
set label 2 verdict(0) at screen 0.5,0.03 center font ",13" textcolor rgb "#444444" noenhanced
set tmargin at screen 0.83
set bmargin at screen 0.155
set tics font ",13"
set title font ",14" offset 0,-0.4

set lmargin at screen 0.185
set rmargin at screen 0.40
set title "moved in one step, max |πT − π|"
set logscale x
set format x "10^{%T}"
set xtics 1e3
set xrange [2e-20:1e-9]
set yrange [n + 0.6:0.4]
unset ytics
set ytics nomirror font ",13"
set for [i = 1:n] ytics (title_of(word(samplers, i)) i)
set arrow 1 from 1e-12, graph 0 to 1e-12, graph 1 nohead linecolor rgb vermillion linewidth 2 dashtype 2
set label 3 "allowed: 10^{-12}" at 3e-12, graph 0.03 rotate by 90 left font ",12" textcolor rgb vermillion
unset key
plot for [i = 1:n] rows("metric=stationarity;sampler=" . word(samplers, i), "value") using (floor_at($1)):(i) with points \
    linecolor rgb blue pointtype 6 linewidth 1.5 pointsize 1.4

unset label 1
unset label 2
unset label 3
unset arrow 1
unset ytics
set ytics auto nomirror font ",13"
set lmargin at screen 0.48
set rmargin at screen 0.755
set title "distance from π, worst start"
set xrange [0.9:200]
set xtics 10
set format x "%g"
set xlabel "steps" offset 0,0.4
set ylabel "total variation" offset 1,0
set yrange [1e-8:2]
set logscale y
set format y "10^{%T}"
set key at screen 0.765,0.835 left top reverse Left vertical maxrows 20 samplen 2.5 spacing 1.35 font ",12.5"
drawn(s) = number_of(sprintf("metric=total_variation;sampler=%s;model=%s", s, model), "step") > 0
list = ""
do for [s in samplers] { if (drawn(s) && s ne "exact") { list = list . " " . s } }
index_of(s) = int(sum [i = 1:n] (word(samplers, i) eq s ? i : 0))
plot for [s in list] curve(s, model) using 1:($2 > 1e-12 ? $2 : NaN) with lines linewidth 2.5 linecolor rgb tones[index_of(s)] \
        dashtype dashes[index_of(s)] title title_of(s), \
    curve("metropolis-systematic", "ising-0-0") using 1:2 with linespoints linewidth 2 linecolor rgb vermillion pointtype 7 pointsize 0.8 \
        title "Metropolis, free spins"
unset multiplot
