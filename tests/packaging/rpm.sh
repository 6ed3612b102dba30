#!/bin/sh
# SPDX-License-Identifier: Zlib
# rpm/libz-wd.spec makes packages of the layout of openEuler and RHEL, with Debian's rpmbuild: rpm.sh TARBALL
# Each file is in the package where it belongs and in no other's, none is a file of KAE, UADK, zlib or util-linux; they need
# what is opened and provide no zlib; installed, verified and removed in an empty folder. 77: cannot be done here.
here=$(cd "$(dirname "$0")" && pwd)
[ -f "${1-}" ] || { echo "usage: rpm.sh TARBALL" >&2; exit 99; }
tarball=$(readlink -f "$1")
for tool in rpm rpmbuild rpmlint; do
	command -v $tool >/dev/null || { echo "rpm.sh: no $tool: tests/install packaging" >&2; exit 77; }
done
work=$(mktemp -d "${TMPDIR:-/tmp}/wd-rpm.XXXXXX") || exit 99
trap 'rm -rf "$work"' EXIT
trap 'exit 99' HUP INT TERM
begin_s=$(date +%s)
fail() { echo "rpm.sh: $*" >&2; exit 1; }
version=$(basename "$tarball" .tar.xz)
version=${version#libz-wd-}
machine=$(uname -m)

# Here, zlib is not where RHEL has it, and Debian's packages satisfy no requirement.
zlib=$(ldconfig -p | sed -n 's/.*libz\.so\.1 .* => //p' | head -n 1)
build() { # build FOLDER
	mkdir -p "$1/SOURCES" && tar -xJf "$tarball" -C "$1" --strip-components=2 --wildcards '*/rpm' && cp "$tarball" "$1/SOURCES" || exit 99
	sed -i "s,--with-zlib=[^ ]*,--with-zlib=$zlib," "$1/libz-wd.spec"
	rpmbuild --quiet -bb --nodeps --define "_topdir $1" --define '_libdir /usr/lib64' --define 'dist .test' \
		--define 'debug_package %{nil}' --define "_smp_mflags -j$(nproc)" \
		--define '_buildhost localhost' --define 'use_source_date_epoch_as_buildtime 1' \
		--define 'source_date_epoch_from_changelog 1' --define 'clamp_mtime_to_source_date_epoch 1' \
		"$1/libz-wd.spec" >"$work/log" 2>&1 || {
		tail -n 40 "$work/log"
		fail "rpmbuild failed"
	}
}
build "$work/one"
rpms=$(find "$work/one/RPMS" -name '*.rpm' | sort)
[ "$(echo "$rpms" | wc -l)" = 8 ] || fail "these are not eight packages: $rpms"
package() { echo "$work/one/RPMS/${2-$machine}/$1-$version-1.test.${2-$machine}.rpm"; }
query() { rpm --dbpath "$work/db" -qp "$@"; }

# holds PACKAGE ARCHITECTURE LIST: its files but for documents and build identities.
holds() {
	query --list "$(package "$1" "$2")" | grep -v '^/usr/lib/\.build-id\|^/usr/share/\(doc\|licenses\)/' >"$work/list"
	echo "$3" | sed '/^$/d' | LC_ALL=C sort >"$work/expected"
	LC_ALL=C sort "$work/list" | diff "$work/expected" - || fail "$1 has other files than it should"
}
holds libz-wd "$machine" '
/usr/lib64/libz-wd
/usr/lib64/libz-wd.so.1
/usr/lib64/libz-wd.so.1.0.0
/usr/lib64/libz-wd/libz.so.1'
holds libz-wd-devel "$machine" '
/usr/include/zwd.h
/usr/lib64/libz-wd.so
/usr/lib64/pkgconfig/libz-wd.pc'
holds libz-wd-system "$machine" "
/etc/ld.so.conf.d/00-libz-wd-$machine.conf
/usr/lib64/libz-wd/system
/usr/lib64/libz-wd/system/libz.so.1"
holds libwdq "$machine" '
/usr/lib64/libwdq.so.0
/usr/lib64/libwdq.so.0.0.0'
holds libwdq-devel "$machine" '
/usr/include/wdq
/usr/include/wdq/wd.h
/usr/include/wdq/wd_zip.h
/usr/lib64/libwdq.so
/usr/lib64/pkgconfig/wdq.pc'
for rpm in $rpms; do
	query --list "$rpm"
done | grep -v '^/usr/share/\(doc\|licenses\)/\|^/usr/lib/\.build-id$' | LC_ALL=C sort | uniq -d >"$work/twice"
[ ! -s "$work/twice" ] || { cat "$work/twice"; fail "in two packages"; }
# Folders and names of KAE 1 and 2 (KAE's zlib lies in /usr/local/kaezip), UADK, zlib, gzip and util-linux.
for rpm in $rpms; do
	query --list "$rpm"
done | grep -E '/lib(64)?/(libwd\.|libwd_|libhisi_|libkae|libz\.|libisal)|/kae|/uadk|/warpdrive|include/(wd|wd_[a-z]*|zlib|zconf)\.h$|pkgconfig/(libwd|zlib|uadk).*|modprobe\.d|/(wdctl|gzip|pigz)$|/hisi_(qm|zip|sec2|hpre)\.ko|/uacce\.ko|^/usr/lib/lib|^/usr/local' &&
	fail "files of others"
query --list "$(package libz-wd-dkms noarch)" | grep -q "/usr/src/libz-wd-$version/dkms.conf$" || fail "no dkms.conf"

for name in libz-wd libwdq; do
	for need in 'libz.so.1()(64bit)' 'libisal.so.2()(64bit)' 'libc.so.6'; do
		query --requires "$(package $name)" | grep -qF "$need" || fail "$name does not need $need"
	done
done
for rpm in $rpms; do
	query --provides "$rpm"
done | grep -q '^libz\.so' && fail "zlib is provided"
for rpm in $rpms; do
	query --requires "$rpm"
done | grep '^/' | grep -v '^/bin/sh$\|^/sbin/ldconfig$\|^/usr/bin/pkg-config$' && fail "a file by name is needed"

# Kernels with a driver of their own hear of uacce, and of no module.
printf 'CONFIG_CRYPTO_DEV_HISI_QM=m\n' >"$work/config"
mkdir "$work/dkms" && (cd "$work/dkms" && rpm2cpio "$(package libz-wd-dkms noarch)" | cpio -id --quiet) || exit 99
src=$work/dkms/usr/src/libz-wd-$version
sh "$src/own-driver" "$work/config" | grep -q uacce || fail "nothing is said of uacce"
[ -z "$(printf '# CONFIG_CRYPTO_DEV_HISI_QM is not set\n' | sh "$src/own-driver" /dev/stdin)" ] || fail "uacce where there is none"
query --scripts "$(package libz-wd-dkms noarch)" | grep -q own-driver || fail "own-driver is not run"
grep -q '^BUILD_EXCLUSIVE_CONFIG="!CONFIG_CRYPTO_DEV_HISI_QM"$' "$src/dkms.conf" || fail "dkms would build for them"

# Scripts are for the other system; root alone may own what rpm says that root owns.
if [ "$(id -u)" = 0 ]; then
	into() { rpm --root "$work/root" --noscripts --nodeps "$@" >"$work/log" 2>&1 || { cat "$work/log"; fail "rpm $*"; }; }
	mkdir "$work/root"
	into -i $rpms
	into -V --nomtime $(for rpm in $rpms; do query --qf '%{name} ' "$rpm"; done)
	LD_LIBRARY_PATH=$work/root/usr/lib64 "$work/root/usr/bin/zwd" list -d emu | grep -q '^emu' || fail "zwd list"
	into -e $(for rpm in $rpms; do query --qf '%{name} ' "$rpm"; done)
	find "$work/root" ! -type d ! -path '*/var/lib/rpm/*' ! -path '*/.rpmdb/*' ! -path '*/usr/lib/sysimage/*' | grep . && fail "something is left"
fi

rpmlint -r "$here/rpmlintrc" "$work/one/libz-wd.spec" $rpms >"$work/log" 2>&1 || {
	cat "$work/log"
	fail "rpmlint is not content"
}
tail -n 1 "$work/log"
echo "passed in $(($(date +%s) - begin_s)) s"
