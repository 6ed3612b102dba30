# SPDX-License-Identifier: Zlib
check_PROGRAMS += tests/clients/mkmix tests/clients/spawncost
tests_clients_mkmix_SOURCES = tests/clients/mkmix.c
tests_clients_spawncost_SOURCES = tests/clients/spawncost.c

# Those that run with the settings programs have, too: the library decides what is worth a request.
auto_tests = \
	tests/clients/apache.sh \
	tests/clients/erlang.sh \
	tests/clients/java.sh \
	tests/clients/mariadb.sh \
	tests/clients/node.sh \
	tests/clients/php.sh \
	tests/clients/postgres.sh \
	tests/clients/rsync.sh \
	tests/clients/ruby.sh \
	tests/clients/ssh.sh \
	tests/clients/tcl.sh
client_tests = \
	$(auto_tests) \
	tests/clients/git.sh \
	tests/clients/nginx.sh \
	tests/clients/perl.sh \
	tests/clients/pigz.sh \
	tests/clients/python.sh \
	tests/clients/tar.sh \
	tests/clients/zlib_examples.sh
mode_tests += $(client_tests)
mode_stamps += $(auto_tests:=.auto.t)
# What other projects test zlib with. Some look at lengths, which a failing device changes.
own_tests = \
	tests/clients/php_tests.sh \
	tests/clients/ruby_tests.sh \
	tests/clients/tcl_tests.sh
# The large mix takes long, and the two others gain nothing from faults.
mode_stamps += \
	tests/clients/gzip.sh.emu.t \
	tests/clients/cpython.sh.emu.t \
	tests/clients/node_tests.sh.emu.t \
	$(own_tests:=.emu.t) $(own_tests:=.auto.t) tests/clients/libpng_tests.sh.auto.t \
	tests/clients/trace.sh.soft.t tests/clients/trace.sh.emu.t \
	tests/clients/leaks.sh.emu.t
long_stamps += $(own_tests:=.soft.t) tests/clients/libpng_tests.sh.soft.t tests/clients/libpng_tests.sh.emu.t \
	tests/clients/cpython.sh.soft.t tests/clients/leaks.sh.soft.t \
	tests/clients/java_tests.sh.emu.t tests/clients/java_tests.sh.auto.t \
	tests/clients/gzip.sh.fault.t tests/clients/gzip.sh.soft.t \
	tests/clients/node_tests.sh.soft.t tests/clients/node_tests.sh.auto.t tests/clients/node_tests.sh.fault.t
TESTS += tests/clients/startup.sh

EXTRA_DIST += \
	$(client_tests) \
	$(own_tests) \
	tests/clients/Zips.java \
	tests/clients/libpng_tests.sh \
	tests/clients/cpython.sh \
	tests/clients/erlang.erl \
	tests/clients/gzip.sh \
	tests/clients/java_tests.sh \
	tests/clients/leaks.sh \
	tests/clients/lib.sh \
	tests/clients/node.js \
	tests/clients/node_tests.sh \
	tests/clients/perl.pl \
	tests/clients/php.php \
	tests/clients/python.py \
	tests/clients/ruby.rb \
	tests/clients/startup.sh \
	tests/clients/trace.sh \
	tests/clients/tcl.tcl \
	tests/fetch-package tests/fetch-zlib \
	tests/fetch-source \
	tests/install \
	tests/run

# What tests/fetch-source downloaded and unpacked.
clean-local:
	rm -rf tests/cache
