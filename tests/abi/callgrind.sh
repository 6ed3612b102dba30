#!/bin/sh
# SPDX-License-Identifier: Zlib
# Without a device a call of deflate() or inflate() costs at most 25 instructions more than zlib's,
# and no system call. Two runs of different length take out what start and end cost.
set -u
command -v valgrind >/dev/null || exit 77
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
percall=$top_builddir/tests/abi/percall
few=1000 many=3000 most=25 failed=0
WD_DEVICE=none
export WD_DEVICE

# instructions PRELOAD ACTION NUMBER
instructions()
{
	LD_PRELOAD=$1 valgrind --tool=callgrind --callgrind-out-file="$tmp/out" "$percall" "$2" "$3" \
		2>"$tmp/err" || { cat "$tmp/err" >&2; exit 99; }
	sed -n 's/^\(summary\|totals\): *//p' "$tmp/out" | head -n 1
}

for action in deflate inflate; do
	plain=$(($(instructions '' $action $many) - $(instructions '' $action $few)))
	ours=$(($(instructions "$LIBZWD" $action $many) - $(instructions "$LIBZWD" $action $few)))
	[ "$plain" -gt 0 ] || exit 99
	cost=$(((ours - plain) / (many - few)))
	echo "$action: $cost instructions a call"
	if [ $cost -gt $most ]; then
		echo "callgrind: $action costs $cost instructions a call, $most are allowed" >&2
		failed=1
	fi
done

if command -v strace >/dev/null && strace -o "$tmp/few" true 2>/dev/null; then
	for action in deflate inflate; do
		for nr in $few $many; do
			strace -o "$tmp/$nr" -E LD_PRELOAD="$LIBZWD" "$percall" $action $nr
		done
		if [ "$(wc -l <"$tmp/$few")" -ne "$(wc -l <"$tmp/$many")" ]; then
			echo "callgrind: $action makes system calls" >&2
			failed=1
		fi
	done
fi
exit $failed
