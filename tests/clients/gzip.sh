#!/bin/sh
# SPDX-License-Identifier: Zlib
# gzip under preload and plain gzip read each other's files: more than 100 MB of them on the device.
limit_s=300
. "$top_srcdir/tests/clients/lib.sh"
need gzip
mkdir "$tmp/mix" && cd "$tmp/mix" || exit 99
case $ZWD_TEST_MODE in
emu) mix 1000000 ;;
*) mix 80000 ;;
esac

for file in *; do
	zwd gzip -k "$file" || die "gzip -k $file: $?"
	[ -e "$file" ] || die "gzip -k removed $file"
	gzip -t "$file.gz" || die "gzip -t does not accept $file.gz"
	gzip -dc "$file.gz" | cmp - "$file" || die "$file is not what it was"
	rm "$file.gz"

	gzip -c "$file" | zwd gzip -d >"$tmp/back" || die "gzip -d of $file: $?"
	cmp "$tmp/back" "$file" || die "gzip -d of $file gives something else"
done

# In place, options and several members, as people type it.
zwd gzip -9 text log || die "gzip -9: $?"
[ ! -e text ] || die "gzip left text behind"
cat text.gz log.gz >both.gz
zwd gzip -dc both.gz >"$tmp/back" || die "two members: $?"
zwd gzip -d text.gz log.gz || die "gzip -d: $?"
cat text log | cmp - "$tmp/back" || die "two members give something else"

# Damage is noticed and told by the exit code.
gzip -c json >json.gz
head -c 5000 json.gz >short.gz
zwd gzip -t short.gz 2>/dev/null && die "a truncated file passed"
zwd gzip -t json.gz || die "gzip -t: $?"
assert_device_use deflate inflate
