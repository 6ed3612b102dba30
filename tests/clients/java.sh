#!/bin/sh
# SPDX-License-Identifier: Zlib
# java.util.zip: Deflater, Inflater, its streams, ZipFile (see Zips.java), and jar.
limit_s=180
. "$top_srcdir/tests/clients/lib.sh"
# Debian's own: others carry a copy of zlib.
home=
for folder in /usr/lib/jvm/default-java /usr/lib/jvm/java-*-openjdk-*; do
	[ ! -x "$folder/bin/javac" ] || { home=$folder; break; }
done
[ -n "$home" ] || skip "no Java with a compiler (package default-jdk-headless)"
PATH=$home/bin:$PATH
uses_libz "$home/lib/libzip.so"
mkdir "$tmp/mix" && cd "$tmp/mix" || exit 99
mix 4000
cd "$tmp" || exit 99
javac -d "$tmp/classes" "$top_srcdir/tests/clients/Zips.java" || exit 99

exchange java -Xshare:auto -XX:TieredStopAtLevel=1 -cp classes Zips
zwd jar cf ours.jar mix || die "jar cf: $?"
mkdir from_ours from_theirs
(cd from_ours && jar xf ../ours.jar) || die "plain jar does not read our archive"
diff -r mix from_ours/mix || die "plain jar restores something else"
jar cf theirs.jar mix
(cd from_theirs && zwd jar xf ../theirs.jar) || die "jar xf: $?"
diff -r mix from_theirs/mix || die "jar under preload restores something else"
assert_device_use deflate inflate
