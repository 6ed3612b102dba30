#!/bin/sh
# SPDX-License-Identifier: Zlib
# The modules build without a warning for each kernel that Debian has headers of (make check-modules), and
# checkpatch.pl finds nothing but what is listed here. Downloads into a folder that is kept, installs nothing.
set -e
top=${WD_SYSTEM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/libz-wd/system}
here=$(cd "$(dirname "$0")" && pwd)
stop() { echo "kernels.sh: $*" >&2; exit 99; }
mkdir -p "$top"
. "$here/../system/apt.sh"
. "$here/../system/headers.sh"

# headers ARCHITECTURE SUITE META-PACKAGE: adds the unpacked headers of that kernel to dirs.
headers() {
	apt_open "$1"
	package=$(apt_depends "$2" "$3" '^linux-headers-')
	release=${package#linux-headers-}
	version=$(apt apt-cache show "$package/$2" | sed -n 's/^Version: //p' | head -n 1)
	dir=$top/headers-$release-$version
	if [ ! -e "$dir/release" ]; then
		rm -rf "$dir"
		echo "kernels.sh: $release $version" >&2
		headers_unpack "$dir" "$release" "$version"
		echo "$release" >"$dir/release"
	fi
	dirs="$dirs $dir/usr/src/linux-headers-$release"
	LD_LIBRARY_PATH=$dir/usr/lib/x86_64-linux-gnu
}
dirs=
headers amd64 "$VERSION_CODENAME" linux-headers-amd64
headers amd64 "$VERSION_CODENAME" linux-headers-cloud-amd64
headers arm64 "$VERSION_CODENAME" linux-headers-arm64
headers amd64 "$VERSION_CODENAME-backports" linux-headers-amd64
headers arm64 "$VERSION_CODENAME-backports" linux-headers-arm64
headers amd64 trixie-backports linux-headers-amd64
headers amd64 trixie-backports linux-headers-cloud-amd64
headers arm64 trixie-backports linux-headers-arm64
export LD_LIBRARY_PATH
top_srcdir=$(cd "$here/../.." && pwd)
export top_srcdir

# BIT_MACRO, CAMELCASE: headers that user space includes, too. LINUX_VERSION_CODE, CONSTANT_COMPARISON: compat.h.
# LINE_SPACING: a command behind its structure.
kernel=$(sh "$here/../system/fetch.sh")
(cd "$top_srcdir" && perl "$kernel/scripts/checkpatch.pl" --no-tree --strict --terse --show-types --no-summary \
	--ignore BIT_MACRO,CAMELCASE,LINUX_VERSION_CODE,CONSTANT_COMPARISON,LINE_SPACING -f $(find kernel -name '*.[ch]'))
WD_KERNELDIRS=$dirs sh "$here/modules.sh"
