# What hidden units are worth. Left: exact divergence from the data of the best machine of three starts, against the number
# of hidden units (0: the fully visible machine, whose maximum is the only one). Middle: the same on the smaller shifter
# for each learner, every start a mark. Right: how far above chance P(label | rest) classifies there.
load "plots/style.gp"

sets = values("metric=kl_least;learner=exact-lbfgs", "dataset")
learners = values("metric=kl_mean", "learner")
small = word(sets, 1)
set_title(d) = d eq "shifter-3" ? "shifter, 3 bits" : d eq "shifter-4" ? "shifter, 4 bits" : d eq "parity-4" ? "parity, 4 bits" : \
    d eq "parity-5" ? "parity, 5 bits" : d
set_colour(i) = i == 1 ? black : i == 2 ? vermillion : i == 3 ? blue : green
set_mark(i) = i == 1 ? 7 : i == 2 ? 9 : i == 3 ? 5 : 13
title_of(l) = l eq "exact-lbfgs" ? "exact, L-BFGS" : l eq "exact-adam" ? "exact, gradient" : l eq "cd" ? "clamped + free, from noise" : "clamped + free, persistent"
colour_of(l) = l eq "exact-lbfgs" ? black : l eq "exact-adam" ? orange : l eq "cd" ? vermillion : blue
mark_of(l) = l eq "exact-lbfgs" ? 7 : l eq "exact-adam" ? 5 : l eq "cd" ? 9 : 11
dash_of(l) = l eq "exact-lbfgs" ? 1 : l eq "exact-adam" ? 2 : l eq "cd" ? 3 : 4
place(l) = l eq "exact-lbfgs" ? -0.12 : l eq "exact-adam" ? -0.04 : l eq "cd" ? 0.04 : 0.12
# Numbers of hidden units, evenly spaced: 0, 1, 2, 3 (= 4), 4 (= 8).
at(h) = h < 3 ? h : h == 3 ? 2.5 : h == 4 ? 3 : h == 6 ? 3.5 : 4

eval page("", 1280, 680)
set multiplot
set label 1 heading("Hidden units see what pairs cannot", \
    "no pair of units tells the parity of a word, or which way a ring has moved: three or more must be seen together; all exact, by enumeration") \
    at screen 0.5,0.95 center
set label 2 verdict(0) at screen 0.5,0.03 center font ",13" textcolor rgb "#444444" noenhanced
set tmargin at screen 0.8
set bmargin at screen 0.26
set tics font ",13"
set title font ",15" offset 0,-0.4
set xlabel "hidden units" font ",14" offset 0,0.4
set xtics ("0" 0, "1" 1, "2" 2, "4" 3, "8" 4)
set xrange [-0.3:4.3]

set lmargin at screen 0.07
set rmargin at screen 0.335
set title "KL(data || model) in nats, best start"
set logscale y
set yrange [1e-3:3]
set format y "10^{%T}"
set key at screen 0.2,0.105 center center maxrows 2 width -2 samplen 2.5 font ",12"
plot for [i = 1:words(sets)] rows("metric=kl_least;learner=exact-lbfgs;dataset=" . word(sets, i), "model.hidden,value") \
    using (at($1)):2 with linespoints linecolor rgb set_colour(i) dashtype i pointtype set_mark(i) linewidth 3 pointsize 1.6 \
    title set_title(word(sets, i))

unset label 1
unset label 2
set lmargin at screen 0.405
set rmargin at screen 0.67
set title sprintf("the same by learner, %s", set_title(small))
set key at screen 0.69,0.105 center center maxrows 2 width -2 samplen 2.5 font ",12"
plot for [l in learners] rows("metric=kl_mean;dataset=" . small . ";learner=" . l, "model.hidden,value,se") \
        using (at($1) + place(l)):2:3 with yerrorbars linecolor rgb colour_of(l) pointtype mark_of(l) linewidth 2 pointsize 1.4 notitle, \
    for [l in learners] rows("metric=kl_mean;dataset=" . small . ";learner=" . l, "model.hidden,value,se") \
        using (at($1) + place(l)):2 with linespoints linecolor rgb colour_of(l) pointtype mark_of(l) linewidth 2 pointsize 1.4 dashtype dash_of(l) title title_of(l)

unset logscale y
set format y "%g"
set lmargin at screen 0.735
set rmargin at screen 0.985
set title "accuracy of the label less chance"
set yrange [-0.12:0.6]
set arrow 1 from graph 0, first 0.5 to graph 1, first 0.5 nohead linecolor rgb grey linewidth 2 dashtype 4
set arrow 2 from graph 0, first 0 to graph 1, first 0 nohead linecolor rgb grey linewidth 1
set label 3 "best possible" at graph 0.03, first 0.5 offset 0,0.6 font ",12" textcolor rgb "#444444"
unset key
plot for [l in learners] rows("metric=margin;dataset=" . small . ";learner=" . l, "model.hidden,value") \
    using (at($1) + place(l)):2 with points linecolor rgb colour_of(l) pointtype mark_of(l) linewidth 1.5 pointsize 1.2, \
    for [l in learners] rows("metric=margin_mean;dataset=" . small . ";learner=" . l, "model.hidden,value") \
    using (at($1) + place(l)):2 with lines linecolor rgb colour_of(l) linewidth 2 dashtype dash_of(l)
unset multiplot
