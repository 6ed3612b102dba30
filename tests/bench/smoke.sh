#!/bin/sh
# SPDX-License-Identifier: Zlib
# wd-bench measures, says that the device is an emulation, and tells its failures by exit status.
bench=$top_builddir/bench/wd-bench
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
unset WD_DEVICE ZWD_ENGINE

fail()
{
	echo "FAIL: $*"
	cat "$dir/out" "$dir/err"
	exit 1
}

# run STATUS ARGUMENT...: output in $dir/out and $dir/err.
run()
{
	want=$1
	shift
	timeout 100 "$bench" "$@" >"$dir/out" 2>"$dir/err"
	got=$?
	[ $got -eq "$want" ] || fail "wd-bench $* ended with $got, not $want"
}

tiny='--quick --sizes 4K --levels 1 --trials 1'

run 0 $tiny
grep -q 'emulated ZIP device.*not silicon' "$dir/out" || fail "text does not say that it is an emulation"
grep -q '^4K level 1: .*emulated device' "$dir/out" || fail "no sentence to quote"
[ ! -s "$dir/err" ] || fail "messages where no terminal is"

run 0 $tiny --csv
[ "$(wc -l <"$dir/out")" -eq 3 ] || fail "CSV is not a heading and two cells"
[ "$(grep -c ',yes,1.0000,.*,emulated,"emulated ZIP device' "$dir/out")" -eq 2 ] ||
	fail "CSV: a cell is not verified, not the device's or not said to be emulated"

run 0 $tiny --json
if command -v python3 >/dev/null; then
	python3 -m json.tool <"$dir/out" >/dev/null || fail "JSON is not well-formed"
fi
grep -q '"emulated": true' "$dir/out" || fail "JSON does not say that it is an emulation"
[ "$(grep -c '"verified": true, "device_share": 1.0000' "$dir/out")" -eq 2 ] ||
	fail "JSON: a cell is not verified or not the device's"

# Every format, both roads, several threads, a file shorter than a unit.
seq 700 >"$dir/input"
for format in gzip raw; do
	run 0 $tiny --format $format --threads 2 --csv "$dir/input"
done
run 0 $tiny --format gzip --threads 2 --direct --depth 3 --json
grep -q '"depth": 3' "$dir/out" || fail "depth is not in the JSON"

# A device that gives wrong results has no figures.
run 1 $tiny --direct --device emu:fault=corrupt@700 --csv
grep -q ',no,.*verification failed' "$dir/out" || fail "CSV does not tell the failure"

for arguments in '--sizes 0' '--sizes 4K,' '--sizes 4X' '--sizes 1G' '--levels 10' '--levels x' \
	'--direction up' '--format lz4' '--trials 0' '--trials 1 --seconds 1' '--seconds -1' \
	'--threads 0' '--depth 2' '--device none' '--device emu:no-such-option' '--unknown' \
	"$dir/absent" "$dir"; do
	run 2 $tiny $arguments
	[ -s "$dir/err" ] || fail "no message for $arguments"
done
run 0 --help
run 0 --version
