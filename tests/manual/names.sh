#!/bin/sh
# SPDX-License-Identifier: Zlib
# "man NAME" finds each public function: it has a page that says so in its NAME, whose prototype is the header's.
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
fail() { echo "names: $*"; rc=1; }
rc=0
parts() { awk -v want="$1" -f "$top_srcdir/tests/manual/parts.awk" "$2"; }

# What is exported, without zlib's, and what headers declare. Both say the same.
sed -n 's/^	\(w*wd_[a-z_0-9]*\);$/\1/p; s/^	\(zwd_[a-z_0-9]*\);$/\1/p' "$top_srcdir/libwd/libwdq.map" "$top_srcdir/libz-wd/libz-wd.map" |
	sort -u >"$tmp/exported"
for header in libwd/wd.h libwd/wd_zip.h libz-wd/zwd.h; do
	gcc=${MANUAL_CC%% *}
	$gcc -E -P -I"$top_srcdir/libwd" -x c "$top_srcdir/$header" 2>/dev/null
done | tr '\n' ' ' | tr ';{}' '\n\n\n' | sed -n 's/.*[ *]\(z*wd_[a-z_0-9]*\)(.*/\1/p' | sort -u >"$tmp/declared"
[ -s "$tmp/declared" ] && [ -s "$tmp/exported" ] || exit 99
comm -23 "$tmp/declared" "$tmp/exported" | grep . && fail "declared, and not exported"
while read -r name; do
	page=man/$name.3
	case " $MANUALS $OTHER_PAGES " in
	*" $page "*) ;;
	*)
		grep -qx "$name" "$tmp/declared" && fail "there is no page $page: see man/local.mk"
		continue ;; # data, for zwd
	esac
	file=$top_srcdir/$page
	if [ ! -e "$file" ]; then
		other=$(sed -n 's/^\.so man3\///p' "$top_builddir/$page")
		file=$top_srcdir/man/$other
		[ -n "$other" ] && [ -s "$file" ] || { fail "$page points to no page"; continue; }
	fi
	parts names "$file" | grep -qx "$name" || fail "$file has no $name in its NAME"
	parts prototypes "$file" | grep -q "[ *]$name(" || fail "$file has no $name in its SYNOPSIS"
	echo "$file" >>"$tmp/pages"
done <"$tmp/exported"
# The other way round: what a page names is there.
for page in $(sort -u "$tmp/pages"); do
	for name in $(parts names "$page"); do
		[ "$name" = "$(basename "$page" .3)" ] || grep -qx "$name" "$tmp/exported" || fail "$page names $name, which is not exported"
	done
	parts prototypes "$page" >"$tmp/page.c"
	mkdir -p "$tmp/wdq" && cp "$top_srcdir/libwd/wd.h" "$top_srcdir/libwd/wd_zip.h" "$tmp/wdq"
	${MANUAL_CC} -fsyntax-only -I"$tmp" -I"$top_srcdir/libz-wd" "$tmp/page.c" || fail "$page has another prototype than the header"
done
exit $rc
