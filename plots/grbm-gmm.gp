# Gaussian-Bernoulli RBMs of a mixture in the plane: the densities that five samplers' negative phases have taught, KL from the
# mixture against updates, and the Frechet distance of samples against steps of generation.
load "plots/style.gp"

shapes = values("metric=kl_mean", "dataset")
samplers = values("metric=kl_mean", "sampler")
learners = values("metric=kl_mean", "learner")
seeds = number_of("metric=kl", "seed")
first_case(d, s, l) = word(values(sprintf("metric=kl;dataset=%s;sampler=%s;learner=%s", d, s, l), "case"), 1)
side(d, s, l, name) = sprintf("%s/%s/%s", sides, system(sprintf("echo '%s' | tr / -", first_case(d, s, l))), name)
cells(file) = int(system(sprintf("wc -l < '%s'", file)))
curve(m, d, s, l) = rows(sprintf("metric=%s;dataset=%s;sampler=%s;learner=%s", m, d, s, l), "step,value,se")
sampler_name(s) = s eq "block-gibbs" ? "Gibbs" : s eq "annealed-langevin-false" ? "Langevin" : s eq "annealed-langevin-true" ? "Langevin, adjusted" \
    : s eq "gibbs-langevin-false" ? "Gibbs–Langevin" : "Gibbs–Langevin, adjusted"
map_name(s) = s[strlen(s)-3:*] eq "true" ? sampler_name(s)[1:strlen(sampler_name(s))-5] . "." : sampler_name(s)
learner_name(l) = l[1:3] eq "pcd" ? "chains that persist" : "chains from noise"
sampler_colour(k) = k == 1 ? black : k == 2 ? orange : k == 3 ? vermillion : k == 4 ? sky : blue
sampler_dash(k) = k == 1 ? 1 : k == 2 ? 2 : k == 3 ? 3 : k == 4 ? 4 : 5
sampler_mark(k) = k == 1 ? 7 : k == 2 ? 8 : k == 3 ? 9 : k == 4 ? 4 : 5
low(x, e) = x - e > 0.02 * x ? x - e : 0.02 * x

n = words(samplers)
do for [d in shapes] {
    shape = d[21:*]
    eval page(words(shapes) > 1 && shape ne "anisotropic" ? "-" . shape : "", 1280, 1080)
    set multiplot
    set label 1 heading("What negative phases teach a Gaussian–Bernoulli RBM", \
        sprintf("mixture of three Gaussians (%s); densities by quadrature, darkest from 0.03, the first seed; curves: means of %d seeds ± 1 s.e.", shape, seeds)) \
        at screen 0.5,0.968 center
    set label 2 verdict(0) at screen 0.5,0.012 center font ",11" textcolor rgb "#444444" noenhanced
    set palette defined (0 "#ffffff", 0.15 "#cfe3f2", 0.4 "#6aaed6", 0.7 "#2070b4", 1 "#08306b")
    unset colorbox
    unset key
    unset grid
    unset logscale
    set xrange [-10:10]
    set yrange [-10:10]
    set format "%g"
    set xtics nomirror -5,5,5 font ",10" offset 0,0.5
    set ytics nomirror -5,5,5 font ",10" offset 0.6,0
    set xlabel
    set ylabel
    truth = side(d, word(samplers, 1), word(learners, 1), "density-data.csv")
    m = cells(truth)
    set cbrange [0:0.03]
    do for [j = 1:words(learners)] {
        do for [k = (j == 1 ? 0 : 1):n] {
            set lmargin at screen 0.055 + k * 0.157
            set rmargin at screen 0.055 + k * 0.157 + 0.138
            set tmargin at screen j == 1 ? 0.875 : 0.665
            set bmargin at screen j == 1 ? 0.875 - 0.163 : 0.665 - 0.163
            if (j == 1) { set title (k == 0 ? "the mixture" : map_name(word(samplers, k))) font ",12" offset 0,-0.7 } else { unset title }
            if (k == n) { set label 3 learner_name(word(learners, j)) at graph 1.06,0.5 center rotate by -90 font ",13" }
            plot (k == 0 ? truth : side(d, word(samplers, k), word(learners, j), "density.csv")) matrix \
                using (-10 + 20 * ($1 + 0.5) / m):(10 - 20 * ($2 + 0.5) / m):3 with image
            unset label 1
            unset label 2
            unset label 3
        }
    }
    unset title
    set grid
    do for [j = 1:words(learners)] {
        do for [q = 1:2] {
            l = word(learners, j)
            c = 2 * (j - 1) + (q - 1)
            set lmargin at screen 0.07 + c * 0.238
            set rmargin at screen 0.07 + c * 0.238 + 0.172
            set tmargin at screen 0.395
            set bmargin at screen 0.125
            unset logscale
            set logscale y
            set format y "%g"
            set xtics nomirror auto font ",12" offset 0,0.2
            set ytics nomirror auto font ",12" offset 0.3,0
            set title learner_name(l) font ",14" offset 0,-0.5
            if (q == 1) {
                set xrange [0:*]
                set yrange [0.5:30]
                set xtics nomirror 0,(size eq "quick" ? 100 : 250),10000
                set xlabel "updates" offset 0,0.4 font ",14"
                set ylabel "KL(mixture ‖ machine) / nats" offset 1.4,0 font ",14"
                plot for [k = 1:n] curve("kl_mean", d, word(samplers, k), l) using 1:2:(low($2, $3)):($2 + $3) with yerrorbars linecolor rgb sampler_colour(k) linewidth 1.5 pointtype sampler_mark(k) pointsize 0.9, \
                    for [k = 1:n] curve("kl_mean", d, word(samplers, k), l) using 1:2 with lines linecolor rgb sampler_colour(k) linewidth 2.5 dashtype sampler_dash(k)
            } else {
                set logscale x
                set xrange [0.8:(size eq "quick" ? 400 : 1300)]
                set xtics nomirror 1,10,10000
                set yrange [0.02:60]
                set format x "10^{%T}"
                set xlabel "steps of generation from noise" offset 0,0.4 font ",14"
                set ylabel "Fréchet distance" offset 1.8,0 font ",14"
                plot for [s = 1:1] curve("frechet_floor", d, word(samplers, s), l) using (0.8):2:(10000):(0) with vectors nohead linecolor rgb grey linewidth 2 dashtype 4, \
                    for [k = 1:n] curve("frechet_mean", d, word(samplers, k), l) using 1:2:(low($2, $3)):($2 + $3) with yerrorbars linecolor rgb sampler_colour(k) linewidth 1.5 pointtype sampler_mark(k) pointsize 0.9, \
                    for [k = 1:n] curve("frechet_mean", d, word(samplers, k), l) using 1:2 with lines linecolor rgb sampler_colour(k) linewidth 2.5 dashtype sampler_dash(k)
                set format x "%g"
            }
        }
    }
    unset title
    unset xlabel
    unset ylabel
    unset logscale
    eval strip(0.448)
    set key font ',13' maxrows 2 width -2 samplen 3
    plot for [k = 1:n] NaN with linespoints linecolor rgb sampler_colour(k) linewidth 2.5 dashtype sampler_dash(k) pointtype sampler_mark(k) pointsize 1 title sampler_name(word(samplers, k)), \
        NaN with lines linecolor rgb grey linewidth 2 dashtype 4 title "real against real"
    unset multiplot
    set border 3
    set tics nomirror out scale 0.6
    unset output
}
