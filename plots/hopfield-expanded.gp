# The expanded network against the number of appended units: patterns that are fixed, and overlap of what is recalled with
# the appended units unknown and known.
load "plots/style.gp"

data = values("metric=fixed_mean", "dataset")
n = words(data)
colours_of = "0x0072b2 0x009e73 0xe69f00 0xd55e00 0xaa4499 0x56b4e9"
colour(i) = int(word(colours_of, i))
mark(i) = int(word("7 9 5 11 13 15", i))
dash(i) = 1 + (i - 1) % 5
kind(d) = d[1:2] eq "mn" ? "MNIST digits" : d[1:2] eq "gl" ? "generated digits" : "random patterns"
count_of(d) = d[strstrt(d, "rns-") ? strstrt(d, "rns-") + 4 : strstrt(d, "t-") ? strstrt(d, "t-") + 2 : strstrt(d, "s-") + 2:*]
title_of(d) = count_of(d) . " " . kind(d)
rules = "hebbian pseudo-inverse"
rule_title(r) = r eq "hebbian" ? "Hebb" : "pseudo-inverse"
fixed(d, r) = rows(sprintf("metric=fixed_mean;dataset=%s;learner=%s;run.unknown=0", d, r), "run.extra,value,se")
ends(d, r, u) = rows(sprintf("metric=overlap_mean;dataset=%s;learner=%s;run.unknown=%s;step=0", d, r, u), "run.extra,value,se")
most = values("metric=fixed_mean", "run.extra")
largest = real(word(most, words(most)))
# Equal steps for 0 and each doubling.
place(k) = k == 0 ? 0 : 1 + log(k / real(word(most, 2))) / log(2)

height = 860.
eval page("", 1280, int(height))
set multiplot
set label 1 heading("The expanded network: K random units appended to every pattern", \
    sprintf("random patterns of %d visible units, digits of %d; mean of %d seeds; error bars: standard error over seeds", \
        size eq "full" ? 200 : 100, size eq "full" ? 784 : 196, number_of("metric=patterns_fixed", "seed"))) at screen 0.5,1 offset 0,-1.9 center
set label 2 verdict(0) at screen 0.5,0 offset 0,0.9 center font ",13" textcolor rgb "#444444" noenhanced
unset key
set tics font ",13"
set title font ",15" offset 0,-0.6
set xrange [-0.25:place(largest) + 0.25]
tic(k) = sprintf("'%s' %g", k, place(real(k)))
tics_list = ""
do for [k in most] { tics_list = tics_list . (strlen(tics_list) ? ", " : "") . tic(k) }
eval "set xtics (" . tics_list . ")"
set yrange [-0.03:1.06]
set ytics 0.2
left = 95.
wide = (1280. - left - 10.) / 3
tall = (height - 195. - 90.) / 2
do for [j = 1:2] {
    r = word(rules, j)
    do for [c = 1:3] {
        set lmargin at screen (left + (c - 1) * wide) / 1280
        set rmargin at screen (left + c * wide - 28) / 1280
        set tmargin at screen 1 - (195. + (j - 1) * (tall + 4) + 28.) / height
        set bmargin at screen 1 - (195. + (j - 1) * (tall + 4) + tall - (j == 1 ? 10. : 10.)) / height
        set title j > 1 ? "" : c == 1 ? "patterns that are fixed, all units" : c == 2 ? "overlap, appended units known" : "overlap, appended units unknown"
        if (c == 1) { set ylabel rule_title(r) font ":Bold,17" offset 0.8,0; set format y "%.1f" } else { unset ylabel; set format y "" }
        if (j == 2) { set xlabel "appended units K" font ",14" offset 0,0.4 } else { unset xlabel }
        plot for [i = 1:n] (c == 1 ? fixed(word(data, i), r) : ends(word(data, i), r, c == 2 ? "0" : "-1")) \
            using (place($1) + 0.03 * (i - n / 2.)):2:3 with yerrorlines linecolor rgb colour(i) linewidth 3 pointtype mark(i) pointsize 1.5 dashtype dash(i)
        unset label 1
        unset label 2
    }
}
unset title
eval strip(1 - 132. / height)
set tmargin at screen 1 - 96. / height
set bmargin at screen 1 - 168. / height
set key maxrows 2 font ",15" samplen 3.5 spacing 1.15
plot for [i = 1:n] NaN with linespoints linecolor rgb colour(i) linewidth 3 pointtype mark(i) pointsize 1.5 dashtype dash(i) title title_of(word(data, i))
unset multiplot
