#!/bin/sh
# SPDX-License-Identifier: Zlib
# The commands of libz-wd-recipes(7) for programs that are no servers, as they are written there, and each by the
# device. Recipes for servers are run by tests/clients; what needs containers is only read by the shell.
limit_s=240
ZWD_TEST_MODE=emu
. "$top_srcdir/tests/clients/lib.sh"
need gzip tar pigz git python3
PATH=/usr/bin:/bin:$PATH # not what stands for a program in a folder of one user
export WD_DEVICE=emu ZWD_ENGINE=hw ZWD_TIMEOUT_MS=30000 ZWD_STATS="json:$stats" ZWD_GZIP="$WD_GZIP"
export HOME="$tmp" GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@localhost \
	GIT_COMMITTER_NAME=c GIT_COMMITTER_EMAIL=c@localhost
mkdir "$tmp/bin" "$tmp/work" && cd "$tmp/work" || exit 99
# Of the build folder, as if it were installed.
cat >"$tmp/bin/zwd" <<END
#!/bin/sh
case \$1 in
run | env) what=\$1; shift; exec "$top_builddir/zwd" \$what -L "$LIBZWD.1" "\$@" ;;
*) exec "$top_builddir/zwd" "\$@" ;;
esac
END
chmod +x "$tmp/bin/zwd"
PATH=$tmp/bin:$PATH
data log 400000 >access.log
mkdir folder elsewhere && (cd folder && mix 20000) >/dev/null
git init -q repository && cp folder/* repository && git -C repository add -A && git -C repository commit -qm 1 || exit 99

# follow NAME DIRECTION...: the recipe ends well, and its work was a device's.
follow() {
	name=$1
	shift
	: >"$stats"
	recipe "$name" | sed "s,/etc/systemd/system,$tmp/units," >"$tmp/$name.sh"
	sh -e "$tmp/$name.sh" >"$tmp/said" 2>&1 </dev/null || { cat "$tmp/said"; die "$name: $?"; }
	[ ! -s "$tmp/said" ] || { cat "$tmp/said"; die "$name: something was said"; }
	for direction; do
		[ "$(hw_requests "$direction")" -gt 0 ] || die "$name: $direction was not the device's"
	done
	echo "$test: $name: $(wc -l <"$tmp/$name.sh") lines"
}
follow session deflate inflate
follow python deflate
python3 -c '
import gzip, tarfile, zipfile
assert gzip.open("out.gz").read() == open("access.log", "rb").read()
assert zipfile.ZipFile("archive.zip").testzip() is None and len(tarfile.open("archive.tgz").getnames()) > 5' ||
	die "python: what it wrote is not to be read"
follow backup deflate inflate
diff -r folder elsewhere/folder || die "backup: tar restores something else"
for archive in backup2.tgz backup3.tgz; do
	rm -rf elsewhere/folder && tar xzf $archive -C elsewhere && diff -r folder elsewhere/folder || die "backup: $archive"
done
follow git inflate
git -C clone fsck --full 2>/dev/null || die "git: the clone is damaged"
if command -v jar >/dev/null; then
	follow java deflate
	mkdir java && (cd java && jar xf ../archive.jar) && diff -r folder java/folder || die "java: jar restores something else"
fi

# What a service is started with.
(unset WD_DEVICE ZWD_ENGINE ZWD_TIMEOUT_MS ZWD_STATS ZWD_GZIP; follow service) || exit 1
unit=$tmp/units/nginx.service.d/libz-wd.conf
grep -q '^\[Service\]$' "$unit" || die "service: no drop-in for a service"
preload=$(sed -n 's/^Environment=.*LD_PRELOAD=\([^"]*\)"*$/\1/p' "$unit")
: >"$stats"
LD_PRELOAD=$preload python3 -c 'import zlib; zlib.compress(b"x" * 300000)' || die "service: $preload"
[ "$(hw_requests deflate)" -gt 0 ] || die "service: what $unit preloads is not the library"

recipe containers >"$tmp/containers.sh"
sh -n "$tmp/containers.sh" && [ "$(sed -n 's/^\([a-z]*\) run .*/\1/p' "$tmp/containers.sh" | tr '\n' ' ')" = "docker podman " ] ||
	die "containers"
# No recipe is left out.
for name in $(sed -n 's/^\.\\" recipe \([a-z-]*\)$/\1/p' "$top_srcdir/man/libz-wd-recipes.7"); do
	grep -rqE "(recipe|follow) $name( |;|\)|$)" "$top_srcdir/tests/manual/recipes.sh" "$top_srcdir/tests/clients" ||
		die "nobody runs the recipe $name"
done
exit 0
