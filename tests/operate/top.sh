#!/bin/sh
# SPDX-License-Identifier: Zlib
# zwd top shows what happened since the last look, whoever did most first; a pipe gets plain tables.
. "$top_srcdir/tests/operate/lib.sh"
start "$work" small ready big ready
small=$pid
(echo >&3) && read -r pid <came || fail "does not go on"
busy=busy$$ # another run may be at work
cp "$work" "$busy" || exit 99
mkfifo go2 came2 || exit 99
"./$busy" ready big big big ready <go2 >came2 &
started="$started $!"
exec 4>go2
read -r number <came2
"$zwd" top -i 0.2 -n 3000 "$small" "$busy" >watched 2>err &
watch=$!
until grep -q "at work" watched || ! kill -0 $watch; do sleep 0.1; done
grep -q ' deflate ' watched && fail "what happened before is shown"
echo >&4
read -r number <came2
until grep -q "^ *[0-9]* $busy .* deflate " watched || ! kill -0 $watch; do sleep 0.1; done
kill $watch
wait $watch
grep -B 2 "^ *[0-9]* $busy .* deflate " watched >out
told out '1 of 2 at work  device .*B/s  software 0B/s  100% by the device'
told out '^ *PID PROGRAM '
grep -q "$(printf '\033')" watched && fail "a pipe gets control characters"
# By bytes: busy was the later and comes first.
grep -A 3 "^ *[0-9]* $busy .* deflate " watched | grep -q "^ *$small work .* -\$" || fail "not in order"
exec 4>&-
go_on

run 1 top -i 0.1 -n 1 no-such-program
told err 'no process is called that' 1
for usage in '-i x' '-i 0' '-n 0' '-n x' '--no-such'; do
	run 2 top $usage
	[ -s err ] && [ ! -s out ] || fail "top $usage: usage goes to standard error"
done
run 0 top --help
told out '^Usage: zwd top ' 1
# On a terminal: one picture in the place of the other, and q ends it.
if command -v script >/dev/null; then
	printf q | timeout 60 script -qec "$zwd top -i 50 -n 2" typescript >out 2>&1 || fail "q does not end it: $?"
	timeout 60 script -qec "$zwd top -i 0.1 -n 2" typescript </dev/null >out 2>&1
	[ "$(tr '\033' '\n' <out | grep -c '^\[2J')" = 1 ] || fail "no picture on a terminal"
	[ "$(tr '\033' '\n' <out | grep -c '^\[J')" = 2 ] || fail "not one picture over the other"
	# However narrow: no line is longer than the window, so that none goes on in the next one.
	timeout 60 script -qec "stty cols 60 rows 5; $zwd top -i 0.1 -n 3" typescript </dev/null >out 2>&1
	sed 's/\r//; s/\x1b\[H/\n/g; s/\x1b\[[0-9]*[A-Za-z]//g' out | awk 'length > 60' | grep . && fail "wider than the window"
	[ "$(tr '\033' '\n' <out | grep -c '^\[K')" -le 15 ] || fail "higher than the window"
fi
exit $failed
