#!/bin/sh
# SPDX-License-Identifier: Zlib
# zwd selftest tells a device that works from one that fails or hangs, and stops at once there; --zlib tells a sound
# zlib from one with a planted fault.
[ -n "$limited" ] || limited=1 exec timeout 300 sh "$0"
! grep -q '__[at]san_' "$LIBZWD" || exit 77
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
chmod 755 "$tmp" && cd "$tmp" || exit 99
unset WD_DEVICE ZWD_ENGINE ZWD_LOG ZWD_STATS
zwd=$top_builddir/zwd
faulty=$top_builddir/tests/operate/.libs/faulty.so
failed=0
fail() {
	echo "FAIL $*"
	cat out err
	failed=1
}
# run STATUS ARGUMENT...
run() {
	expected=$1
	shift
	"$zwd" selftest "$@" >out 2>err
	status=$?
	[ $status = "$expected" ] || fail "selftest $*: exits with $status, not $expected"
}
said() {
	grep -q -- "$1" out || fail "not said: $1"
}
# json EXPRESSION: is true of the output
json() {
	command -v jq >/dev/null || return 0
	[ "$(jq "$1" out)" = true ] || fail "JSON: not $1"
}

run 0 emu
said '^emu: works.$'
[ "$(grep -c '^ok' out)" = 30 ] || fail "not every check was run"
run 0 --json emu
json '(.checks | length) == 30 and all(.checks[]; .result == "ok") and .result == "works" and .failed == 0'
run 1 emu:fault=corrupt@*3
said '^FAIL'
run 1 --json emu:fault=corrupt@*3
json '.failed > 0 and .result == "fails" and any(.checks[]; .result == "FAIL" and .why != "")'

# The third request hangs: the lines before it are there, and the rest is not tried, in time.
begin=$(date +%s)
run 1 emu:fault=hang@3
[ $(($(date +%s) - begin)) -lt 20 ] || fail "a hang takes long"
said '^ok'
said '^hang .*: not done after 2 s'
said 'hangs: what follows was not tried'
[ "$(grep -c . out)" -le 4 ] || fail "it goes on after a hang"
run 1 --json emu:fault=hang@3
json '.result == "hangs" and .checks[-1].result == "hang" and .checks[0].result == "ok"'
# Where requests may take longer, it waits for them.
run 1 emu:fault=late=2600@3
said '^hang .*: not done after 2 s'
(
	ZWD_TIMEOUT_MS=60000
	export ZWD_TIMEOUT_MS
	run 0 emu:fault=late=2600@3
	said ': works.$'
	exit $failed
) || failed=1

# The interface: of the system's zlib, of this library without a device and with one.
run 0 --zlib --lib "$SOFT_ZLIB" -d none
said '^All [0-9]* checks are ok.$'
said '^libz-wd        no$'
nr=$(grep -c '^ok' out)
[ "$nr" -ge 17 ] || fail "$nr checks only"
for device in none emu; do
	ZWD_ENGINE=hw run 0 --zlib --lib "$LIBZWD" $device
	[ "$(grep -c '^ok' out)" = "$nr" ] || fail "$device: not every check was run"
	said "^setting        ZWD_ENGINE=hw"
done
said '^device         emu '
said 'requests of a device'
ZWD_ENGINE=hw run 0 --zlib --json --lib "$LIBZWD" -d emu
json '.wrong == 0 and all(.checks[]; .result == "ok") and any(.checks[]; .requests > 0) and .devices == ["emu"]'
json '.settings.WD_DEVICE == "emu" and (.zlib | length) > 3 and (.libz_wd | length) > 3'

run 0 --zlib --lib "$faulty" # without a fault it is the system's
for fault in inflate-return:3 inflate-byte:5 deflate-return:4 deflate-byte:3; do
	FAULT=$fault run 1 --zlib --lib "$faulty"
	said '^wrong'
	said 'checks are wrong.$'
done
FAULT=inflate-byte:5 run 1 --zlib --json --lib "$faulty"
json '.wrong > 0 and any(.checks[]; .result == "wrong" and .why != "")'

run 1 --zlib --lib /nowhere.so
run 2 --dance
run 2 --zlib a b
run 0 --help
said '^Usage: zwd selftest'
if [ "$(id -u)" = 0 ] && setpriv --reuid 65534 --regid 65534 --clear-groups test -x "$zwd" -a -r "$LIBZWD" 2>/dev/null; then
	setpriv --reuid 65534 --regid 65534 --clear-groups "$zwd" selftest --zlib --lib "$SOFT_ZLIB" >out 2>err ||
		fail "as another user"
fi
exit $failed
