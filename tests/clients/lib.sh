# SPDX-License-Identifier: Zlib
# What the client tests share; read with ". lib.sh" by a script that set limit_s, its time limit in seconds.
# LIBZWD empty: the programs run as they are and nothing is asserted about the device.
: "${top_srcdir:?}" "${top_builddir:?}" "${limit_s:?}" "${ZWD_TEST_MODE:=soft}"
test=$(basename "$0" .sh)
if [ -z "$CLIENT_LIMITED" ]; then
	CLIENT_LIMITED=1 exec timeout -k 10 "$limit_s" sh "$0" "$@"
fi
export LC_ALL=C
unset GZIP LD_PRELOAD SOURCE_DATE_EPOCH ZWD_STATS ZWD_CONFIG

die() { echo "$test: $*" >&2; exit 1; }
skip() { echo "$test: skipped: $*"; exit 77; }
need() {
	for program; do
		command -v "$program" >/dev/null || skip "no $program"
	done
}

if [ -n "$LIBZWD" ]; then
	[ -e "$LIBZWD" ] || { echo "$test: no $LIBZWD" >&2; exit 99; }
	! grep -q '__[at]san_' "$LIBZWD" ||
		skip "a sanitized library cannot be preloaded into programs that are not"
fi
tmp=$(mktemp -d "${TMPDIR:-/tmp}/zwd-$test.XXXXXX") || exit 99
at_exit() { :; }
trap 'rc=$?; at_exit; rm -rf "$tmp"; exit $rc' EXIT
trap 'exit 1' HUP INT TERM
stats=$tmp/stats.json
: >"$stats"

# The program with our library in front of the system's zlib, counting what it did.
zwd() { (zwd_exec "$@"); }
# The same in place of this shell: behind it, with &, $! is the program's own.
zwd_exec() {
	exec env ${LIBZWD:+LD_PRELOAD="$LIBZWD"} ZWD_STATS="json:$stats" ZWD_GZIP="$WD_GZIP" "$@"
}

# hw_requests NAME: how many requests of the direction (deflate, inflate) all programs sent to a device.
hw_requests() {
	awk -v name="\"$1\":" '{
		gsub(/: +/, ":")
		if (!(at = index($0, name))) next
		rest = substr($0, at)
		if (match(rest, /"hw_requests":[0-9]+/)) nr += substr(rest, RSTART + 14, RLENGTH - 14)
	} END { print nr + 0 }' "$stats"
}

# The device was used for each direction named, or not at all when there is none.
assert_device_use() {
	[ -n "$LIBZWD" ] || return 0
	[ -s "$stats" ] || die "no program left statistics"
	for direction; do
		nr=$(hw_requests "$direction")
		echo "$test: $ZWD_TEST_MODE: $nr requests of $direction on the device, $(wc -l <"$stats") processes"
		case $ZWD_TEST_MODE in
		soft) [ "$nr" -eq 0 ] || die "$direction used a device that is not there" ;;
		*) [ "$nr" -gt 0 ] || die "$direction never used the device" ;;
		esac
	done
}

# data KIND LEN [SEED]: see mkmix.c
data() { "$top_builddir/tests/clients/mkmix" "$@"; }

# mix UNIT: in the current folder a mix of files, 100 units and a bit; UNIT is in bytes.
mix() {
	echo "$test: mkmix with its default seed 1, unit $1"
	data text $((20 * $1)) >text
	data source $((14 * $1)) >source
	data json $((14 * $1)) >json
	data log $((20 * $1)) >log
	data binary $((10 * $1)) >binary
	data random $((8 * $1)) >random
	data zeros $((8 * $1)) >zeros
	gzip -c text log >deflated
	data text 65537 7 >above64k
	: >empty
	printf x >one
}
