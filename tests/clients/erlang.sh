#!/bin/sh
# SPDX-License-Identifier: Zlib
# Erlang's zlib and zip modules, streams in many processes and compressed files (see erlang.erl).
limit_s=300	# of which a download may take most
. "$top_srcdir/tests/clients/lib.sh"
debian erlang-base
ROOTDIR=$root/usr/lib/erlang
BINDIR=$(echo "$ROOTDIR"/erts-*/bin)
uses_libz "$BINDIR/beam.smp"
# What the script erl does, which knows one place only.
export ROOTDIR BINDIR EMU=beam PROGNAME=erl HOME="$tmp"
mkdir "$tmp/mix" && cd "$tmp/mix" || exit 99
mix 4000
cd "$tmp" || exit 99
cp "$top_srcdir/tests/clients/erlang.erl" erlang_zlib.erl
"$BINDIR/erlexec" -noinput -boot start_clean -eval '{ok, _} = compile:file("erlang_zlib"), halt().' >log 2>&1 ||
	{ cat log; exit 99; }

# What goes wrong ends the program with 1; it ends by exit(), which leaves the statistics.
main='try erlang_zlib:main(init:get_plain_arguments()), halt(0)
	catch C:E:S -> io:format(standard_error, "~p ~p ~p~n", [C, E, S]), halt(1) end.'
exchange "$BINDIR/erlexec" -noinput -boot start_clean -eval "$main" -extra
assert_device_use deflate inflate
