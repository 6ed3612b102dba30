#!/bin/sh
# SPDX-License-Identifier: Zlib
# Whatever an operator names as settings, log or statistics file: no program waits for it, dies of it or takes
# something else for a setting, and each mistake is told once where the log is on, and never elsewhere.
[ -n "$limited" ] || limited=1 exec timeout 120 sh "$0"
python=/usr/bin/python3 # not what stands for it in a folder of one user
"$python" -c 'import zlib' || exit 77
! grep -q '__[at]san_' "$LIBZWD" || exit 77
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
chmod 755 "$tmp" && cd "$tmp" || exit 99
gzip=$WD_GZIP
for name in $(env | sed -n 's/^\(Z*WD_[A-Z_]*\)=.*/\1/p'); do
	unset "$name"
done
failed=0
fail() {
	echo "FAIL $*"
	cat err
	failed=1
}
trip='
import zlib
assert zlib.decompress(zlib.compress(b"x" * 100000)) == b"x" * 100000'
program=$trip
# work NAME=VALUE...: a program that uses zlib, within 10 seconds
work() {
	timeout 10 env LD_PRELOAD="$LIBZWD" WD_DEVICE=none ZWD_CONFIG=conf "$@" "$python" -c "$program" >out 2>err ||
		fail "$* exits with $?"
}
told() { # told NR WHAT
	[ "$(grep -c -- "$2" err)" = "$1" ] || fail "not told $1 times: $2"
}
mkfifo fifo
: >conf

awk 'BEGIN { printf "# "; for (i = 0; i < 1021; i++) printf "x"; print "ZWD_STATS = 1"
	for (i = 0; i < 5000; i++) printf " "; print "ZWD_LOG = warn" }' >conf
work ZWD_QUEUES=-1
told 0 streams
told 1 'ZWD_QUEUES: impossible value'

printf '\357\273\277ZWD_STATS = 1\r\nZWD_UNIT = 1\nZWD_SPEED=1\nab\0c=1\nZWD_SOFT_ZLIB=\nZWD_GZIP=0\nZWD_LOG=warn' >conf
work ZWD_ENGIN=hw WD_DEVIC=emu ZWD_UNIT=2M ZWD_TEST_X=1 ZWD_GZIP_TAKEN=1
told 2 'streams\|engin' # the report is a line for each direction
told 1 'conf:2: impossible value'
told 1 'conf:3: unknown key'
told 1 'conf:4: has a zero byte'
told 1 'ZWD_ENGIN: unknown'
told 1 'WD_DEVIC: unknown'
told 5 "conf:\|: unknown"
: >conf
work ZWD_ENGIN=hw ZWD_UNIT=1
[ ! -s err ] || fail "not silent"

# A log that there is none of, and settings that are not there.
work ZWD_LOG=nonsense ZWD_UNIT=1
[ ! -s err ] || fail "not silent"
echo 'ZWD_LOG = warn' >conf
work ZWD_LOG=nonsense
told 1 'ZWD_LOG: impossible value'
work ZWD_LOG=warn,syslog ZWD_UNIT=1
[ ! -s err ] || fail "not for the terminal"
work ZWD_CONFIG=/nowhere/conf ZWD_LOG=warn
told 1 '/nowhere/conf: No such file'
: >conf

# Sections, whatever name the program was started by, and whatever it calls itself.
name=$(basename "$(readlink -f "$python")")
for section in "$name 1" "python3 1" "other 0"; do
	printf '[program %s]\nZWD_STATS = 1\n' "${section% *}" >conf
	work
	[ "$(grep -c streams err)" = $((${section#* } * 2)) ] || fail "section $section"
done
# The program's own settings win over those for all, wherever these stand, and the environment over both.
printf 'ZWD_STATS = 0\n[program %s]\nZWD_STATS = 1\n[all]\nZWD_STATS = 0\nZWD_LOG = warn\n' "$name" >conf
work
told 2 streams
work ZWD_STATS=0
told 0 streams
printf '[program %s]\n[all]\nZWD_STATS = 1\n[program other]\nZWD_STATS = 0\n' "$name" >conf
work
told 2 streams
printf '[program other]\nZWD_STATS = 1\n[program %s]\n' "$name" >conf
work
told 0 streams
# Twice the same program: what is said last.
printf '[program %s]\nZWD_STATS = 1\n[all]\n[program %s]\nZWD_STATS = 0\n' "$name" "$name" >conf
work
told 0 streams
# A program that is a script goes by its name, too.
printf '[program script]\nZWD_STATS = 1\n' >conf
printf '#!/usr/bin/python3\n%s\n' "$trip" >script
chmod 755 script
LD_PRELOAD="$LIBZWD" WD_DEVICE=none ZWD_CONFIG=conf ./script >out 2>err || fail "script exits with $?"
told 2 streams
# A mistake is told once, with its line; in another program's section, by that one.
printf 'ZWD_LOG = error\n[program %s]\nZWD_UNIT = 1\nZWD_SPED = 1\n[program other]\nZWD_DEPTH = 0\n[all\nZWD_DEPTH = 0\n[all]\nZWD_IN_FLIGHT = 1\nword\n' \
	"$name" >conf
work
told 1 'conf:3: impossible value'
told 1 'conf:4: unknown key'
told 1 'conf:7: unknown section'
told 1 'conf:10: impossible value'
told 1 'conf:11: is no KEY'
told 5 'conf:'
# A section's log is there before any mistake is told.
printf 'ZWD_UNIT = 1\n[program %s]\nZWD_LOG = error\n' "$name" >conf
work
told 1 'conf:1: impossible value'

printf '[programs]\nZWD_STATS = 1\n' >conf
work ZWD_LOG=warn
told 1 'conf:1: unknown section'
told 0 streams

head -c 2000000 /dev/zero | tr '\0' '\n' >large
for file in fifo . /dev/zero large; do
	work ZWD_LOG=warn ZWD_CONFIG=$file
	told 1 "$file: .* not read"
done
: >conf

for file in fifo . /dev/full /nowhere/x; do
	work ZWD_LOG=warn ZWD_STATS=json:$file
	told 1 "statistics are lost, $file: "
	work ZWD_LOG=debug,file:$tmp/$file WD_DEVICE=emu ZWD_ENGINE=hw
done
# Read in part, and then no more.
work ZWD_LOG=warn ZWD_CONFIG=/proc/self/mem
told 1 '/proc/self/mem: Input/output error'

work ZWD_STATS=json:/dev/stderr
told 1 '"pid"'
(
	trap - XFSZ
	ulimit -f 0
	work ZWD_STATS=json:limited 2>/dev/null
) || fail "a limit of file size"

# A log that is written to, or cannot be: the program's descriptors and its own signals are as they were.
for sink in "$tmp/log" /dev/full; do
	program="
import os, signal
both = {signal.SIGPIPE, signal.SIGXFSZ}
signal.pthread_sigmask(signal.SIG_BLOCK, both)
for one in both:
    os.kill(os.getpid(), one)
$trip
assert signal.sigpending() == both, signal.sigpending()
for fd in os.listdir('/proc/self/fd'):
    path = os.path.join('/proc/self/fd', fd)
    assert not os.path.exists(path) or os.path.basename(os.readlink(path)) not in ('log', 'full'), fd"
	work ZWD_LOG=info,file:$sink WD_DEVICE=emu ZWD_ENGINE=hw
done
program=$trip
# What was found is told once.
for direction in deflate inflate; do
	[ "$(grep -c "$direction through emu" log)" = 1 ] || fail "the device of $direction is not told once"
done

# What no size is for, and the name of a program that is there no more.
work ZWD_STATS=1 ZWD_ENGINE=soft
told 2 'from no size on'
cp "$python" removed || exit 99
python=./removed program="
import os
os.unlink('removed')
$trip"
work ZWD_STATS=json:/dev/stderr PYTHONHOME=/usr
told 1 '"program":"removed"'
python=/usr/bin/python3 program=$trip

# Names that are needed before the first stream, too.
echo 'ZWD_SOFT_ZLIB = /nowhere/libz.so' >conf
work ZWD_LOG=error
told 1 /nowhere/libz.so
work ZWD_LOG=error ZWD_SOFT_ZLIB="$LIBZWD"
told 1 'is no other zlib'
: >conf
if gzip --version | grep -q '^gzip 1'; then
	for taken in 0 1; do
		echo "ZWD_GZIP = $([ $taken = 0 ] && echo 0 || echo "$gzip")" >conf
		env -u ZWD_GZIP LD_PRELOAD="$LIBZWD" ZWD_CONFIG=conf gzip --version >out 2>err
		[ "$(grep -c wd-gzip out)" = $taken ] || fail "ZWD_GZIP in the file, $taken"
	done
fi
: >conf

# A line each, of any user.
umask 0
mkdir -m 1777 shared
for i in 1 2 3 4 5 6 7 8; do
	LD_PRELOAD=$LIBZWD ZWD_STATS=json:shared/stats "$python" -c 'import zlib; zlib.compress(b"x")' &
done
wait
lines=8
if [ "$(id -u)" = 0 ] && setpriv --reuid 65534 --regid 65534 --clear-groups test -r "$LIBZWD" 2>/dev/null; then
	setpriv --reuid 65534 --regid 65534 --clear-groups env LD_PRELOAD="$LIBZWD" \
		ZWD_STATS=json:shared/stats "$python" -c 'import zlib; zlib.compress(b"x")'
	lines=9
fi
[ "$(grep -c "^{.*\"program\":\"$name\".*}\$" shared/stats)" = $lines ] || fail "lines of several users"

exit $failed
