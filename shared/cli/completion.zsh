#compdef PROGRAM
# zsh completion for PROGRAM: _PROGRAM in a directory of $fpath, or, behind
# compinit: source <(PROGRAM --completion zsh)

__program() {
	emulate -L zsh -o extendedglob
	local -a answer
	answer=(${(f)"$(print -rN -- "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" | command PROGRAM --complete zsh 2>/dev/null)"})
	if [[ $answer[1] == -- ]]; then # the words behind it are another command's
		local -i at=$words[(ie)--]
		words=("${(@)words[at+1,-1]}")
		((CURRENT -= at))
		_normal
		return
	fi
	[[ $PREFIX == --*=* ]] && compset -P '*='
	_describe PROGRAM answer
}

if [[ $funcstack[1] == _PROGRAM ]]; then # it is being autoloaded, and run for the first time
	_PROGRAM() { __program "$@" }
	__program "$@"
else
	compdef __program PROGRAM
fi
