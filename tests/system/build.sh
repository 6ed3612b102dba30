#!/bin/sh
# SPDX-License-Identifier: Zlib
# Builds kernel modules for the guest: build.sh KERNEL OUT, KERNEL being what fetch.sh printed.
# OUT/mainline: the kernel's own driver of the device, where its sources are. OUT/ours: those of kernel/, from 6.1 on.
# OUT/tests: what attacks need beside them.
set -e
kernel=$(cd "$1" && pwd)
mkdir -p "$2"
out=$(cd "$2" && pwd)
top=$(cd "$(dirname "$0")/../.." && pwd)
# Tools of the headers, which are not installed, need this library.
LD_LIBRARY_PATH=$kernel/headers/usr/lib/x86_64-linux-gnu
export LD_LIBRARY_PATH

arch=
grep -q '^CONFIG_ARM64=y' "$kernel/build/.config" && arch='ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu-'
# make_modules FOLDER: as make does it, with its output only where it fails; without what BPF needs and pahole makes.
make_modules() {
	make -j2 -C "$kernel/build" M="$1" $arch CC=${arch:+aarch64-linux-gnu-}gcc CONFIG_DEBUG_INFO_BTF_MODULES= modules >"$1/build.log" 2>&1 || {
		tail -n 40 "$1/build.log" >&2
		exit 1
	}
}

if [ -e "$kernel/drivers" ] &&
	{ [ ! -e "$out/mainline/hisi_zip.ko" ] || [ "$kernel/release" -nt "$out/mainline/hisi_zip.ko" ]; }; then
	rm -rf "$out/mainline"
	mkdir -p "$out/mainline"
	cd "$out/mainline"
	source=$kernel/drivers/crypto/hisilicon
	cp "$source"/*.[ch] "$source"/zip/*.[ch] "$kernel/drivers/misc/uacce/uacce.c" .
	sed -i 's,"\.\./\(qm[a-z_]*\.h\)","\1",' ./*.[ch]
	# From some version on the mailbox is written by instructions of arm64 alone. Registers are the same here.
	if [ -z "$arch" ] && ! grep -q 'memcpy_toio(fun_base' qm.c; then
		sed -i '/^static struct qm_mailbox qm_mb_read(/,/^}/s/^	return mailbox;/	memcpy_fromio(\&mailbox, qm->io_base + QM_MB_CMD_SEND_BASE, sizeof(mailbox));\n&/
			/^static void qm_mb_write(/,/^}/s/^}/	memcpy_toio(qm->io_base + QM_MB_CMD_SEND_BASE, src, 16);\n	wmb();\n&/' qm.c
	fi
	cat >Kbuild <<-'END'
		ccflags-y := -DCONFIG_UACCE=1 -DCONFIG_CRYPTO_DEV_HISI_QM=1 -DCONFIG_CRYPTO_DEV_HISI_ZIP=1
		obj-m := uacce.o hisi_qm.o hisi_zip.o
		hisi_qm-y := qm.o sgl.o
		hisi_zip-y := zip_main.o zip_crypto.o
	END
	[ ! -e debugfs.c ] || echo 'hisi_qm-y += debugfs.o' >>Kbuild
	[ ! -e dae_main.c ] || echo 'hisi_zip-y += dae_main.o' >>Kbuild
	make_modules "$out/mainline"
fi

if [ "$(cut -d. -f1 "$kernel/release")" -ge 6 ]; then
	mkdir -p "$out/ours"
	cp -rpu "$top/kernel/." "$out/ours"
	make_modules "$out/ours"
	mkdir -p "$out/tests"
	cp -rpu "$top/tests/system/module/." "$out/tests"
	make_modules "$out/tests"
fi
