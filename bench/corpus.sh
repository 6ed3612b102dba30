#!/bin/sh
# SPDX-License-Identifier: Zlib
# Makes the corpus of wd-bench from packages of pinned versions: wd-bench corpus DIR. Nothing of it
# is part of libz-wd. DIR gets a file of 16 MiB for each class, and web/ with small files.
# KEEP=1 keeps what was downloaded in DIR/download; a later run takes it from there.
set -u
LC_ALL=C
export LC_ALL
# In the tree this script stands beside wd-bench.
bench=${WD_BENCH:-wd-bench}
MiB=1048576

debs='binutils-source=2.40-2 sqlite3-doc=3.40.1-2+deb12u2 libllvm14=1:14.0.6-12 unicode-data=15.0.0-1'
npms='typescript@5.4.5 three@0.163.0 element-plus@2.7.0 bootstrap@5.3.3 react-dom@18.2.0 vue@3.4.21
jquery@3.7.1 lodash@4.17.21 d3@7.9.0 world-atlas@2.0.2 leaflet@1.9.4 highlight.js@11.9.0
swagger-ui-dist@5.12.0 @mdn/browser-compat-data@5.5.19 caniuse-db@1.0.30001600 @fontsource/inter@5.0.17'

# The first sixteen digits of each class's SHA-256.
known='csrc 14d651b4346a2396
html 579ef39eacbca324
js 80e604b3f1ada0ed
json 9bde766b72381257
log 9da3295805cc7129
tbl 0b9268c0d3affad4
bin 41587034f562398f
xz 98cb6fa54a3b7ec4
zero 2daeb1f36095b44b'

say() { echo "corpus: $*" >&2; }
die() { say "$*"; exit 1; }
need() { command -v "$1" >/dev/null || die "$1 is missing: $2"; }

[ $# = 1 ] || die "usage: wd-bench corpus DIR"
need apt-get "this corpus is made of Debian's packages"
need dpkg-deb "install dpkg"
need npm "install npm; the classes js and json and the web set come from it"
need xz "install xz-utils"
mkdir -p "$1/download" "$1/tree" || exit 1
cd "$1" || exit 1
dir=$PWD
trap 'rm -rf "$dir/tree"; [ -n "${KEEP-}" ] || rm -rf "$dir/download"' EXIT

# fetch_deb PACKAGE=VERSION: unpacked in tree/PACKAGE
fetch_deb()
{
	package=${1%%=*}
	set -- "$1" download/"$package"_*.deb
	if [ ! -e "$2" ]; then
		(cd download && apt-get -qq download "$1") 2>download/err || {
			say "$1 is not offered any more, or the network is away; trying its present version"
			(cd download && apt-get -qq download "$package") 2>download/err ||
				{ cat download/err >&2; die "$package cannot be downloaded: run apt-get update, or look at the network"; }
		}
		set -- "$1" download/"$package"_*.deb
	fi
	mkdir -p "tree/$package" && dpkg-deb -x "$2" "tree/$package" || die "$2 cannot be unpacked"
}

# fetch_npm NAME@VERSION: unpacked in tree/npm/NAME-VERSION
fetch_npm()
{
	file=$(echo "${1#@}" | tr '/@' '--').tgz
	if [ ! -e "download/$file" ]; then
		(cd download && npm pack --silent "$1" >/dev/null) || die "npm cannot fetch $1: look at the network"
	fi
	mkdir -p "tree/npm/${file%.tgz}" &&
		tar -xzf "download/$file" -C "tree/npm/${file%.tgz}" || die "$file cannot be unpacked"
}

# Eight of the paths on standard input, evenly over their order.
eight()
{
	sort | awk '{ path[NR] = $0 }
		END { step = (NR > 8) ? NR / 8 : 1
		for (i = 0; i < 8 && i < NR; i++) print path[int(i * step) + 1] }'
}

# together CLASS: the files named on standard input, cut after 16 MiB.
together()
{
	tr '\n' '\0' | xargs -0 cat 2>/dev/null | head -c $((16 * MiB)) >"$dir/$1"
}

for package in $debs; do
	say "$package"
	fetch_deb "$package"
done
for package in $npms; do
	say "$package"
	fetch_npm "$package"
done

say "classes"
archive=$(find tree/binutils-source -name 'binutils-*.tar.xz' | head -n 1)
llvm=$(find tree/libllvm14 -name 'libLLVM-14.so.1' -type f | head -n 1)
[ -n "$archive" ] && [ -n "$llvm" ] || die "a package does not hold what it did"
xz -dc "$archive" | tar -xf - -C tree || die "$archive cannot be unpacked"
(cd tree && find binutils-2.* -name '*.[ch]' -type f | sort | together csrc)
(cd tree/sqlite3-doc && find . -name '*.html' -type f | sort | together html)
(cd tree/npm && find typescript-* three-* element-plus-* swagger-ui-dist-* vue-* d3-* -name '*.js' \
	-type f -size +100000c | sort | together js)
cat tree/npm/mdn-browser-compat-data-*/package/data.json \
	tree/npm/caniuse-db-*/package/fulldata-json/data-2.0.json | head -c $((16 * MiB)) >json
(cd tree/unicode-data && find . -name '*.txt' -type f | sort | together tbl)
"$bench" generate log $((16 * MiB)) >log || die "wd-bench does not run"
head -c $((8 * MiB)) /dev/zero >zero
head -c $((8 * MiB)) "$archive" >xz
len=$(wc -c <"$llvm")
: >bin
for slice in 0 1 2 3 4 5 6 7; do
	tail -c +$((slice * (len - 2 * MiB) / 7 + 1)) "$llvm" | head -c $((2 * MiB)) >>bin
done

say "web set"
rm -rf web
mkdir web
for kind in html css js json; do
	low=1024
	while [ $low -le 131072 ]; do
		find tree/sqlite3-doc tree/npm -name "*.$kind" -type f -size +$((low - 1))c -size -$((2 * low))c |
			eight
		low=$((2 * low))
	done
done | while read -r path; do
	cp "$path" "web/$(echo "${path#tree/}" | tr '/' '_')"
done

echo "$known" | while read -r class hash; do
	got=$(sha256sum <"$class" | cut -c 1-16)
	[ "$got" = "$hash" ] || say "$class is $got, not $hash: a package was superseded, or is another architecture's"
	echo "$class $(wc -c <"$class") bytes $got"
done
echo "web $(find web -type f | wc -l) files $(cat web/* | wc -c) bytes"
