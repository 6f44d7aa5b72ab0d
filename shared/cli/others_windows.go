package cli

import (
	"io/fs"
	"os"

	"aws-mfa/shared/cache"
)

func whatOthersMay(path string, info fs.FileInfo, secret bool) (text, hint string) {
	// A directory hands it down, to files, to directories.
	full := "F"
	if info.IsDir() {
		full = "(OI)(CI)F"
	}
	hint = "icacls " + windowsWord(path) + " /inheritance:r /grant:r " + windowsWord(os.Getenv("USERNAME")+":"+full)
	switch read, write := cache.OthersMay(path); {
	case write:
		return othersWrite, hint
	case secret && read:
		return othersRead, hint
	}
	return "", ""
}
