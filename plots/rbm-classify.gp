# Error rate on test digits against updates, of an RBM over pixels and label units by the exact P(label | pixels), for CD and PCD;
# logistic regression on the same split as a line, chance as another. Bars: standard error of the mean over seeds.
load "plots/style.gp"

learners = values("metric=accuracy_mean", "learner")
logistic = 1 - real(word(values("metric=logistic_mean", "value"), 1))
chance = 1 - real(word(values("metric=chance", "value"), 1))
dash_of(l) = l eq "cd-1" ? 2 : 5
mark_of(l) = l eq "cd-1" ? 9 : 11

eval page("", 1280, 720)
set label 1 heading("An RBM of pixels and labels classifies by its free energies", \
    size eq "full" ? "MNIST, 10,000 training digits, 500 hidden units: P(c | v) = exp(-F(v, c)) / sum of the same over the ten labels" : \
    "generated digits, 2,000 for training, 200 hidden units: P(c | v) = exp(-F(v, c)) / sum of the same over the ten labels") \
    at screen 0.5,0.945 center
set label 2 verdict(0) at screen 0.5,0.028 center font ",13" textcolor rgb "#444444" noenhanced
set tmargin at screen 0.86
set bmargin at screen 0.19
set lmargin at screen 0.1
set rmargin at screen 0.96
set xlabel "updates"
set ylabel "test error rate"
set logscale y
set yrange [0.02:1.2]
set ytics ("2 %%" 0.02, "5 %%" 0.05, "10 %%" 0.1, "20 %%" 0.2, "50 %%" 0.5, "100 %%" 1)
set key at graph 0.98,0.8 right top samplen 3
set label 3 sprintf("logistic regression: %.1f %%", 100 * logistic) at graph 0.02, first logistic offset 0,-0.8 font ",15" textcolor rgb "#444444"
set label 4 "chance" at graph 0.5, first chance offset 0,0.7 font ",15" textcolor rgb "#444444"
plot logistic with lines linecolor rgb grey linewidth 3 dashtype 4 notitle, \
    chance with lines linecolor rgb grey linewidth 1.5 notitle, \
    for [l in learners] rows("metric=accuracy_mean;learner=" . l, "step,value,se") using 1:(1 - $2):3 with yerrorbars \
        linecolor rgb learner_colour(l) pointtype mark_of(l) linewidth 2 pointsize 1.6 notitle, \
    for [l in learners] rows("metric=accuracy_mean;learner=" . l, "step,value,se") using 1:(1 - $2) with linespoints \
        linecolor rgb learner_colour(l) pointtype mark_of(l) dashtype dash_of(l) linewidth 3 pointsize 1.6 title learner_title(l)
