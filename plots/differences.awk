# A sheet of pictures beside the sheet that it should be, as codes for a palette:
#   paste -d, STORED.csv SHEET.csv | awk -f plots/differences.awk [-v plain=1]
# 0 white, 1 black, 2 unknown, 3 black that should be white, 4 white that should be black, 5 between pictures. plain: what
# is wrong is not marked.
BEGIN { FS = OFS = "," }
{
    n = NF / 2
    line = ""
    for (i = 1; i <= n; i++) {
        want = $i
        have = $(i + n)
        code = want == "NaN" ? 5 : have == 0.5 ? 2 : plain || have == want ? have : have > want ? 3 : 4
        line = line (i > 1 ? "," : "") code
    }
    print line
}
