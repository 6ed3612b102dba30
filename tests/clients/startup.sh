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

costs=$("$top_builddir/tests/clients/spawncost" "$LIBZWD" 300 $program) || die "spawncost: $?"
without=${costs% *}
with=${costs#* }
echo "startup: $without us of CPU without, $with us with the preload: $((with - without)) us more, 100 are meant"
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
