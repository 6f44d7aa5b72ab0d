//go:build unix

package cli

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// WarnOfOthers tells, once, of a file or directory that other users of the
// machine may write, who then have a say in which commands run as this user
// (credential_process), or may read, if it has secrets.
func (v *Voice) WarnOfOthers(path string, secret bool) {
	info, err := os.Stat(path)
	if err != nil || !info.IsDir() && !info.Mode().IsRegular() || v.exposed[path] {
		return
	}
	warn := func(text, hint string) {
		if v.exposed == nil {
			v.exposed = map[string]bool{}
		}
		v.exposed[path] = true
		v.Warn(text, path)
		v.Hint("%s", hint+" "+pathWord(path))
	}
	others, ours := othersMay(path, info)
	switch {
	case !ours:
		warn("%s belongs to another user, who can change what is done here as you", "ls -ld")
	case others&0o022 != 0:
		warn("others may write %s, and so change what is done here as you", "chmod go-w")
	case secret && others&0o044 != 0:
		warn("others may read %s", "chmod 600")
	}
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
