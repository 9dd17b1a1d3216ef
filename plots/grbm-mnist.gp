# Gaussian-Bernoulli RBMs of digits by five samplers' negative phases: Frechet distance of E[v | h] at equal updates and at equal
# compute, against steps of generation, and of all machines beside the published table; then what they generate.
load "plots/style.gp"

samplers = values("metric=distance", "sampler")
n = words(samplers)
sampler(k) = word(samplers, k)
seeds = number_of("metric=frechet_digits_net", "seed")
faithful(s) = strstrt(s, "faithful") > 0
adjusted(s) = strstrt(s, "-true-") > 0
plain_name(s) = s[1:5] eq "block" ? "Gibbs" : s[1:5] eq "annea" ? "Langevin" : "Gibbs–Langevin"
sampler_name(s) = plain_name(s) . (adjusted(s) ? ", adjusted" : "")
short_name(s) = (s[1:5] eq "gibbs" ? "Gibbs–\nLangevin" : plain_name(s)) . (adjusted(s) ? (s[1:5] eq "gibbs" ? ", adj." : "\nadjusted") : "")
kind(s) = s[1:5] eq "block" ? 1 : s[1:5] eq "annea" ? (adjusted(s) ? 3 : 2) : (adjusted(s) ? 5 : 4)
sampler_colour(k) = k == 1 ? black : k == 2 ? orange : k == 3 ? vermillion : k == 4 ? sky : blue
sampler_mark(k) = k == 1 ? 7 : k == 2 ? 8 : k == 3 ? 9 : k == 4 ? 4 : 5
correct = ""
do for [s in samplers] { if (!faithful(s)) { correct = correct . " " . s } }
curve(m, s) = rows(sprintf("metric=%s;sampler=%s", m, s), "step,value,se")
first(m, s, column) = real(word(values(sprintf("metric=%s;sampler=%s", m, s), column), 1))
temperature(s) = first("temperature", s, "value")
generated = size eq "full" ? 100 : 30
last_of(m, s, column) = real(word(values(sprintf("metric=%s;sampler=%s;step=%d", m, s, generated), column), 1))
floor_value = real(word(values("metric=frechet_digits_net_floor", "value"), 1))
updates = int(system(sprintf("awk -f plots/rows.awk -v want='metric=distance_in_training' -v show=step '%s' | sort -n | tail -n 1", csv)))
# Processor time a run, mean over the seeds, as the run's own record says; 0 where there is none.
record = csv[1:strlen(csv)-4] . ".run.yaml"
unit = size eq "full" ? 60. : 1.
time_of(s) = real(system(sprintf("awk -v s='/%s/' 'index($0, s) && match($0, /cpu_seconds: [0-9.]+/) {t += substr($0, RSTART + 13, RLENGTH - 13); n++} END {print n ? t / n : 0}' '%s' 2>/dev/null || echo 0", s, record)))
published(k) = k == 1 ? 47.53 : k == 2 ? 43.80 : k == 3 ? 41.24 : k == 4 ? 17.49 : 19.27
join_of(m) = sprintf("awk -f plots/rows.awk -v want='metric=%s' -v show=value,sampler '%s' | grep -v faithful | cut -d, -f1", m, csv)
top = real(system(sprintf("(%s) | sort -g | tail -n 1", join_of("distance_in_training") . "; " . join_of("distance")))) * 1.5

eval page("", 1280, 900)
set multiplot
set label 1 heading("Gaussian–Bernoulli RBMs of digits, by the sampler of the negative phase", \
    sprintf("%s; E[v | h] after %d steps from noise, features digits-net; means of %d seeds ± 1 s.e.", \
    size eq "full" ? "MNIST, 256 hidden units, CD-100" : "generated digits, 64 hidden units, CD-30", generated, seeds)) at screen 0.5,0.963 center
set label 2 verdict(0) at screen 0.5,0.013 center font ",11" textcolor rgb "#444444" noenhanced
set logscale y
set yrange [floor_value * 0.5:top]
set format y "%g"
set tmargin at screen 0.86
set bmargin at screen 0.61
unset key
panel(i) = sprintf("set lmargin at screen %g; set rmargin at screen %g", 0.08 + (i - 1) * 0.318, 0.08 + (i - 1) * 0.318 + 0.265)
set ytics font ",13"
set ylabel "Fréchet distance" offset 0.6,0 font ",15"
do for [i = 1:3] {
    eval panel(i)
    if (i == 1) {
        set title "correct mode: equal updates" font ",15" offset 0,-0.6
        set xlabel "updates" font ",14" offset 0,0.4
        set xrange [-0.02 * updates:1.04 * updates]
        set xtics nomirror 0,(size eq "quick" ? 20 : updates / 4) font ",13"
        metric = "distance_in_training"
    }
    if (i == 2) {
        set title "correct mode: equal compute" font ",15" offset 0,-0.6
        set xlabel (size eq "full" ? "processor minutes" : "processor seconds") . ", measuring included" font ",14" offset 0,0.4
        set xrange [0:*]
        set xtics nomirror 0,(size eq "full" ? 2 : 1) font ",13"
    }
    if (i == 3) {
        set title "correct mode: steps of generation" font ",15" offset 0,-0.6
        set xlabel "steps from noise" font ",14" offset 0,0.4
        set logscale x
        set xrange [0.8:generated * 4]
        set xtics nomirror 1,10,10000 font ",13"
        metric = "distance"
    }
    plot floor_value with lines linecolor rgb grey linewidth 2 dashtype 4, \
        for [s in correct] curve(metric, s) using (i == 2 ? $1 / updates * time_of(s) / unit : $1):2:3 with yerrorbars \
            linecolor rgb sampler_colour(kind(s)) linewidth 1.5 pointtype sampler_mark(kind(s)) pointsize 1, \
        for [s in correct] curve(metric, s) using (i == 2 ? $1 / updates * time_of(s) / unit : $1):2 with lines \
            linecolor rgb sampler_colour(kind(s)) linewidth 2.5 dashtype kind(s)
    unset label 1
    unset label 2
    unset ylabel
}
unset title
unset logscale x

# All machines
$all << EOD
EOD
set print $all
do for [k = 1:n] {
    s = sampler(k)
    print sprintf("%g,%g,%g,%g,%g,%d", k + (faithful(s) ? 0.6 : 0), last_of("distance", s, "value"), last_of("distance", s, "se"), \
        last_of("distance_v", s, "value"), last_of("distance_v", s, "se"), kind(s))
}
unset print
set autoscale y
stats $all using 4 nooutput
set lmargin at screen 0.08
set rmargin at screen 0.98
set tmargin at screen 0.425
set bmargin at screen 0.185
set xrange [0.4:n + 1.2]
set yrange [floor_value * 0.5:STATS_max * 2]
set xlabel
set ylabel "Fréchet distance" offset 1.0,0 font ",15"
set xtics scale 0 font ",13"
set xtics ("" 0)
set for [k = 1:n] xtics add (short_name(sampler(k)) k + (faithful(sampler(k)) ? 0.6 : 0))
set ytics font ",13"
split = words(correct) + 0.8
set arrow 1 from split, graph 0 to split, graph 1 nohead linecolor rgb "#bbbbbb" linewidth 1.5
set label 3 "correct: temperature 1" at (words(correct) + 1) / 2., graph 1.06 center font ",14"
set label 4 sprintf("faithful, as published: visible units at temperature %g", temperature(sampler(n))) at words(correct) + 1.1 + (n - words(correct)) / 2., graph 1.06 center font ",14"
set label 5 "published\nFID" at screen 0.005,0.075 left font ",12" textcolor rgb "#444444"
set for [k = 1:n] label 10 + k sprintf("%.2f", published(kind(sampler(k)))) at k + (faithful(sampler(k)) ? 0.6 : 0), screen 0.065 center font ",13" textcolor rgb "#444444"
set key at graph 0.5,0.27 center center horizontal maxrows 1 Left reverse font ",13" samplen 2
plot floor_value with lines linecolor rgb grey linewidth 2 dashtype 4 title "real against real (test digits)", \
    $all using ($1 - 0.12):2:3 with yerrorbars linecolor rgb black pointtype 7 pointsize 1.5 linewidth 2.5 title "E[v | h], as published", \
    $all using ($1 + 0.12):4:5 with yerrorbars linecolor rgb vermillion pointtype 8 pointsize 1.7 linewidth 2.5 title "v itself"
unset for [k = 1:n] label 10 + k
unset label 3
unset label 4
unset label 5
unset arrow 1
unset logscale
unset key
eval strip(0.502)
set key font ',13' maxrows 2 samplen 3
plot for [s in correct] NaN with linespoints linecolor rgb sampler_colour(kind(s)) linewidth 2.5 dashtype kind(s) pointtype sampler_mark(kind(s)) pointsize 1 title sampler_name(s), \
    NaN with lines linecolor rgb grey linewidth 2 dashtype 4 title "real against real"
unset multiplot
reset

# What they generate
load "plots/style.gp"
folder(s) = system(sprintf("echo '%s' | tr / -", word(values(sprintf("metric=frechet_digits_net;sampler=%s", s), "case"), 1)))
eval page("-pictures", 1280, 720)
set multiplot
set label 1 heading("What the machines generate, and their filters", \
    sprintf("the first seed of each; samples: E[v | h] after %d steps from noise; chains: v after %s steps, last E[v | h]", generated, \
    size eq "full" ? "1, 3, 10, 30, 100" : "1, 3, 10, 30")) at screen 0.5,0.945 center
unset border
unset tics
unset grid
unset key
unset colorbox
unset xlabel
unset ylabel
set palette gray
set cbrange [0:1]
set yrange [*:*] reverse
set size ratio -1
sheets = "samples chains filters"
do for [r = 1:3] {
    do for [k = 1:n] {
        s = sampler(k)
        set lmargin at screen 0.045 + (k - 1) * 0.1062
        set rmargin at screen 0.045 + (k - 1) * 0.1062 + 0.1
        set tmargin at screen 0.80 - (r - 1) * 0.235
        set bmargin at screen 0.80 - (r - 1) * 0.235 - 0.225
        if (r == 1) { set label 2 short_name(s) at graph 0.5,1.23 center font ",11" }
        if (r == 3) { set label 4 (faithful(s) ? sprintf("T = %g", temperature(s)) : "T = 1") at graph 0.5,-0.08 center font ",12" }
        if (k == 1) { set label 3 word(sheets, r) at graph -0.1,0.5 center rotate by 90 font ",14" }
        plot sprintf("< sed 's/NaN/%s/g' '%s/%s/%s.csv'", r == 3 ? "1" : "0.5", sides, folder(s), word(sheets, r)) matrix with image
        unset label 1
        unset label 2
        unset label 3
        unset label 4
    }
}
unset multiplot
