# Units of five kinds in one machine. Left: mean against natural parameter, independent draws on the closed forms. Middle:
# divergence of the machine from the law of the records against updates, by learner. Right: where learning ends, against
# hidden units.
load "plots/style.gp"

learners = values("metric=kl_mean", "learner")
hidden = values("metric=kl_mean", "model.hidden")
seeds = number_of("metric=kl_test;learner=exact", "seed")
last = int(system("awk -f plots/rows.awk -v want='metric=kl_mean' -v show=step '" . csv . "' | sort -n | tail -n 1"))
independent = real(word(values("metric=kl_mean;learner=exact;model.hidden=4;step=0", "value"), 1))
drawn(kind) = rows(sprintf("metric=mean_drawn_%s;model.hidden=4;learner=exact;seed=1", kind), "step,value,se")
curve(l) = rows(sprintf("metric=kl_mean;model.hidden=4;learner=%s", l), "step,value,se")
ends(l) = rows(sprintf("metric=kl_mean;step=%d;learner=%s", last, l), "model.hidden,value,se")

eval page("", 1280, 720)
set multiplot
set label 1 heading("Counts, categories, intervals and real numbers in one machine", \
    sprintf("harmonium of 3 Poisson, 2 categorical, 2 truncated-exponential and 2 Gaussian units, 0/1 hidden units; mean of %d seeds, ± 1 s.e.", seeds)) at screen 0.5,0.95 center
set label 2 verdict(0) at screen 0.5,0.03 center font ",13" textcolor rgb "#444444" noenhanced
set tmargin at screen 0.82
set bmargin at screen 0.175
set tics font ",13"
set xlabel font ",14" offset 0,0.3
set ylabel font ",14" offset 1.2,0
set title font ",14" offset 0,-0.4

set lmargin at screen 0.065
set rmargin at screen 0.335
set title "mean of a unit: draws on closed forms"
set xlabel "natural parameter η"
set xrange [-6.3:6.3]
set yrange [-2.4:3]
set xtics 2
set ytics 1
set key bottom right noreverse Right font ",12.5" samplen 2.2 spacing 1.1
set samples 250
truncated(x) = abs(x) < 1e-3 ? 0.5 + x / 12 : 1 / (1 - exp(-x)) - 1 / x
plot exp(x) with lines linecolor rgb vermillion linewidth 2.5 dashtype 2 title "Poisson", \
    x with lines linecolor rgb black linewidth 2.5 title "Gaussian, σ = 1", \
    1 / (1 + exp(-x)) with lines linecolor rgb blue linewidth 2.5 dashtype 5 title "binary", \
    exp(x) / (2 + exp(x)) with lines linecolor rgb green linewidth 2.5 dashtype 4 title "categorical, 1 of 3", \
    truncated(x) with lines linecolor rgb orange linewidth 2.5 dashtype 3 title "truncated exp.", \
    drawn("poisson") using ($1 - 6):2:3 with yerrorbars linecolor rgb vermillion pointtype 9 pointsize 1.5 notitle, \
    drawn("gaussian") using ($1 - 6):2:3 with yerrorbars linecolor rgb black pointtype 7 pointsize 1.2 notitle, \
    drawn("binary") using ($1 - 6):2:3 with yerrorbars linecolor rgb blue pointtype 11 pointsize 1.5 notitle, \
    drawn("categorical") using ($1 - 6):2:3 with yerrorbars linecolor rgb green pointtype 13 pointsize 1.5 notitle, \
    drawn("truncated_exponential") using ($1 - 6):2:3 with yerrorbars linecolor rgb orange pointtype 5 pointsize 1.1 notitle

unset label 1
unset label 2
set lmargin at screen 0.42
set rmargin at screen 0.665
set title "learning, 4 hidden units"
set xlabel "updates"
set ylabel "KL(law || machine), unseen records, nats"
set xrange [0:last]
set logscale y
set yrange [0.02:8]
set ytics (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
set xtics last / 4
set key top right noreverse Right
plot for [l in learners] curve(l) using 1:($2 - $3):($2 + $3) with filledcurves \
        fillcolor rgb learner_colour(l) fillstyle transparent solid 0.2 noborder notitle, \
    for [l in learners] curve(l) using 1:2 with lines linestyle learner_style(l) title learner_title(l)

set lmargin at screen 0.74
set rmargin at screen 0.985
set title sprintf("after %d updates", last)
set xlabel "hidden units"
unset ylabel
set logscale x 2
set xrange [0.8:10]
set xtics (1, 2, 4, 8)
set key top right noreverse Right
shift(l) = l eq "exact" ? 1 : l eq "cd-1" ? 0.94 : 1.06
plot independent with lines linecolor rgb grey linewidth 2 dashtype 4 title "independent units", \
    for [l in learners] ends(l) using ($1 * shift(l)):2:3 with yerrorbars linestyle learner_style(l) dashtype solid linewidth 2 title learner_title(l)
unset multiplot
