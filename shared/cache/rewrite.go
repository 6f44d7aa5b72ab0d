package cache

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

const (
	maxRewritten = 16 << 20 // bytes
	rewriteTries = 10
)

// Rewrite gives the bytes of a file that belongs to the user, not to us, to
// change, and puts what that returns in their place; a missing file is empty.
// No file is written if nothing changed. If change returns an error, it is
// returned as it is, and the file stays as it was.
//
// Readers see the old file or the new one. It keeps its mode and owner, or is
// not written; a new one is 0600, and in a new directory, 0700. A symbolic link
// stays, and the file that it leads to is replaced. Of a file with several hard
// links, only this one leads to the new file; extended attributes, which other
// systems than Windows keep access lists in, are those that a new file gets.
// One that the user may not write is not replaced, even where the directory
// would let it be.
//
// Calls for one file wait for each other, each for some seconds at most, which
// end in a *BrokenError. Other programs know nothing of that lock, and where there
// can be none, it goes on without: if the file is another when it is about to be
// replaced, change is called again with the new bytes, a few times at most,
// which end in a *BrokenError too. What is lost is what another program writes
// between that last look and the replacement, a moment later, and what it
// writes after that to the old file, if it has that open.
//
// Anything but a regular file, and one over 16 MiB, is a *BrokenError.
func (m Memory) Rewrite(ctx context.Context, path string, change func(old []byte) ([]byte, error)) error {
	release, err := m.lockFile(ctx, path)
	if err != nil {
		return err
	}
	defer release()
	for range rewriteTries {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		old, err := settled(ctx, path)
		if err != nil {
			return err
		}
		_ = sweep(dirOf(old.path))
		data, err := change(slices.Clone(old.data))
		if err != nil || bytes.Equal(data, old.data) {
			return err
		}
		if len(data) > maxRewritten {
			return &BrokenError{path, "larger than 16 MiB"}
		}
		if written, err := old.replace(path, data); written || err != nil {
			return err
		}
	}
	return &BrokenError{path, "another process changes it all the time"}
}

// lockFile keeps other calls away from the file, whatever path leads there.
func (m Memory) lockFile(ctx context.Context, path string) (release func(), err error) {
	lock := m.file(onePath(path), ".lock")
	release, err = m.lockBriefly(ctx, lock)
	var broken *BrokenError
	switch {
	case err == nil:
		return release, nil
	case ctx.Err() != nil, errors.As(err, &broken) && broken.Reason == HeldTooLong:
		return nil, err
	}
	return func() {}, nil // a file on a disk without locks is still to be edited
}

// onePath is the same for all paths that lead to the file.
func onePath(path string) string {
	if real, err := target(path); err == nil {
		path = real
	}
	dir, name := dirOf(path), filepath.Base(path)
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	if full, err := filepath.Abs(dir); err == nil {
		dir = full
	}
	return filepath.Join(dir, name)
}

// Programs that write in place, as the AWS CLI does, empty the file first: an
// empty one is waited for, and one that was written a moment ago.
const (
	writing  = 20 * time.Millisecond
	emptying = time.Second
)

// settled is the file, once nobody seems to be writing it.
func settled(ctx context.Context, path string) (sight, error) {
	for began := time.Now(); time.Since(began) < changeLimit; {
		s, err := lookAt(path)
		if err != nil || s.info == nil {
			return s, err
		}
		age := time.Since(s.info.ModTime())
		if age < 0 || age >= emptying || len(s.data) > 0 && age >= writing {
			return s, nil
		}
		select {
		case <-ctx.Done():
			return sight{}, context.Cause(ctx)
		case <-time.After(writing):
		}
	}
	return sight{}, &BrokenError{path, "another process changes it all the time"}
}

// A sight is a file as it was at one moment.
type sight struct {
	path string      // no link
	info fs.FileInfo // nil: there is no file
	data []byte
}

func lookAt(path string) (sight, error) {
	real, err := target(path)
	if err != nil {
		return sight{}, err
	}
	info, err := os.Lstat(real)
	switch {
	case errors.Is(err, fs.ErrNotExist) && path != "":
		return sight{path: real}, nil
	case err != nil:
		return sight{}, err
	}
	os.SameFile(info, info)               // Windows looks which file it is when that is first asked
	data, err := load(real, maxRewritten) // after info: a change meanwhile is seen as one
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return sight{path: real}, nil
	case err != nil:
		return sight{}, err
	case len(data) > maxRewritten:
		return sight{}, &BrokenError{path, "larger than 16 MiB"}
	}
	return sight{real, info, data}, nil
}

func (s sight) same(t sight) bool {
	if s.path != t.path || (s.info == nil) != (t.info == nil) || !bytes.Equal(s.data, t.data) {
		return false
	}
	return s.info == nil || os.SameFile(s.info, t.info) && s.info.ModTime().Equal(t.info.ModTime()) && s.info.Size() == t.info.Size() && s.info.Mode() == t.info.Mode()
}

// replace writes data, unless path leads to something else than what was seen.
func (s sight) replace(path string, data []byte) (written bool, err error) {
	if err := s.writable(); err != nil {
		return false, err
	}
	staged, err := stage(s.path, data, s, lasting)
	if err != nil {
		return false, about(s.path, err)
	}
	now, err := lookAt(path)
	if err != nil || !s.same(now) {
		return false, errors.Join(err, drop(staged))
	}
	if err := swap(staged, s.path, lasting); err != nil {
		return false, about(s.path, err)
	}
	return true, nil
}

// writable makes sure of the directory of a new file, and that the user may
// write an old one.
func (s sight) writable() error {
	if s.info == nil {
		return mkdir(dirOf(s.path)) // not open: a directory that is there is none of ours
	}
	f, err := openFile(s.path, os.O_WRONLY)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // what was seen is gone, as replace finds
	}
	if err != nil {
		return err
	}
	return f.Close()
}
