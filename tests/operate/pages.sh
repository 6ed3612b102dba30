#!/bin/sh
# SPDX-License-Identifier: Zlib
# ZWD_STATS=dir:PATH: counters are there however a process ends, each child has its own, and a folder that is not
# there, not writable, or without room is no matter to the program. zwd stat --dir sums what is there by program.
. "$top_srcdir/tests/operate/lib.sh"
command -v jq >/dev/null || exit 77
mkdir pages && chmod 1777 pages || exit 99
export ZWD_STATS="dir:$tmp/pages" ZWD_LOG=warn

# sum EXPRESSION: of what is there now, which is forgotten then
sum() {
	run 0 stat --dir pages --json
	jq -e "$1" out >/dev/null || fail "not so: $1"
	[ ! -s err ] || fail "messages"
	rm -f pages/*
}
# does STATUS ACTION...
does() {
	expected=$1
	shift
	"$work" "$@" >said 2>&1
	status=$?
	[ $status = "$expected" ] || { cat said; fail "$*: exit status $status, not $expected"; }
}
big='.deflate.hw_in == 1048576 and .deflate.soft_in == 0'

# Every end.
for end in '0 big' '0 big leave' '137 big kill' '0 big child kill'; do
	does $end 2>/dev/null
	[ "$(ls pages | wc -l)" = 1 ] || fail "$end: $(ls pages | wc -l) files"
	sum "length == 1 and (.[0] | .program == \"work\" and .processes == 1 and $big)"
done
for signal in TERM KILL; do
	start "$work" big ready
	kill -$signal "$pid"
	go_on
	sum "length == 1 and (.[0] | $big)"
done
# A file that nobody had a use for goes; a program that only goes into the background had one.
does 0 # nothing
[ -z "$(ls pages)" ] || fail "a file without work stays"
does 0 daemon small
until run 0 stat --dir pages --json && jq -e '.[0].deflate.soft_in == 100' out >/dev/null; do sleep 0.1; done
rm -f pages/*

# Processes by program, and what a running one has counted so far, which is read out of it as well.
cp "$work" another || exit 99
start "$work" big ready
./another small && ./another small level9 || fail "another"
run 0 stat --dir pages
told out '^ *NUMBER PROGRAM ' 1
told out '^ *1 work .* deflate .* 100% ' 1
told out '^ *2 another .* deflate .* 0% .* small 2, level 1$' 1
run 0 stat --dir pages --json another
jq -e 'length == 1 and (.[0] | .program == "another" and .processes == 2 and .deflate.soft_in == 1048776)' out >/dev/null ||
	fail "the sum of two"
run 0 stat --dir pages --prom work
told out '^libzwd_input_bytes_total{program="work",direction="deflate",engine="device"} 1048576$' 1
told out '^libzwd_processes{program="work"} 1$' 1
run 1 stat --dir pages nobody
told err '^zwd: nobody: no such program left counters$' 1
run 0 stat --json "$pid"
jq -e "length == 1 and (.[0] | .pid == $pid and $big)" out >/dev/null || fail "a running one with a page"
go_on
rm -f another pages/*

# Children each have a page, the parent's is its own; there are more of them than pages.
does 0 big child level9 kill 2>/dev/null
does 0 big children 2>/dev/null
run 0 stat --dir pages --json
jq -e '.[0] | .deflate.hw_in == 2 * 1048576 and .deflate.soft_in == 1048576 + 25 * 100' out >/dev/null || fail "children"
rm -f pages/*
start "$work" big child small ready
run 0 stat --json "$pid"
jq -e '.[0].deflate | .hw_in == 0 and .soft_in == 100' out >/dev/null || fail "a child's page is its parent's"
go_on
rm -f pages/*
# What a process becomes has a file of its own.
does 0 big exec small
[ "$(ls pages | wc -l)" = 2 ] || fail "exec: $(ls pages)"
sum '.[0] | .processes == 2 and .deflate.hw_in == 1048576 and .deflate.soft_in == 100'

# Another user in another root folder goes on to count.
mkdir jail
if is_root && ! is_sanitized; then
	does 0 confine "$tmp/jail" small child small
	sum '.[0] | .processes == 2 and .deflate.soft_in == 200'
fi

# Folders that cannot be had: the program does its work, and the log says why.
none() { # none WHY: and nothing is left there
	does 0 big child small
	told said "no page for statistics in .*: $1" 1
}
export ZWD_STATS="dir:$tmp/absent"
none 'No such file'
: >file
export ZWD_STATS="dir:$tmp/file"
none 'Not a directory'
if is_root && as_nobody test -x "$work"; then
	mkdir closed
	export ZWD_STATS="dir:$tmp/closed"
	as_nobody "$work" big >said 2>&1 || fail "as another user: $?"
	told said 'no page for statistics in .*: Permission denied' 1
fi
export ZWD_STATS="dir:$tmp/pages"
(
	trap - XFSZ
	ulimit -f 1
	"$work" big
) >/dev/null 2>&1 || fail "a limit of file size: $?"
[ -z "$(ls pages)" ] || fail "a limit of file size: a file is left"
# A file system without room for a page: nobody dies of it.
if is_root && unshare --mount true 2>/dev/null; then
	unshare --mount sh -c 'mount -t tmpfs -o size=64k tmpfs "$1" && mkdir -m 1777 "$1/full" &&
		head -c 49152 /dev/zero >"$1/full/some" && ZWD_STATS=dir:$1/full "$2" big child small >said 2>&1 &&
		[ "$(ls "$1/full")" = some ]' sh "$tmp/jail" "$work" || fail "a full file system: $?"
	told said 'no page for statistics in .*: No space left' 1
fi
export ZWD_STATS=dir:relative
does 0 small
told said 'ZWD_STATS: impossible value' 1
unset ZWD_STATS ZWD_LOG

# What is no page is told, and the others are summed up all the same.
ZWD_STATS="dir:$tmp/pages" "$work" small
page=$(ls pages)
head -c 100 "pages/$page" >pages/short.zwd
head -c 32768 /dev/zero | tr '\0' 'x' >pages/other.zwd
sed 's/zwd-live\x01/zwd-live\x09/' "pages/$page" >pages/later.zwd
ln -s "$page" pages/link.zwd
mkfifo pages/fifo.zwd
: >pages/not-ours
run 1 stat --dir pages --json
jq -e '.[0].deflate.soft_in == 100' out >/dev/null || fail "among what is no page"
told err '^zwd: pages/short.zwd: ' 1
told err '^zwd: pages/other.zwd: is none of libz-wd' 1
told err '^zwd: pages/later.zwd: has counters of another version' 1
told err '^zwd: pages/link.zwd: ' 1
told err '^zwd: pages/fifo.zwd: is none of libz-wd' 1
told err not-ours 0
run 1 stat --dir absent
told err '^zwd: absent: No such file' 1
exit $failed
