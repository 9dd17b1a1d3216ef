# Rows of a results CSV for gnuplot: those that match, and of them the columns asked for.
#   awk -f plots/rows.awk -v want='metric=kl_mean;learner=cd-1' -v show='step,value,se' FILE.csv
# want: column=value pairs joined by ';'. A value that ends in * matches by its beginning; an empty one an empty field.
# show: columns to print, joined by commas; a column that the file does not have prints as NaN, as does an empty field.
# join: column=metric adds, as a last column, the value of another metric of the same case and step.
# scale: divides every `value` and `se` shown (for units).

# Splits an RFC 4180 line into f[1 ... n].
function fields(line, f,    n, i, c, quoted, field) {
    if (index(line, "\"") == 0)
        return split(line, f, ",")
    n = 0; field = ""; quoted = 0
    for (i = 1; i <= length(line); i++) {
        c = substr(line, i, 1)
        if (quoted && c == "\"" && substr(line, i + 1, 1) == "\"") { field = field c; i++ }
        else if (c == "\"") quoted = !quoted
        else if (c == "," && !quoted) { f[++n] = field; field = "" }
        else field = field c
    }
    f[++n] = field
    return n
}

function matches(text, pattern) {
    if (pattern ~ /\*$/)
        return index(text, substr(pattern, 1, length(pattern) - 1)) == 1
    return text == pattern
}

function wanted(f,    i) {
    for (i = 1; i <= n_want; i++)
        if (!matches(f[column[key[i]]], pattern[i]))
            return 0
    return 1
}

function cell(f, name,    text) {
    text = (name in column) ? f[column[name]] : ""
    if (text == "")
        return "NaN"
    return scale && (name == "value" || name == "se") ? text / scale : text
}

BEGIN {
    n_want = split(want, pair, ";")
    for (i = 1; i <= n_want; i++) {
        cut = index(pair[i], "=")
        key[i] = substr(pair[i], 1, cut - 1)
        pattern[i] = substr(pair[i], cut + 1)
    }
    n_show = split(show, shown, ",")
}

NR == 1 {
    n = fields($0, head)
    for (i = 1; i <= n; i++)
        column[head[i]] = i
    for (i = 1; i <= n_want; i++)
        if (!(key[i] in column)) {
            print "rows.awk: no column " key[i] " in " FILENAME > "/dev/stderr"
            exit 1
        }
    next
}

{
    fields($0, f)
    id = f[column["case"]] SUBSEP f[column["step"]]
    if (join != "" && f[column["metric"]] == join)
        other[id] = f[column["value"]]
    if (!wanted(f))
        next
    line = cell(f, shown[1])
    for (i = 2; i <= n_show; i++)
        line = line "," cell(f, shown[i])
    rows[++count] = line
    of[count] = id
}

END {
    for (i = 1; i <= count; i++)
        print rows[i] (join == "" ? "" : "," ((of[i] in other) && other[of[i]] != "" ? other[of[i]] : "NaN"))
}
