# SPDX-License-Identifier: Zlib
# bash completion of wd-gzip: its options are those that its help names.

_wd_gzip()
{
	local cur=${COMP_WORDS[COMP_CWORD]}

	COMPREPLY=()
	if [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$("${COMP_WORDS[0]}" --help 2>/dev/null |
			sed -n 's/^ *\(-[^ ].*\)/\1/p' | sed 's/   *.*//' | grep -oE -- '-(-[a-z-]+=?|[A-Za-z0-9])')" -- "$cur")
		[[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null
	fi
}
complete -o default -F _wd_gzip wd-gzip
