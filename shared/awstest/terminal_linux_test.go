package awstest_test

import "golang.org/x/sys/unix"

const getModes = unix.TCGETS
