#!/bin/sh
# SPDX-License-Identifier: Zlib
# zlib's own example and minigzip: linked with libz-wd, and linked with zlib under preload.
limit_s=420	# of which a download may take most
. "$top_srcdir/tests/clients/lib.sh"
need ${CC:=cc} gzip
source=$(sh "$top_srcdir/tests/fetch-source" zlib) || exit $?
cd "$tmp" || exit 99
lib_dir=$(dirname "${LIBZWD:-none}")
for program in example minigzip; do
	$CC -w -O1 -D_LARGEFILE64_SOURCE=1 -c "$source/test/$program.c" -o $program.o || exit 99
	$CC -o $program.preload $program.o -lz || exit 99
	[ -z "$LIBZWD" ] || $CC -o $program.linked $program.o -L"$lib_dir" -lz-wd -Wl,-rpath,"$lib_dir" ||
		die "$program does not link with -lz-wd"
done
mix 20000

flavours="preload${LIBZWD:+ linked}"
# run FLAVOUR PROGRAM ARGUMENT...
run() {
	flavour=$1 program=$2
	shift 2
	case $flavour in
	linked) ZWD_STATS="json:$stats" "./$program.linked" "$@" ;;
	*) zwd "./$program.preload" "$@" ;;
	esac
}

for flavour in $flavours; do
	run "$flavour" example "$tmp/foo.gz" >out 2>&1 || { cat out; die "example, $flavour: $?"; }
	for line in 'uncompress()' 'gzgets() after gzseek' 'large_inflate(): OK' 'after inflateSync()' \
		'inflate with dictionary'; do
		grep -qF "$line" out || { cat out; die "example, $flavour: $line is missing"; }
	done
	./example.preload "$tmp/foo.gz" 2>&1 | sed 1d >expected
	sed 1d out | diff expected - || die "example, $flavour, tells something else"

	for file in text json binary random zeros deflated empty one; do
		for options in -6 -1 -9 -h -f -r; do
			run "$flavour" minigzip $options <$file >out.gz || die "minigzip $options <$file, $flavour: $?"
			gzip -dc out.gz | cmp - $file || die "minigzip $options <$file, $flavour: different"
		done
		gzip -c $file | run "$flavour" minigzip -d | cmp - $file || die "minigzip -d, $flavour, $file"
		cp $file copy
		run "$flavour" minigzip copy || die "minigzip FILE, $flavour: $?"
		run "$flavour" minigzip -d copy.gz || die "minigzip -d FILE, $flavour: $?"
		cmp copy $file || die "minigzip FILE, $flavour: different"
	done
done
assert_device_use deflate inflate
