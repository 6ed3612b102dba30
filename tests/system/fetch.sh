#!/bin/sh
# SPDX-License-Identifier: Zlib
# Downloads what the system test runs on, installs nothing: QEMU with vfio-user and Debian's kernel.
# fetch.sh [stock|backports|trixie-backports[-drivers]|arm64|bullseye]: with the kernel of this Debian, the newer one of its
# backports or of those of the next Debian, that for arm64, or 5.10 of the Debian before.
# Prints the folder: qemu (a command), vmlinux, release, modules/, build/ (headers), root/ and, of this
# Debian's kernel for this machine and where they are asked for, drivers/ and scripts/. root/ has the guest's programs; for arm64 what to link with, too.
# It is kept under WD_SYSTEM_CACHE (~/.cache/libz-wd/system), by version; 77: not to be had here.
set -e
top=${WD_SYSTEM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/libz-wd/system}
here=$(cd "$(dirname "$0")" && pwd)
stop() { echo "fetch.sh: $*" >&2; exit 77; }
[ "$(uname -m)" = x86_64 ] || stop "QEMU and kernel are taken for x86_64"
for tool in flock python3 zstd; do
	command -v $tool >/dev/null || stop "no $tool"
done
mkdir -p "$top"
exec 9>"$top/lock"
flock -w 3600 9 || stop "another download does not end"

. "$here/apt.sh"
. "$here/headers.sh"
arch=amd64 qemu_package=qemu-system-x86 qemu_command=qemu-system-x86_64
kernel_suite=$VERSION_CODENAME source=drivers packages= lists=
case ${1:-stock} in
stock) ;;
backports) kernel_suite=$VERSION_CODENAME-backports source= ;;
trixie-backports) kernel_suite=trixie-backports source= ;;
trixie-backports-drivers) kernel_suite=trixie-backports ;;
arm64)
	arch=arm64 qemu_package=qemu-system-arm qemu_command=qemu-system-aarch64 source=
	packages="gzip libc6 libcmocka-dev libcmocka0 zlib1g zlib1g-dev"
	;;
bullseye) kernel_suite=bullseye lists=bullseye ;;
*) stop "no kernel is called $1" ;;
esac
qemu_suite=trixie-backports
apt_open amd64
qemu_version=$(apt_version $qemu_suite $qemu_package)
[ -n "$qemu_version" ] || stop "the lists have no $qemu_package"

qemu=$top/$qemu_package-$(echo "$qemu_version" | tr -c 'a-zA-Z0-9.\n' -)
if ! grep -qs preload "$qemu/qemu"; then
	rm -rf "$qemu" "$apt_top/archives"/*.deb
	echo "fetch.sh: $qemu_package $qemu_version" >&2
	apt apt-get install -y --download-only -t $qemu_suite $qemu_package >&2 || stop "apt cannot download QEMU"
	unpack "$qemu" "$apt_top/archives"/*.deb
	rm -f "$apt_top/archives"/*.deb
	cat >"$qemu/qemu.new" <<-END
		#!/bin/sh
		# Runs the unpacked QEMU with the libraries it was unpacked with; WD_QEMU_PRELOAD: and this one.
		dir=\$(dirname "\$(readlink -f "\$0")")
		lib=\$dir/usr/lib/x86_64-linux-gnu
		QEMU_MODULE_DIR=\$lib/qemu exec "\$lib/ld-linux-x86-64.so.2" --library-path "\$lib" \\
			\${WD_QEMU_PRELOAD:+--preload "\$WD_QEMU_PRELOAD"} \\
			"\$dir/usr/bin/$qemu_command" -L "\$dir/usr/share/qemu" -L "\$dir/usr/share/seabios" "\$@"
	END
	chmod +x "$qemu/qemu.new"
	"$qemu/qemu.new" --version >&2
	mv "$qemu/qemu.new" "$qemu/qemu"
fi

apt_open $arch $lists
image=$(apt_depends "$kernel_suite" linux-image-$arch '^linux-image-')
release=${image#linux-image-}
[ -n "$release" ] || stop "the lists have no kernel"
kernel_version=$(apt_version "$kernel_suite" "$image")
kernel=$top/kernel-$release-$kernel_version
download() { (cd "$kernel/debs" && apt apt-get download "$@") >&2 || stop "apt cannot download the kernel"; }
if [ ! -e "$kernel/release" ]; then
	rm -rf "$kernel"
	mkdir -p "$kernel/debs"
	echo "fetch.sh: kernel $release" >&2
	for package in busybox-static $packages; do
		download "$package/${lists:-$VERSION_CODENAME}"
	done
	unpack "$kernel/root" "$kernel"/debs/*.deb
	rm "$kernel"/debs/*
	# From 7.x on the package is empty, and what it was lies in two.
	binary=$(apt_depends "$kernel_suite" "$image" '^linux-binary-') || :
	vmlinuz=$kernel/image/boot/vmlinuz-$release modules=$kernel/image/lib/modules/$release
	if [ -n "$binary" ]; then
		image="$binary linux-modules-${binary#linux-binary-}"
		modules=$kernel/image/usr/lib/modules/$release vmlinuz=$modules/vmlinuz
	fi
	for package in $image; do
		download "$package=$kernel_version"
	done
	unpack "$kernel/image" "$kernel"/debs/*.deb
	if [ $arch = amd64 ]; then
		python3 "$here/vmlinux.py" "$vmlinuz" "$kernel/vmlinux"
	else
		cp "$vmlinuz" "$kernel/vmlinux"
	fi
	rm -f "$modules/vmlinuz"
	mv "$modules" "$kernel/modules"
	rm -rf "$kernel/image" "$kernel"/debs/*
	rm -rf "$kernel/debs"
	headers_unpack "$kernel/headers" "$release" "$kernel_version" $lists
	ln -s "headers/usr/src/linux-headers-$release" "$kernel/build"
	echo "$release" >"$kernel/release"
fi
if [ -n "$source" ] && [ ! -e "$kernel/drivers" ]; then
	source=linux-source-$(echo "$release" | cut -d. -f1,2)
	mkdir -p "$kernel/debs"
	download "$source=$kernel_version"
	unpack "$kernel/source" "$kernel"/debs/*.deb
	tar -xf "$kernel/source/usr/src/$source.tar.xz" -C "$kernel/source" --strip-components=1 \
		"$source/drivers/crypto/hisilicon" "$source/drivers/misc/uacce" \
		"$source/scripts/checkpatch.pl" "$source/scripts/spelling.txt" \
		"$source/scripts/const_structs.checkpatch"
	mv "$kernel/source/scripts" "$kernel/source/drivers" "$kernel"
	rm -rf "$kernel/source" "$kernel/debs"
fi
ln -sfn "$qemu/qemu" "$kernel/qemu"
echo "$kernel"
