# SPDX-License-Identifier: Zlib
EXTRA_DIST += tests/fetch-source

# What tests/fetch-source downloaded and unpacked.
clean-local:
	rm -rf tests/cache
