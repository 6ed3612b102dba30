#!/bin/sh
# SPDX-License-Identifier: Zlib
# pigz under preload: wd-gzip takes its place where it does the same, and pigz runs itself for all other options, in
# its three formats. Results, messages, exit codes, names and times are those of pigz alone.
limit_s=180
. "$top_srcdir/tests/clients/lib.sh"
need pigz gzip unpigz
mkdir "$tmp/mix" && cd "$tmp/mix" || exit 99
mix 40000

# by PROGRAM COMMAND...: it was this program that did it, and a device where it is wd-gzip and there is one.
by() {
	program=$1
	shift
	: >"$stats"
	"$@"
	rc=$?
	[ -n "$LIBZWD" ] || return $rc
	[ "$ZWD_TEST_MODE" != soft ] || program=pigz # which has threads, where there is no device
	[ "$program" != wd-gzip ] || grep -q "\"program\":\"$program\"" "$stats" || die "$*: it was not $program"
	[ "$program" != pigz ] || ! grep -q '"program":"wd-gzip"' "$stats" || die "$*: it was wd-gzip"
	return $rc
}
for file in text binary random zeros empty one; do
	for options in "" -1 -kn "-i -p 4" "-p 1" "-z -i" "-9 -b 512" "-1 -R" -m -T -Y -K; do
		case $options in
		"" | -1 | -kn) program=wd-gzip ;;
		*) program=pigz ;;
		esac
		[ -s "$file" ] || program=any # nothing to count
		by $program zwd pigz $options -c "$file" >"$tmp/out" || die "pigz $options $file: $?"
		pigz -dc <"$tmp/out" | cmp - "$file" || die "pigz $options $file: plain pigz disagrees"
		case $options in
		-z* | -K) ;;
		*) gzip -dc <"$tmp/out" | cmp - "$file" || die "pigz $options $file: gzip disagrees" ;;
		esac
	done
	for options in "" -z -K; do
		pigz $options -c "$file" | zwd pigz -dc >"$tmp/out" || die "pigz -dc of $file: $?"
		cmp "$tmp/out" "$file" || die "pigz -dc of $file $options gives something else"
	done
done
if [ -n "$LIBZWD" ] && [ "$ZWD_TEST_MODE" != soft ]; then
	: >"$stats"
	zwd pigz -c text | zwd unpigz | cmp - text || die "a pipe of both"
	[ "$(grep -c '"program":"wd-gzip"' "$stats")" = 2 ] || die "a pipe was not wd-gzip's"
	[ "$ZWD_TEST_MODE" = auto ] || assert_device_use deflate inflate
fi

# Calls in two folders of the same files: nothing may tell them apart but the compressed bytes.
make_base() {
	mkdir "$tmp/base" && cd "$tmp/base" || exit 99
	cp ../mix/text ../mix/log .
	printf x >tiny
	: >nothing
	touch -d '2001-02-03 04:05:06' -- *
	gzip -k log
	cp log.gz plain.gz
	cat log.gz log.gz >two.gz
	head -c 5000 log.gz >short.gz
	{ head -c 4000 log.gz; printf 'XXXXXXXXXXXX'; tail -c +4013 log.gz; } >spoiled.gz
	{ head -c "$(($(wc -c <log.gz) - 8))" log.gz; printf 'XXXXXXXX'; } >crc.gz
	{ cat log.gz; echo rubbish; } >rubbish.gz
	pigz -kz tiny
	cp text text.bak
	echo "no gzip" >false.gz
	ln -s text link
	ln text hard
	mkdir folder
	touch -d '2001-02-03 04:05:06' -- *
	chmod 640 text
}
prepare() {
	rm -rf "$tmp/$1" && cp -a "$tmp/base" "$tmp/$1" && cd "$tmp/$1" || exit 99
}
make_base
# What a call left: names, modes, times, contents; a compressed file by its header and what is in it.
state() {
	LC_ALL=C ls -1
	for file in *; do
		[ -f "$file" ] || continue
		stat -c '%n %a %Y %h' "$file"
		case $file in
		*.gz)
			head -c 10 "$file" | od -An -tx1
			gzip -lN "$file" 2>/dev/null | awk '{ print $NF }' # the name in it
			gzip -dc "$file" 2>/dev/null | cksum
			;;
		*) cksum "$file" ;;
		esac
	done
}
# same 'CALL': in sh, by pigz and unpigz as $P and $U.
same() {
	prepare theirs
	P=pigz U=unpigz sh -c "$1" >../out.theirs 2>../err.theirs
	echo "exit status $?" >>../err.theirs
	state >../state.theirs
	prepare ours
	(
		preload="env ${LIBZWD:+LD_PRELOAD=$LIBZWD} ZWD_STATS=json:$stats ZWD_GZIP=$WD_GZIP"
		P="$preload pigz" U="$preload unpigz" sh -c "$1" >../out.ours 2>../err.ours
		echo "exit status $?" >>../err.ours
	)
	state >../state.ours
	cd .. || exit 99
	diff err.theirs err.ours || die "messages or exit status of: $1"
	diff state.theirs state.ours || die "files after: $1"
	if gzip -t out.theirs 2>/dev/null; then
		gzip -dc out.theirs >out.plain
		gzip -dc out.ours | cmp - out.plain || die "output of: $1"
		# All of the header but the time, which of a pipe is now.
		for part in "head -c 4" "tail -c +9 | head -c 2"; do
			[ "$(eval "<out.theirs $part | od -An -tx1")" = "$(eval "<out.ours $part | od -An -tx1")" ] ||
				die "header of: $1"
		done
	elif ! grep -q corrupted err.theirs; then
		cmp out.theirs out.ours || die "output of: $1"
	fi
}
while IFS= read -r call; do
	same "$call"
done <<'END'
$P tiny nothing log text.bak
$P -k tiny text.bak; $P -kf text.bak
$P -c text.bak tiny
$P -nk text.bak
$P <text.bak
cat text.bak | $P -n
$P -1k text.bak
$P text
$P link
$P folder text.bak
$P absent text.bak
$P log; echo $?; ls
$P -f log
$P plain.gz
$P -d plain.gz two.gz
$U plain.gz
$U -k two.gz
$P -dc plain.gz two.gz
$U <two.gz
cat two.gz | $U
$P -t plain.gz two.gz
$P -d short.gz
$P -d plain.gz short.gz two.gz
$P -dc short.gz >/dev/null
$P -dc plain.gz short.gz two.gz >/dev/null
$P -t plain.gz spoiled.gz two.gz
$P -d spoiled.gz
$P -dc crc.gz >/dev/null
$P -dc <crc.gz >/dev/null
cat crc.gz | $P -dc >/dev/null
cat short.gz | $P -t
$P -dc rubbish.gz
$P -d rubbish.gz
$P -d false.gz
$P -dc false.gz
$P -dcf false.gz
cat false.gz | $P -dc
$P -d tiny.zz
$P -d log.gz
$P -df log.gz
$P -d absent
$P -q -d absent short.gz
$P -dc plain.gz >/dev/full
$P -c text.bak >/dev/full
$P --keep --fast text.bak
$P -k11 tiny
$P -16 tiny
$P --nonsense text.bak
$P -v text.bak
$P -k -- text.bak
PIGZ=-k $P text.bak
$P -l plain.gz
END

# Whatever is in the way, pigz runs: wd-gzip missing or refused, or one that starts pigz in its turn.
cd "$tmp/mix" || exit 99
printf '#!/bin/sh\nexec pigz "$@"\n' >"$tmp/loop"
chmod +x "$tmp/loop"
WD_GZIP_KEPT=$WD_GZIP
for WD_GZIP in 0 /nowhere/wd-gzip "$tmp/loop"; do
	by pigz zwd pigz -c text >"$tmp/out" || die "ZWD_GZIP=$WD_GZIP: $?"
	gzip -dc <"$tmp/out" | cmp - text || die "ZWD_GZIP=$WD_GZIP"
done
WD_GZIP=$WD_GZIP_KEPT
by pigz zwd env ZWD_ENGINE=soft pigz -c text >"$tmp/out" || die "ZWD_ENGINE=soft: $?"
by pigz zwd env SOURCE_DATE_EPOCH=1 pigz -c text >"$tmp/out" || die "SOURCE_DATE_EPOCH: $?"
pigz -c text | cmp - "$tmp/out" || die "SOURCE_DATE_EPOCH: other bytes than those of pigz alone"
