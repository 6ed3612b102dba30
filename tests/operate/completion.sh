#!/bin/sh
# SPDX-License-Identifier: Zlib
# bash completes the commands, options and settings that the programs name themselves, and nothing that they refuse.
command -v bash >/dev/null || exit 77
PATH=$top_builddir:$top_builddir/bench:$top_builddir/libz-wd/tools:$PATH exec timeout 120 bash -u - <<'END'
unset WD_DEVICE
failed=0 err=$(mktemp)
trap 'rm -f "$err"' EXIT
for file in zwd wd-gzip wd-bench; do
	. "$top_srcdir/libz-wd/tools/completion/$file.bash" || exit 1
	complete -p "$file" >/dev/null || exit 1
done
# complete_words WORD...: what bash offers for the last one
complete_words() {
	COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
	function=$(complete -p "$1" | sed 's/.*-F \([^ ]*\).*/\1/')
	set +u
	"$function" 2>"$err"
	set -u
	if [ -s "$err" ]; then
		echo "FAIL $*: $(cat "$err")"
		failed=1
	fi
}
# offers WORD WORDS...: that one is among them; lacks: it is not
offers() {
	local word=$1
	shift
	complete_words "$@"
	[[ " ${COMPREPLY[*]-} " == *" $word "* ]] || {
		echo "FAIL $*: offers ${COMPREPLY[*]-}, not $word"
		failed=1
	}
}
lacks() {
	local word=$1
	shift
	complete_words "$@"
	[[ " ${COMPREPLY[*]-} " != *" $word "* ]] || {
		echo "FAIL $*: offers $word"
		failed=1
	}
}
for command in $(zwd help | sed -n 's/^  \([a-z][a-z]*\) .*/\1/p'); do
	offers "$command" zwd "${command:0:1}"
	offers "$command" zwd help "${command:0:1}"
	offers --help zwd "$command" --h
	# Whatever is offered is known.
	complete_words zwd "$command" --
	for option in "${COMPREPLY[@]}"; do
		zwd help "$command" | grep -q -- "$option" || {
			echo "FAIL zwd $command: offers $option"
			failed=1
		}
	done
done
lacks dance zwd d
offers --json zwd list --
lacks --json zwd run --
offers --device= zwd run --
offers emu zwd list -d e
offers emu zwd list --device = e
offers emu zwd list --device =
offers run zwd -d emu r
offers create zwd queues ''
offers ZWD_LEVELS= zwd run ZWD_L
offers ZWD_LEVELS= zwd run -d emu ZWD_L
offers WD_DEVICE= zwd env WD
offers bash zwd run bas
offers bash zwd doctor bas
offers --decompress wd-gzip --d
offers --suffix= wd-gzip --s
offers -9 wd-gzip -
offers --direction wd-bench --d
offers inflate wd-bench -d i
offers goals wd-bench g
exit $failed
END
