#!/bin/sh
# SPDX-License-Identifier: Zlib
# pigz: threads, raw deflate, preset dictionaries and sync flushes, in its three formats.
# It asks for dictionaries and Z_BLOCK, and inflates with inflateBack(): all software's. What goes to a
# device is the last piece of an independent one (-i).
limit_s=120
. "$top_srcdir/tests/clients/lib.sh"
need pigz gzip
mkdir "$tmp/mix" && cd "$tmp/mix" || exit 99
mix 80000

for file in *; do
	for options in "" "-i -p 4" "-p 1" "-z -i" "-9 -b 512" "-1 -R"; do
		zwd pigz $options -c "$file" >"$tmp/out" || die "pigz $options $file: $?"
		pigz -dc <"$tmp/out" | cmp - "$file" || die "pigz $options $file: plain pigz disagrees"
		case $options in
		-z*) ;;
		*) gzip -dc <"$tmp/out" | cmp - "$file" || die "pigz $options $file: gzip disagrees" ;;
		esac
	done
	for options in "" "-z"; do
		pigz $options -c "$file" | zwd pigz -dc >"$tmp/out" || die "pigz -dc of $file: $?"
		cmp "$tmp/out" "$file" || die "pigz -dc of $file $options gives something else"
	done
done
assert_device_use deflate
