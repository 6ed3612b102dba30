#!/bin/sh
# SPDX-License-Identifier: Zlib
# Files of many members, which are inflated side by side: whole, cut, damaged, with what only looks like members
# inside: output, messages and exit code are those of GNU gzip.
[ -n "$limited" ] || limited=1 exec timeout 900 sh "$0"
. "$top_srcdir/tests/gzip/common"
command -v python3 >/dev/null || { echo "no python3"; exit 77; }
cd "$tmp" || exit 99
make_file() {
	python3 "$top_srcdir/tests/gzip/members.py" "$1" >"$1.gz" || exit 99
}
failed=0 nr=0
# same_bytes: but that a device may keep the last byte of a cut member to itself.
same_bytes() {
	if [ "$ZWD_TEST_MODE" != soft ] && [ $input = cut.gz ] &&
		[ "$(stat -c %s ours.out)" = $(($(stat -c %s expected.out) - 1)) ]; then
		head -c -1 expected.out | cmp - ours.out
	else
		cmp expected.out ours.out
	fi
}
# compare REFERENCE FILE OPTION...: by name and through a pipe, against gzip run by REFERENCE
compare() {
	reference=$1 input=$2
	shift 2
	nr=$((nr + 1))
	$reference gzip "$@" "$input" >expected.out 2>expected.err </dev/null
	echo "exit $?" >>expected.err
	with_ours gzip "$@" "$input" >ours.out 2>ours.err </dev/null
	echo "exit $?" >>ours.err
	same_bytes && diff expected.err ours.err ||
		{ echo "FAIL gzip $* $input"; failed=1; }
	case $* in
	*[lv]*) return ;;
	esac
	cat "$input" | with_ours gzip "$@" >ours.out 2>ours.err
	echo "exit $?" >>ours.err
	sed "s,$input,stdin," expected.err >expected.pipe
	same_bytes && diff expected.pipe ours.err ||
		{ echo "FAIL pipe | gzip $* <$input"; failed=1; }
}
same() { # same FILE [OPTION...]: as GNU gzip
	input=$1
	shift
	compare with_plain "$input" "${@:--dc}"
}
# Of a damaged member zlib and GNU gzip find the fault, and write what is before it, in different places: as ours
# on one processor and without device, where one member comes after the other.
cpu=$(taskset -pc $$ | sed 's/.*: *//; s/[,-].*//') || exit 99
alone() {
	WD_DEVICE=none ZWD_ENGINE=auto with_ours taskset -c "$cpu" "$@"
}
same_alone() { # same_alone FILE [OPTION...]
	input=$1
	shift
	compare alone "$input" "${@:--dc}"
}

kinds='bgzf inside-bgzf inside fields bc-lies small names hcrc sizes empty zeros bombs old-magic noise'
for kind in $kinds; do
	make_file $kind
	same $kind.gz
	same $kind.gz -t
	same $kind.gz -lv
done
same bgzf.gz -tv
same fields.gz -dcv

# The output replaces the file, and the name of the first member counts.
for name in bgzf names; do
	cp $name.gz in.gz
	with_ours gzip -dN in.gz || { echo "FAIL gzip -dN $name"; failed=1; }
	case $name in
	names) out=name0 ;;
	*) out=in ;;
	esac
	with_plain gzip -dc $name.gz | cmp - $out || failed=1
	rm -f in.gz $out
done

# Behind, between and before.
{ cat bgzf.gz; echo garbage; } >garbage.gz
{ cat small.gz; head -c 70000 /dev/zero; } >padding.gz
{ head -c 5000 /dev/zero; cat small.gz; } >before.gz
{ cat small.gz; echo garbage; cat bgzf.gz; } >between.gz
{ cat small.gz; printf '\37'; } >half.gz
{ cat small.gz; printf '\37\213\7'; cat small.gz; } >method.gz
{ cat small.gz; printf '\37\213\10\40'; cat small.gz; } >encrypted.gz
for file in garbage padding before between half method encrypted; do
	same $file.gz
	same $file.gz -t
done
# Where a later member cannot be read, there is no output, and the input stays: GNU gzip removes it without -k.
for file in method encrypted; do
	cp $file.gz in.gz
	with_ours gzip -d in.gz 2>/dev/null && failed=1
	cmp in.gz $file.gz && [ ! -e in ] || { echo "FAIL gzip -d $file.gz loses a member"; failed=1; }
done
same garbage.gz -q -dc
same padding.gz -v -dc

# Cut and damaged at many places.
patch_file() { # patch_file FILE AT: one byte there is another
	old=$(od -A n -t u1 -j "$2" -N 1 "$1")
	{ head -c "$2" "$1"; printf "\\$(printf %o $(((old + 85) % 256)))"; tail -c +$(($2 + 2)) "$1"; } >damaged.gz
}
for file in bgzf.gz sizes.gz small.gz; do
	len=$(stat -c %s $file)
	for part in 1 2 3 5 8 11 13; do
		at=$((len / 14 * part + part * part * 37))
		head -c $at $file >cut.gz
		same_alone cut.gz
		patch_file $file $at
		same_alone damaged.gz
	done
	for at in 0 1 9 10 17 18 19 30; do
		head -c $at $file >cut.gz
		same_alone cut.gz
	done
	head -c $((len - 1)) $file >cut.gz
	same_alone cut.gz
	same_alone cut.gz -t
done
# A check of several files goes on behind a wrong checksum.
patch_file bgzf.gz $(($(stat -c %s bgzf.gz) - 28 - 6))
cp damaged.gz wrong.gz
nr=$((nr + 1))
with_plain gzip -tv wrong.gz small.gz bgzf.gz >plain.out 2>&1
with_ours gzip -tv wrong.gz small.gz bgzf.gz >ours.out 2>&1
diff plain.out ours.out || { echo "FAIL gzip -tv of several"; failed=1; }

# Standard input that does not block, and comes in drops.
drops() {
	perl -e '$| = 1; while (read STDIN, $b, 30000) { print $b; select undef, undef, undef, .001 }' <$1 |
		with_ours perl -e 'use Fcntl; fcntl STDIN, F_SETFL, fcntl(STDIN, F_GETFL, 0) | O_NONBLOCK; exec @ARGV' \
			gzip $2
}
for kind in bgzf small sizes; do
	with_plain gzip -dc $kind.gz >expected
	drops $kind.gz -dc | cmp - expected || { echo "FAIL drops of $kind"; failed=1; }
done
drops expected -c | with_plain gzip -dc | cmp - expected || { echo "FAIL drops to compress"; failed=1; }

# Threads where there is something for them, and only there; the device where there is one.
threads() {
	# LeakSanitizer does not work under strace.
	with_ours env ASAN_OPTIONS="${ASAN_OPTIONS-}:detect_leaks=0" \
		strace -f -o trace -e trace=clone,clone3 gzip "$@" >/dev/null || return
	grep -c 'clone3*(.*= [0-9]' trace
}
if [ "$ZWD_TEST_MODE" = soft ] && [ "$(nproc)" -gt 1 ] && strace -o trace true 2>/dev/null; then
	make_file tiny
	[ "$(threads -dc tiny.gz)" = 0 ] && [ "$(threads -c tiny.gz)" = 0 ] ||
		{ echo "FAIL threads for a small file"; failed=1; }
	[ "$(threads -dc bgzf.gz)" -ge 2 ] || { echo "FAIL no threads for a large file"; failed=1; }
	# Of a single member what is made is written beside.
	with_plain gzip -dc bgzf.gz | with_plain gzip -c >single.gz
	[ "$(threads -dc single.gz)" -ge 1 ] || { echo "FAIL no thread that writes"; failed=1; }
fi
if [ "$ZWD_TEST_MODE" = emu ]; then
	with_ours env ZWD_STATS="json:$tmp/stats" gzip -t bgzf.gz
	grep -q '"hw_requests":[1-9]' stats || { echo "FAIL the device was not used"; cat stats; failed=1; }
fi

# Without memory for pieces and threads, one member comes after the other.
if [ "$ZWD_TEST_MODE" = soft ] && ! grep -q '__[at]san_' "$ours"; then
	with_plain gzip -dc bgzf.gz >expected
	for kb in 30000 36000 40000 44000 48000 56000 70000; do
		(ulimit -v $kb && with_ours gzip -dc bgzf.gz) | cmp - expected ||
			{ echo "FAIL with $kb KB"; failed=1; }
	done
fi

# What is complete leaves before more input comes.
mkfifo fifo
head -c 20000 bgzf.gz >some.gz
with_ours gzip -dc <fifo >slow.out 2>/dev/null &
exec 7>fifo
cat small.gz some.gz >&7
with_plain gzip -dcq small.gz >expected
until [ "$(stat -c %s slow.out)" -ge "$(stat -c %s expected)" ]; do
	kill -0 $! || { failed=1; break; }
done
exec 7>&-
wait
head -c "$(stat -c %s expected)" slow.out | cmp - expected || { echo "FAIL slow"; failed=1; }
echo "$nr comparisons"
exit $failed
