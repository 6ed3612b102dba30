#!/bin/sh
# SPDX-License-Identifier: Zlib
# Preloaded into a program that does not compress, the library does nothing that can be seen.
set -u
command -v strace >/dev/null || exit 77
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
failed=0
WD_DEVICE=emu ZWD_ENGINE=hw
export WD_DEVICE ZWD_ENGINE

strace -f -o "$tmp/plain" /bin/true >/dev/null 2>&1 || exit 77 # ptrace may be forbidden
strace -f -o "$tmp/preload" -E LD_PRELOAD="$LIBZWD" /bin/true >"$tmp/out" 2>&1 || failed=1
[ -s "$tmp/out" ] && { echo "silent: it wrote" >&2; cat "$tmp/out" >&2; failed=1; }

# The loader opens the library itself and nothing more.
opens()
{
	sed -n 's/.*open[at]*(.*"\(.*\)".*/\1/p' "$1" | sort -u
}
opens "$tmp/plain" >"$tmp/plain.opens"
opens "$tmp/preload" | grep -vxF -e "$LIBZWD" >"$tmp/preload.opens"
diff "$tmp/plain.opens" "$tmp/preload.opens" >&2 || failed=1
for call in 'write' 'clone' 'clone3' 'socket' 'pipe2' 'eventfd2' 'memfd_create' 'rt_sigaction'; do
	if grep -q "^[0-9]* *$call(" "$tmp/preload" && ! grep -q "^[0-9]* *$call(" "$tmp/plain"; then
		echo "silent: it calls $call" >&2
		failed=1
	fi
done
exit $failed
