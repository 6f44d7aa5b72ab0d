package cli

// WarnOfOthers does nothing: who may read and write a file is up to the user's
// profile directory.
func (v *Voice) WarnOfOthers(path string, secret bool) {}
