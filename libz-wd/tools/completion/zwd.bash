# SPDX-License-Identifier: Zlib
# bash completion of zwd: commands, options and settings are those that it names itself.

# The options in the help of a command.
_zwd_options()
{
	"$@" 2>/dev/null | sed -n 's/^ *\(-[^ ].*\)/\1/p' | sed 's/   *.*//' |
		grep -oE -- '(^|[ ,])-(-[a-z-]+=?|[A-Za-z0-9])'
}

_zwd()
{
	local zwd=${COMP_WORDS[0]} cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local command= at words=

	COMPREPLY=()
	# bash divides words at "=", too.
	[[ $prev == = ]] && prev=${COMP_WORDS[COMP_CWORD - 2]}
	[[ $cur == = ]] && prev=${COMP_WORDS[COMP_CWORD - 1]} cur=
	for ((at = 1; at < COMP_CWORD; at++)); do
		case ${COMP_WORDS[at]} in
		-[dnL] | --device | --count | --library | --root)
			[[ ${COMP_WORDS[at + 1]} == = ]] && ((at++))
			((at++))
			;;
		-*) ;;
		*)
			command=${COMP_WORDS[at]}
			break
			;;
		esac
	done
	case $prev in
	-d | --device)
		words="auto none emu $("$zwd" list 2>/dev/null | sed '1d; s/ .*//')"
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
		return
		;;
	-L | --library)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	--root)
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
		return
		;;
	esac
	if [[ -z $command ]]; then
		words="$("$zwd" help 2>/dev/null | sed -n 's/^  \([a-z][a-z]*\) .*/\1/p') $(_zwd_options "$zwd" help)"
	elif [[ $cur == -* ]]; then
		words=$(_zwd_options "$zwd" help "$command")
	else
		case $command in
		help) words=$("$zwd" help 2>/dev/null | sed -n 's/^  \([a-z][a-z]*\) .*/\1/p') ;;
		list | info | selftest) words="emu $("$zwd" list 2>/dev/null | sed '1d; s/ .*//')" ;;
		queues) [[ $prev == queues ]] && words='create list remove' ;;
		env | run) words=$("$zwd" env --names 2>/dev/null | sed 's/$/=/') ;;
		esac
		case $command in
		doctor | run) mapfile -t COMPREPLY < <(compgen -c -- "$cur") ;;
		esac
	fi
	[[ -n $words ]] && mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -W "$words" -- "$cur")
	[[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null
	return 0
}
complete -o default -F _zwd zwd
