#!/bin/sh
# SPDX-License-Identifier: Zlib
# The Debian packages in fresh systems: debian.sh TARBALL SUITE... (make check-packaging: bookworm and trixie).
# Built twice with the same result, lintian has nothing to say, installed over an older version, used, removed; no file
# of another package is touched; autopkgtest passes. Downloads are kept under WD_PACKAGING_CACHE. 77: cannot be done here.
here=$(cd "$(dirname "$0")" && pwd)
cache=${WD_PACKAGING_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/libz-wd/packaging}
. "$here/chroot.sh"
[ $# -ge 2 ] && [ -f "$1" ] || { echo "usage: debian.sh TARBALL SUITE..." >&2; exit 99; }
chroot_begin "$@"
command -v lintian >/dev/null || skip "no lintian: tests/install packaging"
tarball=$(readlink -f "$1")
shift
umask 022
work=$(mktemp -d "${TMPDIR:-/tmp}/wd-debian.XXXXXX") || exit 99
trap 'chroot_remove "$work"' EXIT
trap 'exit 99' HUP INT TERM
begin_s=$(date +%s)
fail() { echo "debian.sh: $suite: $*" >&2; exit 1; }
step() { echo "$(($(date +%s) - begin_s)) s, $suite: $*"; }
quiet() { "$@" >"$work/log" 2>&1 || { tail -n 60 "$work/log"; fail "failed: $*"; }; }

# build FOLDER OPTIONS [NAME=VALUE...]: the packages, in that folder of the system, by a user without rights.
build() {
	folder=$1 options=$2
	shift 2
	rm -rf "$build${folder:?}"
	mkdir -p "$build$folder"
	cp "$tarball" "$build$folder/libz-wd_$version.orig.tar.xz"
	tar -xf "$tarball" -C "$build$folder"
	chroot_run "$build" chown -R builder "$folder"
	quiet chroot_run "$build" setpriv --reuid=builder --regid=builder --clear-groups \
		env "HOME=$folder" "$@" sh -ec "cd $folder/libz-wd-$version; dpkg-buildpackage -us -uc $options"
}

# A package that only its version tells from the one it was made of.
older() {
	for deb in "$use"/debs/*.deb; do
		rm -rf "$work/older"
		dpkg-deb -R "$deb" "$work/older"
		sed -i "s/$version-1/$version-0/" "$work/older/DEBIAN/control"
		dpkg-deb --root-owner-group -Zgzip -b "$work/older" "$use/older" >/dev/null || fail "$deb"
	done
}

# Kind, mode, owner, time and contents of what is not the package tools' own account of what they did.
snapshot() {
	chroot_run "$use" sh -c '
		cd / && find . -xdev \( -path ./proc -o -path ./sys -o -path ./tmp -o -path ./run -o -path ./debs -o -path ./older \
			-o -path ./var/cache -o -path ./var/log -o -path ./var/lib/apt -o -path ./var/lib/dpkg \
			-o -path ./var/lib/systemd -o -path ./root -o -path ./home \) -prune -o ! -type d \
			! -path "./etc/*-" ! -path ./etc/group ! -path ./etc/gshadow ! -path ./etc/passwd ! -path ./etc/shadow \
			! -path "./etc/sub[ug]id" ! -path ./etc/ld.so.cache ! -path ./etc/.pwd.lock \
			-printf "%p %y %m %u %g %s %T@ %l\n" -type f -exec cksum {} +
		ldconfig -p | grep "=>"
		sed "/^wd:/d" /etc/group /etc/passwd' | LC_ALL=C sort
}
verified() {
	chroot_run "$use" dpkg -V >"$work/verified" 2>&1
	[ ! -s "$work/verified" ] || { cat "$work/verified"; fail "$1: files of packages were changed"; }
	[ -z "$(chroot_run "$use" dpkg --audit)" ] || fail "$1: packages are half installed"
}
change() { # change WHAT COMMAND...
	what=$1
	shift
	quiet chroot_run "$use" "$@"
	grep '^ok ' "$work/log"
	verified "$what"
}
try() {
	quiet chroot_run "$use" sh /debs/use.sh "$@"
	grep '^ok ' "$work/log"
}

# What docker and podman are told by the manual's recipe: the files of the host are copies of what the packages have,
# the image is the system that has none of them.
container() {
	shift # run
	variables=
	while :; do
		case $1 in
		-v)
			from=$(find "$work/host/usr/bin" "$work/host/usr/lib" -name "$(basename "${2%%:*}")" ! -type d | head -n 1) to=${2#*:}
			[ -n "$from" ] && cp -L "$from" "$use${to%:ro}" || fail "the recipe for containers: $2"
			;;
		-e) variables="$variables $2" ;;
		*) break ;;
		esac
		shift 2
	done
	shift # the image
	rm -f "$use/tmp/stats"
	quiet chroot_run "$use" env $variables ZWD_STATS=json:/tmp/stats "$@"
	grep -q '"deflate":{"hw_requests":[1-9]' "$use/tmp/stats" || fail "not the device's work: $*"
}
containers() {
	rm -rf "$work/host"
	dpkg-deb -x "$build"/first/libz-wd1_*.deb "$work/host" && dpkg-deb -x "$build"/first/libz-wd-tools_*.deb "$work/host" || exit 99
	sed -n '/^\.\\" recipe containers$/,/^\.Ed/p' "$here/../../man/libz-wd-recipes.7" | sed '/^\./d; s/\\e/\\/g' >"$work/recipe"
	[ "$(grep -c '^[a-z]* run' "$work/recipe")" = 2 ] || fail "there is no recipe for containers"
	docker() { container "$@"; }
	podman() { container "$@"; }
	. "$work/recipe"
}

packages='libz-wd1 libz-wd-dev libwdq0 libwdq-dev libz-wd-tools libz-wd-doc'
for suite; do
	version=$(basename "$tarball" .tar.xz)
	version=${version#libz-wd-}
	build=$work/$suite-build use=$work/$suite-use
	step "a fresh system"
	chroot_make "$suite" "$use"
	cp -a "$use" "$build"

	step "the packages are built"
	mkdir -p "$build/source"
	tar -xf "$tarball" -C "$build/source" --strip-components=1
	chroot_install "$build" "$suite" build-essential passwd
	chroot_run "$build" useradd -M builder || exit 99
	chroot_cached "$build" "$suite"
	quiet chroot_run "$build" apt-get -qq -y build-dep /source
	chroot_cache "$build" "$suite"
	build /first '' TZ=UTC
	step "and once more, elsewhere and later"
	DEB_BUILD_OPTIONS=nocheck build /second/and/another -b TZ=Asia/Shanghai LC_ALL=C
	for deb in "$build"/first/*.deb; do
		cmp "$deb" "$build/second/and/another/${deb##*/}" || fail "two builds differ"
	done
	step "lintian"
	# There is no address to write to, and no report of Debian's that an upload could close.
	lintian --allow-root --no-cfg --pedantic --display-info --fail-on error,warning,info,pedantic --suppress-tags \
		bogus-mail-host,bogus-mail-host-in-debian-changelog,initial-upload-closes-no-bugs \
		"$build"/first/*.changes || fail "lintian is not content"

	step "installed over an older version"
	mkdir "$use/debs" "$use/older"
	cp "$build"/first/*.deb "$use/debs"
	rm -f "$use"/debs/*-dbgsym_*
	cp "$here/use.sh" "$use/debs"
	mv "$use"/debs/libz-wd-dkms_* "$build/first"
	older
	chroot_install "$use" "$suite" ca-certificates dpkg-dev gcc git libc6-dev libisal2 man-db mandoc openssh-client openssh-server \
		passwd pkg-config python3 systemd zlib1g-dev
	snapshot >"$work/before"
	chroot_run "$use" sh -c 'apt-get -qq -s install /older/*.deb' >"$work/planned"
	[ "$(grep -c '^Inst' "$work/planned")" = "$(grep -c "^Inst [a-z0-9-]* .$version-0 " "$work/planned")" ] || {
		cat "$work/planned"
		fail "they need more than they should"
	}
	change "installed" sh -c 'apt-get -qq -y install /older/*.deb'
	try grains
	change "upgraded" sh -c 'apt-get -qq -y install /debs/*.deb'
	[ "$(chroot_run "$use" sh -c "dpkg-query -W -f '\${Version}\n' $packages libz-wd-system" | sort -u)" = "$version-1" ] ||
		fail "the upgrade left older packages"
	snapshot >"$work/after"
	LC_ALL=C comm -23 "$work/before" "$work/after" >"$work/changed"
	[ ! -s "$work/changed" ] || { cat "$work/changed"; fail "files of others were changed"; }

	step "used"
	try commands developer user service system
	change "without libz-wd-system" sh /debs/use.sh meanwhile apt-get -qq -y purge libz-wd-system
	try commands no_system
	change "with it again" sh /debs/use.sh meanwhile apt-get -qq -y install \
		"/debs/libz-wd-system_$version-1_$(dpkg --print-architecture).deb"
	change "and without" apt-get -qq -y purge libz-wd-system
	try no_system
	step "removed"
	change "removed" sh -c "apt-get -qq -y remove $packages"
	change "purged" sh -c "dpkg --purge $packages"
	snapshot >"$work/after"
	cmp -s "$work/before" "$work/after" || { diff "$work/before" "$work/after"; fail "it is not as it was before"; }

	step "in containers"
	containers

	# A system that is thrown away is the testbed itself: nothing has to be undone between or after the tests.
	step "autopkgtest"
	chroot_install "$use" "$suite" autopkgtest
	chroot_cached "$use" "$suite"
	cp "$build"/first/*.deb "$build"/first/*.dsc "$build"/first/*.tar.* "$use/debs" && rm "$use"/debs/*-dbgsym_* || exit 99
	quiet chroot_run "$use" sh -c 'autopkgtest --no-built-binaries --ignore-restrictions=breaks-testbed \
		--summary-file=/summary /debs/*.deb /debs/*.dsc -- null'
	sed 's/^/autopkgtest: /' "$use/summary"
	[ "$(grep -c ' PASS$' "$use/summary")" = "$(grep -c '^Tests:' "$here/../../debian/tests/control")" ] ||
		fail "not each of its tests was run"
	chroot_cache "$use" "$suite"

	step "modules"
	chroot_install "$build" "$suite" "/first/$(basename "$build"/first/libz-wd-dkms_*.deb)" \
		"linux-headers-$(dpkg --print-architecture)"
	release=$(basename "$build"/usr/src/linux-headers-*-"$(dpkg --print-architecture)")
	release=${release#linux-headers-}
	for module in sdmdev wd_hisi_qm wd_hisi_zip; do
		ls "$build/lib/modules/$release/updates/dkms/$module".ko* >/dev/null || fail "no $module for $release"
	done
	quiet chroot_run "$build" apt-get -qq -y purge libz-wd-dkms
	! find "$build"/lib/modules "$build"/usr/src "$build"/var/lib/dkms -name '*wd_hisi*' -o -name 'libz-wd*' |
		grep . || fail "of the modules something is left"
	step "passed, $(du -sm "$cache/$suite" | cut -f1) MB of packages are kept"
	chroot_remove "$build"
	chroot_remove "$use"
done
