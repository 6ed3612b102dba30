#!/bin/sh
# SPDX-License-Identifier: Zlib
# Preloaded into a program that does not compress, the library costs at most 15,000 instructions.
set -u
command -v valgrind >/dev/null || exit 77
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
most=15000
unset WD_DEVICE ZWD_ENGINE

# instructions PRELOAD PROGRAM [ARGUMENT...]
instructions()
{
	LD_PRELOAD=$1 valgrind --tool=callgrind --callgrind-out-file="$tmp/out" "$2" ${3+"$3"} \
		>"$tmp/err" 2>&1 || { cat "$tmp/err" >&2; exit 99; }
	sed -n 's/^\(summary\|totals\): *//p' "$tmp/out" | head -n 1
}

# A program linked with zlib looks up more names, and each passes this library: that is only told.
if command -v pigz >/dev/null; then
	pigz=$(command -v pigz)
	cost=$(($(instructions "$LIBZWD" "$pigz" --version) - $(instructions '' "$pigz" --version)))
	echo "pigz --version: $cost instructions more"
fi
plain=$(instructions '' /bin/true)
[ "${plain:-0}" -gt 0 ] || exit 99
cost=$(($(instructions "$LIBZWD" /bin/true) - plain))
echo "true: $cost instructions more, $most are allowed"
[ $cost -le $most ]
