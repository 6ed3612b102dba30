#!/bin/sh
# SPDX-License-Identifier: Zlib
# MariaDB: compressed rows, pages and columns, COMPRESS(), and the compressed protocol; a plain server reads it all.
limit_s=400	# of which a download may take most
. "$top_srcdir/tests/clients/lib.sh"
debian mariadb-server-core mariadb-client-core
uses_libz "$(command -v mariadbd)" "$(command -v mariadb)"
as_nobody
work=$tmp/work
mkdir -m 777 "$work" "$work/tmp" && cd "$work" || exit 99
export HOME="$work"

server=
at_exit() {
	[ -z "$server" ] || kill -TERM "$server" 2>/dev/null
	[ -z "$server" ] || wait "$server" 2>/dev/null
	server=
}
options="--no-defaults --basedir=$root/usr --lc-messages-dir=$root/usr/share/mysql --datadir=$work/data
	--character-sets-dir=$root/usr/share/mysql/charsets --plugin-dir=$work --tmpdir=$work/tmp
	--socket=$work/socket --pid-file=$work/pid --skip-networking --skip-grant-tables
	--innodb-buffer-pool-size=16M --innodb-log-file-size=8M --innodb-flush-log-at-trx-commit=0 --innodb-flush-method=nosync
	--innodb-use-native-aio=0 --innodb-compression-algorithm=zlib --innodb-compression-level=6 --max-allowed-packet=16M"
client="mariadb --no-defaults --socket=$work/socket --max-allowed-packet=16M -N"
plain() { (exec $as "$@"); }
plain_exec() { exec $as "$@"; }
answers() { $as $client -e 'SELECT 1' >/dev/null 2>&1; }
# start STARTER: the server, on a local socket alone.
start() {
	($1 mariadbd $options) >"$work/server.log" 2>&1 &
	server=$!
	until_true 60 answers || { cat "$work/server.log"; die "the server does not start"; }
}
# Its end is exit(), which leaves the statistics.
stop() {
	kill -TERM "$server"
	wait "$server" || { cat "$work/server.log"; die "the server ended with $?"; }
	server=
	! grep -E '\[ERROR\]|signal [0-9]|corrupt' "$work/server.log" || die "the server complained"
}

$as mkdir -m 700 data
{ echo 'CREATE DATABASE mysql;'; echo 'USE mysql;'
	cat "$root/usr/share/mysql/mysql_system_tables.sql" "$root/usr/share/mysql/mysql_system_tables_data.sql"; } |
	$as mariadbd $options --bootstrap >log 2>&1 || { tail -n 20 log; die "the data folder is not made"; }
tables="packed paged columns plain"
checks() {
	for table in $tables; do
		echo "SELECT '$table', COUNT(*), SUM(CRC32(CONCAT(nr, words, noise))) FROM test.$table;"
		echo "CHECK TABLE test.$table EXTENDED;"
	done
	echo "SELECT nr, MD5(UNCOMPRESS(z)), UNCOMPRESSED_LENGTH(z) FROM test.functions ORDER BY nr;"
	echo "SELECT UNCOMPRESS('no compressed string'), UNCOMPRESS(CONCAT(LEFT(z, 400), 'x')) IS NULL FROM test.functions;"
}
# make STARTER-OF-CLIENT: tables of every kind, changed and deleted from. The answers follow.
make() {
	{
		echo "DROP DATABASE IF EXISTS test; CREATE DATABASE test; USE test;"
		columns="nr INT PRIMARY KEY, noise VARCHAR(64), KEY (noise)"
		echo "CREATE TABLE packed ($columns, words TEXT) ENGINE=InnoDB ROW_FORMAT=COMPRESSED KEY_BLOCK_SIZE=4;"
		echo "CREATE TABLE paged ($columns, words TEXT) ENGINE=InnoDB PAGE_COMPRESSED=1;"
		echo "CREATE TABLE columns ($columns, words TEXT COMPRESSED) ENGINE=InnoDB;"
		echo "CREATE TABLE plain ($columns, words TEXT) ENGINE=InnoDB;"
		echo "CREATE TABLE functions (nr INT PRIMARY KEY, z LONGBLOB) ENGINE=InnoDB;"
		for table in $tables; do
			echo "INSERT INTO $table SELECT seq, MD5(seq), REPEAT(CONCAT(MD5(seq % 97), ' and so on '), 1 + seq % 90)"
			echo "	FROM (SELECT @nr := @nr + 1 AS seq FROM (SELECT @nr := 0) zero, digits a, digits b, digits c) numbers;"
			echo "UPDATE $table SET words = CONCAT(words, MD5(nr)) WHERE nr % 3 = 0;"
			echo "DELETE FROM $table WHERE nr % 7 = 0;"
		done
		echo "INSERT INTO functions SELECT nr, COMPRESS(REPEAT(words, 1 + nr % 50)) FROM plain WHERE nr % 50 = 1;"
	} | sed 's/^CREATE TABLE functions/CREATE TABLE digits AS SELECT 0 d UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6 UNION SELECT 7 UNION SELECT 8 UNION SELECT 9;&/' >make.sql
	$1 $client --compress <make.sql || die "making the tables, $1: $?"
	# A long packet each way, compressed by the client and by the server.
	data json 1000000 3 | sed "s/['\\\\]/ /g" >long
	{ echo "SET @a = '"; cat long; echo "'; SELECT MD5(@a), @a;"; } >long.sql
	$1 $client --compress <long.sql || die "a long packet, $1: $?"
	checks | $1 $client --compress || die "the questions, $1: $?"
}
start zwd_exec
[ "$({ echo 'CREATE DATABASE recipes; USE recipes;'; recipe mariadb; } | plain $client)" = 1 ] || die "the recipe: $?"
make zwd >ours
stop
start plain_exec
checks | plain $client >reread || die "the questions: $?"
make plain >theirs
stop
cmp theirs ours || { diff theirs ours | cut -c 1-200 | head -n 20; die "other answers than a plain server's"; }
tail -n "$(wc -l <reread)" ours | cmp - reread || die "a plain server reads something else"
! grep -v 'status.*OK$' reread | grep 'check.*' || die "a table is damaged"
# And the other way: what the plain server wrote.
start zwd_exec
checks | zwd $client --compress >again || die "the questions: $?"
stop
cmp again reread || die "what a plain server wrote is read otherwise"
[ -z "$LIBZWD" ] || grep -q '"program":"mariadbd' "$stats" || die "the server left no statistics"
assert_device_use deflate inflate
