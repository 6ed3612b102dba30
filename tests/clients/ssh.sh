#!/bin/sh
# SPDX-License-Identifier: Zlib
# ssh -C to an sshd of our own: its session, in a chroot or not, compresses behind a fork, privilege separation and
# seccomp. Keys, configuration and users of their own; on an unprivileged port of the loopback interface.
limit_s=300	# of which a download may take most
. "$top_srcdir/tests/clients/lib.sh"
# make coverage: a process writes its counts to files, and here some may not.
[ -z "${GCOV_ERROR_FILE-}" ] || skip "what is executed is counted"
debian openssh-server libnss-wrapper
sshd=$root/usr/sbin/sshd
uses_libz "$sshd" "$(command -v ssh)"
cd "$tmp" || exit 99
chmod 711 "$tmp"
chmod 666 "$stats"
user=$(id -un) jail=
for name in host user; do
	ssh-keygen -q -t ed25519 -N '' -C '' -f "$tmp/$name" || exit 99
done
cp user.pub authorized
mix 20000
cat text json log random zeros >all

# The preloaded libnss_wrapper knows the user sshd, whom only an installed package would make.
wrapper=
made=
if [ "$(id -u)" = 0 ]; then
	wrapper=$(find "$root" /usr/lib -name libnss_wrapper.so 2>/dev/null | head -n 1)
	user=tester	# for root the sessions are privileged
	{
		getent passwd root
		echo 'sshd:x:65533:65534::/run/sshd:/usr/sbin/nologin'
		echo "$user:*:65534:65534::$tmp:/bin/sh"
	} >passwd
	{ getent group root; echo 'nogroup:x:65534:'; } >group
	# Where the privileged part sends the other; one folder for all that run at the same time.
	exec 8>"$top_builddir/tests/cache/sshd.lock"
	flock -w 200 8 || skip "another sshd test does not end"
	[ -d /run/sshd ] || { mkdir -m 755 /run/sshd && made=/run/sshd; } || skip "no /run/sshd"
	# Nobody else may be able to write into a folder above it.
	jail=$(mktemp -d /run/zwd-ssh.XXXXXX) || exit 99
fi
conf() {
	cat <<END
Port $port
ListenAddress 127.0.0.1
HostKey $tmp/host
PidFile $tmp/pid
AuthorizedKeysFile $tmp/authorized
StrictModes no
PermitRootLogin yes
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
$(recipe sshd)
LogLevel VERBOSE
Subsystem sftp internal-sftp
LoginGraceTime 20
END
	[ -z "$chroot" ] || printf 'ChrootDirectory %s\nForceCommand internal-sftp\n' "$chroot"
}
server=
stop() {
	[ -z "$server" ] || kill -TERM "$server" 2>/dev/null
	[ -z "$server" ] || wait "$server" 2>/dev/null
	server=
}
at_exit() {
	stop
	[ -z "$made" ] || rmdir "$made" 2>/dev/null
	[ -z "$jail" ] || rm -rf "$jail"
}
listens() { grep -q 'Server listening' "$tmp/log"; }
# start PRELOAD: the server with these libraries in front.
start() {
	stop
	for try in 1 2 3 4 5 6 7 8; do
		port=$(free_port $try)
		conf >"$tmp/conf"
		: >"$tmp/log"
		env LD_PRELOAD="$1${wrapper:+ $wrapper}" ZWD_STATS="json:$stats" NSS_WRAPPER_PASSWD="$tmp/passwd" \
			NSS_WRAPPER_GROUP="$tmp/group" "$sshd" -D -f "$tmp/conf" -E "$tmp/log" 8>&- &
		server=$!
		until_true 10 listens && return
		stop
		grep -q 'Address already in use' "$tmp/log" || break
	done
	cat "$tmp/log" >&2
	[ -n "$1" ] && die "sshd does not start" || skip "sshd does not run here, plain"
}
options="-F /dev/null -i $tmp/user -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=$tmp/known
	-o IdentitiesOnly=yes -o Compression=yes -o ConnectTimeout=20 -o LogLevel=ERROR"
# ways NAME [CLIENT]: there and back through a command, or by sftp where the session is in a chroot.
ways() {
	rm -f back
	if [ -n "$chroot" ]; then
		rm -f "$chroot"/data/*
		printf 'put %s data/all\nget data/all %s\n' "$tmp/all" "$tmp/back" >batch
		$2 sftp -S "$(command -v ssh)" -q $options -P "$port" -b batch "$user@127.0.0.1" >out 2>&1 || { cat out log; die "$1, sftp: $?"; }
		cmp all "$chroot/data/all" || die "$1: the server got something else"
	else
		$2 ssh $options -p "$port" "$user@127.0.0.1" cat <all >back ||
			{ echo "ssh: $1: ssh ends with $?"; cat log; exit 1; }
		# Small packets, each with a flush, as one types.
		[ "$($2 ssh $options -p "$port" "$user@127.0.0.1" 'for i in 1 2 3 4 5; do echo $i; done' | tr '\n' ' ')" = "1 2 3 4 5 " ] ||
			die "$1: five lines come back otherwise"
	fi
	cmp all back || die "$1: what comes back is different"
	! grep -iE 'fatal|killed|zlib|inflate|deflate' log || die "$1: sshd complained"
}
# The plain server first: where it does not run, nothing is said about ours.
for chroot in "" $jail; do
	[ -z "$chroot" ] || { chmod 755 "$chroot" && mkdir -m 777 "$chroot/data"; }
	start ""
	ways "both plain${chroot:+, chroot}" env
	ways "ssh under preload${chroot:+, chroot}" zwd
	start "$LIBZWD"
	ways "sshd under preload${chroot:+, chroot}" env
	ways "both under preload${chroot:+, chroot}" zwd
done
# sshd's sessions end by _exit(): the statistics are the client's.
assert_device_use deflate inflate
