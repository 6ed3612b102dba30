# SPDX-License-Identifier: Zlib
mode_tests += tests/gzip/large.sh tests/gzip/options.sh tests/gzip/upstream.sh
EXTRA_DIST += \
	tests/gzip/cases \
	tests/gzip/common \
	tests/gzip/large.sh \
	tests/gzip/options.sh \
	tests/gzip/upstream.sh
