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
in_time = sh $(top_srcdir)/tests/in_time
LOG_COMPILER = $(in_time)
T_LOG_COMPILER = $(in_time) sh $(top_srcdir)/tests/mode
SH_LOG_COMPILER = $(in_time) sh
# ThreadSanitizer would wait a second at the end of each of thousands of processes.
AM_TESTS_ENVIRONMENT = \
	top_srcdir='$(abs_top_srcdir)'; top_builddir='$(abs_top_builddir)'; \
	LIBZWD='$(abs_top_builddir)/libz-wd/.libs/libz-wd.so'; \
	WD_GZIP='$(abs_top_builddir)/libz-wd/tools/.libs/wd-gzip'; \
	SOFT_ZLIB='$(SOFT_ZLIB_PATH)'; \
	TSAN_OPTIONS=$${TSAN_OPTIONS-atexit_sleep_ms=0}; \
	export top_srcdir top_builddir LIBZWD WD_GZIP SOFT_ZLIB TSAN_OPTIONS;
EXTRA_DIST += tests/in_time tests/mode

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
tests_libhelpers_la_SOURCES = tests/again.c tests/again.h tests/denial.c tests/denial.h tests/endless.c tests/endless.h \
	tests/buf.c tests/buf.h tests/fds.h tests/helpers.c tests/helpers.h tests/leave.h tests/sanitizer.h tests/zlib_api.h
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
include tests/coverage/local.mk
include tests/manual/local.mk
include tests/mutants/local.mk
include tests/newcomer/local.mk
include tests/packaging/local.mk
EXTRA_DIST += tests/packages

# A third of the tests, which takes three quarters of the time: make check has them, tests/run does with --whole.
slow_tests = tests/bench/goals.sh tests/bench/html.sh tests/bench/programs.sh tests/bench/smoke.sh tests/clients/%.soft.t \
	tests/clients/%.fault.t tests/clients/%.auto.t tests/clients/%_tests.sh.emu.t tests/clients/apache.sh.emu.t \
	tests/clients/cpython.sh.emu.t tests/clients/leaks.sh.emu.t tests/clients/mariadb.sh.emu.t \
	tests/clients/nginx.sh.emu.t tests/clients/pigz.sh.emu.t tests/clients/postgres.sh.emu.t tests/diff/versions.sh.% \
	tests/gzip/members.sh.% tests/gzip/options.sh.% tests/gzip/upstream.sh.% tests/kernel/modules.sh \
	tests/manual/examples.sh tests/names/install.sh tests/newcomer/quickstart.sh tests/operate/completion.sh \
	tests/operate/doctor.sh tests/operate/replay.sh tests/operate/selftest.sh tests/operate/tune.sh \
	tests/process/%.soft.t tests/process/%.fault.t tests/process/confined.emu.t tests/process/forks.emu.t \
	tests/process/stack.emu.t tests/process/threads.emu.t tests/queue/locks tests/queue/transport_sdmdev \
	tests/stream/damaged.% tests/stream/deep.% tests/stream/denials.% tests/stream/engines.% tests/stream/failover \
	tests/stream/fault_index tests/stream/faults tests/stream/guard tests/stream/inflate_broken.% \
	tests/stream/inflate_faults tests/stream/inflate_follow tests/stream/inflate_parallel.% \
	tests/stream/inflate_return tests/stream/keep_budget.% tests/stream/late_fork tests/stream/same_bytes.% \
	tests/stream/two_pass.% tests/unit/checksum tests/unit/layers.sh
quick_tests = $(filter-out $(slow_tests),$(TESTS))
check-quick:
	$(MAKE) $(AM_MAKEFLAGS) check TESTS='$(quick_tests)'

# What a sanitizer sees: our programs with our libraries in them. Others' programs cannot take a library with one.
# Children of processes with threads meet AddressSanitizer's own locks: these two have too many of them.
not_sanitized = tests/abi/% tests/bench/% tests/clients/% tests/kernel/% tests/names/% tests/diff/versions.sh.% \
	tests/operate/% tests/unit/layers.sh tests/stream/denials.% tests/stream/late_fork tests/stream/lost \
	tests/gzip/names.sh.%
check-sanitized:
	$(MAKE) $(AM_MAKEFLAGS) check TESTS='$(filter-out $(not_sanitized),$(TESTS))'
# Without mode soft: nearly all of its ways are software's part in the others.
sanitized_most = $(filter-out %.soft.t $(not_sanitized),$(TESTS))
check-sanitized-most:
	$(MAKE) $(AM_MAKEFLAGS) check TESTS='$(sanitized_most)'
# Where threads meet: in a queue, a pool of queues, a device, or in one process.
threaded_modes = tests/diff/diff tests/fuzz/fuzz_api tests/stream/engines tests/stream/fork \
	tests/stream/inflate_lease tests/stream/inflate_parallel tests/stream/large tests/stream/parallel \
	tests/stream/small tests/stream/threads tests/stream/way_on
threaded_tests = tests/emu/test_emu_qm tests/emu/test_emu_queue tests/queue/failures tests/queue/fork \
	tests/queue/memory tests/queue/ring tests/queue/shared tests/queue/threads tests/queue/zwd_queues \
	tests/soak/soak tests/stream/failover tests/stream/faults tests/stream/few_queues tests/stream/waiting \
	tests/system/test_vfu $(threaded_modes:=.emu.t) $(threaded_modes:=.fault.t)
check-threads:
	$(MAKE) $(AM_MAKEFLAGS) check TESTS='$(threaded_tests)'
# The long combinations alone; and all that takes longer than a change can wait, some 10 hours.
check-long:
	$(MAKE) $(AM_MAKEFLAGS) check TESTS='$(long_stamps)'
check-nightly: all
	sh $(srcdir)/tests/nightly '$(MAKE)' $(abs_top_builddir)
EXTRA_DIST += tests/nightly
.PHONY: check-quick check-sanitized check-sanitized-most check-threads check-long check-nightly
