# SPDX-License-Identifier: Zlib
# Random streams on failing devices: some seconds in make check; make soak SECONDS=3600 for more.
SECONDS = 600
if HAVE_CMOCKA
check_PROGRAMS += tests/soak/soak
TESTS += tests/soak/soak
tests_soak_soak_LDADD = $(zwd_test_libs)
tests_soak_soak_LDFLAGS = $(zwd_test_ldflags)
if LONG_TESTS
TESTS += tests/soak/soak.sh
endif

soak: tests/soak/soak
	SOFT_ZLIB='$(SOFT_ZLIB_PATH)' tests/soak/soak $(SECONDS)
endif
.PHONY: soak
EXTRA_DIST += tests/soak/soak.sh
