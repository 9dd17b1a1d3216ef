# Four negative phases of hopfield-descent against epochs: patterns fixed, smallest margin, basin radius, spurious minima;
# one column for each load.
load "plots/style.gp"

loads = values("metric=fixed_mean", "dataset.load")
n = words(loads)
phases = values("metric=fixed_mean", "learner.negative")
phase_title(p) = p eq "random-valleys" ? "valleys below random states" : p eq "pattern-valleys" ? "valleys below the patterns" : \
    p eq "few-steps" ? "3 flips from the patterns" : "3 flips, a pattern at a time"
phase_style(p) = p eq "random-valleys" ? 2 : p eq "pattern-valleys" ? 5 : p eq "few-steps" ? 1 : 3
metrics = "fixed_mean margin_mean_of_least radius_mean spurious_mean"
metric_title(m) = m eq "fixed_mean" ? "patterns fixed" : m eq "margin_mean_of_least" ? "smallest margin" : \
    m eq "radius_mean" ? "basin radius / N" : "spurious minima\nfound"
most = system(sprintf("awk -f plots/rows.awk -v want='metric=minima_spurious' -v show=value '%s' | sort -g | tail -1", csv))

last = real(word(values("metric=fixed_mean", "step"), number_of("metric=fixed_mean", "step")))

eval page("", 1280, 1060)
set multiplot
set label 1 heading("Whose energy to raise? Four negative phases from Hebb's couplings", \
    "mean over networks, bars: standard errors; W += rate (⟨yyᵀ⟩ of patterns − ⟨yyᵀ⟩ of negatives)") at screen 0.5,0.972 center
set label 2 verdict(0) at screen 0.5,0.018 center font ",13" textcolor rgb "#444444" noenhanced
set tics font ",13"
set title font ",15" offset 0,-0.5
unset key
left(j) = 0.095 + (j - 1) * 0.905 / n
right(j) = left(j) + 0.905 / n - 0.045
top(i) = 0.87 - (i - 1) * 0.185
do for [i = 1:4] {
    m = word(metrics, i)
    do for [j = 1:n] {
        set lmargin at screen left(j)
        set rmargin at screen right(j)
        set tmargin at screen top(i)
        set bmargin at screen top(i) - 0.15
        if (i == 1) { set title sprintf("load %s", word(loads, j)) } else { unset title }
        if (i == 4) { set xlabel "epochs" font ",14" offset 0,0.5; set format x "%g" } else { unset xlabel; set format x "" }
        if (j == 1) { set ylabel metric_title(m) font ",14" offset 0.6,0 } else { unset ylabel }
        set xrange [-0.03 * last:1.03 * last]
        set xtics last / 4
        if (i == 1) { set yrange [0:1.1]; set ytics 0.5 }
        if (i == 2) { set yrange [-3.1:1.3]; set ytics 1 }
        if (i == 3) { set yrange [-0.01:0.25]; set ytics 0.1 }
        if (i == 4) { set yrange [0:1.1 * most]; set ytics most > 300 ? 250 : 100 }
        plot for [p in phases] rows(sprintf("metric=%s;learner.negative=%s;dataset.load=%s", m, p, word(loads, j)), "step,value,se") \
            using 1:2:3 with yerrorlines linestyle phase_style(p) linewidth 2.5 pointsize 1.1
        unset label 1
        unset label 2
    }
}
unset title
eval strip(0.075)
set key width 3
plot for [p in phases] NaN with linespoints linestyle phase_style(p) linewidth 2.5 title phase_title(p)
unset multiplot
