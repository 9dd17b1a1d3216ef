# A cell for each sampler on each target: effective draws of the worst observable for 1000 evaluations (energies +
# gradients + site updates / V), by colour and in figures. Chains that have not mixed (largest R-hat of all seeds and
# observables above 1.05) have no such number: a pale cell with the R-hat. A dagger: some mean is more than 5 standard
# errors off. Nothing where the two do not go together.
load "plots/style.gp"

samplers = "gibbs metropolis block-gibbs joint-gibbs swendsen-wang wolff gibbs-with-gradients dmala tempering-gibbs random-walk-identity random-walk-dense independence ula sgld gibbs-langevin mala hmc nuts tempering-hmc"
models = values("metric=efficiency", "model")
n = words(samplers)
m = words(models)
seeds = number_of("metric=least_ess", "seed")
place(s, list) = int(sum [i = 1:words(list)] (word(list, i) eq s ? i : 0))
sampler_title(s) = s eq "gibbs" ? "Gibbs" : s eq "metropolis" ? "Metropolis" : s eq "block-gibbs" ? "block Gibbs" : s eq "joint-gibbs" ? "joint Gibbs" : \
    s eq "swendsen-wang" ? "Swendsen–Wang" : s eq "wolff" ? "Wolff" : s eq "gibbs-with-gradients" ? "Gibbs with gradients" : s eq "dmala" ? "discrete Langevin" : \
    s eq "tempering-gibbs" ? "tempering, Gibbs" : s eq "random-walk-identity" ? "random walk" : s eq "random-walk-dense" ? "random walk, learnt" : \
    s eq "independence" ? "independence" : s eq "ula" ? "unadjusted Langevin" : s eq "sgld" ? "stoch. gradient Langevin" : s eq "gibbs-langevin" ? "Gibbs–Langevin" : \
    s eq "mala" ? "MALA" : s eq "hmc" ? "HMC" : s eq "nuts" ? "NUTS" : s eq "tempering-hmc" ? "tempering, HMC" : s
model_title(t) = t eq "ising" ? "Ising 8 × 8" : t eq "potts" ? "Potts, q = 4" : t eq "boltzmann" ? "Boltzmann machine" : t eq "boltzmann-hidden" ? "… with hidden units" : \
    t eq "rbm" ? "RBM" : t eq "grbm" ? "Gaussian RBM" : t eq "gaussian" ? "Gaussian, 100 : 1" : t eq "gaussian-mixture" ? "two modes" : t eq "double-well" ? "double wells" : \
    t eq "student-t" ? "Student t" : t eq "banana" ? "banana" : t eq "funnel" ? "funnel" : t eq "eight-schools-centred" ? "schools, centred" : \
    t eq "eight-schools-non-centred" ? "schools, non-centred" : t eq "logistic-posterior" ? "logistic posterior" : t eq "mixture-posterior" ? "mixture posterior" : t
number(v) = v >= 9.95 ? sprintf("%.0f", v) : v >= 0.995 ? sprintf("%.1f", v) : v >= 0.0995 ? sprintf("%.2f", v) : v >= 0.00995 ? sprintf("%.3f", v) : sprintf("%.0e", v)
mixed = 1.05
right = 5
shades = 4.0 # decades
top = 0.0    # log10 of the draws / evaluation of the darkest shade
rank(e) = (log10(e) - top + shades) / shades

eval page("", 1280, 760)
set label 1 heading("Every sampler on every target: effective draws of the worst observable / 1000 evaluations", \
    sprintf("means of %d seeds; pale: R-hat above %.2f, chains have not mixed; †: a mean more than %d s.e. off; empty: the two do not go together", seeds, mixed, right)) \
    at screen 0.5,0.965 center
set label 2 verdict(0) at screen 0.5,0.022 center font ",11" textcolor rgb "#444444" noenhanced
set lmargin at screen 0.215
set rmargin at screen 0.905
set tmargin at screen 0.765
set bmargin at screen 0.065
unset key
unset grid
unset border
set xrange [0.5:m + 0.5]
set yrange [n + 0.5:0.5]
set tics scale 0
set x2tics rotate by 32 left font ",12" offset -1.2,0.2
unset xtics
set for [i = 1:m] x2tics (model_title(word(models, i)) i)
set x2range [0.5:m + 0.5]
set for [i = 1:n] ytics (sampler_title(word(samplers, i)) i) font ",12.5"
set palette defined (0 "#fbe8c8", 0.35 "#f0a860", 0.65 "#c0504d", 1 "#3b1c5a")
set cbrange [top - shades + 3:top + 3]
set cbtics ("0.1" -1, "1" 0, "10" 1, "100" 2, "1000" 3) font ",11.5"
set colorbox user origin screen 0.94,0.30 size screen 0.015,0.35
set style fill solid 1 border rgb "#ffffff"
cells = rows("metric=efficiency", "model,sampler,value")
hats = rows("metric=rhat", "model,sampler,value")
errors = rows("metric=error", "model,sampler,value")
x = "place(strcol(1), models)"
y = "place(strcol(2), samplers)"
# " ising/gibbs potts/gibbs ... ": the pairs that have mixed. An R-hat that is not defined or infinite is not among them.
settled = " " . system(sprintf("awk -f plots/rows.awk -v want='metric=rhat' -v show='model,sampler,value' '%s' | awk -F, '$3 ~ /^[0-9]/ && $3 <= %g {printf \"%%s/%%s \", $1, $2}'", csv, mixed))
fine = "(strstrt(settled, \" \" . strcol(1) . \"/\" . strcol(2) . \" \") > 0)"
plot cells using (@fine ? @x : NaN):(@y):(0.49):(0.47):(log10(1000 * $3)) with boxxyerror linecolor palette linewidth 0.5, \
    cells using (@fine ? NaN : @x):(@y):(0.49):(0.47) with boxxyerror fillcolor rgb "#eeeeee" linecolor rgb "#ffffff", \
    cells using (@fine && rank($3) > 0.55 ? @x : NaN):(@y):(number(1000 * $3)) with labels font ",11.5" textcolor rgb "white", \
    cells using (@fine && rank($3) <= 0.55 ? @x : NaN):(@y):(number(1000 * $3)) with labels font ",11.5" textcolor rgb "black", \
    errors using (@fine && $3 > right ? @x + 0.40 : NaN):(@y - 0.22):("†") with labels font ",10" textcolor rgb "black", \
    hats using (@fine ? NaN : @x):(@y):($3 < 10 ? sprintf("{/:Italic R} %.2f", $3) : "{/:Italic R} > 10") with labels font ",9" textcolor rgb "#666666"
