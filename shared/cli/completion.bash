# bash completion for PROGRAM; for one shell: eval "$(PROGRAM --completion bash)"

__program() {
	local line
	COMPREPLY=()
	while IFS= read -r line; do
		if [ "$line" = -- ]; then
			__program_command "$2" "$3"
			return
		fi
		[ -z "$line" ] || COMPREPLY+=("$line")
	done <<<"$(printf '%s\0' "${COMP_LINE:0:COMP_POINT}" "$2" | command PROGRAM --complete bash 2>/dev/null)"
}

# The words behind -- are another command's, whose own completion is run as if
# there was nothing before them.
__program_command() {
	local i gone spec way line rest=$COMP_LINE
	for ((i = 0; i < COMP_CWORD; i++)); do
		rest=${rest#*"${COMP_WORDS[i]}"}
		[ "${COMP_WORDS[i]}" != -- ] || break
	done
	rest=${rest#"${rest%%[![:blank:]]*}"}
	gone=$((${#COMP_LINE} - ${#rest}))
	COMP_LINE=$rest COMP_POINT=$((COMP_POINT - gone)) COMP_CWORD=$((COMP_CWORD - i - 1))
	COMP_WORDS=("${COMP_WORDS[@]:i + 1}")
	local command=${COMP_WORDS[0]}
	if ((COMP_CWORD == 0)); then
		compopt -o filenames 2>/dev/null
		way='compgen -c --'
	else
		spec=$(complete -p -- "$command" 2>/dev/null || complete -p -- "${command##*/}" 2>/dev/null)
		if [ -z "$spec" ]; then # the package bash-completion loads them when they are wanted
			_comp_load "${command##*/}" 2>/dev/null || _completion_loader "${command##*/}" 2>/dev/null
			spec=$(complete -p -- "${command##*/}" 2>/dev/null)
		fi
		spec=${spec% *} rest=$spec
		while [[ $rest == *' -o '* ]]; do
			rest=${rest#* -o }
			compopt -o "${rest%% *}" 2>/dev/null
		done
		case $spec in
		*' -F '*)
			rest=${spec#* -F }
			"${rest%% *}" "$command" "$1" "$2"
			return
			;;
		*' -C '*) way="${spec#* -C } \"\$command\" \"\$1\" \"\$2\" #" ;;
		'complete '*) way="compgen ${spec#complete } --" ;;
		*) compopt -o default 2>/dev/null && return || way='compgen -f --' ;;
		esac
	fi
	COMPREPLY=()
	while IFS= read -r line; do
		[ -z "$line" ] || COMPREPLY+=("$line")
	done <<<"$(export COMP_LINE COMP_POINT COMP_KEY COMP_TYPE; eval "$way \"\$1\"" 2>/dev/null)"
}

complete -F __program PROGRAM
