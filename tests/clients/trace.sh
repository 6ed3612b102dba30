#!/bin/sh
# SPDX-License-Identifier: Zlib
# The calls of a git clone, of a Java program and of nginx, recorded: stock zlib and this library give equal results.
limit_s=240
. "$top_srcdir/tests/clients/lib.sh"
[ -n "$LIBZWD" ] || skip "nothing to record with"
zwd_program=$top_builddir/zwd
chmod 711 "$tmp"
mkdir -m 1777 "$tmp/traces" "$tmp/tmp" || exit 99
clients=0

# replay CLIENT: all of its files. The most of its calls are made again, and some stream was.
replay() {
	clients=$((clients + 1)) calls=0 made=0
	for file in "$tmp/traces/$1-"*; do
		[ -s "$file" ] || die "$1 left no trace"
		for lib in "$SOFT_ZLIB" "$LIBZWD"; do
			"$zwd_program" replay --json --lib "$lib" "$file" >"$tmp/json" ||
				{ "$zwd_program" replay --lib "$lib" "$file"; die "$1: $file on $lib: $?"; }
		done
		calls=$((calls + $(sed 's/.*"calls": \([0-9]*\).*/\1/' "$tmp/json")))
		made=$((made + $(sed 's/.*"replayed": \([0-9]*\).*/\1/' "$tmp/json")))
	done
	echo "trace: $1: $calls calls recorded, $made made again"
	[ $made -gt 20 ] && [ $((made * 10)) -ge $((calls * 9)) ] || die "$1: too few of its calls are made again"
}

if command -v git >/dev/null; then
	export HOME="$tmp" GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@localhost \
		GIT_COMMITTER_NAME=c GIT_COMMITTER_EMAIL=c@localhost
	git init -q "$tmp/repository" && cd "$tmp/repository" || exit 99
	for nr in 1 2 3 4 5 6 7 8 9; do
		data source $((nr * 9000)) $nr >file$nr.c
		data log 200000 $nr >log
		git add -A && git commit -q -m "$nr" || exit 99
	done
	cd "$tmp" || exit 99
	ZWD_TRACE="$tmp/traces/git-%p,data" zwd git clone -q "file://$tmp/repository" clone || die "git clone: $?"
	[ "$(git -C clone rev-parse HEAD)" = "$(git -C repository rev-parse HEAD)" ] || die "another clone"
	replay git
fi

for home in /usr/lib/jvm/default-java /usr/lib/jvm/java-*-openjdk-*; do
	[ -x "$home/bin/javac" ] || continue
	uses_libz "$home/lib/libzip.so"
	mkdir mix && (cd mix && mix 2000) || exit 99
	"$home/bin/javac" -d "$tmp/classes" "$top_srcdir/tests/clients/Zips.java" || exit 99
	ZWD_TRACE="$tmp/traces/java-%p,data" zwd "$home/bin/java" -XX:TieredStopAtLevel=1 -cp classes Zips write mix out \
		>"$tmp/answers" || die "java: $?"
	replay java
	break
done

PATH=$PATH:/usr/sbin:/sbin
server=
at_exit() {
	[ -z "$server" ] || kill -QUIT "$server" 2>/dev/null
	[ -z "$server" ] || wait "$server"
	server=
}
conf() {
	cat <<END
daemon off;
worker_processes 2;
pid $tmp/pid;
error_log $tmp/error.log info;
env WD_DEVICE; env ZWD_ENGINE; env ZWD_STATS; env ZWD_GZIP; env ZWD_TRACE;
events { worker_connections 64; }
http {
	access_log off;
	client_body_temp_path $tmp/tmp/body;
	proxy_temp_path $tmp/tmp/proxy;
	fastcgi_temp_path $tmp/tmp/fastcgi;
	uwsgi_temp_path $tmp/tmp/uwsgi;
	scgi_temp_path $tmp/tmp/scgi;
	gzip on;
	gzip_types *;
	gzip_min_length 1;
	server {
		listen 127.0.0.1:$port;
		root $tmp/www;
		location /gz/ { gzip_static always; gunzip on; }
	}
}
END
}
answers() { [ -s "$tmp/pid" ] && curl -s --fail -o /dev/null --max-time 5 "http://127.0.0.1:$port/file1000"; }
if command -v nginx >/dev/null && command -v curl >/dev/null; then
	mkdir -p "$tmp/www/gz" && cd "$tmp/www" || exit 99
	for size in 1 100 1000 20000 70000 400000; do
		data source $size $size >file$size
		gzip -c file$size >gz/file$size.gz
	done
	for try in 1 2 3 4 5; do
		port=$(free_port $try)
		conf >"$tmp/nginx.conf"
		export ZWD_TRACE="$tmp/traces/nginx-%p,data"
		zwd_exec nginx -e "$tmp/error.log" -p "$tmp" -c "$tmp/nginx.conf" 2>"$tmp/stderr" &
		server=$!
		unset ZWD_TRACE
		! until_true 20 answers || break
		grep -q 'Address already in use' "$tmp/error.log" || { cat "$tmp/error.log"; die "nginx does not start"; }
		rm -f "$tmp/traces/nginx-"*
	done
	for file in file*; do
		for place in "" gz/; do
			curl -sS --fail --max-time 20 --compressed "http://127.0.0.1:$port/$place$file" | cmp - "$file" ||
				die "$place$file is different"
			curl -sS --fail --max-time 20 "http://127.0.0.1:$port/$place$file" | cmp - "$file" ||
				die "$place$file without gzip is different"
		done
	done
	kill -QUIT "$server"
	wait "$server" || die "nginx ended with $?"
	server=
	replay nginx
fi
[ $clients -gt 0 ] || skip "neither git, Java nor nginx"
