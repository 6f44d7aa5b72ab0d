package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

// isOurs tells whether the TCP connection from peer to local, both on this
// machine, was made by this user or by root, who may see everything anyway (and
// relays for the Windows browser under WSL). The kernel lists each socket with
// the user it belongs to (proc_pid_net(5)).
//
// Where WSL shares the network of Windows, a browser there is in no list. The
// sockets of other users in WSL are.
func isOurs(peer, local string) bool {
	looking <- struct{}{}
	defer func() { <-looking }()
	from, to := procAddress(peer), procAddress(local)
	for range 3 { // a list that changes while it is read may lack a line
		for _, path := range []string{"/proc/net/tcp", "/proc/net/tcp6"} { // the second has sockets for both kinds of address
			list, err := os.Open(path)
			if err != nil && path == "/proc/net/tcp" {
				return true // without /proc nobody can look into our arguments either
			}
			uid, listed := owner(list, from, to)
			list.Close()
			if listed {
				return uid == os.Getuid() || uid == 0
			}
		}
	}
	return onWSL()
}

// looking has room for those who look at once: the lists are long where
// somebody makes many connections.
var looking = make(chan struct{}, 4)

// owner finds the user of a connection's near end in the kernel's list, -1 for
// an end that was closed, which the kernel says is root's.
func owner(list io.Reader, from, to string) (uid int, listed bool) {
	const established = "01"
	for lines := bufio.NewScanner(list); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 8 || strings.TrimPrefix(fields[1], mapped) != from || strings.TrimPrefix(fields[2], mapped) != to {
			continue
		}
		uid, err := strconv.Atoi(fields[7])
		if err != nil || fields[3] != established {
			return -1, true
		}
		return uid, true
	}
	return 0, false
}

// procAddress is an IPv4 address and port as the kernel's list has it: the
// address as a number in the machine's byte order.
func procAddress(address string) string {
	a, err := netip.ParseAddrPort(address)
	if err != nil || !a.Addr().Is4() {
		return ""
	}
	octets := a.Addr().As4()
	return fmt.Sprintf("%08X:%04X", binary.NativeEndian.Uint32(octets[:]), a.Port())
}

// mapped is what stands before an IPv4 address in the list of IPv6:
// 0:0:0:0:0:FFFF, four octets in a number.
var mapped = fmt.Sprintf("%016X%08X", 0, binary.NativeEndian.Uint32([]byte{0, 0, 0xff, 0xff}))
