package cli

import "os"

const (
	othersWrite = "others may write %s, and so change what is done here as you"
	othersRead  = "others may read %s"
)

// WarnOfOthers tells, once, of a file or directory that other users of the
// machine may write, who then have a say in which commands run as this user
// (credential_process), or may read, if it has secrets.
func (v *Voice) WarnOfOthers(path string, secret bool) {
	info, err := os.Stat(path)
	if err != nil || !info.IsDir() && !info.Mode().IsRegular() || v.exposed[path] {
		return
	}
	text, hint := whatOthersMay(path, info, secret)
	if text == "" {
		return
	}
	if v.exposed == nil {
		v.exposed = map[string]bool{}
	}
	v.exposed[path] = true
	v.Warn(text, path)
	v.Hint("%s", hint)
}
