#!/bin/sh
# SPDX-License-Identifier: Zlib
# wd-bench goals has a row and a verdict for everything it lists; rows that no busy machine changes are reached.
# goals.sh all: every row, else one or two of each theme.
bench=$top_builddir/bench/wd-bench
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
unset WD_DEVICE ZWD_ENGINE

fail()
{
	echo "FAIL: $*"
	cat "$dir/out" "$dir/err"
	exit 1
}

# run STATUSES ARGUMENT...
run()
{
	wanted=$1
	shift
	timeout 1200 "$bench" goals "$@" >"$dir/out" 2>"$dir/err"
	got=$?
	case " $wanted " in
	*" $got "*) ;;
	*) fail "wd-bench goals $* ended with $got, not $wanted" ;;
	esac
}

run 0 --list
cut -d ' ' -f 1 "$dir/out" | sort >"$dir/names"
[ -s "$dir/names" ] && [ -z "$(uniq -d "$dir/names")" ] || fail "names are missing or not unique"

some='idle-syscalls small-faults start-silence send-instr cost-libwd random-size learned memory-init idle-burn'
if [ "${1-}" = all ]; then
	some=
else
	for name in $some; do echo "$name"; done | sort >"$dir/names.some"
	[ -z "$(comm -13 "$dir/names" "$dir/names.some")" ] || fail "a row has gone"
	mv "$dir/names.some" "$dir/names"
fi

# Figures of a machine that runs other tests are no verdict on anything: only the form counts.
run '0 1' --quick --json $some
[ ! -s "$dir/err" ] || fail "messages"
if command -v python3 >/dev/null; then
	python3 -m json.tool <"$dir/out" >/dev/null || fail "JSON is not well-formed"
fi
grep -q '"emulated": true' "$dir/out" || fail "JSON does not say that the device is emulated"
sed -n 's/.*"name": "\([^"]*\)".*"verdict": "\(reached\|not reached\|reported\|not measured\)".*/\1/p' "$dir/out" |
	sort | cmp -s - "$dir/names" || fail "a row is missing, or has no verdict"
grep '"verdict": "not measured"' "$dir/out" | grep -q '"note": ""' && fail "no reason for a row not measured"
grep '"note": "the measurement ended' "$dir/out" && fail "a measurement broke down"

# Instructions, pages, bytes and system calls are the same on every machine, but for what a sanitizer adds.
if command -v valgrind >/dev/null && ! grep -q '__[at]san_' "$LIBZWD"; then
	run 0 --quick idle-deflate idle-inflate start-instr start-silence send-batch small-faults memory
fi
run 0 --quick random split idle-syscalls learned
grep -q ' reached' "$dir/out" || fail "no verdicts"

mkdir "$dir/corpus" && seq 200000 >"$dir/corpus/numbers"
run 0 --quick --corpus "$dir/corpus" split-serial
grep -q "input: $dir/corpus" "$dir/out" || fail "the corpus is not named"

for arguments in --unknown no-such-row "--corpus $dir/absent"; do
	run 2 $arguments
	[ -s "$dir/err" ] || fail "no message for $arguments"
done
run 0 --help
[ "$("$bench" generate log 1048576 | sha256sum)" = "$("$bench" generate log 2000000 | head -c 1048576 | sha256sum)" ] ||
	fail "generated data depends on its length"
