#!/bin/sh
# SPDX-License-Identifier: Zlib
# nginx under preload: gzip and gunzip filters, all kinds of requests by curl, then 10,000 by ab.
limit_s=300
. "$top_srcdir/tests/clients/lib.sh"
PATH=$PATH:/usr/sbin:/sbin
need nginx curl ab gzip jq
chmod 711 "$tmp"	# its workers are another user's
chmod 666 "$stats"
mkdir "$tmp/www" "$tmp/tmp" && cd "$tmp/www" || exit 99
mix 20000
for size in 1 2 19 20 100 1023 4095 4096 8191 8192 32767 32768 32769 65535 65536 65537 131072 300000 1048577; do
	data source $size $size >size$size
done
mkdir gz
for file in *[!z]; do
	gzip -c "$file" >"gz/$file.gz"
done

# nginx hides the environment from its workers unless told not to.
conf() {
	cat <<END
daemon off;
worker_processes 2;
pid $tmp/pid;
error_log $tmp/error.log info;
$(recipe nginx-main)
events { worker_connections 256; }
http {
	access_log off;
	client_body_temp_path $tmp/tmp/body;
	proxy_temp_path $tmp/tmp/proxy;
	fastcgi_temp_path $tmp/tmp/fastcgi;
	uwsgi_temp_path $tmp/tmp/uwsgi;
	scgi_temp_path $tmp/tmp/scgi;
	$(recipe nginx-http)
	gzip_min_length 1;
	gzip_http_version 1.0;
	keepalive_requests 100000;
	server {
		listen 127.0.0.1:$port;
		root $tmp/www;
		location /level9/ { gzip_comp_level 9; alias $tmp/www/; }
		location /gz/ { gzip_static always; gunzip on; }
		# Comes unpacked and in chunks from ourselves, so its length is not known before the end.
		location /chunked/ {
			proxy_pass http://127.0.0.1:$port/gz/;
			proxy_http_version 1.1;
			proxy_set_header Accept-Encoding "";
		}
	}
}
END
}

server= keep=
at_exit() {
	[ -z "$server" ] || kill -TERM "$server" 2>/dev/null
	[ -z "$server" ] || wait "$server"
	server=
}
answers() { curl -s -o /dev/null --max-time 5 "http://127.0.0.1:$port/one"; }
# A port that is taken makes nginx end: then the next one is tried.
start() {
	for try in 1 2 3 4 5 6 7 8; do
		port=$((20000 + ($$ * 13 + try * 1009) % 12000))
		conf >"$tmp/nginx.conf"
		: >"$tmp/error.log"
		zwd_exec $keep nginx -e "$tmp/error.log" -p "$tmp" -c "$tmp/nginx.conf" 2>"$tmp/stderr" &
		server=$!
		polls=0
		while kill -0 "$server" 2>/dev/null && [ $polls -lt 100 ]; do
			[ -s "$tmp/pid" ] && answers && return
			polls=$((polls + 1))
			sleep 0.1
		done
		grep -q 'Address already in use' "$tmp/error.log" || break
		wait "$server"
	done
	cat "$tmp/error.log" "$tmp/stderr" >&2
	die "nginx does not start"
}
start
url=http://127.0.0.1:$port
get() { curl -sS --fail --max-time 20 "$@"; }

for file in *[!z]; do
	for place in "" level9/ gz/ chunked/; do
		get --compressed "$url/$place$file" >"$tmp/got" || die "curl --compressed $place$file: $?"
		cmp "$tmp/got" "$file" || die "$place$file unpacked by curl is different"
		get "$url/$place$file" >"$tmp/got" || die "curl $place$file: $?"
		cmp "$tmp/got" "$file" || die "$place$file without gzip is different"
	done
	[ -s "$file" ] || continue
	for place in "" chunked/; do
		get -D "$tmp/headers" -H 'Accept-Encoding: gzip' "$url/$place$file" >"$tmp/got" || die "$place$file: $?"
		grep -qi '^content-encoding: gzip' "$tmp/headers" || die "$place$file is not compressed"
		gzip -dc "$tmp/got" | cmp - "$file" || die "$place$file unpacked by gzip is different"
	done
done
get -I -H 'Accept-Encoding: gzip' "$url/text" | grep -qi '^content-encoding: gzip' || die "HEAD: $?"
get -r 70000-70999 "$url/text" >"$tmp/got" || die "range: $?"
tail -c +70001 text | head -c 1000 | cmp - "$tmp/got" || die "the range is different"
get -0 -H 'Accept-Encoding: gzip' "$url/log" | gzip -dc | cmp - log || die "HTTP/1.0 is different"

# Clients that go away in the middle leave nothing behind: the server goes on, and ends cleanly below.
for nr in 1 2 3 4 5 6 7 8 9 10; do
	for file in text log random size1048577; do
		get -N -H 'Accept-Encoding: gzip' "$url/chunked/$file" 2>/dev/null | head -c $((nr * 3000)) >/dev/null
	done
	get --limit-rate 50k --max-time 0.1 -H 'Accept-Encoding: gzip' "$url/random" >/dev/null 2>&1
done
answers || die "does not answer any more"

# Below 16 KiB of known length nginx asks for a smaller window, which no device has.
: >"$tmp/ab"
load() { ab -q -l "$@" >>"$tmp/ab" 2>&1 || { cat "$tmp/ab"; die "ab $*: $?"; }; }
load -k -n 2000 -c 16 -H 'Accept-Encoding: gzip' "$url/size8192"
load -k -n 5000 -c 16 -H 'Accept-Encoding: gzip' "$url/size32768"
load -k -n 2000 -c 8 -H 'Accept-Encoding: gzip' "$url/size65537"
load -n 1000 -c 8 "$url/gz/size32769"
[ "$(awk '/^Complete requests:/ { nr += $3 } END { print nr }' "$tmp/ab")" = 10000 ] || { cat "$tmp/ab"; die "ab lost some"; }
grep -E '^(Non-2xx|Failed requests: +[1-9])' "$tmp/ab" && die "requests failed"
sed -n 's/^Requests per second: */nginx: requests per second: /p' "$tmp/ab"

# What the workers did is read out of them.
counted() { # counted OPTION...: plain bytes that were compressed, by whomever
	"$top_builddir/zwd" stat --json "$@" >"$tmp/counted" 2>"$tmp/counted.err" ||
		{ cat "$tmp/counted.err" >&2; die "zwd stat $*: $?"; }
	jq 'map(.deflate.hw_in + .deflate.soft_in) | add' "$tmp/counted"
}
workers() { cat "/proc/$server/task/$server/children"; }
if [ -n "$LIBZWD" ] && "$top_builddir/zwd" stat "$server" >"$tmp/counted" 2>&1; then
	before=$(counted $(workers))
	[ "$before" -ge $((5000 * 32768 + 2000 * 65537)) ] || die "zwd stat: nginx compressed only $before bytes"
	load -k -n 100 -c 2 -H 'Accept-Encoding: gzip' "$url/size65537"
	after=$(counted $(workers))
	[ $((after - before)) = $((100 * 65537)) ] || die "zwd stat: of 100 requests $((after - before)) bytes were seen"
	jq -e 'all(.[]; .program == "nginx" and .cpu_s > 0)' "$tmp/counted" >/dev/null || die "the program or its CPU time"
fi

kill -QUIT "$server"
wait "$server" || die "nginx ended with $?"
server=
[ ! -s "$tmp/stderr" ] || { cat "$tmp/stderr" >&2; die "something was printed"; }
grep -E '\[(alert|crit|error|emerg)\]' "$tmp/error.log" && die "nginx complained"
assert_device_use deflate inflate

# Counters in files of a folder, where workers that were killed had them, too.
[ -n "$LIBZWD" ] || exit 0
mkdir -m 1777 "$tmp/pages" && : >"$tmp/stderr" || exit 99
keep="ZWD_STATS=dir:$tmp/pages"
start
load -k -n 100 -c 4 -H 'Accept-Encoding: gzip' "$url/size65537"
kill -KILL $(workers)
kill -TERM "$server"
wait "$server"
server=
kept=$(counted --dir "$tmp/pages" nginx)
[ "$kept" = $((100 * 65537)) ] || die "of 100 requests that killed workers served $kept bytes are kept"
