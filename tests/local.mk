# SPDX-License-Identifier: Zlib
# A test is a program or script in one of the folders below. Names in mode_tests run three times:
# without a device, on the emulated one, and on the emulated one with faults.
mode_tests =
mode_stamps = $(mode_tests:=.soft.t) $(mode_tests:=.emu.t) $(mode_tests:=.fault.t)
TESTS += $(mode_stamps)
# Combinations that take long and are seldom the ones to break.
long_stamps =
if LONG_TESTS
TESTS += $(long_stamps)
endif
CLEANFILES += $(mode_stamps) $(long_stamps)
TEST_EXTENSIONS = .sh .t
T_LOG_COMPILER = sh $(top_srcdir)/tests/mode
SH_LOG_COMPILER = sh
# ThreadSanitizer would wait a second at the end of each of thousands of processes.
AM_TESTS_ENVIRONMENT = \
	top_srcdir='$(abs_top_srcdir)'; top_builddir='$(abs_top_builddir)'; \
	LIBZWD='$(abs_top_builddir)/libz-wd/.libs/libz-wd.so'; \
	WD_GZIP='$(abs_top_builddir)/libz-wd/tools/.libs/wd-gzip'; \
	SOFT_ZLIB='$(SOFT_ZLIB_PATH)'; \
	TSAN_OPTIONS=$${TSAN_OPTIONS-atexit_sleep_ms=0}; \
	export top_srcdir top_builddir LIBZWD WD_GZIP SOFT_ZLIB TSAN_OPTIONS;
EXTRA_DIST += tests/mode

$(mode_stamps) $(long_stamps):
	@$(MKDIR_P) $(@D)
	@: > $@

# What a cmocka program of the zlib interface is made with.
AM_CPPFLAGS += -I$(top_srcdir)/tests
zwd_test_lib = libz-wd/libz-wd.la
zwd_test_libs = tests/libhelpers.la $(zwd_test_lib) $(CMOCKA_LIBS)
# helpers.c may give streams an allocator.
zwd_test_ldflags = $(AM_LDFLAGS) -no-install \
	-Wl,--wrap=deflateInit_,--wrap=deflateInit2_,--wrap=inflateInit_,--wrap=inflateInit2_
if HAVE_CMOCKA
check_LTLIBRARIES += tests/libhelpers.la
tests_libhelpers_la_SOURCES = tests/again.c tests/again.h tests/endless.c tests/endless.h \
	tests/buf.c tests/buf.h tests/helpers.c tests/helpers.h tests/sanitizer.h tests/zlib_api.h
endif

include tests/bench/local.mk
include tests/emu/local.mk
include tests/unit/local.mk
include tests/queue/local.mk
include tests/soak/local.mk
include tests/stream/local.mk
include tests/diff/local.mk
include tests/gzip/local.mk
include tests/operate/local.mk
include tests/clients/local.mk
include tests/kernel/local.mk
include tests/abi/local.mk
include tests/names/local.mk
include tests/system/local.mk
include tests/fuzz/local.mk
include tests/process/local.mk
include tests/mutants/local.mk
EXTRA_DIST += tests/packages
