// Reader reads all the files that an offline status has to.
package main

import (
	"os"
	"path/filepath"
)

func main() {
	home := filepath.Join(os.Getenv("HOME"), ".aws")
	os.ReadFile(filepath.Join(home, "config"))
	os.ReadFile(filepath.Join(home, "credentials"))
	cache := filepath.Join(home, "cli", "cache")
	entries, _ := os.ReadDir(cache)
	for _, entry := range entries {
		os.ReadFile(filepath.Join(cache, entry.Name()))
	}
}
