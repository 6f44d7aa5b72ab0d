package cache

// readSmall leaves it to those who can read any file.
func readSmall(string, []byte) (data []byte, ok bool) { return nil, false }
