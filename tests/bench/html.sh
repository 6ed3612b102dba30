#!/bin/sh
# SPDX-License-Identifier: Zlib
# wd-bench --html writes one page that needs nothing else: its plots are there, nothing in it is asked for from
# elsewhere, a browser shows it without a request; without gnuplot a sentence says what to install.
bench=$top_builddir/bench/wd-bench
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
unset WD_DEVICE ZWD_ENGINE
fail() {
	echo "FAIL: $*"
	head -c 2000 "$dir/err"
	exit 1
}
run() { # run STATUS ARGUMENT...
	want=$1
	shift
	timeout 300 "$bench" "$@" >"$dir/out" 2>"$dir/err"
	got=$?
	[ $got -eq "$want" ] || fail "wd-bench $* ended with $got, not $want"
}
tiny='--quick --sizes 4K,64K --levels 1 --trials 1'

# A gnuplot that does not work is as good as none.
mkdir "$dir/bin"
printf '#!/bin/sh\nexit 1\n' >"$dir/bin/gnuplot"
chmod 755 "$dir/bin/gnuplot"
path=$PATH PATH=$dir/bin:$PATH
run 2 $tiny --html "$dir/page.html"
PATH=$path
grep -q gnuplot-nox "$dir/err" || fail "not told what is missing"
[ ! -e "$dir/page.html" ] || fail "a page without plots"
run 2 $tiny --equal-ratio
grep -q exclude "$dir/err" || fail "--levels and --equal-ratio together"
run 2 --sizes 65M
run 2 --sizes 4K --html
# Two sizes: each at its own level, and the size is near the device's.
run 0 --quick --sizes 4K,64K --trials 1 --equal-ratio --direction deflate --csv
[ "$(wc -l <"$dir/out")" -eq 3 ] || fail "CSV of --equal-ratio is not a heading and two cells"

gnuplot --version >/dev/null 2>&1 || {
	echo "gnuplot is not installed: the page was not looked at"
	exit 77
}
run 2 $tiny --html "$dir/nowhere/page.html"
[ -s "$dir/err" ] || fail "no message for a page that cannot be written"
printf 'a < b & "c" ' >"$dir/<input>"
seq 40000 >>"$dir/<input>"
ZWD_DEPTH=3 run 0 $tiny --html "$dir/page.html" "$dir/<input>"
[ ! -s "$dir/out" ] || fail "output beside the page"
page=$dir/page.html
[ "$(grep -c '<svg' "$page")" -eq 7 ] || fail "there are no seven plots"
[ "$(grep -c '</svg>' "$page")" -eq 7 ] || fail "a plot is not whole"
grep -q 'gnuplot failed' "$page" && fail "a plot failed"
for what in 'emulation' 'ZWD_DEPTH=3' 'p99.9' 'Break-even' '&lt;input&gt;' '<th scope=row>Machine' 'UTC'; do
	grep -q -- "$what" "$page" || fail "the page lacks $what"
done
# Nothing is asked for: no address, no style sheet, script, picture or font of elsewhere.
grep -Eiq 'https?:|//[a-z]+\.[a-z]|<(script|link|img|iframe|object|embed)|@import|url\((.?[^#.]|..[^#])' "$page" &&
	fail "the page asks for something: $(grep -Eio 'https?:.{20}|<(script|link|img).{20}|url\(.{20}' "$page" | head -3)"

chromium=$(command -v chromium) || {
	echo "chromium is not installed: the page was not shown"
	exit 0
}
# Whatever name it would ask for, there is no answer; and its log of the network has no such thing.
HOME=$dir timeout 120 "$chromium" --headless --no-sandbox --disable-gpu --user-data-dir="$dir/profile" \
	--host-resolver-rules='MAP * ~NOTFOUND' --log-net-log="$dir/net" --virtual-time-budget=2000 \
	--dump-dom "file://$page" >"$dir/dom" 2>"$dir/err" || fail "chromium ends with $?"
[ "$(grep -o '<svg' "$dir/dom" | wc -l)" -eq 7 ] || fail "the browser has no seven plots: $(head -c 300 "$dir/dom") $(grep -o "<svg" "$dir/dom" | wc -l) $(grep -o "<path" "$dir/dom" | wc -l)"
[ "$(grep -o '<path' "$dir/dom" | wc -l)" -gt 50 ] || fail "the browser has no lines: $(head -c 300 "$dir/dom") $(grep -o "<svg" "$dir/dom" | wc -l) $(grep -o "<path" "$dir/dom" | wc -l)"
HOME=$dir timeout 120 "$chromium" --headless --no-sandbox --disable-gpu --user-data-dir="$dir/profile" \
	--host-resolver-rules='MAP * ~NOTFOUND' --window-size=1240,1600 --screenshot="$dir/shot.png" \
	"file://$page" >/dev/null 2>&1
# A page that is blank makes a small picture.
[ "$(stat -c %s "$dir/shot.png" 2>/dev/null || echo 0)" -gt 40000 ] || fail "the page is blank"
exit 0
