# SPDX-License-Identifier: Zlib
# What whoever runs programs sets, and reads of them.
TESTS += tests/operate/files.sh
EXTRA_DIST += tests/operate/files.sh
