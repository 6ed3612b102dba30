#!/bin/sh
# SPDX-License-Identifier: Zlib
# A program that does not compress pays next to nothing for the preload, opens nothing and prints nothing.
limit_s=120
. "$top_srcdir/tests/clients/lib.sh"
[ -n "$LIBZWD" ] || skip "nothing to preload"
cd "$tmp" || exit 99
unset WD_DEVICE ZWD_ENGINE
program=/bin/true

LD_PRELOAD=$LIBZWD $program >out 2>&1 || die "true: $?"
WD_DEVICE=emu LD_PRELOAD=$LIBZWD $program >>out 2>&1 || die "true with WD_DEVICE=emu: $?"
[ ! -s out ] || { cat out >&2; die "something was printed"; }

# Blocks of 100 runs, with and without in turn; the quickest block of each counts.
block() {
	begin=$(date +%s%N)
	for run in 0 1 2 3 4 5 6 7 8 9; do
		"$@"; "$@"; "$@"; "$@"; "$@"; "$@"; "$@"; "$@"; "$@"; "$@"
	done
	end=$(date +%s%N)
	echo $(((end - begin) / 100000))
}
for round in 1 2 3 4 5 6 7 8 9 10; do
	block env -u LD_PRELOAD $program >>without
	block env LD_PRELOAD="$LIBZWD" $program >>with
done
without=$(sort -n without | head -n 1)
with=$(sort -n with | head -n 1)
echo "startup: $without us without, $with us with the preload: $((with - without)) us more, 100 are meant"
[ $((with - without)) -lt 1000 ] || die "the preload costs more than 1 ms"

command -v strace >/dev/null || { echo "startup: no strace: opened files not looked at"; exit 0; }
opened() { sed -n 's/.*open\(at\)\{0,1\}([^"]*"\([^"]*\)".*/\2/p' "$1" | sort -u; }
strace -f -o plain.trace $program || skip "strace may not trace here"
strace -f -E LD_PRELOAD="$LIBZWD" -o preload.trace $program || die "true under strace: $?"
opened plain.trace >plain
opened preload.trace >preload
# What the loader itself needs: the library, its libraries, and where it looked for them.
ldd "$LIBZWD" | sed -n 's/.*[ \t]\(\/[^ ]*\) (.*/\1/p' | sed 's/.*\///' | sort -u >needed
basename "$LIBZWD" >>needed
comm -13 plain preload | sed 's/.*\///' | grep -vxFf needed && die "the preload opened the files above"
grep -E 'clone3?\(|fork\(' preload.trace && die "the preload made a thread or process"
exit 0
