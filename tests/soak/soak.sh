#!/bin/sh
# SPDX-License-Identifier: Zlib
# Ten minutes of it; tests/soak/soak alone takes some seconds.
exec "$top_builddir/tests/soak/soak" --seconds=600
