#!/bin/sh
# SPDX-License-Identifier: Zlib
# The library has the probes of zwd-probes(7), with as many arguments as the page says; one that nobody has
# attached to is a single nop, so that none costs more than that and what its arguments take: two instructions.
command -v readelf >/dev/null && command -v objdump >/dev/null || exit 77
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
failed=0
fail() {
	echo "FAIL $*"
	failed=1
}

readelf -n "$LIBZWD" >"$tmp/notes" 2>"$tmp/err"
if ! grep -q '^#define HAVE_SDT 1' "$top_builddir/config.h"; then
	grep -q stapsdt "$tmp/notes" && fail "there are probes, but configure found no header for them"
	exit $failed
fi
# name, arguments and address, a line a probe
awk '/Provider: / { provider = $2 } /Name: / { name = $2 } /Location: / { sub(",", "", $2); at = $2 }
	/Arguments:/ && provider == "libz_wd" { print name, NF - 1, at }' "$tmp/notes" >"$tmp/probes"
for wanted in 'stream_begin 4' 'request_submit 4' 'request_complete 6' 'fallback 2' 'failover 1'; do
	name=${wanted% *}
	grep -q "^$name " "$tmp/probes" || fail "no probe $name"
	awk -v name="$name" -v nr="${wanted#* }" '$1 == name && $2 != nr { print; bad = 1 } END { exit bad }' "$tmp/probes" ||
		fail "$name has not ${wanted#* } arguments"
	grep -q "^\.It Cm $name " "$top_srcdir/man/zwd-probes.7" || fail "the page lacks $name"
done
cut -d' ' -f1 "$tmp/probes" | sort -u | while read -r name; do
	grep -q "^\.It Cm $name " "$top_srcdir/man/zwd-probes.7" || echo "$name"
done >"$tmp/more"
[ ! -s "$tmp/more" ] || fail "the page does not have $(cat "$tmp/more")"

# What is executed there is a nop; no semaphore is asked before.
grep 'Semaphore:' "$tmp/notes" | grep -v 'Semaphore: 0x0*,\{0,1\}$' | grep -q . && fail "a probe has a semaphore"
objdump -d --no-show-raw-insn "$LIBZWD" >"$tmp/code" 2>/dev/null
while read -r name nr at; do
	hex=$(echo "$at" | sed 's/^0x0*//')
	grep -q "^ *$hex:[[:space:]]*nop" "$tmp/code" || fail "$name at $at is no nop"
done <"$tmp/probes"
exit $failed
