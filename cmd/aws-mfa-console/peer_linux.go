package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

// isOurs tells whether the TCP connection from peer to local, both on this
// machine, was made by this user or by root, who may see everything anyway (and
// relays for the Windows browser under WSL). The kernel lists each socket with
// the user it belongs to (proc_pid_net(5)).
func isOurs(peer, local string) bool {
	list, err := os.Open("/proc/net/tcp")
	if err != nil {
		return true // without /proc nobody can look into our arguments either
	}
	defer list.Close()
	from, to := procAddress(peer), procAddress(local)
	for lines := bufio.NewScanner(list); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) > 7 && fields[1] == from && fields[2] == to {
			uid, err := strconv.Atoi(fields[7])
			return err == nil && (uid == os.Getuid() || uid == 0)
		}
	}
	return false
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
