# SPDX-License-Identifier: Zlib
# The headers of a kernel, to build modules with, of a Debian that may be newer than this one; for sh, behind apt.sh.
# headers_unpack FOLDER RELEASE VERSION [SUITE]: with the tools, whose libraries are of SUITE or of this Debian. What
# does not fit this machine is changed in the unpacked copy. The lists are those of amd64 afterwards.
headers_unpack() {
	headers=$1/usr/src/linux-headers-$2
	headers_needs=$(apt apt-cache show "linux-headers-$2=$3" | sed -n 's/^Depends: //p' | tr ', ' '\n\n')
	common=$(echo "$headers_needs" | grep -m 1 '^linux-headers-.*-common$')
	kbuild=$(echo "$headers_needs" | grep -m 1 '^linux-kbuild-')
	headers_download "$1" "linux-headers-$2=$3" "$common=$3"
	apt_open amd64 $4 # the tools run here
	headers_download "$1" "$kbuild=$3" "libelf1/${4:-$VERSION_CODENAME}"
	unpack "$1" "$1"/debs/*.deb
	rm -r "$1/debs"
	# They know each other by absolute names.
	sed -i "s,/usr/src,$1/usr/src," "$headers/Makefile"
	headers_tools "$1"
	headers_compiler
}
headers_download() {
	mkdir -p "$1/debs"
	(cd "$1/debs" && shift && apt apt-get download "$@") >&2 || stop "apt cannot download the headers of a kernel"
}
# A tool that wants a newer libc than is here gets one: a script of its name runs it with that.
headers_tools() {
	tools=$(find "$1/usr/lib" -path '*/linux-kbuild-*' -type f -perm -100 \
		-exec sh -c 'ldd "$1" 2>&1 | grep -q "version .* not found"' - {} \; -print)
	[ -n "$tools" ] || return 0
	headers_download "$1" libc6 libelf1t64 libzstd1 zlib1g
	unpack "$1/newer" "$1"/debs/*.deb
	rm -r "$1/debs"
	lib=$1/newer/usr/lib/x86_64-linux-gnu
	for tool in $tools; do
		mv "$tool" "$tool.elf"
		cat >"$tool" <<-END
			#!/bin/sh
			exec "$lib/ld-linux-x86-64.so.2" --argv0 "$tool" --library-path "$lib" "$tool.elf" "\$@"
		END
		chmod +x "$tool"
	done
}
# The compiler that the kernel was built by may not be here: without those of its options that an older one has not got.
headers_compiler() {
	compiler=$(sed -n 's/^CC = .*\(gcc-[0-9]*\)$/\1/p' "$headers/.kernelvariables")
	cross=
	[ "$(uname -m)" = aarch64 ] || ! grep -q '^CONFIG_ARM64=y' "$headers/.config" || cross=aarch64-linux-gnu-
	if [ -z "$compiler" ] || command -v "$cross$compiler" >/dev/null; then
		return 0
	fi
	sed -i "s/$compiler\$/gcc/" "$headers/.kernelvariables"
	! echo 'int x;' | "${cross}gcc" -fmin-function-alignment=16 -x c -c -o /dev/null - 2>/dev/null || return 0
	sed -i '/^CONFIG_CC_HAS_MIN_FUNCTION_ALIGNMENT=/d' "$headers/include/config/auto.conf"
	sed -i '/^#define CONFIG_CC_HAS_MIN_FUNCTION_ALIGNMENT /d' "$headers/include/generated/autoconf.h"
}
