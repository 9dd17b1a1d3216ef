# Overlap with the stored pictures against the share of flipped pixels, whole pictures and half-masked ones; then the
# pictures: stored, cue, and what each network makes of it.
load "plots/style.gp"

data = values("metric=overlap", "dataset")
n = words(data)
# A network: rule/sampler. Hebb and the pseudo-inverse on hard and on tanh units, Storkey on hard ones.
nets = "hebbian/descent storkey/descent pseudo-inverse/descent hebbian/graded-response pseudo-inverse/graded-response"
rule(net) = net[1:strstrt(net, "/") - 1]
units(net) = net[strstrt(net, "/") + 1:*]
style_of(net) = net eq "hebbian/descent" ? 2 : net eq "storkey/descent" ? 3 : net eq "pseudo-inverse/descent" ? 1 : \
    net eq "hebbian/graded-response" ? 4 : 5
title_of(net) = (rule(net) eq "hebbian" ? "Hebb" : rule(net) eq "storkey" ? "Storkey" : "pseudo-inverse") . \
    (units(net) eq "descent" ? ", hard units" : ", tanh units")
kind(d) = d[1:2] eq "mn" ? "MNIST digits" : d[1:2] eq "gl" ? "generated digits" : "random patterns"
count_of(d) = d[strstrt(d, "rns-") ? strstrt(d, "rns-") + 4 : strstrt(d, "t-") ? strstrt(d, "t-") + 2 : strstrt(d, "s-") + 2:*]
of(net, d, m) = sprintf("metric=overlap_mean;dataset=%s;learner=%s;sampler=%s;run.mask=%s", d, rule(net), units(net), m)
last(text) = real(word(text, words(text)))
# Units that are known, from the last row: what a step is divided by.
known(d, m) = last(values(sprintf("metric=flipped;dataset=%s;run.mask=%s", d, m), "step")) / \
    last(values(sprintf("metric=flipped;dataset=%s;run.mask=%s", d, m), "value"))

height = 810.
eval page("", 1280, int(height))
set multiplot
set label 1 heading("Pictures recalled from damaged cues", \
    sprintf("mean overlap of the end with the stored picture, %d seeds; error bars: standard error over seeds; dotted: the cue itself", number_of("metric=overlap", "seed"))) \
    at screen 0.5,1 offset 0,-1.9 center
set label 2 verdict(0) at screen 0.5,0 offset 0,0.9 center font ",13" textcolor rgb "#444444" noenhanced
unset key
set tics font ",13"
set title font ",15" offset 0,-0.6
left = 90.
wide = (1280. - left - 20.) / n
tall = (height - 175. - 85.) / 2
set xrange [-0.02:0.42]
set xtics 0.1
set yrange [0:1.06]
set ytics 0.2
do for [j = 1:2] {
    m = j == 1 ? "none" : "bottom"
    do for [i = 1:n] {
        d = word(data, i)
        set lmargin at screen (left + (i - 1) * wide) / 1280
        set rmargin at screen (left + i * wide - 22) / 1280
        set tmargin at screen 1 - (175. + (j - 1) * (tall + 8)) / height - 28. / height
        set bmargin at screen 1 - (175. + (j - 1) * (tall + 8) + tall) / height + (j == 1 ? 18. : 30.) / height
        set title j == 1 ? count_of(d) . " " . kind(d) : ""
        if (i == 1) { set ylabel (j == 1 ? "overlap: whole cue" : "overlap: lower half unknown") font ",15" offset 1.2,0 } else { unset ylabel }
        if (i > 1) { set format y "" } else { set format y "%.1f" }
        if (j == 2) { set xlabel "share of known pixels flipped" font ",14" offset 0,0.4; set format x "%.1f" } else { unset xlabel; set format x "" }
        known_units = known(d, m)
        cue = j == 1 ? 1 : 0.5
        plot cue * (1 - 2 * x) with lines linecolor rgb grey linewidth 2.5 dashtype 4, \
            for [net in nets] rows(of(net, d, m), "step,value,se") using ($1 / known_units):2:3 with yerrorlines linestyle style_of(net) linewidth 3
        unset label 1
        unset label 2
    }
}
unset title
eval strip(1 - 128. / height)
set tmargin at screen 1 - 92. / height
set bmargin at screen 1 - 164. / height
set key maxrows 2 font ",15" samplen 3.5 spacing 1.15
plot for [net in nets] NaN with linespoints linestyle style_of(net) title title_of(net)
unset multiplot
reset

load "plots/style.gp"
# Blocks of pictures: data set, mask, share flipped, pictures, title.
few = size eq "full" ? "mnist-3" : "glyphs-3"
ten = size eq "full" ? "mnist-10" : "glyphs-10"
word_of(k, a, b, c) = k == 1 ? a : k == 2 ? b : c
d_of(k) = word_of(k, few, ten, ten)
m_of(k) = word_of(k, "none", "none", "bottom")
flip_of(k) = word_of(k, "0", "0.3", "0")
tiles_of(k) = k == 1 ? 3 : 4
block_title(k) = word_of(k, "3 stored, cue intact", "10 stored, 30 % flipped", "10 stored, lower half unknown")
nets = "hebbian/descent pseudo-inverse/descent pseudo-inverse/graded-response"
row_title(r) = r == 1 ? "stored" : r == 2 ? "cue" : r == 3 ? "Hebb" : r == 4 ? "pseudo-\ninverse" : "tanh units,\npseudo-\ninverse"
net_of(r) = word(nets, r < 3 ? 2 : r - 2)
folder(k, r) = sprintf("%s/hopfield-%s-%s-%s-mask-%s-seed-1/", sides, d_of(k), units(net_of(r)), rule(net_of(r)), m_of(k))
sheet(k, r) = folder(k, r) . (r == 1 ? "stored" : (r == 2 ? "cue-" : "recalled-") . flip_of(k)) . ".csv"
coloured(k, r) = sprintf("< paste -d, '%sstored.csv' '%s' | awk -f plots/differences.awk -v plain=%d", folder(k, r), sheet(k, r), r <= 2)
steps_of(k) = values(sprintf("metric=overlap;dataset=%s;run.mask=%s;seed=1;learner=hebbian;sampler=descent", d_of(k), m_of(k)), "step")
step_of(k) = word(steps_of(k), flip_of(k) eq "0" ? 1 : 4)
overlap_of(k, r) = real(word(values(sprintf("metric=%s;dataset=%s;run.mask=%s;seed=1;learner=%s;sampler=%s;step=%s", \
    r == 2 ? "cue_overlap" : "overlap", d_of(k), m_of(k), rule(net_of(r)), units(net_of(r)), step_of(k)), "value"), 1))

side = size eq "full" ? 28 : 14
left = 135.
gap = 62.
tile = (1280. - left - 3 * gap) / 11
pitch = tile + 12
top = 148.
height = top + 5 * pitch + 62
eval page("-pictures", 1280, int(height))
set multiplot
set label 1 heading("What the networks remember", \
    sprintf("%s of %d × %d pixels, the first of each store; numbers: mean overlap with all that are stored (seed 1)", size eq "full" ? "MNIST digits" : "generated digits", side, side)) \
    at screen 0.5,1 offset 0,-1.9 center
set label 3 "unknown" at screen 0.33,24. / height left font ",15"
set label 4 "black that should be white" at screen 0.47,24. / height left font ",15"
set label 5 "white that should be black" at screen 0.735,24. / height left font ",15"
do for [k = 0:2] {
    x0 = k == 0 ? 0.308 : k == 1 ? 0.448 : 0.713
    set object 10 + k rectangle from screen x0,14. / height to screen x0 + 0.015,34. / height fillcolor rgb (k == 0 ? 0xb4b4b4 : k == 1 ? 0xd55e00 : 0xf2b183) fillstyle solid border rgb "#666666"
}
unset border
unset tics
unset colorbox
unset key
set cbrange [0:5]
set palette defined (0 "white", 1 "#111111", 2 "#b4b4b4", 3 "#d55e00", 4 "#f2b183", 5 "#e6e6e6")
set yrange [side - 0.5:-0.5]
do for [r = 1:5] {
    at = left
    do for [k = 1:3] {
        t = tiles_of(k)
        bottom = height - top - (r - 1) * pitch - tile
        set lmargin at screen at / 1280
        set rmargin at screen (at + t * tile) / 1280
        set bmargin at screen bottom / height
        set tmargin at screen (bottom + tile) / height
        set xrange [-0.5:t * (side + 1) - 1.5]
        set label 20 (k == 1 ? row_title(r) : "") at screen 0.012,(bottom + tile / 2) / height left font ",16" offset 0,(r == 4 ? 0.5 : r == 5 ? 1 : 0)
        set label 21 (r == 1 ? "" : sprintf("%.2f", overlap_of(k, r))) at screen (at + t * tile + 8) / 1280,(bottom + tile / 2) / height left font ",15"
        set label 22 (r == 1 ? block_title(k) : "") at screen (at + t * tile / 2) / 1280,(bottom + tile + 22) / height center font ":Bold,17"
        plot coloured(k, r) matrix with image
        unset label 1
        unset label 3
        unset label 4
        unset label 5
        unset for [o = 10:12] object o
        at = at + t * tile + gap
    }
}
unset multiplot
