# SPDX-License-Identifier: Zlib
# make check-modules: with the headers of all kernels, which it downloads; not part of check.
TESTS += tests/kernel/modules.sh
EXTRA_DIST += tests/kernel/modules.sh tests/kernel/kernels.sh
check-modules:
	sh $(srcdir)/tests/kernel/kernels.sh
