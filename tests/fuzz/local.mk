# SPDX-License-Identifier: Zlib
# Fuzzers, for libFuzzer: configure CC=clang --enable-fuzz, then run them by hand.
if FUZZ
noinst_PROGRAMS += tests/fuzz/fuzz_deflate_chunks tests/fuzz/fuzz_emu_sqe tests/fuzz/fuzz_inflate \
	tests/fuzz/fuzz_vfu
tests_fuzz_fuzz_deflate_chunks_SOURCES = tests/fuzz/fuzz_deflate_chunks.c
tests_fuzz_fuzz_deflate_chunks_CFLAGS = $(AM_CFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_deflate_chunks_LDADD = libz-wd/libz-wd.la
tests_fuzz_fuzz_emu_sqe_SOURCES = tests/fuzz/fuzz_emu_sqe.c $(libwd_emu_sources)
tests_fuzz_fuzz_emu_sqe_CFLAGS = $(AM_CFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_inflate_SOURCES = tests/fuzz/fuzz_inflate.c
tests_fuzz_fuzz_inflate_CFLAGS = $(AM_CFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_inflate_LDADD = libz-wd/libz-wd.la
tests_fuzz_fuzz_vfu_SOURCES = tests/fuzz/fuzz_vfu.c tests/system/vfu.c tests/system/vfu.h \
	$(libwd_emu_sources)
tests_fuzz_fuzz_vfu_CFLAGS = $(AM_CFLAGS) -fsanitize=fuzzer
endif
