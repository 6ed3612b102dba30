#!/bin/sh
# SPDX-License-Identifier: Zlib
# Over the zlib of this system, of Debian's stable release and of its newest one, programs get that
# version's symbols and codes, and functions taken by dlsym() work.
limit_s=300
. "$top_srcdir/tests/clients/lib.sh"
need nm
here=$top_builddir/tests/abi
failed=0 tried=0
for suite in system trixie sid; do
	if [ $suite = system ]; then
		folder=${SOFT_ZLIB%/*}
	else
		folder=$(sh "$top_srcdir/tests/fetch-zlib" $suite) || continue
		tried=$((tried + 1))
	fi
	nm -D --defined-only --with-symbol-versions "$folder/libz.so.1" |
		awk '$2 != "A" { print $3 }' | sed 's/@@/@/' | sort >"$tmp/theirs"
	nm -D --defined-only --with-symbol-versions "$LIBZWD" |
		awk '$2 != "A" { print $3 }' | sed 's/@@/@/' | sort >"$tmp/ours"
	comm -23 "$tmp/theirs" "$tmp/ours" | grep . && { echo "$suite: the above are missing"; failed=1; }
	LD_LIBRARY_PATH=$folder "$here/codes" >"$tmp/want" || exit 99
	for device in none emu; do
		WD_DEVICE=$device ZWD_ENGINE=hw LD_LIBRARY_PATH=$folder zwd "$here/codes" >"$tmp/got"
		diff "$tmp/want" "$tmp/got" >"$tmp/diff" ||
			{ echo "$suite, $device:"; head -n 10 "$tmp/diff"; failed=1; }
		for program in inner inner_late; do
			WD_DEVICE=$device ZWD_ENGINE=hw LD_LIBRARY_PATH=$folder zwd "$here/$program" 2 ||
				{ echo "$suite, $device, $program: $?"; failed=1; }
		done
	done
	# The program has the system's zlib, and what is underneath is another.
	ZWD_SOFT_ZLIB=$folder/libz.so.1 zwd "$here/inner" ||
		{ echo "$suite by ZWD_SOFT_ZLIB: $?"; failed=1; }
	head -n 1 "$tmp/want"
done
[ $failed = 0 ] || exit 1
[ $tried != 0 ] || skip "only the system's own zlib could be tried"
