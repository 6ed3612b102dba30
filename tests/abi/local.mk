# SPDX-License-Identifier: Zlib
# What the loader sees, and what the library costs where it has nothing to do.
check_PROGRAMS += tests/abi/percall
tests_abi_percall_LDADD = -lz
TESTS += tests/abi/symbols.sh

# First use where no file can be opened, with a zlib from the start, by a plug-in, and linked with us.
check_PROGRAMS += tests/abi/confined tests/abi/confined_late tests/abi/confined_wd \
	tests/abi/inner tests/abi/inner_late tests/abi/codes
tests_abi_codes_LDADD = -lz
check_LTLIBRARIES += tests/abi/bound.la tests/abi/chosen.la tests/abi/foreign.la tests/abi/old.la tests/abi/plugin.la
abi_module_ldflags = $(AM_LDFLAGS) -module -avoid-version -shared -rpath /nowhere
tests_abi_confined_SOURCES = tests/abi/confined.c tests/abi/roundtrip.c
tests_abi_confined_LDADD = -lz
tests_abi_confined_late_SOURCES = tests/abi/confined.c
tests_abi_confined_late_CPPFLAGS = $(AM_CPPFLAGS) -DPLUGIN
tests_abi_confined_CFLAGS = $(AM_CFLAGS)
tests_abi_confined_wd_CFLAGS = $(AM_CFLAGS)
tests_abi_confined_wd_SOURCES = tests/abi/confined.c tests/abi/roundtrip.c
tests_abi_confined_wd_LDADD = libz-wd/libz-wd.la
tests_abi_confined_wd_LDFLAGS = $(AM_LDFLAGS) -no-install
tests_abi_plugin_la_SOURCES = tests/abi/roundtrip.c
tests_abi_plugin_la_CFLAGS = $(AM_CFLAGS)
tests_abi_plugin_la_LDFLAGS = $(abi_module_ldflags)
tests_abi_plugin_la_LIBADD = -lz
tests_abi_foreign_la_SOURCES = tests/abi/foreign.c
tests_abi_foreign_la_LDFLAGS = $(abi_module_ldflags)
tests_abi_bound_la_SOURCES = tests/abi/bound.c
tests_abi_bound_la_LDFLAGS = $(abi_module_ldflags) -Wl,-z,relro,-z,now
tests_abi_chosen_la_SOURCES = tests/abi/chosen.c
tests_abi_chosen_la_LDFLAGS = $(abi_module_ldflags)
tests_abi_old_la_SOURCES = tests/abi/old.c
tests_abi_old_la_LDFLAGS = $(abi_module_ldflags) -Wl,--hash-style=sysv
tests_abi_old_la_LIBADD = -lz
tests_abi_inner_LDFLAGS = $(AM_LDFLAGS) -Wl,--no-as-needed
tests_abi_inner_LDADD = -lz
tests_abi_inner_late_SOURCES = tests/abi/inner.c
check_PROGRAMS += tests/abi/beside
TESTS += tests/abi/beside
mode_tests += tests/abi/confined.sh tests/abi/inner.sh tests/abi/system.sh
mode_stamps += tests/abi/underneath.sh.emu.t tests/abi/underneath.sh.soft.t
TESTS += tests/abi/versions.sh

if BARE
TESTS += tests/abi/callgrind.sh tests/abi/load.sh tests/abi/silent.sh
endif
EXTRA_DIST += tests/abi/confined.sh tests/abi/inner.sh tests/abi/system.sh tests/abi/underneath.sh tests/abi/versions.sh
EXTRA_DIST += tests/abi/callgrind.sh tests/abi/load.sh tests/abi/silent.sh tests/abi/symbols.sh \
	tests/abi/zlib.symbols
