# SPDX-License-Identifier: Zlib
if HAVE_CMOCKA
check_PROGRAMS += tests/bench/parts
TESTS += tests/bench/parts
endif
tests_bench_parts_SOURCES = tests/bench/parts.c
tests_bench_parts_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/bench
tests_bench_parts_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_bench_parts_LDADD = bench/libbench.la $(CMOCKA_LIBS)

TESTS += tests/bench/html.sh tests/bench/smoke.sh
if BARE
TESTS += tests/bench/goals.sh tests/bench/programs.sh
if LONG_TESTS
TESTS += tests/bench/goals_all.sh
endif
endif
EXTRA_DIST += tests/bench/goals.sh tests/bench/goals_all.sh tests/bench/html.sh \
	tests/bench/programs.sh tests/bench/smoke.sh
