# Monte-Carlo maximum likelihood with chains from noise. Left: divergence from the data against updates, for chain lengths
# at many chains; middle: for numbers of chains at one length; right: the bias of t-step chains on the trained machine, and
# the scatter of one estimate.
load "plots/style.gp"

lengths = values("metric=kl_mean;learner=cd*", "learner.steps")
chains = values("metric=kl_mean;learner=cd*", "learner.chains")
most = word(chains, words(chains))
longest = word(lengths, words(lengths))
seeds = number_of("metric=kl;learner=exact", "seed")
last = int(system("awk -f plots/rows.awk -v want='metric=kl_mean' -v show=step '" . csv . "' | sort -n | tail -n 1"))
exact = rows("metric=kl_mean;learner=exact;sampler=gibbs", "step,value,se")
noise(t, m, sampler) = rows(sprintf("metric=kl_mean;learner=cd-%s-%s;sampler=%s", t, m, sampler), "step,value,se")
tone(i) = i == 1 ? vermillion : i == 2 ? orange : blue
dash(i) = i == 1 ? 2 : i == 2 ? 3 : 5

eval page("", 1280, 720)
set multiplot
set label 1 heading("Boltzmann machine: Monte-Carlo gradients with chains from noise", \
    sprintf("9 units, bars and stripes 3 × 3, rate 0.1; mean of %d seeds, band ± 1 standard error; right: on the machine that the exact gradient has trained", seeds)) at screen 0.5,0.955 center
set label 2 verdict(0) at screen 0.5,0.03 center font ",13" textcolor rgb "#444444" noenhanced
set tmargin at screen 0.82
set bmargin at screen 0.165
set tics font ",13"
set title offset 0,-0.4 font ",14"
set xlabel "updates" offset 0,0.4
set logscale y
set xrange [0:last]
set yrange [0.1:4]
set ytics (0.1, 0.2, 0.5, 1, 2, 4)
set xtics last / 4
set key bottom left reverse Left font ",13" samplen 3

set lmargin at screen 0.08
set rmargin at screen 0.335
set title sprintf("%s chains of t steps", most)
set ylabel "KL(data || model) in nats" offset 1,0
plot for [i = 1:words(lengths)] noise(word(lengths, i), most, "gibbs") using 1:($2 - $3):($2 + $3) with filledcurves \
        fillcolor rgb tone(i) fillstyle transparent solid 0.2 noborder notitle, \
    for [i = 1:words(lengths)] noise(word(lengths, i), most, "gibbs") using 1:2 with lines linecolor rgb tone(i) linewidth 3 dashtype dash(i) \
        title sprintf("t = %s", word(lengths, i)), \
    exact using 1:2 with lines linestyle 1 linewidth 2.5 title "exact gradient"
unset label 1
unset label 2
unset ylabel
set lmargin at screen 0.39
set rmargin at screen 0.655
set title "M exact draws"
plot for [i = 1:words(chains)] noise(longest, word(chains, i), "exact") using 1:($2 - $3):($2 + $3) with filledcurves \
        fillcolor rgb tone(i) fillstyle transparent solid 0.2 noborder notitle, \
    for [i = 1:words(chains)] noise(longest, word(chains, i), "exact") using 1:2 with lines linecolor rgb tone(i) linewidth 3 dashtype dash(i) \
        title sprintf("M = %s", word(chains, i)), \
    exact using 1:2 with lines linestyle 1 linewidth 2.5 title "exact gradient"

set lmargin at screen 0.735
set rmargin at screen 0.985
set title "bias of the negative phase"
set xlabel "steps t from noise" offset 0,0.4
set logscale x
set xrange [0.9:60]
set xtics auto
set xtics (1, 2, 5, 10, 20, 50)
set yrange [1e-10:10]
set ytics auto
set format y "10^{%T}"
set key bottom left
one = "learner=exact;sampler=gibbs;seed=1"
plot rows("metric=gradient_bias;" . one, "step,value") using 1:2 with linespoints linestyle 2 linewidth 3 title "bias, enumerated", \
    rows("metric=gradient_spread;" . one, "step,value") using 1:2 with linespoints linestyle 5 linewidth 2.5 title "scatter, 100 chains"
unset multiplot
