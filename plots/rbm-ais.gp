# Annealed importance sampling against exact log Z, one column of panels for each machine. Above: both estimates less the
# exact value, with 3 standard errors, against the number of temperatures, at the largest number of chains. Below: the
# absolute error, mean over seeds, for each number of chains.
load "plots/style.gp"

datasets = values("metric=log_z_ais", "dataset")
n = words(datasets)
seeds = number_of("metric=log_z_ais", "seed")
chain_counts = values("metric=log_z_ais", "estimator.chains")
chains = word(chain_counts, words(chain_counts))
dash(k) = k == words(chain_counts) ? 1 : k + 1
least = int(word(values("metric=log_z_ais", "estimator.temperatures"), 1))
most = int(system("awk -f plots/rows.awk -v want='metric=log_z_ais' -v show=estimator.temperatures '" . csv . "' | sort -n | tail -n 1"))
estimates(metric, d, c) = rows_with(sprintf("metric=%s;dataset=%s;estimator.chains=%s", metric, d, c), "estimator.temperatures,value,se,seed", "log_z")
left(i) = 0.10 + (i - 1) * 0.89 / n + (i > 1 ? 0.015 : 0)
right(i) = 0.985 - (n - i) * 0.89 / n - (i < n ? 0.05 : 0)

eval page("", 1280, 960)
set multiplot
set label 1 heading("Annealed importance sampling against the exact log Z", \
    sprintf("%d seeds; above with %s chains each way, error bars ± 3 standard errors; below the mean absolute error, dots single seeds", seeds, chains)) \
    at screen 0.5,0.965 center
set label 2 verdict(0) at screen 0.5,0.022 center font ",13" textcolor rgb "#444444" noenhanced
unset key
set logscale x
set xrange [least / 1.6:most * 1.6]
set format x "10^{%T}"
set bars 0.6

do for [i = 1:n] {
    d = word(datasets, i)
    set lmargin at screen left(i)
    set rmargin at screen right(i)
    set tmargin at screen 0.81
    set bmargin at screen 0.52
    set title dataset_title(d) offset 0,-0.3
    set xlabel
    unset logscale y
    unset offsets
    set yrange [*:*] extend
    set format y "%g"
    set ylabel (i == 1 ? "estimate − log Z in nats" : "") offset 0.5,0
    set arrow 1 from graph 0, first 0 to graph 1, first 0 nohead linecolor rgb black linewidth 2.5
    plot estimates("log_z_ais", d, chains) using ($1 * 10 ** (0.025 * ($4 - (seeds + 1) / 2.) - 0.02)):($2 - $5):(3 * $3) with yerrorbars \
            linecolor rgb blue linewidth 2 pointtype 9 pointsize 1.4, \
        estimates("log_z_reverse", d, chains) using ($1 * 10 ** (0.025 * ($4 - (seeds + 1) / 2.) + 0.02)):($2 - $5):(3 * $3) with yerrorbars \
            linecolor rgb vermillion linewidth 2 pointtype 10 pointsize 1.4
    unset label 1
    unset label 2
    unset arrow 1
    set title
    set tmargin at screen 0.44
    set bmargin at screen 0.125
    set logscale y
    set yrange [*:*] noextend
    set offsets 0, 0, graph 0.08, graph 0.08
    set format y "10^{%T}"
    set xlabel "temperatures" offset 0,0.3
    set ylabel (i == 1 ? "absolute error in nats" : "") offset 0.5,0
    plot estimates("log_z_ais", d, chains) using 1:(abs($2 - $5)) with points linecolor rgb "#99c7e0" pointtype 7 pointsize 0.7, \
        estimates("log_z_reverse", d, chains) using 1:(abs($2 - $5)) with points linecolor rgb "#eebf99" pointtype 7 pointsize 0.7, \
        for [k = 1:words(chain_counts)] estimates("log_z_ais", d, word(chain_counts, k)) using 1:(abs($2 - $5)) \
            smooth unique with linespoints linecolor rgb blue linewidth 2.5 dashtype dash(k) pointtype 9 pointsize 1.4, \
        for [k = 1:words(chain_counts)] estimates("log_z_reverse", d, word(chain_counts, k)) using 1:(abs($2 - $5)) \
            smooth unique with linespoints linecolor rgb vermillion linewidth 2.5 dashtype dash(k) pointtype 10 pointsize 1.4
}
eval strip(0.893)
count(j) = (j + 1) / 2   # of the j-th entry of the key: forward and reverse by turns
plot for [j = 1:2 * words(chain_counts)] NaN with linespoints linecolor rgb (j % 2 ? blue : vermillion) linewidth 2 \
    dashtype dash(count(j)) pointtype (j % 2 ? 9 : 10) pointsize 1.8 \
    title sprintf("%s, %s chains", j % 2 ? "AIS" : "reverse AIS", word(chain_counts, count(j)))
unset multiplot
