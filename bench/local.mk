# SPDX-License-Identifier: Zlib
noinst_LTLIBRARIES += bench/libbench.la
bench_libbench_la_SOURCES = \
	bench/gen.c bench/gen.h \
	bench/input.c bench/input.h \
	bench/spread.c bench/spread.h \
	bench/timing.c bench/timing.h

bin_PROGRAMS += bench/wd-bench
bench_wd_bench_SOURCES = \
	bench/codec.h bench/codec_queue.c bench/codec_zlib.c \
	bench/measure.c bench/measure.h \
	bench/table.c bench/table.h bench/table_data.c \
	bench/wd-bench.c
bench_wd_bench_LDADD = bench/libbench.la libz-wd/libz-wd.la libwd/libwd.la
dist_man_MANS += man/wd-bench.1
