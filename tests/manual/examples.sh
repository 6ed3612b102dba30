#!/bin/sh
# SPDX-License-Identifier: Zlib
# Examples of the manual: programs are compiled as a user would, and run on the emulated device; commands are run.
# What is not run, with the reason, is a list below.
[ -n "$limited" ] || limited=1 exec timeout -k 10 300 sh "$0"
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
unset LD_PRELOAD ZWD_CONFIG ZWD_STATS SOURCE_DATE_EPOCH GZIP
export WD_DEVICE=emu ZWD_TIMEOUT_MS=30000
rc=0
fail() { echo "examples: $*"; cat "$tmp/out"; rc=1; }
mkdir -p "$tmp/include/wdq" "$tmp/programs" "$tmp/bin" "$tmp/files/folder"
cp "$top_srcdir/libwd/wd.h" "$top_srcdir/libwd/wd_zip.h" "$tmp/include/wdq"
cp "$top_srcdir/libz-wd/zwd.h" "$tmp/include"
cd "$top_srcdir" || exit 99
awk -v want=programs -v dir="$tmp/programs" -f tests/manual/parts.awk $MANUALS >"$tmp/list"
[ "$(wc -l <"$tmp/list")" -ge 4 ] || fail "too few programs are found: $(cat "$tmp/list")"
libs="-L$top_builddir/libz-wd/.libs -L$top_builddir/libwd/.libs"
export LD_LIBRARY_PATH="$top_builddir/libz-wd/.libs:$top_builddir/libwd/.libs"
while read -r file; do
	case $(cat "$file") in
	*zlib.h*) lib=-lz-wd ;;
	*) lib=-lwdq ;;
	esac
	${MANUAL_CC} -Wall -Wextra -Werror -o "${file%.c}" -I"$tmp/include" "$file" $libs $lib >"$tmp/out" 2>&1 ||
		{ fail "${file##*/} is not compiled"; continue; }
	timeout 60 "${file%.c}" >"$tmp/out" 2>&1 </dev/null || fail "${file##*/} ends with $?"
	echo "${file##*/}: $(head -n 1 "$tmp/out")" | tee -a "$tmp/all"
done <"$tmp/list"
grep -q 'the device did 1048576 bytes, software 0' "$tmp/all" || fail "zwd_stats(3): the device did not do it"

# Commands, in a folder with the files that they name.
for program in zwd:zwd wd-gzip:libz-wd/tools/wd-gzip wd-bench:bench/wd-bench; do
	ln -s "$top_builddir/${program#*:}" "$tmp/bin/${program%%:*}" || exit 99
done
cd "$tmp/files" || exit 99
"$top_builddir/tests/clients/mkmix" text 300000 >file && cp file access.log && gzip -c file >folder/file.gz || exit 99
not_run() {
	case $1 in
	*"wd-bench corpus"* | *"wd-bench goals"*) why="minutes" ;;
	*) return 1 ;;
	esac
}
run_nr=0
for page in wd-bench.1 wd-gzip.1 zwd.1; do
	awk -v want=commands -f "$top_srcdir/tests/manual/parts.awk" "$top_srcdir/man/$page" >"$tmp/commands"
	while read -r command; do
		command=${command#\$ }
		if not_run "$command"; then
			echo "not run, $why: $command"
			continue
		fi
		PATH=$tmp/bin:$PATH timeout 120 sh -c "$command" >"$tmp/out" 2>&1 </dev/null || fail "$page: $command: $?"
		run_nr=$((run_nr + 1))
	done <"$tmp/commands"
done
[ $run_nr -ge 5 ] || fail "only $run_nr commands were found"
exit $rc
