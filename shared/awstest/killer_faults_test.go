//go:build linux && faults

package awstest_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

func init() { programs["killer"], programs["breaker"] = killer, breaker }

// killed is the killer's status when it has killed, as shells tell of SIGKILL.
const killed = 128 + int(unix.SIGKILL)

// killer is the program of that name:
//
//	killer N CALLS DIR PROGRAM ARG...
//
// runs PROGRAM and kills it before its Nth system call that touches a file below
// DIR, whichever thread makes it, so that the call is not made. (With strace -e
// inject, each thread counts for itself.) Without that many calls the program
// ends by itself, and the killer's status is its. The calls are written to the
// file CALLS, a line each. The program's children live on.
func killer(args []string) int {
	return trace(args[0], args[1], args[2], args[3:], func(program int) error { return unix.Kill(program, unix.SIGKILL) })
}

// breaker is the program of that name:
//
//	breaker N CALLS DIR SCRIPT PROGRAM ARG...
//
// does what killer does, but has a shell run SCRIPT before that call, which is
// then made.
func breaker(args []string) int {
	return trace(args[0], args[1], args[2], args[4:], func(int) error {
		cmd := exec.Command("sh", "-c", args[3])
		cmd.Stderr = os.Stderr
		return cmd.Run()
	})
}

// trace runs a program, and does something before its nth call.
func trace(nth, calls, dir string, program []string, do func(program int) error) int {
	runtime.LockOSThread() // which traces
	n, err := strconv.Atoi(nth)
	if err != nil {
		return failed(err)
	}
	cmd := exec.Command(program[0], program[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &unix.SysProcAttr{Ptrace: true}
	if err := cmd.Start(); err != nil {
		return failed(err)
	}
	t := tracer{main: cmd.Process.Pid, dir: dir, do: do, threads: map[int]bool{cmd.Process.Pid: true}}
	status, err := t.follow(n)
	if err == nil {
		err = os.WriteFile(calls, []byte(strings.Join(t.calls, "")), 0o600)
	}
	if err != nil {
		return failed(err)
	}
	return status
}

type tracer struct {
	main    int
	dir     string
	do      func(program int) error
	threads map[int]bool
	calls   []string
}

// follow lets the program run up to its nth call, or to its end.
func (t *tracer) follow(n int) (status int, err error) {
	var is unix.WaitStatus
	if _, err := unix.Wait4(t.main, &is, unix.WALL, nil); err != nil { // it has become the program
		return 0, err
	}
	if err := unix.PtraceSetOptions(t.main, unix.PTRACE_O_TRACECLONE|unix.PTRACE_O_TRACESYSGOOD|unix.PTRACE_O_EXITKILL); err != nil {
		return 0, err
	}
	if err := unix.PtraceSyscall(t.main, 0); err != nil {
		return 0, err
	}
	for {
		thread, err := unix.Wait4(-1, &is, unix.WALL, nil)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return 0, err
		case is.Exited() && thread == t.main:
			return is.ExitStatus(), nil
		case is.Signaled() && thread == t.main:
			return 128 + int(is.Signal()), nil
		case !is.Stopped():
			continue
		}
		deliver := is.StopSignal()
		switch {
		case deliver == unix.SIGTRAP|0x80:
			deliver = 0
			call, ok := t.call(thread)
			if ok {
				t.calls = append(t.calls, call+"\n")
			}
			if ok && len(t.calls) == n {
				if err := t.do(t.main); err != nil {
					return 0, err
				}
			}
		case deliver == unix.SIGTRAP, deliver == unix.SIGSTOP && !t.threads[thread]: // of our tracing
			deliver = 0
		}
		t.threads[thread] = true
		if err := unix.PtraceSyscall(thread, int(deliver)); err != nil && err != unix.ESRCH {
			return 0, err
		}
	}
}

// callsByPath and callsByFile are the system calls that touch files, with the
// arguments that are paths. Calls that only look (stat, read) are left out: to be
// killed before one of them is to be killed before the next of these.
var (
	callsByPath = map[uint64]struct {
		name  string
		paths []int
	}{
		unix.SYS_OPENAT: {"openat", []int{1}}, unix.SYS_MKDIRAT: {"mkdirat", []int{1}}, unix.SYS_UNLINKAT: {"unlinkat", []int{1}},
		unix.SYS_RENAMEAT: {"renameat", []int{1, 3}}, unix.SYS_RENAMEAT2: {"renameat2", []int{1, 3}}, unix.SYS_LINKAT: {"linkat", []int{1, 3}},
		unix.SYS_SYMLINKAT: {"symlinkat", []int{2}}, unix.SYS_FCHMODAT: {"fchmodat", []int{1}}, unix.SYS_FCHOWNAT: {"fchownat", []int{1}},
		unix.SYS_TRUNCATE: {"truncate", []int{0}}, unix.SYS_UTIMENSAT: {"utimensat", []int{1}}, unix.SYS_MKNODAT: {"mknodat", []int{1}},
	}
	callsByFile = map[uint64]string{
		unix.SYS_WRITE: "write", unix.SYS_PWRITE64: "pwrite64", unix.SYS_WRITEV: "writev", unix.SYS_FTRUNCATE: "ftruncate", unix.SYS_FALLOCATE: "fallocate",
		unix.SYS_FSYNC: "fsync", unix.SYS_FDATASYNC: "fdatasync", unix.SYS_FCHMOD: "fchmod", unix.SYS_FCHOWN: "fchown", unix.SYS_FLOCK: "flock",
	}
)

// call tells which call the thread is about to make, if that touches a file
// below dir.
func (t *tracer) call(thread int) (text string, ok bool) {
	var about struct { // ptrace(2), PTRACE_GET_SYSCALL_INFO
		op           uint8
		_            [3]uint8
		arch         uint32
		instruction  uint64
		stackPointer uint64
		number       uint64
		args         [6]uint64
		_            [2]uint64
	}
	const entry = 1 // PTRACE_SYSCALL_INFO_ENTRY
	size := unsafe.Sizeof(about)
	if _, _, e := unix.Syscall6(unix.SYS_PTRACE, unix.PTRACE_GET_SYSCALL_INFO, uintptr(thread), size, uintptr(unsafe.Pointer(&about)), 0, 0); e != 0 || about.op != entry {
		return "", false
	}
	if call, ok := callsByPath[about.number]; ok {
		var paths []string
		for _, i := range call.paths {
			paths = append(paths, t.below(text0(thread, about.args[i])))
		}
		text := fmt.Sprintf("%s(%s)", call.name, strings.Join(paths, ", "))
		if call.name == "openat" && about.args[2]&unix.O_ACCMODE == unix.O_RDONLY && about.args[2]&unix.O_CREAT == 0 {
			text += " to read"
		}
		return text, slices.ContainsFunc(paths, func(p string) bool { return p != "" })
	}
	if name, ok := callsByFile[about.number]; ok {
		path, _ := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", thread, about.args[0]))
		path = t.below(path)
		return fmt.Sprintf("%s(%s)", name, path), path != ""
	}
	return "", false
}

// below is the path relative to dir, "" if it is not there.
func (t *tracer) below(path string) string {
	below, err := filepath.Rel(t.dir, path)
	if err != nil || !filepath.IsLocal(below) {
		return ""
	}
	return below
}

// text0 is the text in a thread's memory up to its zero byte.
func text0(thread int, at uint64) string {
	var text [4096]byte
	n, _ := unix.PtracePeekData(thread, uintptr(at), text[:256])
	if bytes.IndexByte(text[:n], 0) < 0 {
		n, _ = unix.PtracePeekData(thread, uintptr(at), text[:])
	}
	before, _, _ := bytes.Cut(text[:n], []byte{0})
	return string(before)
}
