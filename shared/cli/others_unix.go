//go:build unix

package cli

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

func whatOthersMay(path string, info fs.FileInfo, secret bool) (text, hint string) {
	others, ours := othersMay(path, info)
	switch {
	case !ours:
		return "%s belongs to another user, who can change what is done here as you", listing(path)
	case others&0o022 != 0:
		return othersWrite, "chmod go-w " + pathWord(path)
	case secret && others&0o044 != 0:
		return othersRead, "chmod 600 " + pathWord(path)
	}
	return "", ""
}

// othersMay is what the group and all others may do with the file, as the bits
// of its mode, and whether it is this user's, or root's, whom nobody keeps out.
// Nobody may do what they cannot come to do, for a directory above. A group that
// has the number of the user is one of that user alone, as most systems make
// them.
func othersMay(path string, info fs.FileInfo) (mode fs.FileMode, ours bool) {
	is, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, true
	}
	mode = info.Mode() & 0o077
	if is.Gid == is.Uid {
		mode &= 0o007
	}
	ours = is.Uid == 0 || is.Uid == uint32(os.Geteuid())
	if mode&0o066 == 0 {
		return mode, ours
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	if full, err := filepath.Abs(path); err == nil {
		path = full
	}
	for path != filepath.Dir(path) {
		path = filepath.Dir(path)
		above, err := os.Stat(path)
		if err != nil {
			break
		}
		if above.Mode()&0o001 == 0 {
			mode &^= 0o007
		}
		if above.Mode()&0o011 == 0 {
			mode &^= 0o070
		}
	}
	return mode, ours
}
