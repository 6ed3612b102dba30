#!/bin/sh
# SPDX-License-Identifier: Zlib
# git under preload and plain git work on each other's repositories: loose objects, packs, clones, history.
limit_s=240
. "$top_srcdir/tests/clients/lib.sh"
need git
export HOME="$tmp" GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@localhost \
	GIT_COMMITTER_NAME=c GIT_COMMITTER_EMAIL=c@localhost \
	GIT_AUTHOR_DATE='2026-02-01T00:00:00Z' GIT_COMMITTER_DATE='2026-02-01T00:00:00Z'
cat >"$tmp/.gitconfig" <<END
[init]
	defaultBranch = main
[gc]
	auto = 0
	autoDetach = false
[core]
	bigFileThreshold = 1m
END

# history GIT FOLDER: three commits of the same files at each call.
history() {
	mkdir "$2" && cd "$2" || exit 99
	$1 init -q || die "$1 init: $?"
	for round in 1 2 3; do
		for nr in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
			data source $((nr * 700)) $nr >file$nr.c
			data json $((nr * round * 90)) $round >>file$nr.c
		done
		data log $((round * 900000)) >access.log
		data random 70000 $round >noise
		: >empty
		$1 add -A || die "$1 add: $?"
		$1 commit -q -m "round $round" || die "$1 commit: $?"
	done
	cd "$tmp" || exit 99
}

# check GIT FOLDER: everything in it can be read.
check() {
	$1 -C "$2" fsck --full --strict >"$tmp/fsck" 2>&1 || { cat "$tmp/fsck"; die "$1 fsck of $2: $?"; }
	$1 -C "$2" log -p --stat --format='%H %s' >"$tmp/log" || die "$1 log of $2: $?"
	cmp "$tmp/log" "$tmp/log.expected" || die "$1 log of $2 is different"
	[ -z "$($1 -C "$2" status --porcelain)" ] || die "$1 status of $2 is not clean"
}

history git "$tmp/theirs"
history "zwd git" "$tmp/ours"
git -C theirs log -p --stat --format='%H %s' >log.expected
[ "$(git -C theirs rev-parse HEAD)" = "$(git -C ours rev-parse HEAD)" ] || die "other objects"
check git ours
check "zwd git" theirs

zwd git -C ours gc -q || die "git gc: $?"
git -C theirs gc -q
check git ours
check "zwd git" theirs

# The transport copies packs through both ends: file:// does not just link them.
zwd git clone -q "file://$tmp/theirs" clone1 || die "git clone: $?"
git clone -q "file://$tmp/ours" clone2 || die "plain git does not clone our repository"
check git clone1
check "zwd git" clone2
zwd git -C ours archive --format=tar.gz -o "$tmp/a.tgz" HEAD || die "git archive: $?"
mkdir archive && tar xzf a.tgz -C archive || die "tar does not read our archive"
diff -r -x .git archive theirs || die "the archive has other files"
assert_device_use deflate inflate
