#!/bin/sh
# SPDX-License-Identifier: Zlib
# Guards wdctl: what it prints, and that its exit status tells a working device from a failing one.
wdctl=$top_builddir/wdctl
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
unset WD_DEVICE

fail()
{
	echo "$*"
	cat "$dir/out" "$dir/err"
	exit 1
}

# run STATUS ARGUMENT...: runs wdctl and expects that exit status.
run()
{
	expected=$1
	shift
	timeout 120 "$wdctl" "$@" >"$dir/out" 2>"$dir/err"
	status=$?
	[ $status = "$expected" ] || fail "wdctl $*: exit status $status, not $expected"
}

expect()
{
	grep -q -- "$1" "$dir/out" || fail "missing in the output: $1"
}

run 0 --help
expect selftest
run 0 --version
expect 'wdctl (libz-wd)'
run 2
run 2 dance
run 2 --no-such-option list
run 2 -d fast list
run 2 queues
run 2 queues dance
run 2 -n 0 queues create
run 2 -n 3x queues create
run 1 queues list no-such-device-0
run 0 -d none list
run 1 -d none info
run 1 -d none selftest

run 0 -d emu:qm=3,emu:qm=2 list
expect '^emu:qm=3 .*hisi_qm_v3'
expect '^emu:qm=2 .*hisi_qm_v2'
run 0 info emu:qm=2
expect '^algorithms *zlib gzip$'
run 0 --json -d emu:qm=1,emu list
expect '^\[{"name": "emu:qm=1",'
expect '^ {"name": "emu", .*"is_emulated": true}\]$'
export WD_DEVICE=emu:qm=3
run 0 --json info
expect '^{"name": "emu:qm=3",'

run 0 selftest
expect '^ok    deflate  stream  1 MiB$'
expect '^emu:qm=3: works.$'
[ "$(grep -c '^ok' "$dir/out")" = 30 ] || fail "not every check was run"
run 1 selftest emu:fault=corrupt@*3
expect '^FAIL'
run 1 selftest emu:fault=gone@5
exit 0
