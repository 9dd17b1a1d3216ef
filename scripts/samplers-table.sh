#!/bin/sh
# The results of samplers-compared as a table in Markdown: of each target the samplers that have mixed, the best first, then
# those that have not (largest R-hat of all seeds above 1.05), by their R-hat.
#   scripts/samplers-table.sh FILE [LINES]      LINES: so many of each target at most
set -eu
awk -F, -v most="${2:-1000}" '
NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i; next }
$column["seed"] == "" && $column["status"] == "ok" {
    m = $column["model"]; s = $column["sampler"]; what = $column["metric"]
    value[m, s, what] = $column["value"]; se[m, s, what] = $column["se"]
    if (what == "efficiency" && !((m, s) in seen)) { seen[m, s] = 1; if (!(m in count)) models[++n] = m; samplers[m, ++count[m]] = s }
}
function text(v,    digits) { # three digits
    if (v == "") return "—"
    if (v == 0) return "0"
    digits = 2 - int(log(v < 0 ? -v : v) / log(10) + 1e-9) + (v < 1)
    return sprintf("%." (digits > 0 ? digits : 0) "f", v)
}
function mixed(m, s,    r) { r = value[m, s, "rhat"]; return r != "" && r != "inf" && r <= 1.05 }
function key(m, s,    r) { r = value[m, s, "rhat"]; return mixed(m, s) ? 1e6 + 1000 * value[m, s, "efficiency"] : -(r == "" || r == "inf" ? 1e6 : r) }
function hat(v) { return v == "" || v == "inf" ? "—" : sprintf("%.2f", v) }
END {
    print "| target | sampler | effective draws / 1000 evaluations | / 1000 gradients | R-hat | autocorrelation time | error in s.e. |"
    print "| --- | --- | --- | --- | --- | --- | --- |"
    for (i = 1; i <= n; i++) {
        m = models[i]
        for (a = 1; a <= count[m]; a++)
            for (b = a; b > 1 && key(m, samplers[m, b]) > key(m, samplers[m, b - 1]); b--) { t = samplers[m, b]; samplers[m, b] = samplers[m, b - 1]; samplers[m, b - 1] = t }
        for (k = 1; k <= count[m] && k <= most; k++) {
            s = samplers[m, k]
            if (k > 1 && most < count[m] && !mixed(m, s)) break
            e = 1000 * value[m, s, "efficiency"]; error = 1000 * se[m, s, "efficiency"]; g = value[m, s, "efficiency_per_gradient"]
            printf "| %s | %s | %s | %s | %s | %s | %s |\n", (k == 1 ? m : ""), s, \
                mixed(m, s) ? text(e) " ± " sprintf(error >= 10 ? "%.0f" : error >= 1 ? "%.1f" : "%.2g", error) : "not mixed", \
                !mixed(m, s) || g == "" ? "—" : text(1000 * g), hat(value[m, s, "rhat"]), mixed(m, s) ? text(value[m, s, "tau"]) : "—", \
                value[m, s, "error"] == "" ? "—" : sprintf("%.1f", value[m, s, "error"])
        }
    }
}' "$1"
