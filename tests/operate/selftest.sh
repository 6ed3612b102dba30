#!/bin/sh
# SPDX-License-Identifier: Zlib
# zwd selftest tells a device that works from one that fails or hangs, and stops at once there; --zlib tells a sound
# zlib from one with a planted fault.
. "$top_srcdir/tests/operate/lib.sh"
! is_sanitized || exit 77
unset WD_DEVICE ZWD_ENGINE ZWD_TIMEOUT_MS
faulty=$top_builddir/tests/operate/.libs/faulty.so
# check STATUS ARGUMENT...: zwd selftest
check() {
	expected=$1
	shift
	run "$expected" selftest "$@"
}
said() {
	grep -q -- "$1" out || fail "not said: $1"
}
# json EXPRESSION: is true of the output
json() {
	command -v jq >/dev/null || return 0
	[ "$(jq "$1" out)" = true ] || fail "JSON: not $1"
}

check 0 emu
said '^emu: works.$'
[ "$(grep -c '^ok' out)" = 30 ] || fail "not every check was run"
check 0 --json emu
json '(.checks | length) == 30 and all(.checks[]; .result == "ok") and .result == "works" and .failed == 0'
check 1 emu:fault=corrupt@*3
said '^FAIL'
check 1 --json emu:fault=corrupt@*3
json '.failed > 0 and .result == "fails" and any(.checks[]; .result == "FAIL" and .why != "")'

# The third request hangs: the lines before it are there, and the rest is not tried, in time.
begin=$(date +%s)
check 1 emu:fault=hang@3
[ $(($(date +%s) - begin)) -lt 20 ] || fail "a hang takes long"
said '^ok'
said '^hang .*: not done after 2 s'
said 'hangs: what follows was not tried'
[ "$(grep -c . out)" -le 4 ] || fail "it goes on after a hang"
check 1 --json emu:fault=hang@3
json '.result == "hangs" and .checks[-1].result == "hang" and .checks[0].result == "ok"'
# Where requests may take longer, it waits for them.
check 1 emu:fault=late=2600@3
said '^hang .*: not done after 2 s'
(
	ZWD_TIMEOUT_MS=60000
	export ZWD_TIMEOUT_MS
	check 0 emu:fault=late=2600@3
	said ': works.$'
	exit $failed
) || failed=1

# The interface: of the system's zlib, of this library without a device and with one.
check 0 --zlib --lib "$SOFT_ZLIB" -d none
said '^All [0-9]* checks are ok.$'
said '^libz-wd        no$'
nr=$(grep -c '^ok' out)
[ "$nr" -ge 17 ] || fail "$nr checks only"
for device in none emu; do
	ZWD_ENGINE=hw check 0 --zlib --lib "$LIBZWD" $device
	[ "$(grep -c '^ok' out)" = "$nr" ] || fail "$device: not every check was run"
	said "^setting        ZWD_ENGINE=hw"
done
said '^device         emu '
said 'requests of a device'
ZWD_ENGINE=hw check 0 --zlib --json --lib "$LIBZWD" -d emu
json '.wrong == 0 and all(.checks[]; .result == "ok") and any(.checks[]; .requests > 0) and .devices == ["emu"]'
json '.settings.WD_DEVICE == "emu" and (.zlib | length) > 3 and (.libz_wd | length) > 3'

check 0 --zlib --lib "$faulty" # without a fault it is the system's
for fault in inflate-return:3 inflate-byte:5 deflate-return:4 deflate-byte:3; do
	FAULT=$fault check 1 --zlib --lib "$faulty"
	said '^wrong'
	said 'checks are wrong.$'
done
FAULT=inflate-byte:5 check 1 --zlib --json --lib "$faulty"
json '.wrong > 0 and any(.checks[]; .result == "wrong" and .why != "")'

check 1 --zlib --lib /nowhere.so
check 2 --dance
check 2 --zlib a b
check 0 --help
said '^Usage: zwd selftest'
if is_root && as_nobody test -x "$zwd" -a -r "$LIBZWD" 2>/dev/null; then
	as_nobody "$zwd" selftest --zlib --lib "$SOFT_ZLIB" >out 2>err || fail "as another user"
fi
exit $failed
