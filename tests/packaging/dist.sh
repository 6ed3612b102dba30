#!/bin/sh
# SPDX-License-Identifier: Zlib
# The tarball is the tree that was committed, and what autotools make of it, the same wherever and whenever it is made:
# dist.sh [COMMIT]; the version is the same wherever it is written. 77: this is no clone.
top=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/wd-dist.XXXXXX") || exit 99
trap 'rm -rf "$work"' EXIT
trap 'exit 99' HUP INT TERM
begin_s=$(date +%s)
fail() { echo "dist.sh: $*" >&2; exit 1; }
git --git-dir="$top/.git" rev-parse -q --verify "${1:-HEAD}^{commit}" >"$work/commit" 2>/dev/null ||
	{ echo "dist.sh: this is no clone" >&2; exit 77; }
unset MAKEFLAGS MFLAGS MAKELEVEL SOURCE_DATE_EPOCH

# one FOLDER MASK ZONE
one() {
	git clone -q --no-checkout "$top" "$work/$1" && git -C "$work/$1" checkout -q --detach "$(cat "$work/commit")" || exit 99
	(cd "$work/$1" && umask "$2" && export TZ="$3" && ./autogen.sh && mkdir build && cd build && ../configure -q &&
		make -s dist) >"$work/log" 2>&1 || { tail -n 30 "$work/log"; fail "make dist failed"; }
}
one one 022 UTC
one a/second/place 077 Asia/Shanghai
tarball=$(cd "$work/one/build" && echo libz-wd-*.tar.xz)
cmp "$work/one/build/$tarball" "$work/a/second/place/build/$tarball" || {
	for folder in one a/second/place; do
		tar -tvJf "$work/$folder/build/$tarball" >"$work/list-$(basename $folder)"
	done
	diff "$work/list-one" "$work/list-place"
	fail "two tarballs of one commit differ"
}

mkdir "$work/tree" && tar -xJf "$work/one/build/$tarball" -C "$work/tree" --strip-components=1 || exit 99
cd "$work/one" || exit 99
git ls-files | LC_ALL=C sort >"$work/committed"
(cd "$work/tree" && find . ! -type d | sed 's,^\./,,' | LC_ALL=C sort) >"$work/packed"
LC_ALL=C comm -23 "$work/committed" "$work/packed" | grep -v '^\.gitignore$' && fail "committed, but not in the tarball"
LC_ALL=C comm -13 "$work/committed" "$work/packed" |
	grep -Ev '^(aclocal\.m4|config\.h\.in|configure|Makefile\.in|build-aux/.*|m4/(libtool|lt[a-z~]*)\.m4)$' &&
	fail "in the tarball, but not committed"
LC_ALL=C comm -12 "$work/committed" "$work/packed" | while read -r file; do
	cmp "$file" "$work/tree/$file" && [ "$(test -x "$file"; echo $?)" = "$(test -x "$work/tree/$file"; echo $?)" ] || echo "$file"
done | grep . && fail "other in the tarball than committed"

version=${tarball#libz-wd-}
version=${version%.tar.xz}
for written in "NEWS:^libz-wd $version " "kernel/dkms.conf:^PACKAGE_VERSION=\"$version\"$" \
	"rpm/libz-wd.spec:^Version: *$version$" "debian/changelog:^libz-wd ($version-" "configure.ac:\[$version\]"; do
	head -n 20 "${written%%:*}" | grep -q "${written#*:}" || fail "${written%%:*} does not say $version"
done
echo "$(wc -l <"$work/packed") files; passed in $(($(date +%s) - begin_s)) s"
