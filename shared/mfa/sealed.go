package mfa

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"filippo.io/age"
)

// ErrPassphrase is a passphrase that does not fit.
var ErrPassphrase = errors.New("this is not the passphrase of the seed")

// Seal encrypts the seed under a passphrase, as `age --passphrase` does
// (https://age-encryption.org/v1, scrypt), which can decrypt it: it holds the
// seed as an otpauth URI.
func (s Seed) Seal(serial, passphrase string) ([]byte, error) {
	recipient, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return nil, err
	}
	var sealed bytes.Buffer
	w, err := age.Encrypt(&sealed, recipient)
	if err != nil {
		return nil, err
	}
	if _, err := io.WriteString(w, s.uri(serial)+"\n"); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return sealed.Bytes(), nil
}

// Unseal opens what Seal made. The error is ErrPassphrase, or says that the
// file is damaged or not ours.
func Unseal(sealed []byte, passphrase string) (Seed, error) {
	identity, err := age.NewScryptIdentity(passphrase)
	if err != nil {
		return Seed{}, ErrPassphrase // it is empty
	}
	r, err := age.Decrypt(bytes.NewReader(sealed), identity)
	var none *age.NoIdentityMatchError
	switch {
	case errors.As(err, &none) && slices.Equal(none.StanzaTypes, []string{"scrypt"}):
		return Seed{}, ErrPassphrase
	case err != nil:
		return Seed{}, fmt.Errorf("this is not a seed under a passphrase: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(r, maxSeed))
	if err != nil {
		return Seed{}, fmt.Errorf("the seed under a passphrase is damaged: %w", err)
	}
	return ParseSeed(string(text))
}
