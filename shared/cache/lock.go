package cache

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/gofrs/flock"
)

// Lock waits until nobody else holds the lock of that name, takes it, and
// holds it until release is called or the process dies, however it dies. The
// programs that the process starts do not inherit it. A second release does
// nothing; a lock whose release is thrown away may end at any moment.
//
// It waits no longer than ctx, whose cause is then the error. If it has to
// wait, it first calls waiting, once, unless that is nil. It waits for its own
// process too: do not take a lock again while it is held.
//
// A name of 40 hexadecimal digits, as Key.Name gives, is the file's name; every
// other text gets one as serial numbers do. The file is 0600, empty, and stays:
// with it removed, two may hold the lock. It may be read-only. An empty
// directory in its place is removed; what else is no regular file is a
// *BrokenError. Where the file system has no locks, errors.Is finds
// errors.ErrUnsupported, or syscall.ENOLCK.
func (m Memory) Lock(ctx context.Context, name string, waiting func()) (release func(), err error) {
	if waiting != nil {
		waiting = sync.OnceFunc(waiting)
	}
	return m.lock(ctx, m.file(name, ".lock"), waiting)
}

// retry is how often the lock is tried. One who waits alone leaves it unused
// for half of that; the more wait, the sooner it is taken.
const retry = 20 * time.Millisecond

// lock tries again and again, because a system call that blocks would not give
// way to ctx, and could take the lock when nobody wants it any more. It calls
// waiting, unless that is nil, after each time in vain.
//
// Of the libraries for this, lockedfile of rogpeppe/go-internal blocks,
// nightlyone/lockfile goes by process IDs, which are used again, and
// syscall.Flock is not on Windows. This one's own loop, TryLockContext, does not
// return the cause of ctx, and takes EINTR (FUSE, network file systems) for an end.
func (m Memory) lock(ctx context.Context, path string, waiting func()) (release func(), err error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err := m.open(); err != nil {
		return nil, err
	}
	heal(path)
	path, err = target(path) // never opens a FIFO, which would wait for its writer
	if err != nil {
		return nil, err
	}
	file := flock.New(path) // 0600, opened anew for each try
	for {
		ok, err := file.TryLock()
		switch {
		case ok:
			return func() { _ = file.Unlock() }, nil
		case err != nil && !errors.Is(err, syscall.EINTR):
			return nil, named(err, path)
		}
		if waiting != nil {
			waiting()
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(retry):
		}
	}
}

// named adds the path to an error of the system call for locks.
func named(err error, path string) error {
	if errors.As(err, new(*fs.PathError)) {
		return err
	}
	return &fs.PathError{Op: "lock", Path: path, Err: err}
}

// heal removes a directory from the place of a file, if it is empty. What it
// cannot heal is for target to tell.
func heal(path string) {
	if info, err := os.Lstat(path); err == nil && info.IsDir() {
		// Not os.Remove: another process may have healed it meanwhile, and
		// hold its lock on the file that is there now.
		_ = syscall.Rmdir(path)
	}
}
