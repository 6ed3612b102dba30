#!/bin/sh
# SPDX-License-Identifier: Zlib
# The test scripts of GNU gzip itself, with our command as the gzip under test.
[ -n "$limited" ] || limited=1 exec timeout 900 sh "$0"
. "$top_srcdir/tests/gzip/common"

# Scripts that do not pass, each with its reason: NAME	REASON
exceptions=''

source=$("$top_srcdir/tests/fetch-source" gzip) || exit $?
[ -x "$source/tests/keep" ] || [ -f "$source/tests/keep" ] || { echo "no tests in $source"; exit 99; }
version=$(sed -n 's/^PACKAGE_VERSION=.\(.*\).$/\1/p' "$source/configure")

# The folder that stands for gzip's build folder: our gzip, and the shell commands around it as they come.
build=$tmp/build
mkdir -p "$build/tests" && cp -R "$source/tests/." "$build/tests" || exit 99
ln -s "$ours" "$build/gzip"
for name in gunzip gzexe zcat zcmp zdiff zegrep zfgrep zforce zgrep zless zmore znew; do
	sed "s,@SHELL@,/bin/bash,; s,@VERSION@,$version,; s,'bindir',$build,; s,@GREP@,grep," \
		"$source/$name.in" >"$build/$name" && chmod +x "$build/$name" || exit 99
done
built="gzip $(cd "$build" && echo z[cdefglmn]* gunzip gzexe)"

cd "$build/tests" || exit 99
failed=0 nr=0
for script in $(sed -n '/^TESTS =/,/^$/p' Makefile.am | sed '1d; s/\\$//'); do
	nr=$((nr + 1))
	with_ours env PATH="$build:$PATH" TMPDIR="$tmp" VERSION="$version" \
		PACKAGE_VERSION=$version PACKAGE_BUGREPORT=nobody abs_top_builddir=$build abs_top_srcdir=$source \
		abs_srcdir=$build/tests srcdir=. top_srcdir=$source built_programs="$built" CC=cc GREP=grep MAKE=make \
		PERL=perl SHELL=/bin/bash GZIP_TEST_NAME=$script timeout 300 bash "./$script" >log 2>&1 9>&2
	code=$?
	why=$(printf '%s\n' "$exceptions" | sed -n "s/^$script	//p")
	case $code:$why in
	0:) echo "pass $script" ;;
	77:*) echo "skip $script: $(tail -n 1 log)" ;;
	0:*) echo "FAIL $script passes, and is said not to: $why"; failed=$((failed + 1)) ;;
	*:) echo "FAIL $script: exit code $code"; tail -n 20 log; failed=$((failed + 1)) ;;
	*) echo "except $script: $why" ;;
	esac
done
echo "$nr scripts, $failed failed"
[ $nr -gt 20 ] && [ $failed = 0 ]
