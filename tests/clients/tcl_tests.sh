#!/bin/sh
# SPDX-License-Identifier: Zlib
# Tcl's own tests of zlib, as Debian's source package has them: under preload no other test fails than without.
limit_s=580	# of which downloads may take most
. "$top_srcdir/tests/clients/lib.sh"
need tclsh
source=$(sh "$top_srcdir/tests/fetch-source" "tcl$(echo 'puts $tcl_version' | tclsh)") || exit $?
uses_libz "$(ldd "$(command -v tclsh)" | awk '/libtcl/ { print $3 }')"
cp "$source/tests/zlib.test" "$tmp" || exit 99
cd "$tmp" || exit 99

cat >known <<'END'
emu,auto zlib-7.8 expects the length that zlib's own output has
emu zlib-8.8 the same
emu zlib-8.10 the same
emu,auto zlib-8.16 the same
emu,auto zlib-12.1 the same
emu,auto zlib-12.2 the same
END
failing() {
	"$@" tclsh zlib.test >said 2>&1
	sed -n 's/^zlib.test:.*Total[^0-9]*\([0-9]*\).*/\1/p' said >nr
	sed -n 's/^==== \(zlib-[0-9.]*\) FAILED$/\1/p' said
}
same_failures 60
assert_device_use deflate inflate
