# Learning curves: exact KL divergence and exact log-likelihood against updates, one line for each learner, with a band
# of one standard error over seeds on each side.
load "plots/style.gp"

learners = values("metric=kl_mean", "learner")
seeds = number_of("metric=kl;learner=exact", "seed")

last = int(system("awk -f plots/rows.awk -v want='metric=kl_mean' -v show=step '" . csv . "' | sort -n | tail -n 1"))
first = last / 40. > 1 ? last / 40. : 1   # most of what a log axis shows before is the start
band(metric, l) = rows(sprintf("metric=%s;learner=%s", metric, l), "step,value,se")

eval page("", 1280, 720)
set multiplot
set label 1 heading("How close each learner comes to the data", \
    sprintf("RBM 9 × 8 on bars and stripes 3 × 3, all by enumeration; mean of %d seeds, band ± 1 standard error", seeds)) \
    at screen 0.5,0.95 center
set label 2 verdict(0) at screen 0.5,0.03 center font ",13" textcolor rgb "#444444" noenhanced
set tmargin at screen 0.85
set bmargin at screen 0.175

set logscale x
set xrange [first:last]
set xlabel "updates" offset 0,0.3

set lmargin at screen 0.09
set rmargin at screen 0.50
set logscale y
set yrange [*:5]
set format y "10^{%T}"
set key bottom left reverse Left
set ylabel "KL(data || model) in nats" offset 0.5,0
plot for [l in learners] band("kl_mean", l) using 1:($2 - $3):($2 + $3) with filledcurves \
        fillcolor rgb learner_colour(l) fillstyle transparent solid 0.2 noborder notitle, \
    for [l in learners] band("kl_mean", l) using 1:2 with lines linestyle learner_style(l) title learner_title(l)

unset label 1
unset label 2
unset logscale y
set format y "%g"
set lmargin at screen 0.58
set rmargin at screen 0.985
set ylabel "log-likelihood per picture in nats" offset 0.5,0
best = -log(14)
set arrow 1 from graph 0, first best to graph 1, first best nohead linecolor rgb "#444444" linewidth 1.5 dashtype (2, 6)
set label 3 "best possible: −log 14" at graph 0.03, first best offset 0,0.7 font ",13" textcolor rgb "#444444"
set yrange [*:best + 0.15]
plot for [l in learners] band("loglik_mean", l) using 1:($2 - $3):($2 + $3) with filledcurves \
        fillcolor rgb learner_colour(l) fillstyle transparent solid 0.2 noborder notitle, \
    for [l in learners] band("loglik_mean", l) using 1:2 with lines linestyle learner_style(l) notitle
unset multiplot
