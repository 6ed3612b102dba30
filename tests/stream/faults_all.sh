#!/bin/sh
# SPDX-License-Identifier: Zlib
# Every kind of fault at every request with every wrapper, which faults and inflate_faults take by turns.
"$top_builddir/tests/stream/faults" all && "$top_builddir/tests/stream/inflate_faults" all
