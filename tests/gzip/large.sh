#!/bin/sh
# SPDX-License-Identifier: Zlib
# What wd-gzip does with files beyond one buffer: exchange with GNU gzip, --rsyncable, a run that is ended by a
# signal, and, on the device, that the device did the work.
[ -n "$limited" ] || limited=1 exec timeout 600 sh "$0"
. "$top_srcdir/tests/gzip/common"
cd "$tmp" || exit 99
failed=0
check() { # check WHAT COMMAND...
	what=$1
	shift
	"$@" || { echo "FAIL $what"; failed=1; }
}

# 6 MB of words and numbers, 2 MB that do not compress, 3 MB of zeros.
echo "seed 1"
awk 'BEGIN { srand(1); for (i = 0; i < 400000; i++) print i, int(rand() * 99999), "word" i % 77 }' >words
awk 'BEGIN { srand(1); for (i = 0; i < 240000; i++) printf "%.0f%.0f\n", rand() * 1e9, rand() * 1e9 }' |
	with_plain gzip -9 >noise
{ cat words noise; head -c 3000000 /dev/zero; cat noise; } >data

with_ours env ZWD_STATS="json:$tmp/stats" gzip -k data
check "compressed file, read by GNU gzip" sh -c "'$tmp/plain/gzip' -dc data.gz | cmp - data"
cat data | with_ours gzip -c | with_plain gzip -dc >out
check "through pipes" cmp -s out data
with_ours gzip -dc data.gz >out
check "its own file" cmp -s out data
with_plain gzip -c data >plain.gz
with_ours env ZWD_STATS="json:$tmp/stats" gzip -dc plain.gz >out
check "GNU gzip's file" cmp -s out data
cat plain.gz data.gz plain.gz | with_ours gzip -d | cksum >out
cat data data data | cksum >expected
check "three members through a pipe" cmp -s out expected
with_ours gzip -t data.gz plain.gz
check "-t" [ $? = 0 ]
cat stats
case $ZWD_TEST_MODE in
emu) check "two processes used the device" [ "$(grep -c '"hw_requests":[1-9]' stats)" = 2 ] ;;
esac

# One changed line early in the file, and most of the output is the same at its end: where each unit is made once.
# What a failing device leaves is made in software, with other bytes; and which of an emulated device's engines
# makes a unit shows in its bytes now and then, so it is one engine here.
rsyncable_device=$WD_DEVICE
[ "$ZWD_TEST_MODE" != emu ] || rsyncable_device=emu:threads=1
sed '1000s/.*/another line, longer than the one before/' words >changed
for file in words changed; do
	WD_DEVICE=$rsyncable_device with_ours gzip --rsyncable -nc $file >$file.gz
	check "--rsyncable $file" sh -c "'$tmp/plain/gzip' -dc $file.gz | cmp - $file"
done
len=$(($(stat -c %s words.gz) * 9 / 10))
tail -c $len words.gz | head -c $((len - 8)) | cksum >one
tail -c $len changed.gz | head -c $((len - 8)) | cksum >two
[ "$ZWD_TEST_MODE" = fault ] || check "--rsyncable: one line changes what follows" cmp -s one two

# A signal removes what is unfinished, and the input stays.
truncate -s 1T endless
with_ours sh -c 'echo $$ >pid; exec gzip -1 endless' &
until [ -e endless.gz ]; do kill -0 $! || break; done
kill -TERM "$(cat pid)"
wait $!
check "exit after SIGTERM" [ $? = 143 ]
check "input after SIGTERM" [ -e endless ]
check "no output after SIGTERM" [ ! -e endless.gz ]
exit $failed
