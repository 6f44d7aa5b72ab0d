// Package dump keeps memory with keys in it from disks.
package dump

import "syscall"

// Off keeps what the process has in memory from being written to a disk
// when it crashes (prctl(2), PR_SET_DUMPABLE), and, without a promise, from
// other processes of the same user. A limit on core files would not hold where
// the system pipes them to a program, and would be the children's, too; this
// ends with exec.
func Off() {
	_, _, _ = syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_SET_DUMPABLE, 0, 0)
}
