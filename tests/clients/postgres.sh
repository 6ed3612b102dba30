#!/bin/sh
# SPDX-License-Identifier: Zlib
# PostgreSQL: a backup that the server compresses, one that the client does, and dumps; each is restored.
limit_s=400	# of which a download may take most
. "$top_srcdir/tests/clients/lib.sh"
need gzip tar
major=$(apt-cache depends postgresql 2>/dev/null | sed -n 's/.*Depends: postgresql-\([0-9]*\)$/\1/p')
debian "postgresql-${major:-15}" "postgresql-client-${major:-15}"
PATH=$root/usr/lib/postgresql/${major:-15}/bin:$PATH
uses_libz "$(command -v postgres)" "$(command -v pg_dump)" "$(command -v pg_basebackup)"
as_nobody
# What they make is in a folder that is theirs.
work=$tmp/work
mkdir -m 777 "$work" && cd "$work" || exit 99
export HOME="$work" PGHOST="$work" PGUSER=tester PGDATABASE=postgres PGPORT=5432 TZ=UTC
unset PGDATA

server=
at_exit() {
	[ -z "$server" ] || kill -INT "$server" 2>/dev/null
	[ -z "$server" ] || wait "$server" 2>/dev/null
	server=
}
# start STARTER FOLDER: the server on what is in the folder, on a local socket alone.
start() {
	($1 postgres -D "$work/$2" -c listen_addresses= -c unix_socket_directories="$work" -c fsync=off \
		-c shared_buffers=16MB -c max_wal_senders=4 -c jit=off -c autovacuum=off) >"$work/server.log" 2>&1 &
	server=$!
	until_true 60 $as pg_isready -q || { cat "$work/server.log"; die "the server does not start on $2"; }
}
# Its backends, which are waited for, end by exit(), and leave statistics.
stop() {
	kill -TERM "$server"
	wait "$server" || { cat "$work/server.log"; die "the server ended with $?"; }
	server=
	! grep -E 'PANIC|was terminated by signal' "$work/server.log" || die "the server complained"
}
plain() { (exec $as "$@"); }
plain_exec() { exec $as "$@"; }
content() { plain psql -XAtq -c "SELECT count(*), md5(string_agg(md5(t::text), '' ORDER BY nr)) FROM t" "$@"; }

$as initdb -D "$work/data" -U tester -A trust -E UTF8 --locale=C -N >log 2>&1 || { cat log; die "initdb: $?"; }
start zwd_exec data
data json 1000000 >json
chmod 644 json
plain psql -XAtq -v ON_ERROR_STOP=1 >out <<'END' || die "psql: $?"
CREATE TABLE t (nr int, words text, noise bytea);
INSERT INTO t SELECT nr, repeat(md5((nr % 97)::text) || ' and so on ', 1 + nr % 9), decode(md5(nr::text), 'hex')
	FROM generate_series(1, 8000) nr;
CHECKPOINT;
END
expected=$(content)
case $expected in
8000\|*) ;;
*) die "the table holds $expected" ;;
esac

# backup NAME OPTION...: with a plain client, or under preload; what comes is restored by tar and gzip.
backup() {
	name=$1 by=$2
	shift 2
	$by pg_basebackup -D "$work/$name.tar" -Ft -X fetch --checkpoint=fast --no-sync "$@" >log 2>&1 || { cat log; die "$name: $?"; }
	$as gzip -t "$name.tar/base.tar.gz" || die "$name: gzip does not accept it"
	$as sh -c "mkdir -m 700 $name && gzip -dc $name.tar/base.tar.gz | tar xf - -C $name" || die "$name is not to be unpacked"
}
backup server-gzip plain --compress=server-gzip
backup server-gzip-1 plain --compress=server-gzip:1
backup client-gzip zwd --compress=client-gzip
# As the manual has it: the server alone is under preload, and the client where it says so.
recipe postgres | sed "s,/var/backups,$work/recipe," >"$work/recipe.sh"
$as mkdir "$work/recipe" || exit 99
while read -r command; do
	case $command in
	"zwd run "*) zwd ${command#zwd run } ;;
	*) plain $command ;;
	esac >log 2>&1 || { cat log; die "$command: $?"; }
done <"$work/recipe.sh"
$as gzip -t "$work/recipe/base/base.tar.gz" || die "the recipe's backup is none"
plain createdb recipe && plain pg_restore -d recipe "$work/recipe/postgres.dump" && [ "$(content recipe)" = "$expected" ] ||
	die "the recipe's dump holds something else"
# The client unpacks what the server packed.
zwd pg_basebackup -D "$work/unpacked" -Fp -X fetch --checkpoint=fast --no-sync --compress=server-gzip >log 2>&1 ||
	{ cat log; die "--compress=server-gzip -Fp: $?"; }

plain pg_dump -t t >dump.plain || die "plain pg_dump: $?"
zwd pg_dump -t t -Z 6 -f "$work/dump.gz" || die "pg_dump -Z: $?"
# Newer ones begin with a random word for psql.
$as gzip -dc dump.gz | grep -v 'restrict ' >dump
grep -v 'restrict ' dump.plain | cmp - dump || die "pg_dump -Z gives another dump"
zwd pg_dump -t t -Fc -f "$work/dump.ours" || die "pg_dump -Fc: $?"
plain pg_dump -t t -Fc -f "$work/dump.theirs" || die "plain pg_dump -Fc: $?"
zwd pg_dump -t t -Fd -j 2 -f "$work/folder.ours" || die "pg_dump -Fd: $?"
for database in ours theirs; do
	plain createdb $database || die "createdb: $?"
done
plain pg_restore -d ours "$work/dump.ours" || die "plain pg_restore does not read our archive"
zwd pg_restore -d theirs "$work/dump.theirs" || die "pg_restore: $?"
[ "$(content ours)" = "$expected" ] && [ "$(content theirs)" = "$expected" ] || die "the archives hold something else"
plain createdb folder && plain pg_restore -d folder "$work/folder.ours" && [ "$(content folder)" = "$expected" ] ||
	die "the folder holds something else"
stop
for folder in server-gzip server-gzip-1 client-gzip unpacked; do
	start plain_exec $folder
	[ "$(content)" = "$expected" ] || die "the backup $folder holds something else"
	stop
done
# Its streams are forgotten with their memory, and software's count when they end.
[ -z "$LIBZWD" ] || [ "$ZWD_TEST_MODE" = soft ] || grep -q '"program":"postgres' "$stats" || die "the server left no statistics"
assert_device_use deflate inflate
