#!/bin/sh
# SPDX-License-Identifier: Zlib
# Installing and removing leaves the files of zlib, util-linux, gzip, pigz, UADK and KAE as they are, and nothing
# of ours behind. And what is installed serves a program that is built with it.
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
unset MAKEFLAGS MFLAGS MAKEOVERRIDES GNUMAKEFLAGS
tree=$dir/tree

fail()
{
	echo "install: $*"
	exit 1
}

# variable NAME: what it is to the Makefile.
variable()
{
	printf 'include Makefile\nnames-print:\n\t@echo "$(%s)"\n' "$1" >"$dir/print"
	make -s --no-print-directory -C "$top_builddir" -f "$dir/print" names-print
}

bin=$tree$(variable bindir) lib=$tree$(variable libdir) include=$tree$(variable includedir)
man=$tree$(variable mandir) pc=$tree$(variable pkgconfigdir)
[ "$bin" != "$tree" ] && [ "$lib" != "$tree" ] || exit 99

# foreign FILE...: makes them. A header that a compiler reads says so.
foreign()
{
	for file; do
		mkdir -p "$(dirname "$file")"
		printf '#error "%s is not of this package"\n' "${file#"$tree"}" >"$file" || exit 99
		touch -d '2001-02-03 04:05:06' "$file"
	done
}

foreign "$bin/wdctl" "$bin/gzip" "$bin/gunzip" "$bin/zcat" "$bin/pigz" "$bin/unpigz" "$bin/uadk_tool" \
	"$lib/libz.so.1.2.13" "$lib/libz.a" "$pc/zlib.pc" "$include/zlib.h" "$include/zconf.h" \
	"$lib/libwd.so.1.2.0" "$lib/libwd.so.2.6.0" "$lib/libwd.a" "$lib/libwd.la" "$pc/libwd.pc" \
	"$lib/libwd_comp.so.2" "$lib/libhisi_zip.so" "$lib/libkaezip.so" "$lib/libisal.so.2" \
	"$include/wd.h" "$include/wd_zip.h" "$include/wd_comp.h" "$include/uadk/wd.h" "$include/uadk/wd_zip.h" \
	"$include/uadk/v1/wd.h" "$include/warpdriver/wd.h" \
	"$man/man8/wdctl.8" "$man/man1/gzip.1" "$man/man1/pigz.1" "$man/man3/zlib.3" \
	"$tree/etc/ld.so.conf" "$tree/etc/ld.so.preload" "$tree/etc/ld.so.cache" "$tree/usr/bin/wdctl" \
	"$tree/usr/lib/libwd.so.1.1" "$tree/usr/include/wd.h"
ln -s libz.so.1.2.13 "$lib/libz.so.1" && ln -s libz.so.1 "$lib/libz.so" &&
	ln -s libwd.so.1.2.0 "$lib/libwd.so.1" && ln -s libwd.so.2.6.0 "$lib/libwd.so.2" &&
	ln -s libwd.so.2 "$lib/libwd.so" || exit 99

# Kind, mode, length, time, target and contents of each file that is no folder.
snapshot()
{
	(cd "$tree" && find . ! -type d -printf '%p %y %m %s %T@ %l\n' && find . -type f -exec cksum {} +) |
		LC_ALL=C sort
}

run_make()
{
	make -C "$top_builddir" "$1" DESTDIR="$tree" >"$dir/log" 2>&1 || {
		tail -n 30 "$dir/log"
		fail "make $1 failed"
	}
}

snapshot >"$dir/before"
for again in first second; do
	run_make install
	snapshot >"$dir/after"
	LC_ALL=C comm -23 "$dir/before" "$dir/after" >"$dir/changed"
	[ ! -s "$dir/changed" ] || {
		cat "$dir/changed"
		fail "files of others changed or vanished when ours were installed for the $again time"
	}
done
for file in "$bin/zwd" "$bin/wd-gzip" "$bin/wd-bench" "$lib/libz-wd.so.1" "$lib/libz-wd/libz.so.1" "$lib/libwdq.so.0" \
	"$pc/libz-wd.pc" "$pc/wdq.pc" "$include/zwd.h" "$include/wdq/wd.h" "$include/wdq/wd_zip.h" "$man/man1/zwd.1" \
	"$man/man3/wd_send.3" "$man/man3/zwd_stats.3" \
	"$tree$(variable datadir)/bash-completion/completions/zwd.bash"; do
	[ -s "$file" ] || fail "${file#"$tree"} is not installed"
done
[ "$(readlink -f "$lib/libz-wd/libz.so.1")" = "$(readlink -f "$lib/libz-wd.so.1")" ] ||
	fail "libz-wd/libz.so.1 is not libz-wd.so.1"

cat >"$dir/program.c" <<-'END'
	#include <wdq/wd_zip.h>
	#include <wdq/wd.h>
	int main(void)
	{
		struct wd_device_info info;
		return wd_list_devices("emu", &info, 1) != 1 || WD_ZIP_GZIP != 3;
	}
END
export PKG_CONFIG_LIBDIR="$pc" PKG_CONFIG_SYSROOT_DIR="$tree"
if command -v cc >/dev/null && command -v pkg-config >/dev/null; then
	cc -o "$dir/program" "$dir/program.c" $(pkg-config --cflags --libs wdq) || fail "a program of wdq is not built"
	LD_LIBRARY_PATH=$lib "$dir/program" || fail "a program of wdq fails"
	readelf -d "$dir/program" | grep -q 'NEEDED.*\[libwdq\.so\.0\]' || fail "a program of wdq does not need libwdq.so.0"
fi
command -v c++ >/dev/null && ! c++ -x c++ -fsyntax-only "$dir/program.c" -I"$include" &&
	fail "the headers are not C++"

run_make uninstall
snapshot >"$dir/after"
cmp -s "$dir/before" "$dir/after" || {
	diff "$dir/before" "$dir/after"
	fail "the tree is not as it was before ours was installed"
}
# Empty ones: the prefix itself may have such a name.
find "$tree" -type d -empty \( -name 'libz-wd*' -o -name 'wdq*' \) | grep . && fail "folders of ours are left"
exit 0
