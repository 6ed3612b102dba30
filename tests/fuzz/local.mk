# SPDX-License-Identifier: Zlib
# The whole zlib interface beside the system's zlib; each run has a seed of its own beside a fixed one.
fuzz_api_sources = tests/fuzz/fuzz_api.c tests/fuzz/api/api.h tests/fuzz/api/api_deflate.c \
	tests/fuzz/api/api_deflate.h tests/fuzz/api/api_deflate_told.c \
	tests/fuzz/api/api_inflate.h tests/fuzz/api/api_inflate_told.c \
	tests/fuzz/api/api_deflating.c tests/fuzz/api/api_packed.c \
	tests/fuzz/api/api_gz.c tests/fuzz/api/api_inflate.c tests/fuzz/api/api_input.c \
	tests/fuzz/api/api_other.c tests/fuzz/api/api_run.c tests/buf.c tests/buf.h tests/zlib_api.h
check_PROGRAMS += tests/fuzz/fuzz_api
mode_tests += tests/fuzz/fuzz_api
tests_fuzz_fuzz_api_SOURCES = $(fuzz_api_sources)
# Objects of its own: buf.c is in libhelpers.la, too.
tests_fuzz_fuzz_api_CPPFLAGS = $(AM_CPPFLAGS)
tests_fuzz_fuzz_api_LDADD = $(zwd_test_lib)
tests_fuzz_fuzz_api_LDFLAGS = $(AM_LDFLAGS) -no-install
CLEANFILES += fuzz_api.*.input

# Fuzzers, for libFuzzer: configure CC=clang --enable-fuzz, then run them by hand.
if FUZZ
noinst_PROGRAMS += tests/fuzz/fuzz_api_libfuzzer tests/fuzz/fuzz_deflate_chunks tests/fuzz/fuzz_emu_sqe tests/fuzz/fuzz_inflate \
	tests/fuzz/fuzz_vfu
tests_fuzz_fuzz_api_libfuzzer_SOURCES = $(fuzz_api_sources)
tests_fuzz_fuzz_api_libfuzzer_CFLAGS = $(AM_CFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_api_libfuzzer_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_API_LIBFUZZER
tests_fuzz_fuzz_api_libfuzzer_LDADD = $(zwd_test_lib)
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
