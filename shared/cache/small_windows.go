package cache

import "os"

// readSmall leaves it to others.
func readSmall(*os.File, string, []byte) (data []byte, ok bool) { return nil, false }
