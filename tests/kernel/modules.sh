#!/bin/sh
# SPDX-License-Identifier: Zlib
# The kernel modules build with no warning of compiler, sparse and modpost, for each kernel whose headers
# are installed, or for those that WD_KERNELDIRS names; and their files call downwards only.
tmp=$(mktemp -d "${TMPDIR:-/tmp}/wd-modules.XXXXXX") || exit 99
trap 'rm -rf "$tmp"' EXIT
trap 'exit 99' HUP INT TERM
unset MAKEFLAGS MFLAGS MAKELEVEL
failed=0 built=0
# no_circles FOLDER: no two objects of a module use each other, not by way of others either.
no_circles() {
	for object in "$1"/*.o; do
		case $object in
		*.mod.o) continue ;;
		esac
		# What is linked of others has symbols of all of them.
		[ ! -e "${object%.o}.mod.o" ] || continue
		nm "$object" | awk -v object="${object##*/}" '{ print object, $(NF - 1), $NF }'
	done >"$tmp/symbols"
	[ "$(cut -d' ' -f1 "$tmp/symbols" | sort -u | wc -l)" -gt 1 ] || { echo "no objects in $1"; return 1; }
	awk '
		NR == FNR { if ($2 ~ /^[A-TV-Z]$/ && $3 !~ /^__/) of[$3] = $1; next }
		$2 == "U" && $3 in of && of[$3] != $1 { print $1, of[$3] }
	' "$tmp/symbols" "$tmp/symbols" | sort -u | tsort >/dev/null 2>"$tmp/circle" && [ ! -s "$tmp/circle" ] && return
	echo "circles in $1:"
	cat "$tmp/circle"
	return 1
}
sparse=
command -v sparse >/dev/null && sparse=C=2
for dir in ${WD_KERNELDIRS:-/usr/src/linux-headers-*}; do
	# Debian's "common" folders are half of one; older kernels have no VFIO that the modules know.
	[ -e "$dir/.config" ] && [ -x "$dir/scripts/mod/modpost" ] || continue
	grep -q '^#define LINUX_VERSION_MAJOR [6-9]' "$dir/include/generated/uapi/linux/version.h" || continue
	echo "$dir"
	rm -rf "$tmp/kernel"
	cp -R "$top_srcdir/kernel" "$tmp/kernel" && chmod -R u+w "$tmp/kernel" || exit 99
	arch=
	grep -q '^CONFIG_ARM64=y' "$dir/.config" && [ "$(uname -m)" != aarch64 ] &&
		arch='ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu-'
	# Debugging information for BPF needs a tool, and is not what may go wrong here.
	if ! make -C "$tmp/kernel" KERNELDIR="$dir" $arch W=1 $sparse CONFIG_DEBUG_INFO_BTF_MODULES= modules >"$tmp/log" 2>&1; then
		tail -n 40 "$tmp/log"
		failed=1
	elif grep -iE 'warning|error:' "$tmp/log" | grep -v 'pahole version differs'; then
		failed=1
	fi
	for folder in sdmdev hisi_qm; do
		no_circles "$tmp/kernel/$folder" || failed=1
	done
	for module in sdmdev/sdmdev hisi_qm/wd_hisi_qm hisi_zip/wd_hisi_zip; do
		[ -e "$tmp/kernel/$module.ko" ] || { echo "no $module.ko"; failed=1; }
	done
	make -C "$tmp/kernel" KERNELDIR="$dir" $arch INSTALL_MOD_PATH="$tmp/installed" DEPMOD=true modules_install \
		>"$tmp/log" 2>&1 && [ -n "$(find "$tmp/installed" -name 'wd_hisi_zip.ko*')" ] || {
		tail -n 20 "$tmp/log"
		echo "the modules are not installed"
		failed=1
	}
	# Without VFIO's groups no queue could be opened.
	if grep -q '^CONFIG_VFIO_GROUP=y' "$dir/.config"; then
		sed -i '1i #undef CONFIG_VFIO_GROUP' "$tmp/kernel/compat/compat.h"
		if make -C "$tmp/kernel" KERNELDIR="$dir" $arch modules >"$tmp/log" 2>&1 ||
			! grep -q 'modules want a kernel with CONFIG_VFIO_GROUP=y' "$tmp/log"; then
			tail -n 20 "$tmp/log"
			echo "a kernel without VFIO's groups is not refused"
			failed=1
		fi
	fi
	built=$((built + 1))
done
echo "built for $built kernels"
[ $built != 0 ] || { echo "no kernel headers are installed"; exit 77; }
exit $failed
