// Hello is what no Go program can be faster than.
package main

import "os"

func main() { os.Stdout.WriteString("hello\n") }
