//go:build unix

package cache

import "syscall"

// readSmall reads a file that was a regular one into a space that is larger; ok
// is false if that was not so easy. Package os takes twice the time, to be
// ready for what regular files never do. If it is no regular file any more, it
// does not wait for anyone.
func readSmall(path string, space []byte) (data []byte, ok bool) {
	fd, err := syscall.Open(path, syscall.O_RDONLY|syscall.O_CLOEXEC|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, false
	}
	defer syscall.Close(fd)
	n, err := syscall.Read(fd, space)
	return space[:max(n, 0)], err == nil && n < len(space)
}
