#!/bin/sh
# SPDX-License-Identifier: Zlib
# The faults that tests have to find can still be put in: code that changes takes them along.
command -v python3 >/dev/null || {
	echo "no python3"
	exit 77
}
PYTHONDONTWRITEBYTECODE=1 python3 "$top_srcdir/tests/mutants/mutants.py" --source "$top_srcdir" --folder . places
