#!/bin/sh
# SPDX-License-Identifier: Zlib
# What quickstart and tests/run do not understand or cannot have is said in one sentence, before anything is
# installed or built: wrong words, no file, no network, no root, no Debian.
tmp=$(mktemp -d) || exit 99
trap 'chmod -R u+w "$tmp"; rm -rf "$tmp"' EXIT
failed=0
fail() {
	echo "FAIL: $*"
	cat "$tmp/out"
	failed=1
}

# A tree of nothing but what is needed to come to the second step, which fails. Nothing of it may be built.
mkdir -p "$tmp/tree/tests" "$tmp/bin" "$tmp/tools"
cp "$top_srcdir/quickstart" "$top_srcdir/configure.ac" "$tmp/tree"
cp "$top_srcdir/tests/run" "$top_srcdir/tests/steps" "$top_srcdir/tests/install" "$top_srcdir/tests/packages" "$tmp/tree/tests"
printf '#!/bin/sh\necho second step; exit 1\n' >"$tmp/tree/autogen.sh"
chmod -R u+w "$tmp/tree"
chmod +x "$tmp/tree/autogen.sh"
for tool in awk basename cat cksum cut date dirname fold grep head id mkdir mktemp nproc printf rm sed sh sleep tail tar tr wc; do
	ln -s "$(command -v $tool)" "$tmp/tools/$tool" || exit 99
done
# program NAME LINE...: stands for a program of the system, and notes that it was called.
program() {
	file=$tmp/bin/$1
	printf '#!/bin/sh\necho "%s $*" >>%s/calls\n' "$1" "$tmp" >"$file"
	shift
	printf '%s\n' "$@" >>"$file"
	chmod +x "$file"
}
program dpkg 'echo amd64'
# run CODE WORDS...: ends with CODE.
run() {
	code=$1
	shift
	: >"$tmp/calls"
	env -u BUILD PATH="$tmp/bin:$tmp/tools" TMPDIR="$tmp" sh "$@" >"$tmp/out" 2>&1 </dev/null
	rc=$?
	[ $rc = "$code" ] || fail "$* ends with $rc, not $code"
}
# said NR WORDS: the last line holds them, and there are NR lines.
said() {
	[ "$(wc -l <"$tmp/out")" = "$1" ] || fail "not $1 lines"
	tail -n 1 "$tmp/out" | grep -qF -e "$2" || fail "it does not say: $2"
}
cd "$tmp/tree" || exit 99

program dpkg-query 'exit 1'
program apt-get 'exit 100'
mkfifo "$tmp/fifo"
for words in --nonsense -x "one two" ./nowhere . "$tmp/fifo"; do
	run 2 ./quickstart $words
	said 1 "see quickstart --help"
	[ ! -s "$tmp/calls" ] || fail "$words installs"
done
for words in nonsense --enable-nonsense --enable --without-sense "--all --guests" "--enable-asan --enable-tsan" X=1; do
	run 2 tests/run $words
	said 1 "see tests/run --help"
	[ ! -s "$tmp/calls" ] || fail "$words installs"
done
for command in ./quickstart tests/run; do
	run 0 $command --help
	grep -q '^Usage: ' "$tmp/out" || fail "$command --help"
	[ ! -s "$tmp/calls" ] || fail "--help installs"
done

# Two lines: the step, and why it ends.
program apt-get 'echo "E: Failed to fetch http://nowhere/x.deb  Could not resolve nowhere"' 'exit 100'
ln -s "$(command -v env)" "$tmp/tools/env"
program sudo 'while :; do case $1 in *=*) shift ;; *) break ;; esac; done' 'exec "$@"'
for command in ./quickstart tests/run; do
	run 1 $command
	said 2 "Could not resolve nowhere (is there a network?)"
	grep -q '^apt-get .*install.*libtool' "$tmp/calls" || fail "$command does not install"
done
rm "$tmp/bin/sudo"
program id 'echo 1000'
: >"$tmp/calls"
for command in ./quickstart tests/run; do
	run 1 $command
	said 2 "root alone can install: apt-get install autoconf automake"
	! grep apt-get "$tmp/calls" || fail "$command installs"
done
rm "$tmp/bin/apt-get"
run 1 ./quickstart
said 2 "this is no Debian"

# Nothing is missing: no rights are needed, and what fails shows what it said.
program apt-get 'exit 100'
program dpkg-query 'printf "install ok installed"'
for command in ./quickstart tests/run; do
	run 1 $command
	grep -q '^second step' "$tmp/out" || fail "$command does not come to the second step"
	! grep apt-get "$tmp/calls" || fail "$command installs"
done

# What cannot work is not configured.
(cd "$tmp" && "$top_srcdir/configure" --enable-static) >"$tmp/out" 2>&1 && fail "configure takes --enable-static"
grep -q 'no static libraries' "$tmp/out" || fail "configure does not say why there are no static libraries"
exit $failed
