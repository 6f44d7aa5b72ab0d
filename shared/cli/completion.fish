# fish completion for PROGRAM; for one shell: PROGRAM --completion fish | source

function __program
    set -l words (commandline -opc)[2..-1]
    set -l answer (string join0 -- $words (commandline -ct) | command PROGRAM --complete fish 2>/dev/null)
    if test "$answer" = --
        # The words behind it are another command's.
        set -l at (contains -i -- -- $words)
        set -e words[1..$at]
        complete -C (string join ' ' -- (string escape -- $words) (commandline -ct))
        return
    end
    printf '%s\n' $answer
end

complete -c PROGRAM -e
complete -c PROGRAM -f -a '(__program)'
