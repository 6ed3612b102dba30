#!/bin/sh
# SPDX-License-Identifier: Zlib
# Builds a kernel that looks for faults, Debian's sources with debug.config, where it is not there yet: debug.sh
# [SUITE], as fetch.sh has them, with debug-SUITE.config beside it.
# Prints the folder, which is as that of fetch.sh, and kept beside it: by version and configuration.
# 77: not to be had here.
set -e
here=$(cd "$(dirname "$0")" && pwd)
stop() { echo "debug.sh: $*" >&2; exit 77; }
suite=${1:-stock}
configs="$here/debug.config $here/debug-$suite.config"
[ -e "$here/debug-$suite.config" ] || stop "no debug kernel of $suite"
stock=$(sh "$here/fetch.sh" "$suite") || exit $?
top=$(dirname "$stock")
source=linux-source-$(cut -d. -f1,2 "$stock/release")
exec 8>"$top/debug.lock"
flock -w 7200 8 || stop "another build does not end"

# The lists are shared with fetch.sh: under its lock, but that is not held while the kernel is built.
exec 9>"$top/lock"
flock -w 600 9 || stop "another download does not end"
. "$here/apt.sh"
apt_open amd64
[ "$suite" = stock ] && from=$VERSION_CODENAME || from=trixie-backports
version=$(apt_version "$from" "$source")
[ -n "$version" ] || stop "the lists have no $source"
kernel=$top/debug-$version-$(cat $configs | sha256sum | cut -c1-12)
if [ ! -e "$kernel/release" ]; then
	for needed in /usr/bin/bc /usr/bin/bison /usr/bin/flex /usr/include/libelf.h; do
		[ -e $needed ] || stop "no $needed: tests/install debug"
	done
	rm -rf "$kernel"
	mkdir -p "$kernel/source" "$kernel/build"
	echo "debug.sh: $source $version" >&2
	(cd "$kernel" && apt apt-get download "$source=$version") >&2 || stop "apt cannot download $source"
	exec 9>&-
	# What is large and no part of this build stays out.
	dpkg-deb --fsys-tarfile "$kernel"/linux-source-*.deb | tar -xO "./usr/src/$source.tar.xz" |
		tar -xJ -C "$kernel/source" --strip-components=1 --exclude='*.dts*' --exclude='*.rst' \
		--exclude='*.yaml' --exclude='*/amd/include'
	rm "$kernel"/linux-source-*.deb
	# VFIO takes its two locks in this order and in that, when a driver unpins as it must where memory is
	# unmapped. lockdep says so once and no more from then on: it is to leave out this one lock.
	sed -i 's/^\tmutex_init(&iommu->device_list_lock);$/&\n\tlockdep_set_novalidate_class(\&iommu->device_list_lock);/' \
		"$kernel/source/drivers/vfio/vfio_iommu_type1.c"
	# As in a shell: what the make around this one was told is not for the kernel.
	unset MAKEFLAGS MFLAGS MAKELEVEL
	build() { make -s -C "$kernel/source" O="$kernel/build" "$@" >"$kernel/build.log" 2>&1 </dev/null; }
	failed() { tail -n 40 "$kernel/build.log" >&2; echo "debug.sh: $*" >&2; exit 99; }
	cat $configs >"$kernel/config"
	build KCONFIG_ALLCONFIG="$kernel/config" allnoconfig || failed "no configuration"
	# An option whose own needs are not met is dropped without a word.
	! grep '^CONFIG_' "$kernel/config" | grep -vxFf "$kernel/build/.config" >&2 ||
		failed "the kernel has not got these options"
	build -j"$(nproc)" bzImage modules || failed "the kernel does not build"
	# With KASAN it does not start as vmlinux does, by the entry for Xen: it needs the boot code.
	ln -s build/arch/x86/boot/bzImage "$kernel/vmlinux"
	ln -s build "$kernel/modules"
	cp -R "$stock/root" "$kernel/root"
	[ "$suite" = stock ] || ln -s "$stock/drivers" "$kernel/drivers"
	cp "$kernel/build/include/config/kernel.release" "$kernel/release"
fi
ln -sfn "$(readlink "$stock/qemu")" "$kernel/qemu"
echo "$kernel"
