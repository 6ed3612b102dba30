#!/bin/sh
# SPDX-License-Identifier: Zlib
# Every line of "cases" runs under GNU gzip and under ours, in equal folders: output, messages, exit code and the
# files left behind must be the same. Compressed bytes may differ, so their contents and headers are compared.
[ -n "$limited" ] || limited=1 exec timeout 900 sh "$0"
. "$top_srcdir/tests/gzip/common"
cases=$top_srcdir/tests/gzip/cases

# The folder that each case starts with.
mkdir "$tmp/start" && cd "$tmp/start" || exit 99
data() { awk -v n="$1" 'BEGIN { for (i = 1; i <= n; i++) print i, i * i % 977 }'; }
zip() { # zip METHOD: one entry called "a" that holds "hello\n"
	printf 'PK\3\4\24\0\0\0'"$1"'\0\0\0\0\0\40\60\72\66'"$2"'\6\0\0\0\1\0\0\0a'"$3"
}
data 40 >f
data 20000 >big
printf 'hello\n' >tiny
: >empty
for file in f big tiny empty; do
	touch -d '2001-02-03 04:05:06.789' $file && with_plain gzip -k $file || exit 99
done
len=$(stat -c %s f.gz)
cp f.gz other.gz
with_plain gzip -nc f >noname.gz
cat f.gz tiny.gz >multi.gz
head -c 60 f.gz >short.gz
head -c 5 f.gz >shorter.gz
head -c $((len - 3)) f.gz >trailer.gz
{ head -c $((len - 8)) f.gz; printf 1234; tail -c 4 f.gz; } >crc.gz
{ head -c $((len - 4)) f.gz; printf 1234; } >len.gz
{ head -c $((len - 8)) f.gz; printf 12345678; } >both.gz
{ head -c 12 f.gz; printf '\7'; tail -c +14 f.gz; } >broken.gz
{ head -c 12 f.gz; printf '\1\1\0\1\0'; tail -c +18 f.gz; } >stored.gz
{ cat f.gz; echo garbage; } >garbage.gz
{ cat f.gz; printf '\0\0\0\0\0'; } >zeros.gz
{ cat f.gz; printf '\0'; } >zero.gz
{ cat f.gz; printf '\0\0x'; } >zerosx.gz
{ cat f.gz; printf '\1'; } >one.gz
{ cat f.gz; head -c 7 f.gz; } >half.gz
{ cat f.gz both.gz; } >second.gz
header() { printf "$1"; tail -c +11 noname.gz; }
header '\37\213\7\0\0\0\0\0\0\3' >method.gz
header '\37\213\10\40\0\0\0\0\0\3' >encrypted.gz
header '\37\213\10\100\0\0\0\0\0\3' >flags.gz
header '\37\213\10\4\0\0\0\0\0\3\3\0abc' >extra.gz
header '\37\213\10\20\0\0\0\0\0\3abc\0' >comment.gz
header '\37\213\10\2\0\0\0\0\0\3ab' >hcrc.gz
header '\37\213\10\37\1\0\0\0\0\3\3\0abcname\0comment\0\345\6' >all.gz
header '\37\236\10\0\0\0\0\0\0\3' >old.gz
header '\37\213\10\10\1\0\0\0\0\3../../x/abc\0' >path.gz
header '\37\213\10\10\0\0\0\0\0\3\0' >unnamed.gz
header '\37\213\10\10\0\0\0\0\0\3..\0' >dots.gz
header '\37\213\10\10\0\0\0\0\0\3x/sub//\0' >folder.gz
for len in 1023 1024; do header '\37\213\10\10\0\0\0\0\0\3'"$(printf 'm%.0s' $(seq $len))"'\0' >name$len.gz; done
header '\37\213\10\10\0\0\0\0\0\3'"$(printf 'm%.0s' $(seq 300))"'\0' >long.gz
header '\37\213\10\0\377\377\377\377\0\3' >y2106.gz
printf '\37\235\220\0\0\0\304' >lzw.Z
printf '\37\235\220h\312\260a\363P\0' >hello.Z
printf '\37\235\221\0\0\0\304' >lzw17.Z
printf '\37\235\160\0\0\0\304' >lzwflags.Z
printf '\37\235\220\377\377\377\304' >lzwbad.Z
printf '\37\235\220a\376\377\377' >lzwlater.Z
printf '\37\235' >lzwshort.Z
printf '\37\36\0\0\0\6\3\1\1\0anb\26\310' >pack.z
printf '\37\36\0\0\0\7\3\1\1\0anb\26\310' >packlen.z
printf '\37\36\0\0\0\6\3\1\1\0anb\26' >packshort.z
zip '\0' '\6\0\0\0' 'hello\n' >stored.zip
zip '\10' '\10\0\0\0' '\313\110\315\311\311\347\2\0' >deflated.zip
cat deflated.zip stored.zip >entries.zip
zip '\0' '\5\0\0\0' 'hello\n' >mismatch.zip
zip '\14' '\6\0\0\0' 'hello\n' >bzip2.zip
printf 'PK\3\4\24\0\1\0\0\0\0\0\0\0\40\60\72\66\6\0\0\0\6\0\0\0\1\0\0\0ahello\n' >encrypted.zip
head -c 20 stored.zip >short.zip
printf 'PK\5\6\0\0' >empty.zip
mkdir -p dir/sub
for i in 3 1 2; do echo $i >dir/x$i; echo $i >dir/sub/y$i; done
echo 5 >dir/z.gz
ln -s f link
echo hard >hard
ln hard hard2
ln hard hard3
mkfifo fifo
for i in u+s g+s +t 640 000; do echo $i >mode$i; chmod $i mode$i; done
long=$(printf 'n%.0s' $(seq 253))
echo long >"$long"
find . -exec touch -h -d '2001-02-03 04:05:06.789' {} +
umask 022

# What a case may use besides gzip: the header and contents of compressed data, and answers from "no terminal".
cat >"$tmp/lib" <<'L'
show() { cat >../shown; od -A n -t x1 -N 10 ../shown; PLAIN -dc <../shown; }
mtime() { stat -c '%n %y' "$@"; }
L
sed -i "s,PLAIN,LD_PRELOAD= ZWD_GZIP=0 $tmp/plain/gzip," "$tmp/lib"

run() { # run WHO CASE [1]: leaves the folder WHO.work, and WHO.out and WHO.err; 1: sizes are left out
	cp -a start "$1.work" && cd "$1.work" || exit 99
	with_$1 sh -c ". ../lib; $2" >"../$1.out" 2>"../$1.err" </dev/null
	echo "exit $?" >>"../$1.err"
	cd "$tmp" || exit 99
	[ -z "$3" ] || sed -i 's/[0-9 ]*-*[0-9]*\.[0-9]%/SIZES/' "$1.out" "$1.err"
}
# What is known of the files in both folders, but of those a case just made not when.
same_files() {
	find plain.work ours.work -printf '%H %P\t%y %l %M %n %U:%G %TY-%Tm-%Td %TT\n' | awk -F '\t' '
	{ split($1, who, " "); name = substr($1, length(who[1]) + 2); sub(/20[2-9].-[0-9 :.-]*$/, "now", $2) }
	who[1] == "plain.work" { plain[name] = $2; next }
	{ ours[name] = $2 }
	END {
		for (name in plain) if (plain[name] != ours[name]) {
			print "	" name ": " plain[name] ", ours: " ours[name]; bad = 1 }
		for (name in ours) if (!(name in plain)) { print "	only ours: " name; bad = 1 }
		exit bad
	}'
}
decoded() {
	od -A n -t x1 -N 10 "$1"
	"$tmp/plain/gzip" -cdfq "$1"
}
# Files that are not the same bytes must have the same header and contents.
same_contents() {
	diff -rq --no-dereference -x fifo plain.work ours.work >differ && return
	ok=0
	while read -r _ one _ two _; do
		decoded "$one" >one 2>&1
		decoded "$two" >two 2>&1
		cmp -s one two || { echo "	contents of $two"; ok=1; }
	done <differ
	return $ok
}

cd "$tmp" || exit 99
# ThreadSanitizer's own memory is a file.
limit='ulimit -f'
grep -q __tsan_ "$ours" || limit=none
failed=0 nr=0
while IFS= read -r line; do
	sizes=
	case $line in
	'' | '#'* | "$limit"*) continue ;;
	'~ '*) line=${line#'~ '} sizes=1 ;;
	esac
	nr=$((nr + 1))
	rm -rf ./*.work shown
	run plain "$line" $sizes
	run ours "$line" $sizes
	cmp -s plain.out ours.out && cmp -s plain.err ours.err && same_files >report &&
		same_contents >report && continue
	failed=$((failed + 1))
	echo "DIFFERS: $line"
	cat report
	diff plain.err ours.err
	diff plain.out ours.out | cat -v | head -n 20
done <"$cases"

# What GNU gzip does otherwise, or only where it was built for it: names that say what is to be done, of a program
# that is started by them, and what is not read at all.
alone() { # alone NAME ARGUMENT...: as that command, in the folder that cases start with
	ln -sf "$WD_GZIP" "$tmp/$1" || exit 99
	(cd "$tmp/ours.work" && command=$1 && shift &&
		with_ours env LD_PRELOAD= "$tmp/$command" "$@" >../ours.out 2>../ours.err </dev/null)
}
expect() { # expect WHAT EXIT FILE: the file is what it wrote
	nr=$((nr + 1))
	[ "$code" = "$2" ] && cmp "$3" ours.out && return
	failed=$((failed + 1))
	echo "DIFFERS: $1: exit $code"
	cat ours.err
}
rm -rf ours.work && cp -a start ours.work || exit 99
for name in zcat gzcat xcat; do
	alone $name f.gz; code=$?
	expect "$name" 0 start/f
done
for name in gunzip uncomp gunzip.exe; do
	rm -f ours.work/f
	alone $name f.gz; code=$?
	expect "$name" 0 /dev/null
	cmp ours.work/f start/f && [ ! -e ours.work/f.gz ] || { echo "DIFFERS: $name"; failed=$((failed + 1)); }
	cp -p start/f.gz ours.work
done
printf '\37\240\1\2\3\4\5\6\7\10' >ours.work/lzh.z
alone zcat lzh.z; code=$?
expect "lzh" 1 /dev/null
[ "$(cat ours.err)" = 'zcat: lzh.z: compressed with the lzh method -- not supported' ] ||
	{ echo "DIFFERS: lzh: $(cat ours.err)"; failed=$((failed + 1)); }
echo "$nr cases, $failed differ"
[ $nr -gt 0 ] && [ $failed = 0 ]
