# SPDX-License-Identifier: Zlib
# Conditions that a process may be in. A program runs its rows with the system's zlib and with the
# library before it; a new condition is a row.
process_rows = \
	tests/process/allocators \
	tests/process/confined \
	tests/process/exits \
	tests/process/forks \
	tests/process/loading \
	tests/process/memory \
	tests/process/sandbox \
	tests/process/signals \
	tests/process/stack \
	tests/process/threads
check_PROGRAMS += $(process_rows)
process_sources = tests/process/process.c tests/process/process.h tests/process/trip.c \
	tests/process/trip.h
tests_process_allocators_SOURCES = tests/process/allocators.c $(process_sources)
tests_process_allocators_LDADD = -lz
tests_process_confined_SOURCES = tests/process/confined.c $(process_sources)
tests_process_confined_LDADD = -lz
tests_process_exits_SOURCES = tests/process/exits.c tests/process/plugin.h $(process_sources)
tests_process_exits_LDADD = tests/process/libplugin.la -lz
tests_process_exits_LDFLAGS = $(AM_LDFLAGS) -no-install
tests_process_forks_SOURCES = tests/process/forks.c $(process_sources)
tests_process_forks_LDADD = -lz
# Without zlib.
tests_process_loading_SOURCES = tests/process/loading.c tests/process/plugin.h \
	tests/process/process.c tests/process/process.h tests/denial.c tests/denial.h
# Objects of its own: denial.c is in libhelpers.la, too.
tests_process_loading_CPPFLAGS = $(AM_CPPFLAGS)
tests_process_memory_SOURCES = tests/process/memory.c $(process_sources)
tests_process_memory_LDADD = -lz
tests_process_sandbox_SOURCES = tests/process/sandbox.c $(process_sources)
tests_process_sandbox_LDADD = -lz
tests_process_signals_SOURCES = tests/process/signals.c $(process_sources)
tests_process_signals_LDADD = -lz
# Its own clock_gettime() is everybody's.
tests_process_signals_LDFLAGS = $(AM_LDFLAGS) -export-dynamic
tests_process_stack_SOURCES = tests/process/stack.c $(process_sources)
tests_process_stack_LDADD = -lz
tests_process_threads_SOURCES = tests/process/threads.c $(process_sources)
tests_process_threads_LDADD = -lz
# What must not be loaded.
check_LTLIBRARIES += tests/process/hostile.la
tests_process_hostile_la_SOURCES = tests/process/hostile.c
tests_process_hostile_la_LDFLAGS = -module -avoid-version -shared -rpath /nowhere
check_LTLIBRARIES += tests/process/libplugin.la
tests_process_libplugin_la_SOURCES = tests/process/plugin.c tests/process/plugin.h
tests_process_libplugin_la_LDFLAGS = -avoid-version -shared -rpath /nowhere
tests_process_libplugin_la_LIBADD = -lz
# A sanitizer wants to be the first library of a process.
if !SANITIZED
mode_tests += $(process_rows)
endif

# The tests of streams once with memory that is aligned to 8 and no more. Missing are those that ask
# what a stream does whose caller has no allocator.
if HAVE_CMOCKA
mode_stamps += \
	tests/stream/arguments.align8.t \
	tests/stream/checksums.align8.t \
	tests/stream/deflate_bits.align8.t \
	tests/stream/deflate_bound.align8.t \
	tests/stream/deflate_copy.align8.t \
	tests/stream/deflate_dict.align8.t \
	tests/stream/deflate_flush.align8.t \
	tests/stream/deflate_header.align8.t \
	tests/stream/deflate_matrix.align8.t \
	tests/stream/deflate_params.align8.t \
	tests/stream/fork.align8.t \
	tests/stream/gz.align8.t \
	tests/stream/inflate_ahead.align8.t \
	tests/stream/inflate_back.align8.t \
	tests/stream/inflate_broken.align8.t \
	tests/stream/inflate_copy.align8.t \
	tests/stream/inflate_dict.align8.t \
	tests/stream/inflate_split.align8.t \
	tests/stream/inflate_sync.align8.t \
	tests/stream/large.align8.t \
	tests/stream/oneshot.align8.t \
	tests/stream/small.align8.t \
	tests/stream/threads.align8.t \
	tests/stream/way_on.align8.t
endif
