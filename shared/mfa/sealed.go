package mfa

import (
	"bytes"
	"errors"
	"io"
	"strconv"

	"filippo.io/age"
	"filippo.io/age/armor"
)

// SealedError is something in the place of a sealed seed. It tells nothing of
// what it was: it may be a seed that is not sealed.
type SealedError struct{ Reason string }

func (e *SealedError) Error() string { return "not a sealed seed: " + e.Reason }

// ErrPassphrase is a passphrase that does not open a sealed seed. One that was
// damaged in its header looks the same.
var ErrPassphrase = errors.New("the passphrase does not open the sealed seed")

// ErrNoPassphrase is an empty passphrase, which seals nothing.
var ErrNoPassphrase = errors.New("the passphrase is empty")

const (
	largestSealed = 16 << 10 // bytes; ours have 400
	largestWork   = 20       // scrypt with 2^20 takes 1 GiB and seconds; age writes 2^18
)

// Seal returns an age file (age-encryption.org/v1) in which the passphrase has
// sealed the seed. `age -d` opens it too, and shows an otpauth URI. Sealing and
// opening each take about a second and 256 MiB, so that guessing is dear.
func (s Seed) Seal(passphrase string) ([]byte, error) {
	switch {
	case s.kept == nil:
		return nil, &SeedError{"empty"}
	case passphrase == "":
		return nil, ErrNoPassphrase
	}
	recipient, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return nil, err
	}
	var sealed bytes.Buffer
	w, err := age.Encrypt(&sealed, recipient)
	if err != nil {
		return nil, err
	}
	if _, err := io.WriteString(w, s.uri("")+"\n"); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return sealed.Bytes(), nil
}

// Unseal opens what Seal made, or `age -p` from anything that ParseSeed reads,
// armored or not. The error is ErrPassphrase, ErrNoPassphrase or a *SealedError.
func Unseal(sealed []byte, passphrase string) (Seed, error) {
	if passphrase == "" {
		return Seed{}, ErrNoPassphrase
	}
	if len(sealed) > largestSealed {
		return Seed{}, &SealedError{"larger than any"}
	}
	var r io.Reader = bytes.NewReader(sealed)
	if bytes.HasPrefix(sealed, []byte(armor.Header)) {
		r = armor.NewReader(r)
	}
	plain, err := open(r, passphrase)
	if err != nil {
		// The errors of age quote what they read.
		if ours := new(SealedError); err != ErrPassphrase && !errors.As(err, &ours) {
			err = &SealedError{"damaged, or not an age file"}
		}
		return Seed{}, err
	}
	s, err := ParseSeed(string(plain))
	if err != nil {
		return Seed{}, &SealedError{"what is sealed is " + err.Error()}
	}
	return s, nil
}

func open(r io.Reader, passphrase string) ([]byte, error) {
	identity, err := age.NewScryptIdentity(passphrase)
	if err != nil {
		return nil, err
	}
	identity.SetMaxWorkFactor(largestWork)
	plain, err := age.Decrypt(r, passphraseOnly{identity})
	if err != nil {
		return nil, err
	}
	return io.ReadAll(plain)
}

// passphraseOnly says which headers it will not try, and why.
type passphraseOnly struct{ *age.ScryptIdentity }

func (p passphraseOnly) Unwrap(stanzas []*age.Stanza) ([]byte, error) {
	switch {
	case len(stanzas) > 1:
		return nil, &SealedError{"it is sealed for several recipients"}
	case stanzas[0].Type != "scrypt":
		return nil, &SealedError{"it is sealed for a key, not with a passphrase"}
	}
	if args := stanzas[0].Args; len(args) == 2 {
		if work, err := strconv.Atoi(args[1]); err == nil && work > largestWork {
			return nil, &SealedError{"opening it takes more than 1 GiB of memory (a scrypt work factor over 20)"}
		}
	}
	key, err := p.ScryptIdentity.Unwrap(stanzas)
	if errors.Is(err, age.ErrIncorrectIdentity) {
		return nil, ErrPassphrase
	}
	return key, err
}
