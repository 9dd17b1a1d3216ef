# One line on the checks of a results CSV: how many laws and claims held, and which did not.
#   awk -f plots/verdict.awk FILE.csv
# As many of those that did not hold are named as fit into a line.
# A check is a row whose metric begins with "check:"; its status is held, fell-short (a law), did-not-reproduce (a
# claim) or not-checked (made for the other size). Fields that are read here are never quoted: they stand at the end.
BEGIN { FS = "," }

NR == 1 {
    for (i = 1; i <= NF; i++)
        if ($i == "metric")
            from_end = NF - i
    next
}

$(NF - from_end) ~ /^check:/ {
    count[$NF]++
    if ($NF == "fell-short" || $NF == "did-not-reproduce") {
        name = $(NF - from_end)
        sub(/^check: */, "", name)
        gsub(/_/, " ", name)
        value = sprintf(" = %.3g, not ", $(NF - from_end + 1))
        if (!sub(/ above /, value "above ", name))
            sub(/ below /, value "below ", name)
        if (length(bad) + length(name) < 90)
            bad = bad (bad == "" ? "" : "; ") name
        else
            unnamed++
    }
}

function part(number, text) {
    if (number > 0)
        line = line (line == "" ? "" : ", ") number " " text
}

END {
    later = count["not-checked"]
    part(count["held"], "held")
    part(count["fell-short"], "fell short")
    part(count["did-not-reproduce"], "did not reproduce")
    if (line == "")
        print later ? "All " later " checks are made at the other size" : "No checks"
    else
        print "Checks: " line (bad == "" ? "" : " (" bad (unnamed ? "; and " unnamed " more" : "") ")") (later ? "; " later " more at the other size" : "")
}
