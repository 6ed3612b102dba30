#!/bin/sh
# SPDX-License-Identifier: Zlib
# zwd stat reads the counters out of running programs, whatever became of the library's file, tells apart why it
# cannot, and prints them as text, as JSON, and for Prometheus. The program is left as it is.
. "$top_srcdir/tests/operate/lib.sh"
command -v jq >/dev/null || exit 77

# Other tests have programs of its name.
name=stat$$
cp "$work" $name || exit 99
work=$tmp/$name

# is EXPRESSION: true of the one process in out
is() {
	jq -e "length == 1 and (.[0] | $1)" out >/dev/null || fail "not so: $1"
}

start "$work" big small level9 level9 rename ready
run 0 stat "$pid"
told out '^ *PID PROGRAM '
told out "^ *$pid $name .* deflate .* level 2, small 1\$" 1
told out '^ * inflate .* small 1$' 1
[ ! -s err ] || fail "messages"
run 0 stat --json "$pid"
is ".pid == $pid and .program == \"$name\" and (.library | test(\"^[0-9]\"))"
is '.deflate.hw_requests >= 4 and .deflate.hw_in == 1048576 and .deflate.hw_out > 0'
is '.deflate.soft_in == 2 * 1048576 + 100 and .deflate.soft_small == 1 and .deflate.soft_level == 2'
is '.inflate.hw_out + .inflate.soft_out == 3 * 1048576 + 100'
is '.deflate.ns_p50 > 0 and .deflate.ns_p99 >= .deflate.ns_p50 and .deflate.ns_p999 >= .deflate.ns_p99'
is '.deflate.ns_sum > 0 and .deflate.min_len == 2048 and .deflate.min_len_fast == 4096'
# The same names as in ZWD_STATS=json:PATH.
ZWD_STATS=json:names "$work" small || fail "ZWD_STATS=json"
jq -e --slurpfile names names '.[0] as $one | [$names[0] | (.deflate, .inflate) | keys[]] - ($one.deflate | keys) -
	($one.inflate | keys) == []' out >/dev/null || fail "JSON lacks names of ZWD_STATS=json"
# By its program, not by what it calls itself; as by its number.
run 0 stat --json $name
is ".pid == $pid"
run 0 stat --json other
jq -e "any(.[]; .pid == $pid)" out >/dev/null || fail "not by what it calls itself"
run 0 stat --json
jq -e "any(.[]; .pid == $pid)" out >/dev/null || fail "not among all"
run 0 stat --json "$pid" $name "$pid"
is ".pid == $pid"

run 0 stat --prom "$pid"
cp out prom
told out "^libzwd_input_bytes_total{program=\"$name\",pid=\"$pid\",direction=\"deflate\",engine=\"device\"} 1048576\$" 1
told out '^libzwd_software_reasons_total{.*direction="deflate",reason="level"} 2$' 1
told out '^libzwd_request_duration_seconds_bucket{.*direction="inflate",le="+Inf"} ' 1
sed -n 's/^# TYPE \([^ ]*\) .*/\1/p' out | sort >types
sed -n 's/^# HELP \([^ ]*\) .*/\1/p' out | sort | cmp -s - types || fail "HELP and TYPE are not of the same metrics"
[ -z "$(uniq -d types)" ] || fail "a metric twice"

# What happened since the last line: nothing, then as much again.
run 0 stat -i 0.05 -n 2 --json "$pid"
[ "$(wc -l <out)" = 2 ] || fail "not two lines"
jq -e '.processes | length == 1 and .[0].deflate.hw_in == 0 and .[0].deflate.ns_p99 == 0' out >/dev/null || fail "not zero"
run 0 stat -i 0.05 -n 3 "$pid"
[ "$(wc -l <out)" = 5 ] || fail "not three lines below a heading"
go_on
start "$work" big ready big ready
"$zwd" stat -i 0.1 -n 3000 --json "$pid" >watched 2>err &
watch=$!
until [ -s watched ] || ! kill -0 $watch; do sleep 0.1; done
echo >&3
read -r pid <came
seen() { [ "$(jq -s 'map(.processes[0].deflate.hw_in) | add' watched)" = 1048576 ]; }
until seen || ! kill -0 $watch; do sleep 0.1; done
seen || fail "what happened since is not 1 MiB"
go_on
# All that were named have ended.
wait $watch || fail "-i does not end"

# Looking changes nothing: neither threads nor files, nor is anything executed there.
start "$work" big ready
state() { ls /proc/"$pid"/fd /proc/"$pid"/task; cat /proc/"$pid"/maps; grep ctxt /proc/"$pid"/task/"$pid"/status; }
# It sleeps by then: nothing is left of its start.
until state >before && sleep 0.1 && state | cmp -s - before; do :; done
run 0 stat "$pid"
state | cmp - before || fail "the process is not as it was"
go_on

# The file was copied under another name, and is deleted by now.
mkdir lib && cp "$LIBZWD" lib/libz-wd.so.1 || exit 99
start env LD_LIBRARY_PATH="$tmp/lib" "$work" big ready
grep -q "$tmp/lib" "/proc/$pid/maps" || fail "the copy is not used"
rm lib/libz-wd.so.1
run 0 stat --json "$pid"
is '.deflate.hw_in == 1048576'
go_on
if ! is_sanitized; then
	cp "$LIBZWD" lib/another.name || exit 99
	start env LD_PRELOAD="$tmp/lib/another.name" "$work" big ready
	run 0 stat --json "$pid"
	is '.deflate.hw_in == 1048576'
	go_on
fi
rmdir lib 2>/dev/null || rm -r lib

# A child counts for itself.
start "$work" big child small ready
run 0 stat --json "$pid"
is '.deflate.hw_in == 0 and .deflate.soft_in == 100'
go_on
# So does what a process becomes.
start "$work" big exec small ready
run 0 stat --json "$pid"
is '.deflate.hw_in == 0 and .deflate.soft_in == 100'
go_on

# CPU time of the device's threads, which alone bear its name, is none of the program's.
start "$work" big big big big big big big big ready
[ "$(cat /proc/"$pid"/comm)" = $name ] || fail "the program's thread was renamed"
[ "$(cat /proc/"$pid"/task/*/comm | sort | uniq -c | awk '{ print $2 $1 }' | tr '\n' ' ')" = "${name}1 zwd-emu$(($(ls "/proc/$pid/task" | wc -l) - 1)) " ] ||
	fail "threads: $(cat /proc/"$pid"/task/*/comm)"
run 0 stat --json "$pid"
is '.cpu_s >= 0 and .device_cpu_s >= 0 and .cpu_s + .device_cpu_s > 0'
go_on

# Why not.
cp "$(command -v sleep)" sleep$$ || exit 99 # no other is called so
./sleep$$ 60 &
other=$!
started="$started $other"
until [ "$(cat /proc/$other/comm)" = sleep$$ ]; do :; done
run 1 stat $other
told err "^zwd: $other (sleep$$): runs without libz-wd\$" 1
run 1 stat --json $other
[ "$(jq -c . out)" = '[]' ] || fail "JSON of nothing"
run 1 stat sleep$$
told err "^zwd: $other (sleep$$): runs without libz-wd\$" 1
kill $other
wait $other 2>/dev/null
run 1 stat $other
told err "^zwd: $other: there is no such process, or it has ended\$" 1
run 1 stat no-such-program
told err '^zwd: no-such-program: no process is called that$' 1
# Another layout, as a later version may have.
sed 's/zwd-live\x01/zwd-live\x09/' "$LIBZWD" >other.so
if ! cmp -s other.so "$LIBZWD"; then
	mkdir lib && mv other.so lib/libz-wd.so.1
	start env LD_LIBRARY_PATH="$tmp/lib" "$work" small ready
	run 1 stat "$pid"
	told err "^zwd: $pid ($name): has libz-wd [0-9.]*, whose counters have another layout" 1
	go_on
fi

# Other users' are not for an ordinary one; its own are, where the system lets it.
if is_root && as_nobody "$zwd" version >/dev/null 2>&1 && as_nobody test -x "$work"; then
	start "$work" small ready
	as_nobody "$zwd" stat "$pid" >out 2>err && fail "another user's process was read"
	told err "^zwd: $pid ($name): may not be read: " 1
	as_nobody "$zwd" stat --json >out 2>err || fail "an ordinary user's own, of which there are none"
	jq -e "all(.[]; .pid != $pid)" out >/dev/null || fail "another user's process is shown"
	go_on
	if [ "$(cat /proc/sys/kernel/yama/ptrace_scope 2>/dev/null || echo 0)" = 0 ]; then
		start as_nobody "$work" small ready
		as_nobody "$zwd" stat --json "$pid" >out 2>err || fail "an ordinary user's own"
		is '.deflate.soft_in == 100'
		go_on
	fi
fi

# In a root folder of its own, which holds another library by that name.
mkdir jail
if is_root && ! is_sanitized; then
	start "$work" big confine "$tmp/jail" small ready
	run 0 stat --json "$pid"
	is '.deflate.hw_in == 1048576 and .deflate.soft_in == 100'
	go_on
	if unshare --mount true 2>/dev/null; then
		mkdir -p ns/lib && cp "$LIBZWD" ns/lib/libz-wd.so.1
		start unshare --mount sh -c 'mount -t tmpfs tmpfs ns && mkdir ns/lib && cp "$1" ns/lib/libz-wd.so.1 &&
			LD_LIBRARY_PATH=$PWD/ns/lib exec "$2" big ready' sh "$LIBZWD" "$work"
		echo garbage >ns/lib/libz-wd.so.1
		run 0 stat --json "$pid"
		is '.deflate.hw_in == 1048576'
		go_on
	fi
fi

# The command line.
for usage in '-i' '-i x' '-i 0' '-n 3' '-i 1 -n 0' '--json --prom' '--no-such' '-i 1 --prom' '--dir . -i 1'; do
	run 2 stat $usage
	[ -s err ] && [ ! -s out ] || fail "stat $usage: usage goes to standard error"
done
run 0 stat --help
told out '^Usage: zwd stat '
cp out help
run 0 help stat
cmp -s out help || fail "help stat and stat --help differ"
run 0 help
told out '^  stat  ' 1
"$zwd" stat --prom >/dev/full 2>err && fail "written to a full device"
exit $failed
