# SPDX-License-Identifier: Zlib
# All clients' patterns on failing devices: some seconds in make check; make soak SECONDS=3600 for more, with
# SOAKFLAGS="--mode=fault --pattern=git" and the like.
SECONDS = 600
SOAKFLAGS =
if HAVE_CMOCKA
check_PROGRAMS += tests/soak/soak
TESTS += tests/soak/soak
tests_soak_soak_SOURCES = \
	tests/soak/report.c tests/soak/report.h \
	tests/soak/settings.c tests/soak/settings.h \
	tests/soak/soak.c tests/soak/soak.h \
	tests/soak/watch.c tests/soak/watch.h \
	tests/soak/worker.c tests/soak/worker.h \
	tests/soak/desk.c tests/soak/pool.c tests/soak/pool.h tests/soak/patterns.c \
	tests/soak/abandon.c \
	tests/soak/any.c \
	tests/soak/backup.c \
	tests/soak/browser.c \
	tests/soak/crowd.c \
	tests/soak/git.c \
	tests/soak/gz.c \
	tests/soak/nginx.c \
	tests/soak/packets.c \
	tests/soak/pages.c \
	tests/soak/png.c \
	tests/soak/rsync.c \
	tests/soak/runtimes.c
# The driver knows how long a queue's rings are.
tests_soak_soak_LDADD = $(zwd_test_libs) libwd/libwd_core.la
tests_soak_soak_LDFLAGS = $(zwd_test_ldflags)
if LONG_TESTS
TESTS += tests/soak/soak.sh
endif

soak: tests/soak/soak
	SOFT_ZLIB='$(SOFT_ZLIB_PATH)' tests/soak/soak --seconds=$(SECONDS) $(SOAKFLAGS)
endif
.PHONY: soak
EXTRA_DIST += tests/soak/soak.sh
