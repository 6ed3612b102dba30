#!/bin/sh
# SPDX-License-Identifier: Zlib
# Every row of wd-bench goals --quick; goals.sh alone takes one or two of each theme.
exec sh "$top_srcdir/tests/bench/goals.sh" all
