#!/bin/sh
# SPDX-License-Identifier: Zlib
# What libz-wd does where its packages are installed, as root in a system to try it in: use.sh WHAT...
# Each has a line that begins with ok; the first thing that goes wrong ends it. An emulated device stands for a real one.
# use.sh meanwhile COMMAND...: programs are used all the time while the command changes what is installed.
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"; [ -z "$settings" ] || rm -f /etc/libz-wd.conf' EXIT
trap 'exit 99' HUP INT TERM
chmod 755 "$dir" && cd "$dir" || exit 99
stats=$dir/stats settings=
fail() { echo "use.sh: $*" >&2; cat "$dir/err" "$stats" 2>/dev/null >&2; exit 1; }
ok() { echo "ok $*"; }
lib=$(dirname "$(ldconfig -p | sed -n 's/.*libz-wd\.so\.1 .* => //p' | head -n 1)")
device='WD_DEVICE=emu ZWD_ENGINE=hw'
seq 300000 >data
gzip -c data >data.gz

# by_device DIRECTION WHO: the statistics say so. Whoever is next begins with none.
by_device() {
	grep -q "\"$1\":{\"hw_requests\":[1-9]" "$stats" || fail "$2: $1 was not the device's"
	: >"$stats"
}
: >"$stats"
chmod 666 "$stats"

commands() {
	zwd list -d emu | grep -q '^emu' || fail "zwd list shows no emulated device"
	zwd selftest -d emu:qm=2 >out 2>err || fail "zwd selftest fails"
	zwd version >/dev/null && wd-gzip --version >/dev/null || fail "a command does not run"
	WD_DEVICE=emu wd-bench --quick data >out 2>err || fail "wd-bench fails"
	getent group wd >/dev/null || fail "there is no group wd"
	[ -n "$(systemd-analyze cat-config sysusers.d/wd.conf 2>/dev/null || cat /usr/lib/sysusers.d/wd.conf)" ] ||
		fail "systemd does not find the group"
	systemd-analyze verify --man=no wd-queues@x.service 2>err || fail "the unit of the queues"
	for page in zwd wd-gzip libz-wd libz-wd-recipes wd wd_send wd_zip_ctx_used zwd_stats sdmdev; do
		man -w $page >/dev/null 2>&1 || [ -e /etc/dpkg/dpkg.cfg.d/excludes ] || fail "man finds no $page"
	done
	ok "commands"
}

# One program: gzip, whose own deflate wd-gzip takes the place of, and one that uses zlib.
grains() {
	env $device ZWD_STATS="json:$stats" LD_PRELOAD=libz-wd.so.1 gzip -c data >ours.gz 2>err || fail "gzip under preload"
	by_device deflate gzip
	gzip -dc ours.gz | cmp - data || fail "gzip restores something else"
	env $device ZWD_STATS="json:$stats" LD_PRELOAD=libz-wd.so.1 python3 -c \
		'import gzip; gzip.open("data.gz").read()' 2>err || fail "python under preload"
	by_device inflate python
	env ZWD_STATS="json:$stats" zwd run -d emu ZWD_ENGINE=hw gzip -c data >ours.gz 2>err || fail "zwd run"
	by_device deflate "zwd run"
	gzip -c data >/dev/null && [ ! -s "$stats" ] || fail "who was not told uses it, too"
	ok "one program"
}

developer() {
	cat >user.c <<-'END'
		#include <string.h>
		#include <zlib.h>
		int main(void)
		{
			static unsigned char in[1000000], packed[1100000], out[1000000];
			uLongf packed_len = sizeof(packed), out_len = sizeof(out);

			memset(in, 'x', sizeof(in));
			return compress(packed, &packed_len, in, sizeof(in)) ||
			       uncompress(out, &out_len, packed, packed_len) || memcmp(in, out, sizeof(in));
		}
	END
	cat >queues.c <<-'END'
		#include <wdq/wd.h>
		int main(void)
		{
			struct wd_device_info info;

			return wd_list_devices("emu", &info, 1) != 1;
		}
	END
	cc -o user user.c $(pkg-config --cflags --libs libz-wd) 2>err || fail "a program is not linked with -lz-wd"
	cc -o queues queues.c $(pkg-config --cflags --libs wdq) 2>err || fail "a program is not linked with -lwdq"
	env $device ZWD_STATS="json:$stats" ./user 2>err || fail "a program that is linked with -lz-wd"
	by_device deflate "a linked program"
	./queues 2>err || fail "a program that is linked with -lwdq"
	ok "developer"
}

# One user: a line in that user's profile.
user() {
	for name in zwd-one zwd-other; do
		useradd -m -s /bin/sh $name || exit 99
	done
	zwd env -d emu ZWD_ENGINE=hw "ZWD_STATS=json:$stats" >>/home/zwd-one/.profile || fail "zwd env"
	su - zwd-one -c "gzip -c $dir/data | gzip -d | cmp - $dir/data" 2>err || fail "a user's gzip"
	by_device deflate "one user"
	su - zwd-other -c "gzip -c $dir/data >/dev/null" 2>err || fail "another user's gzip"
	[ ! -s "$stats" ] || fail "another user uses it, too"
	userdel -r zwd-one 2>/dev/null
	userdel -r zwd-other 2>/dev/null
	ok "one user"
}

# One service: a drop-in. No service manager runs here: what systemd makes of the drop-in is run.
service() {
	units=/run/systemd/system
	mkdir -p $units/zwd-try.service.d || exit 99
	printf '[Service]\nType=oneshot\nExecStart=/usr/bin/gzip -kf %s/data\n' "$dir" >$units/zwd-try.service
	zwd env --systemd -d emu ZWD_ENGINE=hw "ZWD_STATS=json:$stats" >$units/zwd-try.service.d/libz-wd.conf ||
		fail "zwd env --systemd"
	systemd-analyze verify --man=no zwd-try.service 2>err || fail "systemd does not like the drop-in"
	environment=$(systemd-analyze cat-config systemd/system/zwd-try.service | sed -n 's/^Environment=//p' | tr '\n' ' ')
	[ -n "$environment" ] || fail "systemd finds no drop-in"
	# Its quotes are the shell's, too.
	eval "env -i PATH='$PATH' $environment $(sed -n 's/^ExecStart=//p' $units/zwd-try.service)" 2>err || fail "the service"
	rm -r $units/zwd-try.service $units/zwd-try.service.d
	gzip -dc data.gz | cmp - data || fail "the service made something else"
	by_device deflate "one service"
	ok "one service"
}

for_all() {
	settings=1
	printf 'WD_DEVICE = emu\nZWD_ENGINE = hw\nZWD_STATS = json:%s\n' "$stats" >/etc/libz-wd.conf
}
try_python() {
	python3 -c '
import zlib
data = open("data", "rb").read()
assert zlib.decompress(zlib.compress(data)) == data'
}
try_git() {
	rm -rf repo clone
	git init -q repo && cp data repo && git -C repo add data &&
		git -C repo -c user.name=x -c user.email=x@localhost commit -q -m x && git -C repo gc -q &&
		git -C repo fsck --strict 2>err && git clone -q --no-local repo clone && cmp data clone/data
}
# The two of ssh, back to back: no port and no daemon.
make_ssh() {
	mkdir -p /run/sshd && ssh-keygen -q -t ed25519 -N '' -f key && cp key.pub authorized && chmod 600 authorized || exit 99
	printf '%s\n' "HostKey $dir/key" "AuthorizedKeysFile $dir/authorized" 'StrictModes no' 'UsePAM no' \
		'PermitRootLogin yes' 'Compression yes' >sshd.conf
}
try_ssh() {
	ssh -C -F none -i key -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR \
		-o "ProxyCommand=/usr/sbin/sshd -i -f $dir/sshd.conf" root@localhost cat <data 2>err | cmp - data
}

# All programs: the system's own tools go on, with the device, and none of them was told.
system() {
	ldconfig -p | grep 'libz\.so\.1 ' | head -n 1 | grep -q "$lib/libz-wd/system/libz.so.1" ||
		fail "the loader's first libz.so.1 is another"
	for_all
	python3 -c '
import zlib
maps = open("/proc/self/maps").read()
assert "libz-wd.so.1" in maps and "/system/libz.so.1" in maps' 2>err || fail "python does not have it"
	: >"$stats"
	try_python 2>err || fail python
	by_device deflate python
	try_git || fail git
	by_device inflate git
	make_ssh
	try_ssh || fail ssh
	by_device deflate ssh

	# A package that dpkg compresses with zlib, from a list that apt unpacks with it.
	mkdir -p archive probe/DEBIAN probe/usr/share/zwd-probe lists/partial
	cp data probe/usr/share/zwd-probe
	printf '%s\n' 'Package: zwd-probe' 'Version: 1' 'Architecture: all' 'Maintainer: x <x@localhost>' \
		'Description: tries the tools of packages' >probe/DEBIAN/control
	dpkg-deb --root-owner-group -Zgzip -z6 -b probe archive/probe.deb >/dev/null 2>err || fail dpkg-deb
	by_device deflate dpkg-deb
	{
		cat probe/DEBIAN/control
		echo 'Filename: ./probe.deb'
		echo "Size: $(stat -c %s archive/probe.deb)"
		echo "SHA256: $(sha256sum archive/probe.deb | cut -d' ' -f1)"
	} | gzip >archive/Packages.gz
	echo "deb [trusted=yes] file:$dir/archive ./" >sources.list
	set -- -qq -y -o Dir::Etc::SourceList="$dir/sources.list" -o Dir::Etc::SourceParts=/dev/null \
		-o Dir::State::Lists="$dir/lists" -o Dpkg::Use-Pty=0
	apt-get "$@" update 2>err && apt-get "$@" install zwd-probe >out 2>>err || fail apt
	cmp data /usr/share/zwd-probe/data || fail "dpkg unpacks something else"
	by_device inflate "apt and dpkg"
	apt-get "$@" purge zwd-probe >out 2>err || fail "apt cannot remove"
	command -v dpkg-shlibdeps >/dev/null && {
		mkdir -p shlibs/debian && printf 'Source: x\n\nPackage: x\nArchitecture: any\n' >shlibs/debian/control
		echo 'int crc32(); int main(void) { return crc32(); }' | cc -x c -o shlibs/x - -lz
		(cd shlibs && dpkg-shlibdeps -O x 2>/dev/null | grep -q 'zlib1g') || fail "what is built here depends on us"
	}
	rm /etc/libz-wd.conf
	settings=
	ok "all programs"
}

no_system() {
	! ldconfig -p | grep -q 'libz-wd/system' || fail "the loader still knows it"
	python3 -c '
import zlib
assert zlib.decompress(zlib.compress(b"x" * 100000)) == b"x" * 100000
assert "libz-wd" not in open("/proc/self/maps").read()' 2>err || fail "python still has it"
	ok "no program that was not told"
}

rounds() {
	until [ -e enough ]; do
		try_python 2>>err && try_git && try_ssh || exit 1
		echo >>rounds
	done
}
# done_rounds NR: that many were begun and done from now on.
done_rounds() {
	until_nr=$(($(wc -l <rounds) + $1))
	while [ "$(wc -l <rounds)" -lt $until_nr ]; do
		kill -0 "$loop" 2>/dev/null || fail "a program failed while packages changed"
		sleep 0.1
	done
}
meanwhile() {
	for_all
	make_ssh
	: >rounds
	rounds &
	loop=$!
	done_rounds 1
	"$@" >said 2>&1 || { cat said; fail "failed: $*"; }
	done_rounds 2
	: >enough
	wait "$loop" || fail "a program failed while packages changed"
	by_device deflate "git, python and ssh"
	ok "meanwhile: $(wc -l <rounds) rounds of git, python and ssh"
}

if [ "$1" = meanwhile ]; then
	"$@"
	exit
fi
for what; do
	"$what"
done
