#!/bin/sh
# SPDX-License-Identifier: Zlib
# Builds libraries and programs for arm64 with Debian's cross compiler: arm64.sh FOLDER TARGET...
set -e
here=$(cd "$(dirname "$0")" && pwd)
command -v aarch64-linux-gnu-gcc >/dev/null || { echo "arm64.sh: no cross compiler: tests/install arm64" >&2; exit 77; }
root=$(sh "$here/fetch.sh" arm64)/root
mkdir -p "$1"
cd "$1"
shift
unset MAKEFLAGS MFLAGS MAKELEVEL
# cmocka is not looked for: pkg-config knows this machine's.
[ -e Makefile ] || "$here/../../configure" -q --host=aarch64-linux-gnu --without-isal \
	--with-zlib=/usr/lib/aarch64-linux-gnu/libz.so.1 CPPFLAGS="-isystem $root/usr/include" \
	CMOCKA_CFLAGS=-DWITH_CMOCKA CMOCKA_LIBS="-L$root/usr/lib/aarch64-linux-gnu -lcmocka"
make -s -j"$(nproc)" all
make -s -j"$(nproc)" "$@"
