# SPDX-License-Identifier: Zlib
noinst_LTLIBRARIES += bench/libbench.la
bench_libbench_la_SOURCES = \
	bench/gen.c bench/gen.h \
	bench/input.c bench/input.h \
	bench/learned.c bench/learned.h \
	bench/spread.c bench/spread.h \
	bench/timing.c bench/timing.h

bin_PROGRAMS += bench/wd-bench
bench_wd_bench_SOURCES = \
	bench/anchors.c bench/anchors.h bench/codec.h bench/codec_queue.c bench/codec_zlib.c bench/corpus.c \
	bench/equal.c bench/equal.h \
	bench/goals.c bench/goals.h bench/goals_calls.c bench/goals_child.c bench/goals_clients.c \
	bench/goals_device.c \
	bench/goals_git.c bench/goals_gzip.c bench/goals_inflate.c bench/goals_memory.c \
	bench/goals_policy.c bench/goals_queue.c bench/goals_run.c bench/goals_size.c \
	bench/goals_start.c bench/goals_stream.c \
	bench/html.c bench/html_tables.c bench/html.h \
	bench/measure.c bench/measure.h bench/plot.c bench/plot.h \
	bench/table.c bench/table.h bench/table_data.c \
	bench/wd-bench.c bench/zlib_api.c bench/zlib_api.h \
	libz-wd/engine/learn.c
bench_wd_bench_CPPFLAGS = $(AM_CPPFLAGS) -DPKGLIBEXECDIR='"$(pkglibexecdir)"'
bench_wd_bench_LDADD = bench/libbench.la libz-wd/libz-wd.la libwd/libwdq.la -lm

# Sees the libraries from inside: linked with their objects, and a device of its own.
pkglibexec_PROGRAMS = bench/wd-bench-inner
bench_wd_bench_inner_SOURCES = \
	bench/inner.c bench/stub.c bench/stub.h bench/zlib_api.c bench/zlib_api.h \
	libz-wd/abi/load.c
# Objects of its own: load.c is in the library too, and nothing refers to it.
bench_wd_bench_inner_CPPFLAGS = $(AM_CPPFLAGS)
bench_wd_bench_inner_LDADD = bench/libbench.la libz-wd/libzwd_core.la
dist_man_MANS += man/wd-bench.1

pkglibexec_SCRIPTS = bench/corpus
EXTRA_DIST += bench/corpus.sh bench/programs.py
CLEANFILES += bench/corpus
bench/corpus: bench/corpus.sh
	$(AM_V_GEN)$(MKDIR_P) bench && cp $(top_srcdir)/bench/corpus.sh $@ && chmod +x $@
