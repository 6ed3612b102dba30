#!/bin/sh
# SPDX-License-Identifier: Zlib
# rsync -z with a daemon that goes into a chroot for each connection; both ends, or one of them, under preload.
limit_s=300	# of which a download may take most
. "$top_srcdir/tests/clients/lib.sh"
# make coverage: a process writes its counts to files, and here some may not.
[ -z "${GCOV_ERROR_FILE-}" ] || skip "what is executed is counted"
debian rsync
uses_libz "$(command -v rsync)"
mkdir "$tmp/module" "$tmp/mix" && cd "$tmp/mix" || exit 99
mix 10000
cd "$tmp" || exit 99
chroot=yes
[ "$(id -u)" = 0 ] || { chroot=no; echo "rsync: not root: without the chroot"; }

server=
at_exit() {
	[ -z "$server" ] || kill -TERM "$server" 2>/dev/null
	[ -z "$server" ] || wait "$server" 2>/dev/null
	server=
}
conf() {
	cat <<END
use chroot = $chroot
numeric ids = yes
log file = $tmp/log
pid file = $tmp/pid
[module]
	path = $tmp/module
	read only = no
	refuse options = delete
END
	[ $chroot = no ] || printf '\tuid = 0\n\tgid = 0\n'
}
answers() { rsync "rsync://127.0.0.1:$port/" 2>/dev/null | grep -q '^module'; }
# start STARTER: the daemon under preload (zwd_exec) or plain (exec).
start() {
	at_exit
	for try in 1 2 3 4 5 6 7 8; do
		port=$(free_port $try)
		rm -f "$tmp/pid" "$tmp/log"
		conf >"$tmp/conf"
		($1 rsync --daemon --no-detach --address=127.0.0.1 --port="$port" --config="$tmp/conf") &
		server=$!
		until_true 10 answers && return
		at_exit
		grep -q 'Address already in use' "$tmp/log" || break
	done
	cat "$tmp/log" >&2
	die "the daemon does not start"
}

# round WAY CLIENT: there and back, then a change to one file, which goes as a difference.
round() {
	url=rsync://127.0.0.1:$port/module
	for choice in zlib zlibx; do
		rm -rf back module/* && mkdir back && cp -R mix changed
		for from in mix changed; do
			$2 rsync -a -z --compress-choice=$choice "$from/" "$url/" || die "$1, $choice, push: $?"
			diff -r "$from" module || die "$1, $choice: the daemon got something else"
			$2 rsync -a -z --compress-choice=$choice "$url/" back/ || die "$1, $choice, pull: $?"
			diff -r "$from" back || die "$1, $choice: the client got something else"
			{ data log 50000 9; cat mix/text; data json 70000 9; } >changed/text
		done
		rm -rf changed
	done
	! grep -i 'error' "$tmp/log" || die "$1: the daemon complained"
}

start zwd_exec
round "both under preload" zwd
round "the daemon under preload" env
start exec
round "the client under preload" zwd
rm -rf module/*
command=$(recipe rsync | sed "s,^zwd run ,,; s,rsync://backup.example/module/,$url/,; s, folder/, mix/,")
zwd $command && diff -r mix module || die "$command"
# Who receives ends by _exit() in a signal handler, and the daemon's children cannot reach the statistics from
# inside their chroot: what is counted is the client's when it sends.
assert_device_use deflate
