# SPDX-License-Identifier: Zlib
EXTRA_DIST += tests/queue/queue.h tests/queue/submit.sh tests/queue/zwd.sh
TESTS += tests/queue/zwd.sh
check_PROGRAMS += tests/queue/submit
tests_queue_submit_LDADD = libwd/libwd_core.la
if BARE
TESTS += tests/queue/submit.sh
endif
if HAVE_CMOCKA
wd_queue_tests = \
	tests/queue/context \
	tests/queue/denials \
	tests/queue/failures \
	tests/queue/fork \
	tests/queue/idle \
	tests/queue/locks \
	tests/queue/memory \
	tests/queue/no_sleep \
	tests/queue/process \
	tests/queue/ring \
	tests/queue/shared \
	tests/queue/sys \
	tests/queue/threads \
	tests/queue/transport_sdmdev \
	tests/queue/transport_uacce \
	tests/queue/zwd_queues
check_PROGRAMS += $(wd_queue_tests)
TESTS += $(wd_queue_tests)
wd_queue_cflags = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
wd_queue_ldadd = libwd/libwd_core.la $(CMOCKA_LIBS)
tests_queue_context_CFLAGS = $(wd_queue_cflags)
tests_queue_context_LDADD = $(wd_queue_ldadd)
# The shared library: what it asks of libc is told from what others ask.
tests_queue_denials_SOURCES = tests/queue/denials.c tests/denial.c tests/denial.h
tests_queue_denials_CFLAGS = $(wd_queue_cflags)
tests_queue_denials_LDADD = libwd/libwdq.la $(CMOCKA_LIBS)
tests_queue_denials_LDFLAGS = $(AM_LDFLAGS) -no-install
tests_queue_failures_CFLAGS = $(wd_queue_cflags)
tests_queue_failures_LDADD = $(wd_queue_ldadd)
tests_queue_fork_CFLAGS = $(wd_queue_cflags)
tests_queue_fork_LDADD = $(wd_queue_ldadd)
tests_queue_fork_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=wd_root_is_known
tests_queue_idle_CFLAGS = $(wd_queue_cflags)
tests_queue_idle_LDADD = $(wd_queue_ldadd)
tests_queue_memory_CFLAGS = $(wd_queue_cflags)
tests_queue_memory_LDADD = $(wd_queue_ldadd)
tests_queue_no_sleep_CFLAGS = $(wd_queue_cflags)
tests_queue_no_sleep_LDADD = $(wd_queue_ldadd)
tests_queue_process_CFLAGS = $(wd_queue_cflags)
tests_queue_process_LDADD = $(wd_queue_ldadd)
tests_queue_ring_CFLAGS = $(wd_queue_cflags)
tests_queue_ring_LDADD = $(wd_queue_ldadd)
tests_queue_shared_CFLAGS = $(wd_queue_cflags)
tests_queue_shared_LDADD = $(wd_queue_ldadd)
tests_queue_sys_CFLAGS = $(wd_queue_cflags)
tests_queue_sys_LDADD = $(wd_queue_ldadd)
tests_queue_threads_CFLAGS = $(wd_queue_cflags)
tests_queue_threads_LDADD = $(wd_queue_ldadd)
wd_fake_kernel = tests/queue/fake_device.c tests/queue/fake_file.c tests/queue/fake_ioctl.c tests/queue/fake_kernel.c \
	tests/queue/fake_kernel.h tests/queue/fake_priv.h tests/queue/fake_state.c tests/queue/fake_sysfs.c tests/queue/transport.h
tests_queue_locks_SOURCES = tests/queue/locks.c $(wd_fake_kernel)
tests_queue_locks_CFLAGS = $(wd_queue_cflags)
tests_queue_locks_LDADD = $(wd_queue_ldadd)
tests_queue_locks_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=pthread_mutex_lock,--wrap=pthread_mutex_unlock
tests_queue_transport_sdmdev_SOURCES = tests/queue/transport_sdmdev.c $(wd_fake_kernel)
tests_queue_transport_sdmdev_CFLAGS = $(wd_queue_cflags)
tests_queue_transport_sdmdev_LDADD = $(wd_queue_ldadd)
tests_queue_transport_uacce_SOURCES = tests/queue/transport_uacce.c $(wd_fake_kernel)
tests_queue_transport_uacce_CFLAGS = $(wd_queue_cflags)
tests_queue_transport_uacce_LDADD = $(wd_queue_ldadd)
tests_queue_zwd_queues_SOURCES = tests/queue/zwd_queues.c libz-wd/tools/zwd/queues.c \
	libz-wd/tools/zwd/queues.h
tests_queue_zwd_queues_CFLAGS = $(wd_queue_cflags)
tests_queue_zwd_queues_LDADD = $(CMOCKA_LIBS)
endif
