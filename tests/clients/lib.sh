# SPDX-License-Identifier: Zlib
# What the client tests share; read with ". lib.sh" by a script that set limit_s: the seconds it may take on
# a quiet machine. A busy one gets more before it is said to hang.
# LIBZWD empty: the programs run as they are and nothing is asserted about the device.
# What make has to say to its own is not for the makefiles of others.
unset MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL
: "${top_srcdir:?}" "${top_builddir:?}" "${limit_s:?}" "${ZWD_TEST_MODE:=soft}"
test=$(basename "$0" .sh)
if [ -z "$CLIENT_LIMITED" ]; then
	CLIENT_LIMITED=1 exec timeout -k 10 $((3 * limit_s)) sh "$0" "$@"
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
# The same in place of this shell: behind it, with &, $! is the program's own. $as: see as_nobody.
as=
zwd_exec() {
	exec $as env ${LIBZWD:+LD_PRELOAD="$LIBZWD"} ZWD_STATS="json:$stats" ZWD_GZIP="$WD_GZIP" "$@"
}

# recipe NAME: the lines of libz-wd-recipes(7) that are called so. Who tests a program runs what the manual tells.
recipe() {
	sed -n "/^\.\\\\\" recipe $1\$/,/^\.Ed/p" "$top_srcdir/man/libz-wd-recipes.7" | sed '/^\./d; s/\\e/\\/g' |
		grep . || die "there is no recipe $1"
}

# exchange PROGRAM...: it writes the folder mix in its ways, and reads that; under preload and plain read each
# other's, and give the same answers. The .gz among what it wrote is unpacked by gzip, too.
exchange() {
	zwd "$@" write mix ours >"$tmp/answers" || die "writing under preload: $?"
	"$@" read mix ours || die "plain, it does not read what it wrote under preload"
	for file in ours/*.gz; do
		[ -e "$file" ] || break
		name=${file#ours/}
		gzip -dc "$file" | cmp - "mix/${name%%.*}" || die "gzip unpacks something else from $file"
	done
	"$@" write mix theirs >"$tmp/answers.plain" || die "plain: $?"
	zwd "$@" read mix theirs || die "reading under preload: $?"
	diff "$tmp/answers.plain" "$tmp/answers" || die "under preload it gives other answers than plain"
}

# debian PACKAGE...: these are unpacked in the folder $root, and found before the system's.
debian() {
	root=$(sh "$top_srcdir/tests/fetch-package" "$@") || exit $?
	export PATH="$root/usr/sbin:$root/usr/bin:$root/sbin:$root/bin:$PATH:/usr/sbin:/sbin"
	for folder in "$root"/usr/lib/*-linux-gnu* "$root"/lib/*-linux-gnu*; do
		[ ! -d "$folder" ] || export LD_LIBRARY_PATH="$folder${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
	done
}

# uses_libz FILE...: what is tested is the system's zlib, not a copy inside the program.
uses_libz() {
	for file; do
		ldd "$file" | grep -q '[[:space:]]libz\.so\.1 =>' || die "$file is not linked with libz.so.1"
	done
}

# Debian's node, whichever else is installed or preferred here. It looks for its modules in /usr/share alone.
node_of_debian() {
	[ -e /usr/share/nodejs/cjs-module-lexer ] || skip "no modules of node (package node-cjs-module-lexer)"
	version=$(apt-cache madison nodejs 2>/dev/null | awk '$3 ~ /dfsg/ { print $3; exit }')
	debian nodejs${version:+="$version"}
	uses_libz "$(ldd "$(command -v node)" | awk '$1 ~ /^libnode\.so/ { print $3 }')"
}

# as_nobody: $as is what starts a program that refuses root, and what it needs is made reachable.
as_nobody() {
	[ "$(id -u)" = 0 ] || return 0
	need setpriv
	chmod 711 "$tmp"
	chmod 666 "$stats"
	as="setpriv --reuid=65534 --regid=65534 --clear-groups"
	# Neither the build folder nor what was unpacked need be where others can go.
	caps="--inh-caps=+dac_override --ambient-caps=+dac_override"
	! $as $caps true 2>/dev/null || as="$as $caps"
	$as test -r "${LIBZWD:-/}" || skip "$LIBZWD cannot be read by others"
}

# free_port TRY: a port of the loopback interface that is probably free.
free_port() { echo $((20000 + ($$ * 13 + $1 * 1009) % 12000)); }

# until_true S COMMAND...: waits for it, S seconds at most, as long as the process $server lives.
until_true() {
	polls=$(($1 * 10))
	shift
	while ! "$@"; do
		polls=$((polls - 1))
		[ $polls -gt 0 ] && kill -0 "$server" 2>/dev/null || return 1
		sleep 0.1
	done
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

# soft_reasons NAME: why streams of the direction were software's, as NAME:COUNT.
soft_reasons() {
	awk -v name="\"$1\":" '{
		gsub(/: +/, ":")
		if (!(at = index($0, name))) next
		rest = substr($0, at)
		sub(/}.*/, "", rest)
		while (match(rest, /"soft_[a-z_]+":[0-9]+/)) {
			split(substr(rest, RSTART, RLENGTH), part, /["":]+/)
			if (part[2] !~ /_(in|out)$/) sum[part[2]] += part[3]
			rest = substr(rest, RSTART + RLENGTH)
		}
	} END { for (reason in sum) if (sum[reason]) printf " %s:%d", reason, sum[reason] }' "$stats"
}

# The device was used for each direction named, or not at all when there is none. Left to itself (auto), the
# library may find software faster: then the reason is in the statistics.
assert_device_use() {
	[ -n "$LIBZWD" ] || return 0
	[ -s "$stats" ] || die "no program left statistics"
	for direction; do
		nr=$(hw_requests "$direction")
		echo "$test: $ZWD_TEST_MODE: $nr requests of $direction on the device, $(wc -l <"$stats") processes"
		case $ZWD_TEST_MODE in
		soft) [ "$nr" -eq 0 ] || die "$direction used a device that is not there" ;;
		auto)
			reasons=$(soft_reasons "$direction")
			echo "$test: auto: $direction in software:${reasons:- none}"
			[ "$nr" -gt 0 ] || [ -n "$reasons" ] || die "$direction: neither device nor software was used"
			;;
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

# same_failures LEAST: of another project's tests none fails under preload but those that fail without, too, and those in
# $tmp/known: MODES TEST REASON, one a line. "failing [COMMAND]" runs them by COMMAND and prints which fail, one a line;
# their number goes to $tmp/nr, LEAST at least, and what they say to $tmp/said.
same_failures() {
	failing | sort -u >"$tmp/plain.bad"
	echo "$test: plain: $(cat "$tmp/nr") tests, failed: $(wc -l <"$tmp/plain.bad")"
	failing zwd | sort -u >"$tmp/preload.bad"
	echo "$test: preload: $(cat "$tmp/nr") tests, failed: $(wc -l <"$tmp/preload.bad")"
	if ! [ "$(cat "$tmp/nr")" -ge "$1" ]; then
		tail -n 40 "$tmp/said"
		die "not all tests ran"
	fi
	awk -v mode="$ZWD_TEST_MODE" 'index("," $1 ",", "," mode ",") { print $2 }' "$tmp/known" | sort >"$tmp/known.mode"
	comm -13 "$tmp/plain.bad" "$tmp/preload.bad" >"$tmp/new"
	comm -13 "$tmp/new" "$tmp/known.mode" >"$tmp/passes"
	[ ! -s "$tmp/passes" ] || die "listed as failing, but passes: $(cat "$tmp/passes")"
	if [ -n "$(comm -23 "$tmp/new" "$tmp/known.mode")" ]; then
		tail -n 400 "$tmp/said"
		die "under preload these fail: $(comm -23 "$tmp/new" "$tmp/known.mode" | tr '\n' ' ')"
	fi
}
