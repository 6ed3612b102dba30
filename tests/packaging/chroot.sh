# SPDX-License-Identifier: Zlib
# Fresh systems of a Debian release in folders; for sh, which has set cache to a folder that is kept, and work to one
# that is not. What is mounted is mounted in a namespace of the command alone, which ends with it and all that it started.
stop() { echo "${0##*/}: $*" >&2; exit 99; }
skip() { echo "${0##*/}: $*" >&2; exit 77; }

# As an ordinary user, all of it happens in a namespace where that user is root, for the script begins anew: chroot_begin "$@"
chroot_begin() {
	for tool in mmdebstrap dpkg-deb unshare; do
		command -v $tool >/dev/null || skip "no $tool: tests/install packaging"
	done
	[ "$(id -u)" != 0 ] || return 0
	unshare --user --map-auto --map-root-user true 2>/dev/null || skip "neither root nor allowed to have user namespaces"
	exec unshare --user --map-auto --map-root-user --mount sh "$0" "$@"
}

# The mirror that this system has its packages from.
chroot_mirror() {
	apt-get indextargets --format '$(REPO_URI) $(RELEASE)' |
		awk -v release="$(. /etc/os-release && echo "$VERSION_CODENAME")" '$2 == release { print $1; exit }'
}

# chroot_cached ROOT SUITE: gives the system what was downloaded before; chroot_cache ROOT SUITE takes what is new.
chroot_cached() {
	mkdir -p "$cache/$2" "$1/var/cache/apt/archives"
	find "$cache/$2" -name '*.deb' -exec cp -l {} "$1/var/cache/apt/archives" \; 2>/dev/null ||
		find "$cache/$2" -name '*.deb' -exec cp {} "$1/var/cache/apt/archives" \;
}
chroot_cache() {
	for deb in "$1"/var/cache/apt/archives/*.deb; do
		[ ! -e "$deb" ] || [ -e "$cache/$2/${deb##*/}" ] || cp "$deb" "$cache/$2"
	done
}

# chroot_make SUITE FOLDER: the smallest system that has apt. No daemon starts in it. What mmdebstrap mounts is seen by it
# alone: nobody who removes the folder, however this ended, comes by way of it to the /proc and /sys of this machine.
chroot_make() {
	mirror=$(chroot_mirror)
	[ -n "$mirror" ] || skip "apt names no mirror"
	mkdir -p "$cache/$1"
	unshare --mount --propagation private --pid --fork --kill-child --mount-proc \
		mmdebstrap --quiet --mode=root --variant=apt --components=main \
		--keyring=/usr/share/keyrings/debian-archive-keyring.gpg \
		--dpkgopt=force-unsafe-io --aptopt='Acquire::Languages "none"' --aptopt='Acquire::Retries "2"' --aptopt='APT::Install-Recommends "false"' \
		--aptopt='APT::Sandbox::User "root"' --aptopt='APT::Keep-Downloaded-Packages "true"' \
		--aptopt='Binary::apt::APT::Keep-Downloaded-Packages "true"' \
		--setup-hook='mkdir -p "$1/var/cache/apt/archives"' \
		--setup-hook="find '$cache/$1' -name '*.deb' -exec cp {} \"\$1/var/cache/apt/archives\" ';'" \
		--skip=download/empty,essential/unlink,cleanup/apt/cache,cleanup/apt/lists \
		"$1" "$2" "$mirror" || stop "no system of $1 could be made"
	chroot_cache "$2" "$1"
	printf '#!/bin/sh\nexit 101\n' >"$2/usr/sbin/policy-rc.d"
	chmod 755 "$2/usr/sbin/policy-rc.d"
}

# chroot_run ROOT COMMAND...: with processes of its own, so that none is left behind.
chroot_run() {
	chroot_root=$1
	shift
	unshare --mount --propagation private --pid --fork --kill-child --root="$chroot_root" --mount-proc \
		env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
		${DEB_BUILD_OPTIONS:+"DEB_BUILD_OPTIONS=$DEB_BUILD_OPTIONS"} "$@"
}

# chroot_install ROOT SUITE PACKAGE...
chroot_install() {
	chroot_root=$1 chroot_suite=$2
	shift 2
	chroot_cached "$chroot_root" "$chroot_suite"
	chroot_run "$chroot_root" apt-get -qq -y -o Dpkg::Use-Pty=0 install "$@" >"$work/apt.log" 2>&1 || {
		tail -n 20 "$work/apt.log"
		stop "apt cannot install: $*"
	}
	chroot_cache "$chroot_root" "$chroot_suite"
}

# chroot_remove FOLDER...: never across what is mounted there.
chroot_remove() {
	! grep -qF " $(readlink -f "$1")/" /proc/self/mountinfo || stop "something is mounted in $1"
	rm -rf --one-file-system "$@"
}
