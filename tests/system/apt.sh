# SPDX-License-Identifier: Zlib
# Debian's packages without installing any; for sh, which has set top to a folder that is kept.
# apt_open ARCHITECTURE [SUITE]: reads the lists of the mirror that this system uses, once a day: of these suites or that.
# apt TOOL ARGUMENT...: apt-get or apt-cache with these lists, and no package installed.
command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || stop "no apt-get"
. /etc/os-release
[ "$ID" = debian ] || stop "this is no Debian"
apt_open() {
	apt_arch=$1
	apt_top=$top/apt-$apt_arch${2:+-$2}
	mkdir -p "$apt_top/lists/partial" "$apt_top/archives/partial"
	mirror=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' |
		awk -v release="$VERSION_CODENAME" '$2 == release { print $1; exit }')
	[ -n "$mirror" ] || stop "no mirror of $VERSION_CODENAME is configured"
	keys=/usr/share/keyrings/debian-archive-keyring.gpg
	for apt_suite in ${2:-$VERSION_CODENAME $VERSION_CODENAME-backports trixie trixie-backports}; do
		echo "deb [arch=$apt_arch signed-by=$keys] $mirror $apt_suite main"
	done >"$apt_top/sources.new"
	[ -e "$apt_top/status" ] || : >"$apt_top/status" # a newer one would have apt read all lists again
	if cmp -s "$apt_top/sources.new" "$apt_top/sources.list" &&
		[ -n "$(find "$apt_top/lists.done" -mmin -1440 2>/dev/null)" ]; then
		return
	fi
	mv "$apt_top/sources.new" "$apt_top/sources.list"
	apt apt-get update >&2 || stop "apt cannot read the mirror's lists"
	: >"$apt_top/lists.done"
}
# An image for containers may have apt keep no cache, with which each call reads all lists.
# An empty list of installed packages makes the closure of dependencies a complete one.
apt() {
	apt_tool=$1
	shift
	timeout 300 "$apt_tool" -qq -o Dir::Etc::SourceList="$apt_top/sources.list" -o Dir::Etc::SourceParts=/dev/null \
		-o Dir::State::Lists="$apt_top/lists" -o Dir::State::Status="$apt_top/status" \
		-o Dir::Cache="$apt_top" -o Dir::Cache::pkgcache=pkgcache.bin \
		-o APT::Sandbox::User="$(id -un)" -o Debug::NoLocking=1 \
		-o APT::Architecture="$apt_arch" -o APT::Architectures="$apt_arch" -o Acquire::Languages=none \
		-o Acquire::Retries=2 -o Acquire::http::Timeout=30 -o APT::Install-Recommends=0 "$@"
}
apt_version() { apt apt-cache policy "$2" -t "$1" | awk '$1 == "Candidate:" { print $2 }'; }
apt_depends() { apt apt-cache show "$2/$1" | sed -n 's/^Depends: //p' | tr ', ' '\n\n' | grep -m 1 "$3"; }
# unpack FOLDER PACKAGE...: files of the archive
unpack() {
	into=$1
	shift
	mkdir -p "$into"
	for deb; do
		dpkg-deb -x "$deb" "$into"
	done
}
