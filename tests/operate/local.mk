# SPDX-License-Identifier: Zlib
# What whoever runs programs sets, and reads of them.
operate_tests = \
	tests/operate/files.sh \
	tests/operate/run.sh \
	tests/operate/scan.sh
TESTS += $(operate_tests)
EXTRA_DIST += $(operate_tests)
