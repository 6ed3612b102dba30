#!/bin/sh
# SPDX-License-Identifier: Zlib
# Guards what a request costs the caller, in instructions of wd_send() and wd_recv(), one at a time
# and sixteen at a time. Two runs of different length take out what the first request costs.
command -v valgrind >/dev/null || { echo "valgrind is missing"; exit 77; }
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
program=$top_builddir/tests/queue/submit
few=1600 many=11200 failed=0

# instructions NUMBER BATCH
instructions()
{
	timeout 120 valgrind --tool=callgrind --callgrind-out-file="$dir/out" --collect-atstart=no \
		--toggle-collect=wd_send --toggle-collect=wd_recv "$program" "$1" "$2" 2>"$dir/err" ||
		{ cat "$dir/err" >&2; exit 99; }
	sed -n 's/^\(summary\|totals\): *//p' "$dir/out" | head -n 1
}

# check BATCH MOST
check()
{
	short=$(instructions $few "$1") || exit 99
	long=$(instructions $many "$1") || exit 99
	cost=$(((long - short) / (many - few)))
	echo "$cost instructions a request, $1 at a time; $2 are allowed"
	[ "$cost" -gt 0 ] || exit 99
	[ "$cost" -le "$2" ] || failed=1
}

check 1 275
check 16 160
exit $failed
