#!/bin/sh
# SPDX-License-Identifier: Zlib
# First use of zlib where no file can be opened, or where those that can are somebody else's: the
# zlib and the settings are those the process was started with, however it came by this library.
limit_s=120
. "$top_srcdir/tests/clients/lib.sh"
here=$top_builddir/tests/abi
mkdir "$tmp/lib" && cp "$LIBZWD" "$tmp/lib/libz.so.1" && cp "$LIBZWD" "$tmp/lib/libz-wd.so.1" || exit 99

# The same with stock zlib must be right: else the condition is not to be had here.
# in_flavour NAME CONDITION FOLDER
in_flavour()
{
	flavour=$1
	shift
	case $flavour in
	stock) "$here/confined" "$@" ;;
	preload) LD_PRELOAD=$LIBZWD "$here/confined" "$@" ;;
	library) LD_LIBRARY_PATH=$tmp/lib "$here/confined" "$@" ;;
	linked) LD_LIBRARY_PATH=$tmp/lib "$here/confined_wd" "$@" ;;
	named) ZWD_SOFT_ZLIB=$SOFT_ZLIB LD_PRELOAD=$LIBZWD "$here/confined_late" "$@" "$here/.libs/plugin.so" ;;
	plugin) LD_PRELOAD=$LIBZWD "$here/confined_late" "$@" "$here/.libs/plugin.so" ;;
	esac
}

# An empty folder, and one with a library, a device's code and settings of somebody else's.
mkdir -p "$tmp/empty" "$tmp/jail/etc" "$tmp/jail/$(dirname "$SOFT_ZLIB")" || exit 99
cp "$here/.libs/foreign.so" "$tmp/jail/$SOFT_ZLIB" || exit 99
for name in libz.so.1 libisal.so.2; do
	for folder in lib lib64 usr/lib "${SOFT_ZLIB%/*}"; do
		mkdir -p "$tmp/jail/$folder" && cp "$here/.libs/foreign.so" "$tmp/jail/$folder/$name"
	done
done
echo 'ZWD_STATS = json:/settings' >"$tmp/jail/etc/libz-wd.conf"

failed=0
for flavour in stock preload library linked plugin named; do
	for condition in free files 'chroot empty' 'chroot jail'; do
		set -- $condition
		[ "$1" != chroot ] || [ "$(id -u)" = 0 ] || continue
		[ "$flavour $1" != 'stock chroot' ] || continue
		in_flavour $flavour "$1" "$tmp/${2-}" && continue
		rc=$?
		[ $rc != 77 ] || { echo "$flavour $condition: not to be had here"; continue; }
		echo "$flavour, $condition: exit status $rc" >&2
		failed=1
	done
done
for trace in ran settings; do
	[ ! -e "$tmp/jail/$trace" ] || { echo "the folder's own was used: $trace" >&2; failed=1; }
done
exit $failed
