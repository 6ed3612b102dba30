# SPDX-License-Identifier: Zlib
TESTS += tests/kernel/modules.sh
EXTRA_DIST += tests/kernel/modules.sh
