# SPDX-License-Identifier: Zlib
# bash completion of wd-bench: its options are those that its help names.

_wd_bench()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} words=

	COMPREPLY=()
	case $prev in
	-d | --direction) words='both deflate inflate' ;;
	-f | --format) words='zlib gzip raw' ;;
	--device) words='auto none emu' ;;
	*)
		if [[ $cur == -* ]]; then
			words=$("${COMP_WORDS[0]}" --help 2>/dev/null | sed -n 's/^ *\(-[^ ].*\)/\1/p' |
				sed 's/   *.*//' | grep -oE -- '(^|[ ,])-(-[a-z-]+|[A-Za-z0-9])')
		elif [[ $COMP_CWORD = 1 ]]; then
			words='goals corpus'
		fi
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -o default -F _wd_bench wd-bench
