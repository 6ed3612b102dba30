#!/bin/sh
# SPDX-License-Identifier: Zlib
# run.sh SECONDS SEED PROGRAM...: each fuzzer for so long, a line of what it did, and a count of them.
# SEED "" is a fixed one and a fresh one.
seconds=$1 seed=$2 passed=0 failed=0 skipped=0
shift 2
log=$(mktemp) || exit 99
trap 'rm -f "$log"' EXIT
for program; do
	name=${program##*/}
	if [ -n "$FUZZ_IS_LIBFUZZER" ]; then
		set -- -max_total_time="$seconds" -print_final_stats=1 ${seed:+-seed="$((seed & 0x7fffffff))"}
	else
		set -- --seconds "$seconds" ${seed:+--seed "$seed"}
	fi
	"$program" "$@" >"$log" 2>&1
	code=$?
	awk -v name="$name" -v code=$code '
		/^# .*seed 0x/ && !/replay/ { seeds = seeds " " $NF }
		/^INFO: Seed:/ { seeds = seeds " " $3 }
		/inputs, [0-9]+\/s/ { inputs = $(NF - 4); rate = $(NF - 2) }
		/^# [0-9]+ programs/ { inputs = $2; rate = $4 }
		/^stat::number_of_executed_units/ { inputs = $2 }
		/^stat::average_exec_per_sec/ { rate = $2 "/s" }
		/^not ok|ERROR: / { findings++ }
		END {
			if (code == 77)
				print name ": cannot run here"
			else
				printf "%s: seed%s, %d inputs, %s %d findings\n", name, seeds, inputs, rate (rate ~ /,$/ ? "" : ","), findings
		}' "$log"
	case $code in
	0) passed=$((passed + 1)) ;;
	77) skipped=$((skipped + 1)) ;;
	*)
		failed=$((failed + 1))
		tail -n 40 "$log"
		echo "FAILED: $name"
		;;
	esac
done
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
