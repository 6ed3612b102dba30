# SPDX-License-Identifier: Zlib
EXTRA_DIST += tests/queue/queue.h tests/queue/wdctl.sh
TESTS += tests/queue/wdctl.sh
if HAVE_CMOCKA
wd_queue_tests = \
	tests/queue/context \
	tests/queue/failures \
	tests/queue/fork \
	tests/queue/memory \
	tests/queue/ring \
	tests/queue/threads
check_PROGRAMS += $(wd_queue_tests)
TESTS += $(wd_queue_tests)
wd_queue_cflags = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
wd_queue_ldadd = libwd/libwd_core.la $(CMOCKA_LIBS)
tests_queue_context_CFLAGS = $(wd_queue_cflags)
tests_queue_context_LDADD = $(wd_queue_ldadd)
tests_queue_failures_CFLAGS = $(wd_queue_cflags)
tests_queue_failures_LDADD = $(wd_queue_ldadd)
tests_queue_fork_CFLAGS = $(wd_queue_cflags)
tests_queue_fork_LDADD = $(wd_queue_ldadd)
tests_queue_memory_CFLAGS = $(wd_queue_cflags)
tests_queue_memory_LDADD = $(wd_queue_ldadd)
tests_queue_ring_CFLAGS = $(wd_queue_cflags)
tests_queue_ring_LDADD = $(wd_queue_ldadd)
tests_queue_threads_CFLAGS = $(wd_queue_cflags)
tests_queue_threads_LDADD = $(wd_queue_ldadd)
endif
