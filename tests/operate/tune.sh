#!/bin/sh
# SPDX-License-Identifier: Zlib
# zwd tune: what it prints is a settings file that the library takes as it is; figures are there for every size, and
# what is suggested follows from them. Whether they are good ones is no matter of a test.
. "$top_srcdir/tests/operate/lib.sh"
is_sanitized && exit 77
command -v jq >/dev/null || exit 77
unset ZWD_ENGINE ZWD_SOFT_ZLIB
lib=--lib=$LIBZWD

# taken FILE: the library, told to read it, has nothing to complain about; values are those of the file.
taken() {
	ZWD_CONFIG=$tmp/$1 ZWD_LOG=warn,file:$tmp/log ZWD_STATS=json:$tmp/stats "$work" small >/dev/null 2>&1 ||
		fail "$1: the program fails"
	[ ! -s log ] || fail "$1: not taken as it is: $(cat log)"
	grep -v '^#' "$1" | grep -v '^ZWD_[A-Z_]* = [0-9-]*$' | grep -q . && fail "$1: another line than settings"
	for dir in deflate inflate; do
		value=$(sed -n "s/^ZWD_MIN_$(echo $dir | tr a-z A-Z) = //p" "$1")
		[ -z "$value" ] || [ "$(jq -r ".$dir.min_len" stats)" = "$value" ] ||
			fail "$1: $dir: not $value in force: $(cat stats)"
	done
	rm -f log stats
}
is() {
	jq -e "$1" out >/dev/null || fail "JSON: not $1"
}

run 0 tune --quick $lib
for title in 'deflate, level 1' 'deflate, level 6' inflate; do
	told out "^# $title .*SOFTWARE: CPU .*BETTER\$" 1
done
[ "$(grep -c '^# *[0-9][0-9]* .* +- .*  \(device\|software\|-\)$' out)" = 31 ] || fail "not all sizes"
[ "$(grep -c 'ZWD_MIN_[A-Z]*\( = [0-9]*$\|: no difference\)' out)" = 2 ] || fail "neither a setting nor why not"
cp out tuned
taken tuned

run 0 tune -q --json -d emu $lib
is '.device == "emu" and .is_emulated and .is_generated and .repeats >= 3 and (.libz_wd | length) > 3'
is '[.measured[] | select(.level == 1).bytes] == [range(8; 19) | pow(2; .)]'
is '[.measured[] | select(.level == 6).bytes] == [range(8; 19) | pow(2; .)]'
is '[.measured[] | select(.direction == "inflate").bytes] == [range(8; 17) | pow(2; .)]'
is 'all(.measured[] | .software, .device | .cpu_ns, .time_ns; .low > 0 and .low <= .median and .median <= .high)'
is 'all(.measured[]; .better | IN("device", "software", null))'
# Where the halves overlap in both, nothing can be told; where none is worse, it is not the other that is better.
is 'def apart(a; b): a.low > b.high or b.low > a.high;
	all(.measured[]; (.better != null) == (apart(.software.cpu_ns; .device.cpu_ns) or apart(.software.time_ns; .device.time_ns))
		or .better == null)'
is 'all(.measured[]; .better != "device" or .device.cpu_ns.high < .software.cpu_ns.low or
	.device.time_ns.high < .software.time_ns.low)'
is 'all(.settings | to_entries[]; (.key | IN("ZWD_MIN_DEFLATE", "ZWD_MIN_INFLATE", "ZWD_LEVELS")) and (.value | test("^[0-9-]+$")))'
# What a thread computes takes it longer the more there is.
is '[.measured[] | select(.level == 6) | .software.cpu_ns.median] | .[10] > .[4] and .[4] > .[0]'
# A file with a mistake is not taken: the check above sees it.
{ cat tuned; echo ZWD_MIN_INFLATE = many; } >mistaken
ZWD_CONFIG=$tmp/mistaken ZWD_LOG=warn,file:$tmp/log "$work" small >/dev/null 2>&1
[ -s log ] || fail "a mistake is not seen"
rm -f log

# Of a device that takes 5 ms for anything, nothing but bulk is left, if that: and the file still is one.
run 0 tune -q -d emu:latency_us=5000 $lib "$LIBZWD"
told out '^ZWD_MIN_DEFLATE = [0-9]*$' 1
told out '^ZWD_MIN_INFLATE = [0-9]*$' 1
[ "$(sed -n 's/^ZWD_MIN_INFLATE = //p' out)" -gt 8192 ] || fail "a slow device gets small calls"
cp out slow
taken slow

# The user's data; sizes that it has not are left out.
head -c 300000 "$LIBZWD" >some
run 0 tune -q --json $lib some
is '.is_generated == false and .bytes == 300000 and ([.measured[] | select(.direction == "deflate").bytes] | max) == 262144'
printf word >little
run 1 tune -q $lib little
told err 'too little data' 1
: >empty
run 1 tune -q $lib empty
run 1 tune -q $lib nowhere
told err '^zwd: tune: nowhere: ' 1

# No device: a sentence. One that fails: another.
run 1 tune -d none $lib
[ "$(wc -l <err)" = 1 ] && [ ! -s out ] || fail "more, or less, than a sentence"
run 1 tune -q -d emu:fault=corrupt@*1 $lib
told err 'zwd selftest' 1
run 1 tune -q --lib="$SOFT_ZLIB"
told err 'is no libz-wd$' 1
run 1 tune -q --lib=/nowhere.so
run 2 tune --dance
run 2 tune -d emu:dance=1 $lib
run 0 tune --help
told out '^Usage: zwd tune ' 1
if is_root && as_nobody test -x "$zwd" -a -r "$LIBZWD"; then
	as_nobody "$zwd" tune -q $lib >out 2>err || fail "as another user"
	cp out others
	taken others
fi
"$zwd" tune -q $lib >/dev/full 2>err && fail "written to a full device"
exit $failed
