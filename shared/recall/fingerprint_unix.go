//go:build linux || darwin

package recall

import (
	"fmt"
	"io/fs"
	"syscall"
	"time"
)

// changeOf tells when the file was changed, which nobody can set, and which
// file it is.
func changeOf(info fs.FileInfo) (at time.Time, identity string) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return info.ModTime(), ""
	}
	status := changed(stat)
	return time.Unix(status.Unix()), fmt.Sprintf("%d:%d", stat.Dev, stat.Ino)
}
