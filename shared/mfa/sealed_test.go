package mfa

import (
	"errors"
	"strings"
	"testing"
)

// rfc is the secret of RFC 6238, appendix B, for SHA-1.
const rfc = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"

func parsed(t *testing.T, text string) Seed {
	t.Helper()
	s, err := ParseSeed(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSealedSeedOpensWithItsPassphraseOnly(t *testing.T) {
	s := parsed(t, "otpauth://totp/x?secret="+rfc+"&algorithm=SHA256&period=60")
	sealed, err := s.Seal(jane, "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := Unseal(sealed, "correct horse"); err != nil || got != s {
		t.Errorf("got %v", err)
	}
	for _, wrong := range []string{"", "correct hors", "correct horse "} {
		if _, err := Unseal(sealed, wrong); err != ErrPassphrase {
			t.Errorf("%q: got %v, want %v", wrong, err, ErrPassphrase)
		}
	}
	if _, err := s.Seal(jane, ""); err == nil {
		t.Error("sealed without a passphrase")
	}
	for name, damaged := range map[string][]byte{
		"nothing":        {},
		"not age":        []byte("otpauth://totp/x?secret=" + rfc),
		"cut":            sealed[:len(sealed)-1],
		"a bit flipped":  append(append([]byte{}, sealed[:len(sealed)-1]...), sealed[len(sealed)-1]^1),
		"another header": []byte(strings.Replace(string(sealed), "-> scrypt", "-> X25519", 1)),
		"absurd work":    []byte(strings.Replace(string(sealed), " 18\n", " 40\n", 1)),
	} {
		_, err := Unseal(damaged, "correct horse")
		if err == nil || errors.Is(err, ErrPassphrase) || strings.Contains(err.Error(), rfc[:8]) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
