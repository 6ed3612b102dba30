# SPDX-License-Identifier: Zlib
# Conditions that a process may be in. A program runs its rows with the system's zlib and with the
# library before it; a new condition is a row.
process_groups = \
	tests/process/memory
check_PROGRAMS += $(process_groups)
process_sources = tests/process/process.c tests/process/process.h tests/process/trip.c \
	tests/process/trip.h
tests_process_memory_SOURCES = tests/process/memory.c $(process_sources)
tests_process_memory_LDADD = -lz
# A sanitizer wants to be the first library of a process.
if !SANITIZED
mode_tests += $(process_groups)
endif
