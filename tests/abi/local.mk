# SPDX-License-Identifier: Zlib
# What the loader sees, and what the library costs where it has nothing to do.
check_PROGRAMS += tests/abi/percall
tests_abi_percall_LDADD = -lz
TESTS += tests/abi/symbols.sh
if !SANITIZED
TESTS += tests/abi/callgrind.sh tests/abi/load.sh tests/abi/silent.sh
endif
EXTRA_DIST += tests/abi/callgrind.sh tests/abi/load.sh tests/abi/silent.sh tests/abi/symbols.sh \
	tests/abi/zlib.symbols
