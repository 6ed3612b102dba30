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

# Engine threads live as long as the process, so that what only they point to counts as possibly lost.
# What a stream test allocates by itself is not looked at.
cat >"$tmp/ignored" <<'END'
{
	test
	Memcheck:Leak
	fun:*alloc
	obj:*/tests/stream/*
}
END
ran_nr=0
for program in tests/unit/* tests/stream/allocs tests/stream/deflate_dict tests/stream/deflate_header \
	tests/stream/inflate_dict tests/stream/inflate_sync tests/stream/threads; do
	case $program in
	*.*) continue ;;
	# It only computes, for minutes.
	tests/unit/anchor) continue ;;
	esac
	[ -f "$program" ] || continue
	./libtool --mode=execute timeout -k 5 60 valgrind -q --leak-check=full --show-leak-kinds=definite \
		--errors-for-leak-kinds=definite --error-exitcode=9 --child-silent-after-fork=yes \
		--suppressions="$tmp/ignored" \
		"./$program" >"$tmp/log" 2>&1
	rc=$? # 124, or 137 where valgrind is slow to end: the limit above
	# What a test finds wrong is told by its own run. Valgrind speaks only of errors.
	if [ $rc = 9 ] || [ $rc -gt 128 ] && [ $rc != 142 ] && [ $rc != 137 ] || grep -q '^==[0-9]*== [A-Z0-9]' "$tmp/log"; then
		tail -n 60 "$tmp/log"
		die "$program: $rc"
	fi
	case $rc in
	124|137|142) echo "leaks: $program: no error in its first minute" ;;
	*) echo "leaks: $program: clean"; ran_nr=$((ran_nr + 1)) ;;
	esac
done
[ "$ran_nr" -gt 0 ] || skip "no test program has been built"
