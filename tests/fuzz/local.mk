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

# The others are a target and a generator each, on one driver: seconds of each in make check, FUZZ_SECONDS of
# the environment says how many. With configure CC=clang --enable-fuzz they are libFuzzer's, to be run by hand.
fuzzers =
if FUZZ
noinst_PROGRAMS += tests/fuzz/fuzz_api_libfuzzer $(fuzzers)
tests_fuzz_fuzz_api_libfuzzer_SOURCES = $(fuzz_api_sources)
tests_fuzz_fuzz_api_libfuzzer_CFLAGS = $(AM_CFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_api_libfuzzer_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_API_LIBFUZZER
tests_fuzz_fuzz_api_libfuzzer_LDADD = $(zwd_test_lib)
fuzz_cflags = $(AM_CFLAGS) -fsanitize=fuzzer -DFUZZ_LIBFUZZER
else
check_PROGRAMS += $(fuzzers)
TESTS += $(fuzzers)
fuzz_cflags = $(AM_CFLAGS)
endif
fuzz_driver = tests/fuzz/driver.c tests/fuzz/driver.h tests/fuzz/input.c
fuzz_stock = tests/fuzz/stock.c tests/fuzz/stock.h tests/zlib_api.h
fuzz_ldflags = $(AM_LDFLAGS) -no-install

fuzzers += tests/fuzz/fuzz_gzip
tests_fuzz_fuzz_gzip_SOURCES = tests/fuzz/fuzz_gzip.c $(fuzz_driver) $(fuzz_stock) tests/fuzz/gzip/cook.c \
	tests/fuzz/gzip/cook.h tests/fuzz/gzip/cook_old.c tests/fuzz/gzip/main.c tests/buf.c tests/buf.h \
	$(wd_gzip_parts)
tests_fuzz_fuzz_gzip_CFLAGS = $(fuzz_cflags)
tests_fuzz_fuzz_gzip_LDADD = libz-wd/libz-wd.la
tests_fuzz_fuzz_gzip_LDFLAGS = $(fuzz_ldflags)

fuzzers += tests/fuzz/fuzz_inflate
tests_fuzz_fuzz_inflate_SOURCES = tests/fuzz/fuzz_inflate.c $(fuzz_driver) $(fuzz_stock)
tests_fuzz_fuzz_inflate_CFLAGS = $(fuzz_cflags)
tests_fuzz_fuzz_inflate_LDADD = libz-wd/libz-wd.la
tests_fuzz_fuzz_inflate_LDFLAGS = $(fuzz_ldflags)

fuzzers += tests/fuzz/fuzz_deflate_chunks
tests_fuzz_fuzz_deflate_chunks_SOURCES = tests/fuzz/fuzz_deflate_chunks.c $(fuzz_driver) $(fuzz_stock)
tests_fuzz_fuzz_deflate_chunks_CFLAGS = $(fuzz_cflags)
tests_fuzz_fuzz_deflate_chunks_LDADD = libz-wd/libz-wd.la
tests_fuzz_fuzz_deflate_chunks_LDFLAGS = $(fuzz_ldflags)

fuzzers += tests/fuzz/fuzz_emu_sqe
tests_fuzz_fuzz_emu_sqe_SOURCES = tests/fuzz/fuzz_emu_sqe.c $(fuzz_driver) $(fuzz_stock)
tests_fuzz_fuzz_emu_sqe_CFLAGS = $(fuzz_cflags)
tests_fuzz_fuzz_emu_sqe_LDADD = libwd/libwd_core.la

fuzzers += tests/fuzz/fuzz_vfu
tests_fuzz_fuzz_vfu_SOURCES = tests/fuzz/fuzz_vfu.c tests/fuzz/vfu/client.c tests/fuzz/vfu/client.h $(fuzz_driver) \
	tests/system/vfu.c tests/system/vfu.h
tests_fuzz_fuzz_vfu_CFLAGS = $(fuzz_cflags)
tests_fuzz_fuzz_vfu_LDADD = libwd/libwd_core.la

fuzzers += tests/fuzz/fuzz_settings
tests_fuzz_fuzz_settings_SOURCES = tests/fuzz/fuzz_settings.c tests/fuzz/settings/make.c \
	tests/fuzz/settings/make.h $(fuzz_driver) tests/buf.c tests/buf.h
tests_fuzz_fuzz_settings_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_fuzz_fuzz_settings_CFLAGS = $(fuzz_cflags)
tests_fuzz_fuzz_settings_LDADD = libz-wd/libzwd_core.la

fuzzers += tests/fuzz/fuzz_sqe
tests_fuzz_fuzz_sqe_SOURCES = tests/fuzz/fuzz_sqe.c tests/fuzz/sqe/device.c tests/fuzz/sqe/device.h $(fuzz_driver) \
	$(fuzz_stock)
tests_fuzz_fuzz_sqe_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_fuzz_fuzz_sqe_CFLAGS = $(fuzz_cflags)
tests_fuzz_fuzz_sqe_LDADD = libz-wd/libzwd_core.la

fuzzers += tests/fuzz/fuzz_trace
tests_fuzz_fuzz_trace_SOURCES = tests/fuzz/fuzz_trace.c $(fuzz_driver) $(zwd_replay_parts)
tests_fuzz_fuzz_trace_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir) -DLIBDIR='"$(libdir)"'
tests_fuzz_fuzz_trace_CFLAGS = $(fuzz_cflags)

# make fuzz SECONDS=60 [SEED=N]: each for so long, one after the other, and a line for each.
EXTRA_DIST += tests/fuzz/run.sh
if FUZZ
fuzz_api_program = tests/fuzz/fuzz_api_libfuzzer
fuzz_env = FUZZ_IS_LIBFUZZER=1
else
fuzz_api_program = tests/fuzz/fuzz_api
endif
fuzz: all $(fuzz_api_program) $(fuzzers)
	SOFT_ZLIB='$(SOFT_ZLIB_PATH)' $(fuzz_env) sh $(srcdir)/tests/fuzz/run.sh $(SECONDS) '$(SEED)' \
		$(fuzz_api_program) $(fuzzers)
.PHONY: fuzz
CLEANFILES += fuzz_*.input
