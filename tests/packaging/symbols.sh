#!/bin/sh
# SPDX-License-Identifier: Zlib
# Debian's lists of symbols name what the libraries' maps export, node by node.
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
for pair in libz-wd/libz-wd.map:libz-wd1 libwd/libwdq.map:libwdq0; do
	awk '/^[A-Z].*\{$/ { node = $1; print node "@" node; on = 1; next } /^local:|^\}/ { on = 0 }
		on && /^\t[a-z].*;$/ { sub(/;/, ""); print $1 "@" node }' "$top_srcdir/${pair%:*}" | LC_ALL=C sort >"$dir/map"
	# zlib's oldest functions are in none of its nodes, and are exported all the same.
	sed -n 's/^ \([^ ]*@[^ ]*\) .*/\1/p' "$top_srcdir/debian/${pair#*:}.symbols" | grep -v '@Base$' |
		LC_ALL=C sort >"$dir/symbols"
	[ -s "$dir/map" ] && diff "$dir/map" "$dir/symbols" || { echo "debian/${pair#*:}.symbols is not as ${pair%:*} is"; exit 1; }
done
