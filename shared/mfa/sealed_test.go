//go:build unix

package mfa

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"filippo.io/age"
	"filippo.io/age/armor"
	"github.com/creack/pty"
)

// seal is an age file for whomever, which takes no time for a passphrase.
func seal(t *testing.T, plain string, recipients ...age.Recipient) []byte {
	t.Helper()
	for _, r := range recipients {
		if r, ok := r.(*age.ScryptRecipient); ok {
			r.SetWorkFactor(2)
		}
	}
	var sealed bytes.Buffer
	w, err := age.Encrypt(&sealed, recipients...)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(w, plain)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return sealed.Bytes()
}

func withPassphrase(t *testing.T, passphrase string) *age.ScryptRecipient {
	t.Helper()
	r, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestSealedSeedIsOpenedWithItsPassphrase(t *testing.T) {
	s := parseOK(t, "otpauth://totp/a?algorithm=SHA256&period=60&secret="+rfcSecret)
	sealed, err := s.Seal("correct horse")
	if err != nil {
		t.Fatal(err)
	}
	if header := "age-encryption.org/v1\n-> scrypt "; !bytes.HasPrefix(sealed, []byte(header)) || !bytes.Contains(sealed, []byte(" 18\n")) {
		t.Errorf("got %.100q, want %q and a work factor of 18", sealed, header)
	}
	if bytes.Contains(sealed, []byte("GEZD")) {
		t.Error("the file shows the seed")
	}
	again, err := Unseal(sealed, "correct horse")
	if err != nil || **again.kept != **s.kept {
		t.Errorf("got %v, %v, want the same seed", again, err)
	}
	cheap := seal(t, s.uri(""), withPassphrase(t, "correct horse"))
	for _, passphrase := range []string{"correct  horse", "Correct horse", "correct horse\n", "x"} {
		if s, err := Unseal(cheap, passphrase); err != ErrPassphrase || s != (Seed{}) {
			t.Errorf("%q: got %v, %v, want %v", passphrase, s, err, ErrPassphrase)
		}
	}
}

func TestEmptyPassphraseSealsNothing(t *testing.T) {
	if sealed, err := parseOK(t, rfcSecret).Seal(""); err != ErrNoPassphrase || sealed != nil {
		t.Errorf("got %q, %v, want %v", sealed, err, ErrNoPassphrase)
	}
	if s, err := Unseal([]byte("age"), ""); err != ErrNoPassphrase || s != (Seed{}) {
		t.Errorf("got %v, %v, want %v", s, err, ErrNoPassphrase)
	}
	if sealed, err := (Seed{}).Seal("x"); !errors.As(err, new(*SeedError)) || sealed != nil {
		t.Errorf("no seed: got %q, %v, want a SeedError", sealed, err)
	}
}

func TestSealedByOthers(t *testing.T) {
	for _, plain := range []string{rfcSecret, rfcSecret + "\n", "otpauth://totp/a?secret=" + rfcSecret + "\r\n"} {
		sealed := seal(t, plain, withPassphrase(t, "x"))
		var armored bytes.Buffer
		w := armor.NewWriter(&armored)
		w.Write(sealed)
		w.Close()
		for _, file := range [][]byte{sealed, armored.Bytes()} {
			if s, err := Unseal(file, "x"); err != nil || (*s.kept).secret != rfcSecret {
				t.Errorf("%q: got %v, %v, want the seed", plain, s, err)
			}
		}
	}
}

func TestWhatIsNoSealedSeed(t *testing.T) {
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	ours := seal(t, rfcSecret, withPassphrase(t, "x"))
	several := func(to string) []byte {
		lines := strings.SplitAfterN(string(ours), "\n", 4)
		return []byte(lines[0] + to + lines[1] + lines[2] + lines[3])
	}
	_, stanza, _ := strings.Cut(string(ours), "\n")
	stanza = stanza[:strings.Index(stanza, "---")]
	for name, c := range map[string]struct {
		sealed []byte
		want   string
	}{
		"empty":           {nil, "damaged, or not an age file"},
		"a bare seed":     {[]byte(rfcSecret), "damaged, or not an age file"},
		"armor only":      {[]byte(armor.Header + "\n" + rfcSecret), "damaged, or not an age file"},
		"a large file":    {bytes.Repeat([]byte("x"), 1<<20), "larger than any"},
		"for a key":       {seal(t, rfcSecret, key.Recipient()), "it is sealed for a key, not with a passphrase"},
		"for two keys":    {seal(t, rfcSecret, key.Recipient(), key.Recipient()), "it is sealed for several recipients"},
		"two passphrases": {several(stanza), "it is sealed for several recipients"},
		"much work": {bytes.Replace(ours, []byte(" 2\n"), []byte(" 21\n"), 1),
			"opening it takes more than 1 GiB of memory (a scrypt work factor over 20)"},
		"absurd work":     {bytes.Replace(ours, []byte(" 2\n"), []byte(" 999999999999999999999\n"), 1), "damaged, or not an age file"},
		"odd work":        {bytes.Replace(ours, []byte(" 2\n"), []byte(" +2\n"), 1), "damaged, or not an age file"},
		"another header":  {bytes.Replace(ours, []byte(" 2\n"), []byte(" 2 x\n"), 1), "damaged, or not an age file"},
		"version 2":       {bytes.Replace(ours, []byte("v1"), []byte("v2"), 1), "damaged, or not an age file"},
		"with more after": {append(bytes.Clone(ours), "x"...), "damaged, or not an age file"},
		"no seed inside":  {seal(t, "GEZDGEZD", withPassphrase(t, "x")), "what is sealed is not a usable seed: too short to be a seed: under 80 bits"},
		"nothing inside":  {seal(t, "", withPassphrase(t, "x")), "what is sealed is not a usable seed: empty"},
	} {
		s, err := Unseal(c.sealed, "x")
		refused := new(SealedError)
		if !errors.As(err, &refused) || refused.Reason != c.want || s != (Seed{}) {
			t.Errorf("%s: got %v, %v, want %s", name, s, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "GEZD") {
			t.Errorf("%s: the error quotes: %v", name, err)
		}
	}
}

func TestDamagedSealedSeedIsNotOpened(t *testing.T) {
	sealed := seal(t, rfcSecret, withPassphrase(t, "x"))
	refused := func(what string, at int, damaged []byte) {
		t.Helper()
		s, err := Unseal(damaged, "x")
		if err != ErrPassphrase && !errors.As(err, new(*SealedError)) || s != (Seed{}) {
			t.Errorf("%s at %d: got %v, %v, want an error", what, at, s, err)
		}
	}
	for at := range sealed {
		refused("cut off", at, sealed[:at])
		flipped := bytes.Clone(sealed)
		flipped[at] ^= 1
		refused("damaged", at, flipped)
	}
}

// age asks for passphrases at the terminal only.
func TestDebiansAgeOpensASealedSeedAndTheOtherWayRound(t *testing.T) {
	program := tool(t, "age")
	dir := t.TempDir()
	ours, theirs, plain := filepath.Join(dir, "ours"), filepath.Join(dir, "theirs"), filepath.Join(dir, "plain")
	s := parseOK(t, rfcSecret)
	sealed, err := s.Seal("correct horse")
	if err != nil {
		t.Fatal(err)
	}
	write(t, ours, string(sealed))
	atTerminal(t, "correct horse", program, "-d", "-o", plain, ours)
	if got, want := read(t, plain), s.uri("")+"\n"; got != want {
		t.Errorf("age -d: got %q, want %q", got, want)
	}
	write(t, plain, strings.ToLower(rfcSecret)+"\n")
	atTerminal(t, "correct horse", program, "-p", "-o", theirs, plain)
	again, err := Unseal([]byte(read(t, theirs)), "correct horse")
	if err != nil || **again.kept != **s.kept {
		t.Errorf("age -p: got %v, %v, want the same seed", again, err)
	}
}

// atTerminal runs a program that asks for a passphrase at its terminal, once or twice.
func atTerminal(t *testing.T, passphrase, program string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	screen, err := pty.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	defer screen.Close()
	seen := make(chan string, 1)
	go func() {
		var text strings.Builder
		for r := bufio.NewReader(screen); ; {
			b, err := r.ReadByte()
			if err != nil {
				break
			}
			text.WriteByte(b)
			if b == ':' {
				screen.WriteString(passphrase + "\r")
			}
		}
		seen <- text.String()
	}()
	if err := cmd.Wait(); err != nil {
		screen.Close()
		t.Fatalf("%s %q: %v: %s", program, args, err, <-seen)
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
