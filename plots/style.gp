# What all figures share: pages, sizes that read from the back of a lecture room, colours and marks.
#
# scripts/figure.sh sets csv (the suite's table), sides (its folder of side files), size, figure (path of the picture
# without its ending) and format (svg or png), and runs each plot once for each format.
# Each kind of learner keeps its colour in every figure. Colours are of Okabe & Ito's set, ordered so that they differ
# in lightness too, and every series has its own dash and mark: the figures read in grey.
set datafile separator comma
set datafile missing "NaN"
set encoding utf8

# eval page("-pictures", 1280, 720) opens figure-pictures.{svg,png}.
page(suffix, w, h) = format eq "svg" \
    ? sprintf("set terminal svg size %d,%d enhanced font 'DejaVu Sans,20' background rgb 'white' standalone; set output '%s%s.svg'", w, h, figure, suffix) \
    : sprintf("set terminal pngcairo size %d,%d enhanced font 'DejaVu Sans,15' background rgb 'white'; set output '%s%s.png'", w, h, figure, suffix)

# rows("metric=kl_mean;learner=cd-1", "step,value,se"): a source of data for `plot`.
rows(want, show) = sprintf("< awk -f plots/rows.awk -v want='%s' -v show='%s' '%s'", want, show, csv)
# The same with the value of another metric of the same case and step as last column.
rows_with(want, show, join) = sprintf("< awk -f plots/rows.awk -v want='%s' -v show='%s' -v join='%s' '%s'", want, show, join, csv)
# Distinct values of a column in order of appearance, as words for `for [x in ...]`.
values(want, column) = system(sprintf("awk -f plots/rows.awk -v want='%s' -v show='%s' '%s' | awk '!seen[$0]++'", want, column, csv))
number_of(want, column) = words(values(want, column))
# What the checks in the table say, in a line.
verdict(dummy) = system(sprintf("awk -f plots/verdict.awk -v size=%s '%s'", size, csv))

heading(title, subtitle) = sprintf("{/:Bold*1.2 %s}\n{/*0.85 %s}", title, subtitle)

set border 3 linewidth 1.5 linecolor rgb "#444444"
set tics nomirror out scale 0.6
set grid xtics ytics linewidth 1 linecolor rgb "#dddddd" dashtype solid
set key spacing 1.25 samplen 3.5 height 0.5 noopaque
set style fill solid 1 noborder
set bars 1.2

black = 0x000000
blue = 0x0072b2
vermillion = 0xd55e00
orange = 0xe69f00
sky = 0x56b4e9
green = 0x009e73
purple = 0xaa4499
grey = 0x777777

set dashtype 2 (14, 7)
set dashtype 3 (22, 6, 5, 6)
set dashtype 4 (5, 5)
set dashtype 5 (10, 5, 3, 5, 3, 5)

# Line styles by learner: exact, CD with one step, with a few, with many, PCD; PCD with few chains.
set style line 1 linecolor rgb black dashtype solid linewidth 3.5 pointtype 7 pointsize 1.5
set style line 2 linecolor rgb vermillion dashtype 2 linewidth 3.5 pointtype 9 pointsize 1.9
set style line 3 linecolor rgb orange dashtype 3 linewidth 3.5 pointtype 5 pointsize 1.5
set style line 4 linecolor rgb green dashtype 4 linewidth 3.5 pointtype 13 pointsize 1.9
set style line 5 linecolor rgb blue dashtype 5 linewidth 3.5 pointtype 11 pointsize 1.9
set style line 6 linecolor rgb sky dashtype solid linewidth 2 pointtype 13 pointsize 1.9
array colours[6] = [black, vermillion, orange, green, blue, sky]
learner_style(l) = l eq "exact" ? 1 : l eq "cd-1" ? 2 : l eq "cd-25" ? 4 : l[1:2] eq "cd" ? 3 : l eq "pcd-10-14" ? 6 : 5
learner_colour(l) = colours[learner_style(l)]
# "cd-10" as CD-10, "pcd-10-500" (steps, chains) as PCD-10, 500 chains.
upper(s) = system(sprintf("echo '%s' | tr a-z- 'A-Z '", s))
learner_title(l) = l eq "exact" ? "exact ML" : sprintf("%s%s%s", word(upper(l), 1), words(upper(l)) > 1 ? "-" . word(upper(l), 2) : "", \
    words(upper(l)) > 2 ? ", " . word(upper(l), 3) . " chains" : "")
dataset_title(d) = d eq "bars-and-stripes" ? "bars and stripes" : d eq "mnist" ? "MNIST" : d eq "glyphs" ? "generated digits" : d

# eval strip(y): the next plot of a multiplot shows no axes and is there for its key, in two rows centred at height y.
strip(y) = sprintf("unset border; unset tics; unset xlabel; unset ylabel; unset logscale; set xrange [0:1]; set yrange [0:1]; set lmargin at screen 0.005; set rmargin at screen 0.995; set bmargin at screen %g; set tmargin at screen %g; set key at screen 0.5,%g center center vertical maxrows 2 width 0 samplen 3 spacing 1.1 font ',14'", y - 0.035, y + 0.035, y)
