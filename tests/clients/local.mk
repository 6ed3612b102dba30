# SPDX-License-Identifier: Zlib
check_PROGRAMS += tests/clients/mkmix tests/clients/spawncost
tests_clients_mkmix_SOURCES = tests/clients/mkmix.c
tests_clients_spawncost_SOURCES = tests/clients/spawncost.c

client_tests = \
	tests/clients/git.sh \
	tests/clients/nginx.sh \
	tests/clients/perl.sh \
	tests/clients/pigz.sh \
	tests/clients/python.sh \
	tests/clients/tar.sh \
	tests/clients/zlib_examples.sh
mode_tests += $(client_tests)
# The large mix takes long, and the two others gain nothing from faults.
mode_stamps += \
	tests/clients/gzip.sh.emu.t \
	tests/clients/cpython.sh.soft.t tests/clients/cpython.sh.emu.t \
	tests/clients/leaks.sh.soft.t tests/clients/leaks.sh.emu.t
long_stamps += tests/clients/gzip.sh.fault.t tests/clients/gzip.sh.soft.t
TESTS += tests/clients/startup.sh

EXTRA_DIST += \
	$(client_tests) \
	tests/clients/cpython.sh \
	tests/clients/gzip.sh \
	tests/clients/leaks.sh \
	tests/clients/lib.sh \
	tests/clients/perl.pl \
	tests/clients/python.py \
	tests/clients/startup.sh \
	tests/fetch-source \
	tests/install \
	tests/run

# What tests/fetch-source downloaded and unpacked.
clean-local:
	rm -rf tests/cache
