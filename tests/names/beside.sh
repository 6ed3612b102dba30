#!/bin/sh
# SPDX-License-Identifier: Zlib
# A copy of the one file libz-wd.so.1, alone in a folder, is all that a preload needs, emulated device included,
# whether ISA-L is there or not; and a library beside it with functions of libwd's names keeps its own.
user=$top_builddir/tests/names/user
refuse=$top_builddir/tests/names/.libs/refuse.so
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT

fail()
{
	echo "beside: $*"
	cat "$dir/err" "$dir/stats"
	exit 1
}

mkdir "$dir/alone" && cp -L "$LIBZWD.1" "$dir/alone/libz-wd.so.1" && cd "$dir/alone" || exit 99

# run PRELOAD [NAME=VALUE...]: the program does what it should; what the device did is in $dir/stats.
run()
{
	preload=$1
	shift
	: >"$dir/stats"
	env -i PATH="$PATH" ZWD_STATS="json:$dir/stats" ZWD_TIMEOUT_MS=30000 "$@" LD_PRELOAD="$preload" \
		timeout -k 5 60 "$user" 2>"$dir/err" || fail "$preload $*: exit status $?"
}

by_device()
{
	for direction in deflate inflate; do
		grep -q "\"$direction\":{\"hw_requests\":[1-9]" "$dir/stats" ||
			fail "$*: $direction was not the device's"
	done
}

readelf -d "$user" | grep -q 'NEEDED.*\[libwd\.so\.2\]' || fail "the program has no libwd.so.2"
run '' # without ours, so that what follows is ours

run ./libz-wd.so.1 WD_DEVICE=none
! grep -q '"hw_requests":[1-9]' "$dir/stats" || fail "a device that is not there"
for device in emu emu:engine=zlib; do
	run ./libz-wd.so.1 WD_DEVICE=$device ZWD_ENGINE=hw
	by_device $device
done

run "$refuse $dir/alone/libz-wd.so.1" WD_DEVICE=emu ZWD_ENGINE=hw
by_device "without ISA-L"
! grep -q '^#define HAVE_ISAL' "$top_builddir/config.h" || grep -q '^refused: libisal' "$dir/err" ||
	fail "ISA-L was not looked for, and not refused"
exit 0
