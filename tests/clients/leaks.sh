#!/bin/sh
# SPDX-License-Identifier: Zlib
# No stream and unit test leaks or touches memory that is not its own, says valgrind.
limit_s=900
. "$top_srcdir/tests/clients/lib.sh"
need valgrind
cd "$top_builddir" || exit 99
case " $(sed -n 's/^SAN_CFLAGS = //p' Makefile 2>/dev/null) " in
*-fsanitize*) skip "sanitizers and valgrind exclude each other" ;;
esac

ran_nr=0
for program in tests/unit/* tests/stream/*; do
	[ -f "$program" ] && [ -x "$program" ] || continue
	case $program in
	*.sh|*.so|*.la) continue ;;
	esac
	./libtool --mode=execute timeout -k 5 300 valgrind -q --leak-check=full --error-exitcode=9 \
		--child-silent-after-fork=yes "./$program" >"$tmp/log" 2>&1
	case $? in
	0) echo "leaks: $program: clean"; ran_nr=$((ran_nr + 1)) ;;
	77) echo "leaks: $program: cannot run here" ;;
	124) echo "leaks: $program: takes too long under valgrind, ended without an error till then" ;;
	*) tail -n 60 "$tmp/log"; die "$program" ;;
	esac
done
[ "$ran_nr" -gt 0 ] || skip "no test program has been built"
