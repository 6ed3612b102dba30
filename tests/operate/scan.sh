#!/bin/sh
# SPDX-License-Identifier: Zlib
# zwd scan: each kind of program is told from the others, as the loader would see it; and whatever lies in a folder, it
# ends, neither crashing nor waiting.
zwd=$top_builddir/zwd
python=/usr/bin/python3
command -v cc >/dev/null && command -v jq >/dev/null && "$python" -c '' || exit 77
[ -n "$limited" ] || limited=1 exec timeout 300 sh "$0"
tmp=$(mktemp -d) || exit 99
trap 'chmod -R u+rwx "$tmp"; rm -rf "$tmp"' EXIT
cd "$tmp" || exit 99
failed=0
fail() {
	echo "FAIL $*"
	cat out err
	failed=1
}
# scan STATUS ARGUMENT...
scan() {
	expected=$1
	shift
	timeout 60 "$zwd" scan "$@" >out 2>err
	status=$?
	[ $status = "$expected" ] || fail "zwd scan $*: exit status $status, not $expected"
	! grep -q Sanitizer err || fail "zwd scan $*: a sanitizer's report"
}
scan 0 --help
for usage in '' --no-such-option; do
	scan 2 $usage
	grep -q '^Usage: zwd scan' err || fail "$usage: no usage"
done
scan 1 /nowhere/x

# One of each kind.
mkdir -p bin lib || exit 99
inside='" inflate 1.2.99 Copyright 1995-2022 Mark Adler "'
cat >z.c <<'END'
int inflateInit_(void *strm, const char *version, int size);
int inflateInit_(void *strm, const char *version, int size) { return 0; }
END
cat >uses.c <<'END'
int inflateInit_(void *strm, const char *version, int size);
int uses(void);
int uses(void) { return inflateInit_(0, "", 0); }
END
printf 'int uses(void); int main(void) { return uses(); }\n' >main.c
program() { # NAME TEXT OPTION...: a program with that text in it
	name=$1 text=$2
	shift 2
	printf 'volatile const char text[] = %s; int main(void) { return text[0]; }\n' "$text" >"$name.c"
	cc -o "bin/$name" "$name.c" "$@" || exit 99
}
cc -shared -fPIC -Wl,-soname,libz.so.1 -o lib/libz.so.1 z.c &&
	cc -shared -fPIC -o lib/libuses.so uses.c lib/libz.so.1 &&
	cc -shared -fPIC -o lib/libimports.so uses.c &&
	cc -o bin/dynamic -Wl,--no-as-needed main.c uses.c lib/libz.so.1 &&
	cc -o bin/through main.c -Llib -luses -Wl,-rpath,'$ORIGIN/../lib' -Wl,--allow-shlib-undefined || exit 99
program none '"libzip.so flate 1.2.3 inflate 1 Copyright"'
program dlopen '"libz.so.1"'
program copy "$inside"
program static "$inside" -static
program pie "$inside" -static-pie
program go '"\xff Go buildinf:" "compress/flate.NewWriter"' -static
cp bin/dynamic bin/setuid && chmod u+s bin/setuid
cp bin/dynamic bin/foreign && printf '\063' | dd of=bin/foreign bs=1 seek=18 conv=notrunc 2>/dev/null || exit 99
printf '#!/bin/sh\n' >bin/script
scan 0 --json -a bin lib
jq -r '.[] | [(.path | split("/")[-1]), .type, .kind, .version, .through, .preload, .library_path] | map(tostring) | join(" ")' \
	out >kinds || fail "no JSON"
cat >expected <<'END'
copy program copy 1.2.99 null false false
dlopen program dlopen null null true true
dynamic program dynamic null null true true
foreign program foreign null null false false
go program go null null false false
none program none null null false false
pie program static 1.2.99 null false false
setuid program dynamic null null false false
static program static 1.2.99 null false false
through program through null libuses.so true true
libimports.so library dynamic null null true true
libuses.so library dynamic null null true true
libz.so.1 library zlib null null true true
END
diff expected kinds || fail "kinds"
scan 0 bin lib
! grep -q 'bin/none\|foreign' out || fail "lists what has no zlib"
grep -q '^static  *no .*/bin/static (zlib 1.2.99 inside)$' out || fail "text of a static program"
grep -q '^11 found: .*Preloading reaches 6 of them\.$' out || fail "the sum"
scan 0 -p bin lib
! grep -q 'lib/' out || fail "lists libraries"
scan 0 bin/dynamic
grep -q '^1 found' out || fail "a file by its name"
(cd bin && ln -s dynamic link && timeout 60 "$zwd" scan link) >out 2>err
grep -q '^1 found' out || fail "a link by its name"
(cd lib && timeout 60 "$zwd" scan ../bin .) >out 2>err
grep -q '^through .*/bin/through (libuses.so)' out || fail "folders by relative names"

# What the loader says of this machine's programs.
for program in /usr/bin/git /usr/bin/curl /bin/ls "$python"; do
	scan 0 --json "$program"
	jq -e "(length > 0) == $(ldd "$program" | grep -q 'libz\.so' && echo true || echo false)" out >/dev/null ||
		fail "$program: not as ldd tells"
done

# A folder of traps.
mkdir -p traps/deep/er traps/closed || exit 99
mkfifo traps/fifo
ln -s . traps/round
ln -s loop traps/loop
ln -s ../../.. traps/deep/er/up
: >traps/empty
truncate -s 1T traps/sparse
"$python" - bin/through traps <<'END' || exit 99
import random, struct, sys
whole = open(sys.argv[1], 'rb').read()
n = 0
def put(data):
    global n
    open('%s/%04d' % (sys.argv[2], n), 'wb').write(data)
    n += 1
for at in list(range(0, 1200, 7)) + list(range(1200, len(whole), 251)):
    put(whole[:at])
# Each field of the header and of the tables behind it as large as can be.
for at in list(range(16, 64, 2)) + list(range(64, 900, 4)):
    for size, value in (2, 0xffff), (8, 2**64 - 1), (8, 2**63 - 8), (8, 2**31):
        put(whole[:at] + struct.pack('<Q', value)[:size] + whole[at + size:])
for at in range(0x2c00, min(len(whole), 0x3100), 8):
    put(whole[:at] + struct.pack('<Q', 2**63 - 1) + whole[at + 8:])
seed = random.randrange(2**32)
print('seed', seed)
random.seed(seed)
for i in range(300):
    bad = bytearray(whole)
    for k in range(random.randrange(1, 30)):
        bad[random.randrange(len(bad) if k % 2 else 1024)] = random.choice((0, 1, 0x7f, 0x80, 0xff, random.randrange(256)))
    put(bytes(bad))
END
cp bin/none "traps/$(printf 'a\n\033[2J\377"')"
if [ "$(id -u)" = 0 ]; then
	rmdir traps/closed
	status=0
else
	chmod 0 traps/closed
	status=1
fi
scan $status -a traps
! grep -q "$(printf '\033')" out || fail "a terminal would be told what to do"
scan $status -a --json traps
jq -e 'length > 100' out >/dev/null || fail "no JSON of a folder of traps"
jq -r '.[].path' out | grep -q '\[2J' || fail "a name with special characters"
"$zwd" scan bin >/dev/full 2>err && fail "written to a full device"
[ $failed = 0 ]
