#!/bin/sh
# SPDX-License-Identifier: Zlib
# What "make installcheck" runs: everything is where it should be, and the commands, libraries, headers and manual
# pages that are installed there work, without the build folder.
: "${bindir:?}" "${libdir:?}" "${includedir:?}" "${mandir:?}" "${pkgconfigdir:?}"
bin=$DESTDIR$bindir lib=$DESTDIR$libdir include=$DESTDIR$includedir man=$DESTDIR$mandir pc=$DESTDIR$pkgconfigdir
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
unset LD_PRELOAD ZWD_CONFIG ZWD_LOG SOURCE_DATE_EPOCH GZIP
export LC_ALL=C
fail() {
	echo "installcheck: $*" >&2
	exit 1
}

for file in "$bin/zwd" "$bin/wd-gzip" "$bin/wd-bench" "$DESTDIR$pkglibexecdir/wd-bench-inner" \
	"$lib/libz-wd.so.1" "$lib/libz-wd.so" "$lib/libz-wd/libz.so.1" "$lib/libwdq.so.0" "$lib/libwdq.so" \
	"$pc/libz-wd.pc" "$pc/wdq.pc" "$include/zwd.h" "$include/wdq/wd.h" "$include/wdq/wd_zip.h"; do
	[ -s "$file" ] || fail "$file is missing: run make install before, with the same DESTDIR"
done
for page in $manuals; do
	file=$man/man${page##*.}/$page
	[ -s "$file" ] || fail "$file is missing"
	other=$(sed -n 's/^\.so //p' "$file")
	[ -z "$other" ] || [ -s "$man/$other" ] || fail "$file points to $other, which is missing"
done
[ -z "$sanitizers" ] || { echo "installcheck: all is there; what was built with sanitizers is not run"; exit 0; }

export LD_LIBRARY_PATH="$lib" # needed with DESTDIR, and until ldconfig knows the folder
[ "$("$bin/zwd" version)" = "zwd (libz-wd) $version" ] || fail "zwd is another version: $("$bin/zwd" version)"
"$bin/zwd" selftest -d emu >"$dir/out" || { cat "$dir/out"; fail "zwd selftest"; }
"$bin/wd-bench" --version >"$dir/out" || fail "wd-bench"
"$bin/wd-gzip" --version >"$dir/out" || fail "wd-gzip"
"$bin/zwd" help >"$dir/out" || fail "zwd help"
awk 'BEGIN { for (i = 0; i < 20000; i++) print i, i * i % 977, "installed" }' >"$dir/input"

# by_device WHAT: the process before left counters, and the device did it.
by_device() {
	grep -q '"hw_requests":[1-9]' "$dir/stats" || fail "$1: it was not the device's"
	rm "$dir/stats"
}
export WD_DEVICE=emu ZWD_ENGINE=hw ZWD_TIMEOUT_MS=30000 ZWD_STATS="json:$dir/stats"
LD_PRELOAD=$lib/libz-wd.so.1 ZWD_GZIP=${DESTDIR:+$bin/wd-gzip} gzip <"$dir/input" >"$dir/packed" || fail "gzip under preload"
by_device "gzip under preload"
gzip -dc "$dir/packed" | cmp - "$dir/input" || fail "gzip under preload made something else"

cat >"$dir/zip.c" <<END
#include <string.h>
#include <zlib.h>
int main(void)
{
	static unsigned char in[100000], packed[200000], out[100000];
	uLongf packed_len = sizeof(packed), len = sizeof(out);

	memset(in, 'x', sizeof(in));
	return compress(packed, &packed_len, in, sizeof(in)) || uncompress(out, &len, packed, packed_len) ||
	       len != sizeof(in) || memcmp(in, out, len);
}
END
cat >"$dir/queue.c" <<END
#include <wdq/wd_zip.h>
#include <wdq/wd.h>
int main(void)
{
	struct wd_device_info info;
	return wd_list_devices("emu", &info, 1) != 1 || WD_ZIP_GZIP != 3;
}
END
cat >"$dir/own.c" <<END
#include <string.h>
#include <zwd.h>
int main(void)
{
	struct zwd_stats stats;
	return strcmp(zwd_version(), "$version") || zwd_stats(&stats, sizeof(stats)) != sizeof(stats);
}
END
if command -v pkg-config >/dev/null && command -v "${CC%% *}" >/dev/null; then
	export PKG_CONFIG_LIBDIR="$pc" PKG_CONFIG_SYSROOT_DIR="$DESTDIR"
	for program in zip:libz-wd own:libz-wd queue:wdq; do
		name=${program%:*}
		$CC $CFLAGS -o "$dir/$name" "$dir/$name.c" $(pkg-config --cflags --libs "${program#*:}") ||
			fail "a program of ${program#*:} is not built"
		"$dir/$name" || fail "a program of ${program#*:} fails: $name"
	done
	by_device "a program of libz-wd"
	$CC $CFLAGS -o "$dir/plain" "$dir/zip.c" -lz || fail "a program of zlib is not built"
	LD_LIBRARY_PATH=$lib/libz-wd "$dir/plain" || fail "a program of zlib fails with $lib/libz-wd"
	by_device "LD_LIBRARY_PATH=$lib/libz-wd"
else
	echo "installcheck: no compiler or no pkg-config: headers and libraries are not tried"
fi
echo "installcheck: what is installed works"
