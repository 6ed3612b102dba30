#!/bin/sh
# SPDX-License-Identifier: Zlib
# What ZWD_TRACE records of a program does not change the program, whatever becomes of the file, and zwd replay
# finds it equal on every sound zlib, with or without a device, and not on one with a planted fault.
. "$top_srcdir/tests/operate/lib.sh"
python=/usr/bin/python3
"$python" -c 'import zlib' || exit 77
! is_sanitized || exit 77
unset WD_DEVICE ZWD_ENGINE ZWD_TIMEOUT_MS
faulty=$top_builddir/tests/operate/.libs/faulty.so
cat >program.py <<'END'
import os, sys, threading, zlib
text = b''.join(b'%d: the ring goes round, and round again; ' % (i * i) for i in range(20000))
def work(seed):
    data = text[seed * 1000:]
    assert zlib.decompress(zlib.compress(data, 1 + seed % 9)) == data
    for bits in (15, 31, -15, 12):
        c = zlib.compressobj(6, zlib.DEFLATED, bits)
        packed, at = b'', 0
        for step in (1, 0, 100, 5000, 70000, 300000):
            packed += c.compress(data[at:at + step])
            at += step
            if step == 5000:
                packed += c.flush(zlib.Z_SYNC_FLUSH)
                other = c.copy()
                other.flush()
            if step == 70000:
                packed += c.flush(zlib.Z_FULL_FLUSH)
        packed += c.flush()
        d = zlib.decompressobj(bits)
        plain = b''
        for i in range(0, len(packed), 7000):
            plain += d.decompress(packed[i:i + 7000] , 3000)
            while d.unconsumed_tail:
                plain += d.decompress(d.unconsumed_tail, 30000)
        plain += d.flush()
        assert plain == data[:at] and d.eof
        assert d.unused_data == b''
    c = zlib.compressobj(zdict=b'the ring goes round')
    packed = c.compress(data[:9000]) + c.flush()
    d = zlib.decompressobj(zdict=b'the ring goes round')
    assert d.decompress(packed) == data[:9000]
    try:
        zlib.decompress(packed[:300] + b'\xff\xff\xff' + packed[300:])
        assert 0
    except zlib.error:
        pass
    return zlib.crc32(data) ^ zlib.adler32(data)
before = sys.argv[1] if len(sys.argv) > 1 else ''
if before == 'threads':
    work(0)
    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    [t.start() for t in threads]
    [t.join() for t in threads]
elif before == 'fork':
    work(0)
    if not os.fork():
        work(1)
        os._exit(0)
    assert os.wait()[1] == 0
elif before == 'closed':
    work(0)
    os.closerange(3, 4096)
    own = os.open('own', os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    for i in range(600, 0, -1):
        try:
            os.dup2(own, 3 + i)
        except OSError:
            pass
    work(1)
    assert os.fstat(own).st_size == 0
elif before == 'chroot':
    zlib.crc32(b'', 0)
    os.chroot(sys.argv[2])
print(work(3))
END
"$python" program.py >plain || exit 99
# traced FILE WORD NAME=VALUE...: the program says the same, and nothing else
traced() {
	traced=$1 word=$2
	shift 2
	env LD_PRELOAD="$LIBZWD" "ZWD_TRACE=$traced" "$@" "$python" program.py $word >out 2>err ||
		fail "$traced $word $*: exits with $?"
	cmp -s out plain && [ ! -s err ] || fail "$traced $word $*: says something else"
}
# replayed STATUS ARGUMENT...
replayed() {
	expected=$1
	shift
	run "$expected" replay "$@"
}
said() {
	grep -q -- "$1" out err || fail "not said: $1"
}

for device in none emu; do
	engine=auto
	[ $device = none ] || engine=hw
	traced "trace.$device,data" threads WD_DEVICE=$device ZWD_ENGINE=$engine
	for lib in "$SOFT_ZLIB" "$LIBZWD"; do
		for on in none emu; do
			WD_DEVICE=$on ZWD_ENGINE=$engine replayed 0 --lib "$lib" trace.$device
			said '^All of them: equal.$'
			grep -q 'not in the trace\|before the trace' out && fail "$device $lib: calls were left out"
		done
	done
done
[ "$(stat -c %a trace.none)" = 600 ] || fail "others can read it"

# A fault of each kind, and nothing without one.
replayed 0 -l "$faulty" trace.none
for fault in inflate-return:9 inflate-byte:7 deflate-return:5 deflate-byte:4 deflate-adler:4 crc32:1; do
	for device in none emu; do
		echo "$fault on trace.$device"
		FAULT=$fault replayed 1 --lib="$faulty" trace.$device
		said '^call [0-9]*, '
		said 'differences\.$'
	done
done
FAULT=inflate-byte:7 replayed 1 --json --lib="$faulty" trace.none
if command -v jq >/dev/null; then
	[ "$(jq '.differences > 0 and .is_sound and .replayed == .calls - .not_replayed.other' out)" = true ] || fail "JSON"
fi

# Without contents: what is compressed is made up, and what cannot be is told.
traced sizes '' WD_DEVICE=none
replayed 0 --lib "$SOFT_ZLIB" sizes
said 'is not in the trace (ZWD_TRACE=FILE,data)'
FAULT=deflate-byte:4 replayed 1 --lib="$faulty" sizes

# A file that is there is left as it is; %p; a child's own.
traced sizes '' WD_DEVICE=none
ls sizes.[0-9]* >/dev/null || fail "no file of a name with the number of the process"
traced 'here-%p' '' WD_DEVICE=none
ls here-[0-9]* >/dev/null || fail "no file with the number of the process in its name"
traced "forked,data" fork WD_DEVICE=none
[ "$(ls forked* | wc -l)" = 2 ] || fail "a file each for parent and child"
for file in forked*; do
	replayed 0 --lib "$SOFT_ZLIB" "$file"
done

# What cannot be written: it is counted, and the program goes on.
traced /nowhere/trace '' WD_DEVICE=none
ln -s elsewhere link
traced link '' WD_DEVICE=none
[ ! -e elsewhere ] || fail "a link was followed"
traced closed,data closed WD_DEVICE=none ZWD_STATS=json:stats
replayed 0 --lib "$SOFT_ZLIB" closed
grep -q '"trace":{"calls":[1-9][0-9]*,"full":0,"closed":[1-9]' stats || fail "not counted: $(cat stats)"
(
	trap - XFSZ
	ulimit -f 100
	traced limited,data '' WD_DEVICE=none ZWD_STATS=json:stats2
) || fail "a limit of file size"
[ -s limited ] || fail "nothing is written up to the limit"
replayed 0 --lib "$SOFT_ZLIB" limited
said 'cut in the middle'
grep -q '"full":[1-9]' stats2 || fail "not counted: $(cat stats2)"
if is_root; then
	mkdir jail
	rm -f jailed
	env LD_PRELOAD="$LIBZWD" WD_DEVICE=none ZWD_TRACE=jailed,data "$python" program.py chroot jail >out 2>err
	cmp -s out plain && [ ! -s err ] || fail "under another root"
	[ -z "$(ls jail)" ] || fail "something was written there"
	replayed 0 --lib "$SOFT_ZLIB" jailed
	chmod 644 trace.none
	if as_nobody test -x "$zwd" -a -r "$LIBZWD" 2>/dev/null; then
		as_nobody "$zwd" replay --lib "$SOFT_ZLIB" trace.none >out 2>err || fail "as another user"
	fi
fi

# Bad files and wrong usage.
replayed 2 --lib "$SOFT_ZLIB" plain
said 'it is no trace'
replayed 2 --lib "$SOFT_ZLIB" nowhere
replayed 2 --lib "$SOFT_ZLIB" .
{ head -c 16 trace.none; printf '\003Xyz'; } >strange
replayed 2 --lib "$SOFT_ZLIB" strange
said 'unknown kind'
replayed 1 --lib /nowhere.so trace.none
replayed 1 --lib "$(ldd "$python" | sed -n 's/.*libm\.so.* => \([^ ]*\).*/\1/p')" trace.none
replayed 2
replayed 2 a b
replayed 2 --dance
replayed 0 --help
said '^Usage: zwd replay'
exit $failed
