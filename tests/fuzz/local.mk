# SPDX-License-Identifier: Zlib
# Fuzzers, for libFuzzer: configure CC=clang --enable-fuzz, then run them by hand.
if FUZZ
noinst_PROGRAMS += tests/fuzz/fuzz_emu_sqe
tests_fuzz_fuzz_emu_sqe_SOURCES = tests/fuzz/fuzz_emu_sqe.c
tests_fuzz_fuzz_emu_sqe_CFLAGS = $(AM_CFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_emu_sqe_LDADD = libwd/libwd_core.la
endif
