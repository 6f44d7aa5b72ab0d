//go:build unix

package cache

import (
	"os"

	"golang.org/x/sys/unix"
)

// readSmall reads a regular file of the directory into a space that is larger; ok
// is false if that was not so easy. Package os takes twice the
// time, to find the directory again and to be ready for what regular files never
// do. If it is no regular file any more, it does not wait for anyone.
func readSmall(dir *os.File, name string, space []byte) (data []byte, ok bool) {
	fd, err := unix.Openat(int(dir.Fd()), name, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, false
	}
	defer unix.Close(fd)
	n, err := unix.Read(fd, space)
	return space[:max(n, 0)], err == nil && n < len(space)
}
