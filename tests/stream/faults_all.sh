#!/bin/sh
# SPDX-License-Identifier: Zlib
# Every kind of fault at every request with every wrapper; tests/stream/faults takes the wrappers by turns.
exec "$top_builddir/tests/stream/faults" all
