#!/bin/sh
# SPDX-License-Identifier: Zlib
# Guards zwd: what it prints, and that its exit status tells a working device from a failing one.
zwd=$top_builddir/zwd
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
unset WD_DEVICE

fail()
{
	echo "$*"
	cat "$dir/out" "$dir/err"
	exit 1
}

# run STATUS ARGUMENT...: runs zwd and expects that exit status, and words where it is not 0.
run()
{
	expected=$1
	shift
	timeout 120 "$zwd" "$@" >"$dir/out" 2>"$dir/err"
	status=$?
	[ $status = "$expected" ] || fail "zwd $*: exit status $status, not $expected"
	[ $status = 0 ] || [ -s "$dir/out" ] || [ -s "$dir/err" ] || fail "zwd $*: not a word"
}

expect()
{
	grep -q -- "$1" "$dir/out" || fail "missing in the output: $1"
}

# usage ARGUMENT...: is wrong usage, which is told on standard error alone.
usage()
{
	run 2 "$@"
	grep -q '^Usage: zwd' "$dir/err" || fail "zwd $*: no usage"
	[ ! -s "$dir/out" ] || fail "zwd $*: standard output"
}

for help in help --help -h; do
	run 0 $help
	expect '^Usage: zwd COMMAND'
	for command in list info selftest queues help version; do
		expect "^  $command "
	done
	[ ! -s "$dir/err" ] || fail "zwd $help: standard error"
done
for command in list info selftest queues help version; do
	run 0 help $command
	expect "^Usage: zwd $command"
	cp "$dir/out" "$dir/help"
	run 0 $command --help
	cmp -s "$dir/help" "$dir/out" || fail "$command --help says something else than help $command"
done
for version in version --version -V; do
	run 0 $version
	expect '^zwd (libz-wd) [0-9]'
done
usage
usage dance
usage help dance
usage help list info
usage version 1
usage --no-such-option list
usage list --no-such-option
usage list emu
usage info emu emu
usage selftest emu emu
usage queues
usage queues dance
usage queues list a b
usage -n 0 queues create
usage -n 3x queues create
usage -n 3 queues list
usage -n 3 list
usage -d emu queues list
usage -d
for command in 'queues list' help version; do
	usage --json $command
	grep -q "^zwd: ${command%% *} has no --json" "$dir/err" || fail "$command: --json is not refused"
	usage $command --json
done
run 2 -d fast list
run 2 info fast
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
run 0 list --json -d none
expect '^\[\]$'
run 0 info --json emu:qm=1
expect '^{"name": "emu:qm=1",'
export WD_DEVICE=emu:qm=3
run 0 --json info
expect '^{"name": "emu:qm=3",'

# Output that cannot be written is a failure of every command.
for command in list info 'list --json' help version; do
	"$zwd" $command >/dev/full 2>"$dir/err" && fail "zwd $command: written to a full device"
done

run 0 selftest
expect '^ok    deflate  stream  1 MiB$'
expect '^emu:qm=3: works.$'
[ "$(grep -c '^ok' "$dir/out")" = 30 ] || fail "not every check was run"
run 1 selftest emu:fault=corrupt@*3
expect '^FAIL'
run 1 selftest emu:fault=gone@5
exit 0
