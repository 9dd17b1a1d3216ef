# Wrong pixels of corrupted and restored pictures: against the flip probability at one coupling, and against the coupling
# at one flip probability, for each data set. Then the pictures themselves.
load "plots/style.gp"

all_data = values("metric=cut_error", "dataset")
data = ""
do for [d in all_data] { if (d ne "random-patterns") { data = data . " " . d } }
n = words(data)
flips = values("metric=cut_error", "run.flip")
couplings = values("metric=cut_error", "model.coupling")
chosen_flip = "0.2"
chosen_coupling = "0.5"
methods = "descent annealed gibbs cut"
style_of(m) = m eq "cut" ? 1 : m eq "descent" ? 2 : m eq "annealed" ? 4 : 5
title_of(m) = m eq "cut" ? "exact mode (cut)" : m eq "descent" ? "ICM" : m eq "annealed" ? "annealing" : "marginals (Gibbs)"
sampler_of(m) = m eq "cut" ? "gibbs" : m
metric_of(m) = m eq "cut" ? "cut_error" : "error"
errors(m, d, where, x) = rows(sprintf("metric=%s;dataset=%s;sampler=%s;%s", metric_of(m), d, sampler_of(m), where), x . ",value,se")
other(metric, d, where, x) = rows(sprintf("metric=%s;dataset=%s;sampler=gibbs;%s", metric, d, where), x . ",value")
shift(m) = m eq "descent" ? -1.5 : m eq "annealed" ? -0.5 : m eq "gibbs" ? 1.5 : 0.5
pictures_of(d) = d eq "glyphs" ? (n > 1 ? "generated digits, 64 × 64" : "generated digits") : dataset_title(d)

height = n > 1 ? 1080 : 660
eval page("", 1280, height)
set multiplot
set label 1 heading("Restoring pictures under the Ising model", \
    "wrong pixels, mean and standard error over the pictures; h_i = ½ log((1 − p) / p) x_i, one coupling J for all neighbours") \
    at screen 0.5,1 offset 0,-1.9 center
set label 2 verdict(0) at screen 0.5,0 offset 0,0.9 center font ",13" textcolor rgb "#444444" noenhanced
unset key
set tics font ",13"
set title font ",14" offset 0,-0.5
set xlabel font ",14" offset 0,0.5
first_flip = real(word(flips, 1))
last_flip = real(word(flips, words(flips)))
first_coupling = real(word(couplings, 1))
last_coupling = real(word(couplings, words(couplings)))
top = 1 - 175. / height
panel = (height - 175. - 60.) / height / n
do for [i = 1:n] {
    d = word(data, i)
    set tmargin at screen top - (i - 1) * panel - (n > 1 ? 40. : 25.) / height
    set bmargin at screen top - i * panel + (n > 1 ? 75. : 62.) / height
    set lmargin at screen 0.08
    set rmargin at screen 0.5
    set ylabel "share of wrong pixels" font ",14" offset 1,0
    set xlabel "flip probability p"
    set title sprintf("%s, J = %s", pictures_of(d), chosen_coupling)
    set xrange [0:last_flip + 0.02]
    set xtics 0.05
    set yrange [0:last_flip * 1.05]
    set ytics 0.1
    where = "model.coupling=" . chosen_coupling
    plot other("corrupted_error", d, where, "run.flip") using 1:2 with lines linecolor rgb grey linewidth 2.5 dashtype 4, \
        other("blank_error", d, where, "run.flip") using 1:2 with lines linecolor rgb grey linewidth 1.5 dashtype 3, \
        for [m in methods] errors(m, d, where, "run.flip") using ($1 + 0.0016 * shift(m)):2:3 with yerrorlines linestyle style_of(m) linewidth 2.5
    unset label 1
    unset label 2
    set lmargin at screen 0.57
    set rmargin at screen 0.985
    unset ylabel
    set xlabel "coupling J"
    set title sprintf("%s, p = %s", pictures_of(d), chosen_flip)
    margin = 0.08 * (last_coupling - first_coupling)
    set xrange [first_coupling - margin:last_coupling + margin]
    set xtics 0.1
    where = "run.flip=" . chosen_flip
    plot other("corrupted_error", d, where, "model.coupling") using 1:2 with lines linecolor rgb grey linewidth 2.5 dashtype 4, \
        other("blank_error", d, where, "model.coupling") using 1:2 with lines linecolor rgb grey linewidth 1.5 dashtype 3, \
        for [m in methods] errors(m, d, where, "model.coupling") using ($1 + 0.04 * margin * shift(m)):2:3 with yerrorlines linestyle style_of(m) linewidth 2.5
}
unset title
eval strip(1 - 128. / height)
set tmargin at screen 1 - 92. / height
set bmargin at screen 1 - 164. / height
set key maxrows 2 font ",14" samplen 3 spacing 1.15
plot NaN with lines linecolor rgb grey linewidth 2.5 dashtype 4 title "corrupted", \
    NaN with lines linecolor rgb grey linewidth 1.5 dashtype 3 title "all of one colour", \
    for [m in methods] NaN with linespoints linestyle style_of(m) title title_of(m)
unset multiplot
reset

# $1: a data set; the sheets of its first pictures.
side(d, m, name) = sprintf("< sed 's/NaN/0.35/g' '%s/ising-%s-%s-%s-flip-%s-seed-1/%s.csv'", sides, chosen_coupling, d, sampler_of(m), chosen_flip, name)
percent(metric, d, m) = sprintf("%.1f %%", 100 * real(word(values(sprintf("metric=%s;dataset=%s;sampler=%s;model.coupling=%s;run.flip=%s", \
    metric, d, sampler_of(m), chosen_coupling, chosen_flip), "value"), 1)))
do for [i = 1:n] {
    load "plots/style.gp"
    d = word(data, i)
    eval page(i == 1 ? "-pictures" : "-shapes", 1280, 1000)
    set multiplot
    set label 1 heading("The picture, the noise, and four ways back", \
        sprintf("%s; p = %s, J = %s; wrong pixels over all pictures", pictures_of(d), chosen_flip, chosen_coupling)) at screen 0.5,0.955 center
    unset border
    unset tics
    unset colorbox
    unset key
    set cbrange [0:1]
    set palette gray negative
    set yrange [*:*] reverse
    set size ratio -1
    do for [k = 1:6] {
        m = k <= 2 ? "gibbs" : word(methods, k - 2)
        name = k == 1 ? "true" : k == 2 ? "corrupted" : k == 6 ? "cut" : "restored"
        across = (k - 1) % 3
        down = (k - 1) / 3
        set lmargin at screen 0.02 + 0.325 * across
        set rmargin at screen 0.33 + 0.325 * across
        set tmargin at screen 0.855 - 0.435 * down
        set bmargin at screen 0.46 - 0.435 * down
        set title (k == 1 ? "true" : k == 2 ? "corrupted: " . percent("corrupted_error", d, m) : \
            title_of(m) . ": " . percent(metric_of(m), d, m)) offset 0,-0.5
        plot side(d, m, name) matrix with image
        unset label 1
    }
    unset multiplot
    reset
}
