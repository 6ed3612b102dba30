#!/bin/sh
# SPDX-License-Identifier: Zlib
# What zwd stat --prom prints, Prometheus' own tool accepts without a remark, of processes and of files.
. "$top_srcdir/tests/operate/lib.sh"
root=$(sh "$top_srcdir/tests/fetch-package" prometheus) || exit $?
promtool=$root/usr/bin/promtool
"$promtool" --version >out 2>&1 || { cat out; exit 77; }
mkdir pages
cp "$work" 'a "quoted\ name' || exit 99
ZWD_STATS="dir:$tmp/pages" './a "quoted\ name' big small || fail "it does not work"
start "./a \"quoted\\ name" big small level9 ready
for what in "$pid" "--dir pages"; do
	run 0 stat --prom $what
	cp out prom
	"$promtool" check metrics <prom >out 2>err || fail "promtool $what: $?"
	[ ! -s out ] && [ ! -s err ] || fail "promtool remarks something"
	grep -q '^libzwd_device_requests_total{program="a \\"quoted\\\\ name",' prom || fail "the program's name"
done
# It does find mistakes.
sed 's/^# HELP libzwd_processes.*//; s/_requests_total/_requests/' prom | "$promtool" check metrics >out 2>&1 &&
	fail "promtool finds nothing"
go_on
exit $failed
