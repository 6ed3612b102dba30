# SPDX-License-Identifier: Zlib
noinst_LTLIBRARIES += bench/libbench.la
bench_libbench_la_SOURCES = \
	bench/gen.c bench/gen.h \
	bench/input.c bench/input.h \
	bench/stats.c bench/stats.h \
	bench/timing.c bench/timing.h
