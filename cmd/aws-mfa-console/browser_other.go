//go:build !linux

package main

func onWSL() bool { return false }
