//go:build !linux

package main

// isOurs cannot be told here: the address alone has to keep others out.
func isOurs(peer, local string) bool { return true }
