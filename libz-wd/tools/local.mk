# SPDX-License-Identifier: Zlib
include libz-wd/tools/zwd/local.mk

# Where bash-completion looks, by the command's name; with .bash none of them is taken for the command.
bashcompletiondir = $(datadir)/bash-completion/completions
dist_bashcompletion_DATA = libz-wd/tools/completion/wd-bench.bash libz-wd/tools/completion/wd-gzip.bash \
	libz-wd/tools/completion/zwd.bash

bin_PROGRAMS += libz-wd/tools/wd-gzip
wd_gzip_parts = \
	libz-wd/tools/gzip/codec.c \
	libz-wd/tools/gzip/deflate.c \
	libz-wd/tools/gzip/deflate.h \
	libz-wd/tools/gzip/file.c \
	libz-wd/tools/gzip/format.c \
	libz-wd/tools/gzip/gzip.h \
	libz-wd/tools/gzip/io.c \
	libz-wd/tools/gzip/list.c \
	libz-wd/tools/gzip/members.c \
	libz-wd/tools/gzip/name.c \
	libz-wd/tools/gzip/old.c \
	libz-wd/tools/gzip/output.c \
	libz-wd/tools/gzip/piece.c \
	libz-wd/tools/gzip/piece.h \
	libz-wd/tools/gzip/pigz.c \
	libz-wd/tools/gzip/writer.c \
	libz-wd/tools/gzip/writer.h
libz_wd_tools_wd_gzip_SOURCES = libz-wd/tools/gzip/main.c $(wd_gzip_parts)
libz_wd_tools_wd_gzip_LDADD = libz-wd/libz-wd.la
