package main

import (
	"encoding/binary"
	"net"
	"strings"
	"testing"
)

// Lines of /proc/net/tcp and tcp6 of Linux 6.18 on a machine with the
// little-endian byte order.
const sockets = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:E331 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 5509458 1 0000000054aefcfb 100 0 0 10 0
   1: 0100007F:E331 0100007F:C09C 01 00000000:00000000 00:00000000 00000000  1000        0 5509460 1 00000000055bb117 20 0 0 10 -1
   2: 0100007F:C09C 0100007F:E331 01 00000000:00000000 00:00000000 00000000  1001        0 5509459 2 000000005145cccd 20 0 0 10 -1
   3: 0100007F:C09D 0100007F:E331 05 00000000:00000000 00:00000000 00000000     0        0 0 2 000000005145ccce 20 0 0 10 -1
   4: 0100007F:C09E 0100007F:E332 01 00000000:00000000 00:00000000 00000000  1000        0 5509461 2 000000005145cccf 20 0 0 10 -1
  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0000000000000000FFFF00000100007F:C09F 0000000000000000FFFF00000100007F:E331 01 00000000:00000000 00:00000000 00000000  1002        0 5509462 2 000000005145ccd0 20 0 0 10 -1
`

func TestAConnectionIsThatOfItsOwner(t *testing.T) {
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		t.Skip("the lines are of another byte order")
	}
	for peer, want := range map[string]struct {
		uid    int
		listed bool
	}{
		"127.0.0.1:49308": {1001, true},
		"127.0.0.1:49309": {-1, true}, // closed by somebody, and root's since
		"127.0.0.1:49310": {0, false}, // to another port
		"127.0.0.1:49311": {1002, true},
		"127.0.0.1:49312": {0, false},
		"127.0.0.2:49308": {0, false},
		"[::1]:49308":     {0, false},
		"":                {0, false},
	} {
		if uid, listed := owner(strings.NewReader(sockets), procAddress(peer), procAddress("127.0.0.1:58161")); uid != want.uid || listed != want.listed {
			t.Errorf("%s: got %d, %t, want %+v", peer, uid, listed, want)
		}
	}
}

func TestOurOwnConnectionIsOurs(t *testing.T) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	c, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	peer, local := c.LocalAddr().String(), c.RemoteAddr().String()
	if !isOurs(peer, local) {
		t.Error("got false")
	}
	c.Close()
	if isOurs(peer, local) && !onWSL() {
		t.Error("closed: got true")
	}
}
