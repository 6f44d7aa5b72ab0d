package cli

import (
	"errors"
	"runtime"
	"strings"
	"syscall"

	"aws-mfa/shared/wording"
)

// Hints are commands of a POSIX shell; on Windows of PowerShell and, where the
// two can agree, of cmd.exe.
const onWindows = runtime.GOOS == "windows"

// ShellWord is s as one word of a POSIX shell or fish, or of those of Windows.
// It is NAME in place of what cannot be shown as it is, and on Windows, whose
// shells disagree about quotes, of what one might take for more than text.
func ShellWord(s string) string {
	if onWindows {
		return windowsWord(s)
	}
	return posixWord(s)
}

// pathWord is the path of a file as one word that is no flag.
func pathWord(path string) string {
	if strings.HasPrefix(path, "-") {
		path = "./" + path
	}
	return ShellWord(path)
}

const plainInShells = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+.:/"

// showable tells whether s is shown as it is, and is no longer than anybody pastes.
func showable(s string) bool { return len(s) <= 1000 && wording.Printable(s) == s }

func posixWord(s string) string {
	switch {
	case !showable(s):
		return "NAME"
	case s != "" && strings.Trim(s, plainInShells+",@") == "":
		return s
	}
	// Between single quotes a backslash is text to all but fish.
	return "'" + strings.NewReplacer("'", `'\''`, `\`, `'\\'`).Replace(s) + "'"
}

func windowsWord(s string) string {
	switch {
	case !showable(s):
		return "NAME"
	case s != "" && strings.Trim(s, plainInShells+`=\`) == "":
		return s
	case strings.ContainsAny(s, "\"$%!^`\u201c\u201d\u201e"): // PowerShell takes typographic quotes for quotes
		return `"NAME"`
	case strings.HasSuffix(s, `\`):
		s += `\` // or the program takes the quote for a part of the word
	}
	return `"` + s + `"`
}

// with is the command with a variable in its environment.
func with(name, value, command string) string {
	if onWindows {
		return Export(name, value) + "; " + command
	}
	return name + "=" + posixWord(value) + " " + command
}

// Export is the command that sets a variable for those that follow.
func Export(name, value string) string {
	if onWindows {
		return "$Env:" + name + ` = "` + strings.Trim(windowsWord(value), `"`) + `"`
	}
	return "export " + name + "=" + posixWord(value)
}

func unset(name string) string {
	if onWindows {
		return "Remove-Item Env:" + name
	}
	return "unset " + name
}

// listing is the command that shows who may do what with a file.
func listing(path string) string {
	if onWindows {
		return "icacls " + pathWord(path)
	}
	return "ls -ld " + pathWord(path)
}

// diskSpace are the commands that show what is left on the disk of path.
func diskSpace(path string) []string {
	if onWindows {
		return []string{"Get-PSDrive"}
	}
	return []string{"df -h " + pathWord(path), "df -i " + pathWord(path)}
}

// isFull tells of a disk without space.
func isFull(err error) bool {
	const handleDiskFull, diskFull = syscall.Errno(39), syscall.Errno(112) // ERROR_HANDLE_DISK_FULL, ERROR_DISK_FULL
	if onWindows {
		return errors.Is(err, diskFull) || errors.Is(err, handleDiskFull)
	}
	return errors.Is(err, syscall.ENOSPC)
}
