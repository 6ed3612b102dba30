#!/bin/sh
# SPDX-License-Identifier: Zlib
# mandoc finds nothing to say about a manual page, and every page of ours that one names is there.
command -v mandoc >/dev/null || { echo "skipped: no mandoc"; exit 77; }
cd "$top_srcdir" || exit 99
rc=0
# Lines are as long as everywhere here, and which other packages' pages this machine has says nothing of ours.
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
mandoc -T lint -W style $MANUALS >"$tmp/out" 2>"$tmp/err"
grep -hv 'text line longer than 80 bytes\|referenced manual not found\|mandoc\.db' "$tmp/out" "$tmp/err" && rc=1
for page in $MANUALS; do
	case $page in
	man/*) ;;
	*) echo "$page is not in man/"; rc=1 ;;
	esac
	for other in $(sed -n 's/^\.Xr \([^ ]*\) \([0-9]\).*/\1.\2/p' "$page"); do
		case $other in
		wd-* | wd_* | wd.* | zwd* | libz-wd* | sdmdev*) ;;
		*) continue ;;
		esac
		case " $MANUALS $OTHER_PAGES " in
		*" man/$other "*) ;;
		*) echo "$page: there is no $other"; rc=1 ;;
		esac
	done
done
for page in man/*.[1-9]; do # in the tree, and told to nobody
	case " $MANUALS " in
	*" $page "*) ;;
	*) echo "$page is not installed"; rc=1 ;;
	esac
done
exit $rc
