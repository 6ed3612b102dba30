#!/bin/sh
# SPDX-License-Identifier: Zlib
# Apache under preload: mod_deflate compresses answers, unpacks what comes from a proxy, and unpacks requests.
limit_s=300	# of which a download may take most
. "$top_srcdir/tests/clients/lib.sh"
need curl gzip
debian apache2-bin
modules=$root/usr/lib/apache2/modules
uses_libz "$modules/mod_deflate.so"
as_nobody
mkdir "$tmp/www" "$tmp/run" && chmod 777 "$tmp/run" && cd "$tmp/www" || exit 99
mix 10000
for size in 1 20 4095 8192 32769 65536 1048577; do
	data source $size $size >size$size
done
mkdir gz
for file in *[!z]; do
	gzip -c "$file" >"gz/$file.gz"
done
# What a request's body was, the input filter told: the answer is it.
cat >echo <<'END'
#!/bin/sh
# Apache reads no answer before the request is written.
body=${0%/*}/../run/body.$$
cat >"$body"
printf 'Content-Type: application/octet-stream\r\n\r\n'
cat "$body"
rm "$body"
END
chmod 755 echo

conf() {
	for module in mpm_event authz_core mime deflate filter headers proxy proxy_http cgid alias setenvif; do
		echo "LoadModule ${module}_module $modules/mod_$module.so"
	done
	cat <<END
ServerRoot $tmp
ServerName localhost
Listen 127.0.0.1:$port
PidFile $tmp/run/pid
ErrorLog $tmp/run/error.log
ScriptSock $tmp/run/cgid
DefaultRuntimeDir $tmp/run
TypesConfig /dev/null
LogLevel warn
StartServers 2
ServerLimit 2
ThreadsPerChild 8
MinSpareThreads 1
MaxSpareThreads 16
MaxRequestWorkers 16
GracefulShutdownTimeout 20
DocumentRoot $tmp/www
$(recipe apache)
# Zeros are no attack here.
DeflateInflateRatioLimit 20000
ScriptAlias /echo $tmp/www/echo
<Location /echo>
	SetInputFilter DEFLATE
</Location>
SetEnvIf Request_URI ^/gz/ no-gzip
<Location /gz>
	Header set Content-Encoding gzip
</Location>
<Location /unpacked>
	ProxyPass http://127.0.0.1:$port/gz
	RequestHeader set Accept-Encoding gzip
	SetOutputFilter INFLATE
</Location>
END
}
server=
at_exit() {
	[ -z "$server" ] || kill -TERM "$server" 2>/dev/null
	[ -z "$server" ] || wait "$server" 2>/dev/null
	server=
}
answers() { curl -s -f -o /dev/null --max-time 5 "http://127.0.0.1:$port/one"; }
# A port that is taken makes Apache end: then the next one is tried.
start() {
	for try in 1 2 3 4 5 6 7 8; do
		port=$(free_port $try)
		conf >"$tmp/apache.conf"
		rm -f "$tmp/run/error.log"
		zwd_exec apache2 -f "$tmp/apache.conf" -D FOREGROUND >"$tmp/stderr" 2>&1 &
		server=$!
		until_true 20 answers && return
		at_exit
		grep -q 'Address already in use' "$tmp/stderr" || break
	done
	cat "$tmp/stderr" "$tmp/run/error.log" >&2
	die "Apache does not start"
}
start
url=http://127.0.0.1:$port
get() { curl -sS --fail --max-time 20 "$@"; }

for file in *[!z]; do
	[ "$file" != echo ] || continue
	get --compressed "$url/$file" | cmp - "$file" || die "$file unpacked by curl is different"
	get "$url/$file" | cmp - "$file" || die "$file without gzip is different"
	get "$url/unpacked/$file.gz" | cmp - "$file" || die "$file unpacked by Apache is different"
	get -H 'Content-Encoding: gzip' --data-binary "@gz/$file.gz" "$url/echo" | cmp - "$file" ||
		die "the request's body $file, unpacked by Apache, is different"
	[ "$(wc -c <"$file")" -ge 100 ] || continue
	get -D "$tmp/headers" -H 'Accept-Encoding: gzip' "$url/$file" >"$tmp/got" || die "$file: $?"
	grep -qi '^content-encoding: gzip' "$tmp/headers" || die "$file is not compressed"
	gzip -dc "$tmp/got" | cmp - "$file" || die "$file unpacked by gzip is different"
done
# Many at once, and clients that go away in the middle.
for nr in 1 2 3 4 5 6 7 8; do
	get -N -H 'Accept-Encoding: gzip' "$url/size1048577" 2>/dev/null | head -c $((nr * 3000)) >/dev/null
	get --compressed "$url/text" >"$tmp/got$nr" &
	pids="$pids $!"
done
wait $pids || die "a client of several at once failed"
for nr in 1 2 3 4 5 6 7 8; do
	cmp "$tmp/got$nr" text || die "text is different when many ask"
done
answers || die "does not answer any more"

kill -WINCH "$server"	# graceful-stop: its children end by exit()
wait "$server" || die "Apache ended with $?"
server=
! grep -E ':(emerg|alert|crit|error)\]|exit signal' "$tmp/run/error.log" || die "Apache complained"
assert_device_use deflate inflate
