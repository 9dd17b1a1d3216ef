# Share of test digits that the net gets wrong against updates, and its cross-entropy on the test digits and on the minibatches of
# each epoch as it met them. Bars: binomial, and over examples or minibatches.
load "plots/style.gp"

last = real(word(system(sprintf("awk -f plots/rows.awk -v want='metric=accuracy' -v show='value' '%s' | tail -n 1", csv)), 1))
numbers = word(values("metric=parameters", "value"), 1)
picture = size eq "full" ? "MNIST, 60,000 training digits moved by up to 2 pixels" : "generated digits, 4,000 for training, moved by up to 1 pixel"

eval page("", 1280, 720)
set multiplot
set label 1 heading(sprintf("The net behind the features digits-net: %.2f %% of the test digits right", 100 * last), \
    sprintf("%s; %s numbers, Adam, a row an epoch", picture, numbers)) at screen 0.5,0.945 center
set label 2 verdict(0) at screen 0.5,0.028 center font ",13" textcolor rgb "#444444" noenhanced
set tmargin at screen 0.84
set bmargin at screen 0.19
set lmargin at screen 0.09
set rmargin at screen 0.48
set xlabel "updates"
set ylabel "test error rate"
set logscale y
set xrange [0:*]
set yrange [0.001:1]
set ytics ("0.1 %%" 0.001, "0.3 %%" 0.003, "1 %%" 0.01, "3 %%" 0.03, "10 %%" 0.1, "30 %%" 0.3, "100 %%" 1)
unset key
set arrow 1 from graph 0, first 0.01 to graph 1, first 0.01 nohead linecolor rgb grey linewidth 3 dashtype 4
set label 3 "99.0 % right" at graph 0.98, first 0.0118 right font ",15" textcolor rgb "#444444"
plot rows("metric=accuracy", "step,value,se") using 1:(1 - $2):3 with yerrorbars linecolor rgb blue pointtype 7 linewidth 2 pointsize 1.4, \
    rows("metric=accuracy", "step,value,se") using 1:(1 - $2) with lines linecolor rgb blue linewidth 3.5
unset label 1
unset label 2
unset label 3
unset arrow 1
set lmargin at screen 0.59
set rmargin at screen 0.97
set ylabel "cross-entropy, nats"
set yrange [0.005:4]
set ytics (0.01, 0.03, 0.1, 0.3, 1, 3)
set key top right
plot rows("metric=loss", "step,value,se") using 1:2:3 with yerrorbars linecolor rgb blue pointtype 7 linewidth 2 pointsize 1.4 notitle, \
    rows("metric=loss", "step,value,se") using 1:2 with linespoints linecolor rgb blue pointtype 7 linewidth 3.5 pointsize 1.4 title "test", \
    rows("metric=train_loss", "step,value,se") using 1:2:3 with yerrorbars linecolor rgb vermillion pointtype 9 linewidth 2 pointsize 1.6 notitle, \
    rows("metric=train_loss", "step,value,se") using 1:2 with linespoints linecolor rgb vermillion dashtype 2 pointtype 9 linewidth 3.5 pointsize 1.6 title "minibatches, as met"
unset multiplot
