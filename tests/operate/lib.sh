# SPDX-License-Identifier: Zlib
# What the tests of counters share. $work is a program that does as its arguments say (work.c).
: "${top_srcdir:?}" "${top_builddir:?}"
[ -n "$limited" ] || limited=1 exec timeout 900 sh "$0"
export limited LC_ALL=C WD_DEVICE=emu ZWD_ENGINE=auto ZWD_TIMEOUT_MS=60000
unset WD_GZIP ZWD_STATS ZWD_CONFIG ZWD_LOG ZWD_LEVELS ZWD_MIN_DEFLATE ZWD_MIN_INFLATE SOURCE_DATE_EPOCH LD_PRELOAD
zwd=$top_builddir/zwd
work=$top_builddir/tests/operate/work
tmp=$(mktemp -d) || exit 99
trap 'at_exit; rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
chmod 755 "$tmp" && cd "$tmp" || exit 99
is_sanitized() { grep -q '__[at]san_' "$LIBZWD"; }
failed=0
fail() {
	echo "FAIL $*"
	tail -n 20 out err | cut -c 1-300
	failed=1
}
: >out
: >err

# run STATUS ARGUMENT...: zwd, whose words are in out and err
run() {
	expected=$1
	shift
	"$zwd" "$@" >out 2>err
	status=$?
	[ $status = "$expected" ] || fail "zwd $*: exit status $status, not $expected"
}
# told FILE PATTERN [NR]: so many lines have it, or at least one
told() {
	nr=$(grep -c -- "$2" "$1")
	[ "$nr" = "${3-$nr}" ] && [ "$nr$3" != 0 ] || fail "$1: $nr lines have: $2"
}

# start [COMMAND...] ACTION...: runs until it is "ready", and $pid is its number
started=
mkfifo go came || exit 99
start() {
	"$@" <go >came &
	started="$started $!"
	exec 3>go
	read -r pid <came || { fail "$*: does not start"; exit 1; }
}
# go_on: what start() began goes on; waits for its end
go_on() {
	(echo >&3) 2>/dev/null # it may have ended
	exec 3>&-
	wait "${started##* }" 2>/dev/null
	started=${started% *}
}
at_exit() {
	for one in $started; do
		kill -9 "$one" 2>/dev/null
	done
}
is_root() { [ "$(id -u)" = 0 ]; }
# as_nobody COMMAND...: another user's, who may read what it takes
as_nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
