#!/bin/sh
# SPDX-License-Identifier: Zlib
# zwd run and zwd env: the program has libz-wd as its zlib, its status is what comes back, and mistakes that the
# library would keep silent about are refused before it starts.
zwd=$top_builddir/zwd
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
chmod 755 "$tmp" && cd "$tmp" || exit 99
unset WD_DEVICE WD_GZIP LD_PRELOAD LD_LIBRARY_PATH ZWD_ENGINE ZWD_LOG ZWD_STATS ZWD_GZIP ZWD_GZIP_TAKEN
failed=0 with=
fail() {
	echo "FAIL $*"
	cat out err
	failed=1
}
# run STATUS COMMAND ARGUMENT...
run() {
	expected=$1
	shift
	timeout 60 env $with "$zwd" "$@" >out 2>err
	status=$?
	[ $status = "$expected" ] || fail "zwd $*: exit status $status, not $expected"
}
expect() {
	grep -qx -- "$1" "${2-out}" || fail "missing in ${2-out}: $1"
}
# The loader says no to this one, and goes on: what is set is to be seen without it being loaded.
mkdir -p lib/libz-wd "with blank" && : >lib/libz-wd.so.1 && : >lib/libz-wd/libz.so.1 || exit 99
library=$tmp/lib/libz-wd.so.1
: >"with blank/libz-wd.so.1"

for command in run env; do
	run 0 $command --help
	expect "Usage: zwd $command .*"
	cp out help
	run 0 help $command
	cmp -s help out || fail "help $command says something else than $command --help"
	run 125 $command --no-such-option
	run 125 $command -d
	for word in ZWD_UNIT=1 ZWD_SPEED=1 WD_DEVICE=fast ZWD_CONFIG=/nowhere/conf 1A=2 'a;b=1'; do
		run 125 $command -L "$library" "$word" true
		grep -q "^zwd: $command: .*[A-Za-z/]" err || fail "$word: not told"
	done
	run 125 $command -L "$library" -d fast true
	run 125 $command -L lib/libz-wd.so.1
	run 125 $command -L /nowhere/libz-wd.so.1 true
	run 125 $command -p -L /nowhere/libz-wd.so.1 true
	run 125 $command -L "$tmp/with blank/libz-wd.so.1" true
done
run 125 run
run 125 run A=1
run 125 env program
run 2 -d emu run true
run 2 --json env

run 7 run -L "$library" sh -c 'exit 7'
run 127 run -L "$library" /nowhere/program
run 126 run -L "$library" "$tmp"
run 0 run -L "$library" -d emu:qm=2 -- A=1=2 sh -c 'echo $A "$@"; env' - -d --help
expect '1=2 -d --help'
expect "LD_PRELOAD=$library"
expect WD_DEVICE=emu:qm=2
with="LD_PRELOAD=/old/libz-wd.so.1:/nowhere/a.so:/nowhere/b.so:libz-wd.so LD_LIBRARY_PATH=/nowhere/lib"
run 0 run -G -L "$library" env
expect "LD_PRELOAD=$library:/nowhere/a.so:/nowhere/b.so"
expect 'LD_LIBRARY_PATH=.*/nowhere/lib' # libtool puts a folder of its own before it
expect ZWD_GZIP=0
run 0 run -p -L "$library" env
expect "LD_PRELOAD=/nowhere/a.so:/nowhere/b.so"
expect "LD_LIBRARY_PATH=$tmp/lib/libz-wd:.*/nowhere/lib"
run 0 run -L "$library" LD_PRELOAD=/nowhere/c.so env
expect "LD_PRELOAD=$library:/nowhere/c.so"

run 0 env -S -L "$library" 'A=50% "of" it\'
expect '\[Service\]'
expect "Environment=\"LD_PRELOAD=$library\""
grep -qxF 'Environment="A=50%% \"of\" it\\"' out || fail "a value for systemd"
if getent group wd >/dev/null; then
	expect SupplementaryGroups=wd
else
	! grep -q Supplementary out || fail "a group that there is none of"
fi
with=
run 0 env -L "$library" "A=it's
\$two lines"
(eval "$(cat out)" && env) >set 2>/dev/null
expect "LD_PRELOAD=$library" set
expect "A=it's" set
expect '$two lines' set
run 0 env --names
expect WD_DEVICE
expect ZWD_LEVELS
expect ZWD_CONFIG

# In earnest: the program's calls are counted by the library.
if ! grep -q '__[at]san_' "$LIBZWD" && /usr/bin/python3 -c 'import zlib'; then
	mkdir real real/libz-wd && cp "$LIBZWD" real/libz-wd.so.1 && ln -s ../libz-wd.so.1 real/libz-wd/libz.so.1 || exit 99
	for by in '' -p; do
		run 0 run $by -L "$tmp/real/libz-wd.so.1" -d emu ZWD_STATS=1 ZWD_ENGINE=hw /usr/bin/python3 -c '
import zlib
zlib.compress(b"x" * 100000)'
		grep -q 'deflate.*streams' err || fail "not the program's zlib ($by)"
	done
fi
[ $failed = 0 ]
