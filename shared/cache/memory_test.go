package cache

import (
	"context"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

const jane = "arn:aws:iam::123456789012:mfa/jane"

func device() Device {
	return Device{
		SerialNumber: jane,
		Seed:         "keyring",
		Proven:       true,
		Offered: []Offer{
			{"123456", time.Date(2026, 11, 21, 0, 26, 19, 0, time.UTC)},
			{"000000", time.Date(2026, 11, 21, 0, 26, 49, 123456789, time.UTC)},
		},
	}
}

// become is a change that makes the device be d.
func become(d Device) func(*Device) error {
	return func(old *Device) error { *old = d; return nil }
}

// change adds 1 to the number that stands for the place of the seed, as often
// as told.
func change(args []string) error {
	n, _ := strconv.Atoi(args[1])
	for range n {
		err := Memory(args[0]).ChangeDevice(context.Background(), jane, func(d *Device) error {
			old, _ := strconv.Atoi(d.Seed)
			d.Seed = strconv.Itoa(old + 1)
			d.Offered = append(d.Offered, Offer{Code: d.Seed, At: time.Now()})
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func TestWhatIsRememberedIsReadAgain(t *testing.T) {
	home := t.TempDir()
	m := MemoryIn(home)
	if got, err := m.Device(jane); err != nil || !reflect.DeepEqual(got, Device{SerialNumber: jane}) {
		t.Errorf("no device: got %+v, %v", got, err)
	}
	if got, err := m.Offset(""); err != nil || got != (Offset{}) {
		t.Errorf("no offset: got %v, %v", got, err)
	}
	if _, err := m.Sealed(jane); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no seed: got %v, want %v", err, fs.ErrNotExist)
	}
	if err := m.KeepOffset("", Offset{}); err != nil {
		t.Errorf("forgetting no offset: %v", err)
	}
	if err := m.RemoveSealed(jane); err != nil {
		t.Errorf("removing no seed: %v", err)
	}
	if list, err := os.ReadDir(home); err != nil || len(list) > 0 {
		t.Errorf("reading and removing nothing left %v, %v", list, err)
	}

	for _, want := range []Device{device(), {SerialNumber: jane, Seed: "file"}, {SerialNumber: jane}} {
		if err := m.ChangeDevice(t.Context(), jane, become(want)); err != nil {
			t.Fatal(err)
		}
		if got, err := m.Device(jane); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, %v, want %+v", got, err, want)
		}
	}
	for _, want := range []Offset{
		{-90*time.Minute - 1500*time.Microsecond, time.Date(2026, 11, 21, 0, 26, 49, 123456789, time.UTC)},
		{0, time.Date(2026, 11, 21, 0, 26, 49, 0, time.UTC)},
		{},
	} {
		if err := m.KeepOffset("", want); err != nil {
			t.Fatal(err)
		}
		if got, err := m.Offset(""); err != nil || got != want {
			t.Errorf("got %v, %v, want %v", got, err, want)
		}
	}
	for _, want := range []string{"\x00sealed\xff", strings.Repeat("x", 64<<10)} {
		if err := m.KeepSealed(jane, []byte(want)); err != nil {
			t.Fatal(err)
		}
		if got, err := m.Sealed(jane); err != nil || string(got) != want {
			t.Errorf("got %.80q, %v, want %.80q", got, err, want)
		}
	}
	if err := m.RemoveSealed(jane); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Sealed(jane); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a removed seed: got %v, want %v", err, fs.ErrNotExist)
	}
	for _, want := range []Origin{{"ASIAIOSFODNN7EXAMPLE", true}, {"ASIAIOSFODNN7EXAMPLE", false}, {}, {}} {
		if err := m.KeepOrigin(sessionName, want); err != nil {
			t.Fatal(err)
		}
		if got := m.Origin(sessionName); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
}

const sessionName = "6581562139976ac1ffffcaf970e1b3fb63046ad3" // the name of one

func TestTimesAreKeptInUTC(t *testing.T) {
	m := MemoryIn(t.TempDir())
	now := time.Now().In(time.FixedZone("", 5*3600+1800+7))
	err := m.ChangeDevice(t.Context(), jane, func(d *Device) error {
		d.Offered = []Offer{{"123456", now}}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := m.Device(jane); err != nil || got.Offered[0].At != now.UTC().Round(0) {
		t.Errorf("got %v, %v, want %v", got.Offered, err, now.UTC())
	}
	if err := m.KeepOffset("", Offset{time.Second, now}); err != nil {
		t.Fatal(err)
	}
	if got, err := m.Offset(""); err != nil || got.Measured != now.UTC().Round(0) {
		t.Errorf("got %v, %v, want %v", got, err, now.UTC())
	}
}

func TestTheFormOfTheFiles(t *testing.T) {
	m := MemoryIn(t.TempDir())
	if err := m.ChangeDevice(t.Context(), jane, become(device())); err != nil {
		t.Fatal(err)
	}
	if err := m.KeepOffset("", Offset{-1500 * time.Millisecond, device().Offered[0].At}); err != nil {
		t.Fatal(err)
	}
	if err := m.KeepOrigin(sessionName, Origin{"ASIAIOSFODNN7EXAMPLE", true}); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{
		"jane-99dd016590324f379b69dba8e63cadda.json": `{
  "SerialNumber": "arn:aws:iam::123456789012:mfa/jane",
  "Seed": "keyring",
  "Proven": true,
  "Offered": [
    {
      "Code": "123456",
      "At": "2026-11-21T00:26:19Z"
    },
    {
      "Code": "000000",
      "At": "2026-11-21T00:26:49.123456789Z"
    }
  ]
}
`,
		"clock.json": `{
  "Ahead": "-1.5s",
  "Measured": "2026-11-21T00:26:19Z"
}
`,
		sessionName + ".origin.json": `{
  "AccessKeyID": "ASIAIOSFODNN7EXAMPLE",
  "Direct": true
}
`,
	} {
		if got := get(t, filepath.Join(string(m), file)); got != want {
			t.Errorf("%s: got %s, want %s", file, got, want)
		}
	}
}

func TestUnknownKeysAreTolerated(t *testing.T) {
	m := Memory(t.TempDir())
	put(t, m.file(jane, ".json"), `{"SerialNumber": "`+jane+`", "Seed": "tpm", "Later": [1]}`)
	want := Device{SerialNumber: jane, Seed: "tpm"}
	if got, err := m.Device(jane); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	put(t, m.clock(""), `{"Ahead": "1s", "Measured": "2026-11-21T02:26:19+02:00", "Later": [1]}`)
	if got, err := m.Offset(""); err != nil || got != (Offset{time.Second, device().Offered[0].At}) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestOnlyTheNewestOffersAreKept(t *testing.T) {
	m := MemoryIn(t.TempDir())
	for i := range 20 {
		err := m.ChangeDevice(t.Context(), jane, func(d *Device) error {
			d.Offered = append(d.Offered, Offer{Code: strconv.Itoa(i)})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	d, err := m.Device(jane)
	var got []string
	for _, offer := range d.Offered {
		got = append(got, offer.Code)
	}
	if want := []string{"12", "13", "14", "15", "16", "17", "18", "19"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}

func TestNothingIsWrittenIfNothingChanged(t *testing.T) {
	m := MemoryIn(t.TempDir())
	nothing := func(*Device) error { return nil }
	if err := m.ChangeDevice(t.Context(), jane, nothing); err != nil {
		t.Fatal(err)
	}
	if got, want := files(t, Dir(m)), []string{filepath.Base(m.file(jane, ".json.lock"))}; !slices.Equal(got, want) {
		t.Errorf("no device: got %q, want %q", got, want)
	}
	if err := m.ChangeDevice(t.Context(), jane, become(device())); err != nil {
		t.Fatal(err)
	}
	before, err := os.Stat(m.file(jane, ".json"))
	if err != nil {
		t.Fatal(err)
	}
	own := errors.New("own")
	for _, change := range []func(*Device) error{
		nothing,
		become(device()),
		func(d *Device) error { d.Proven, d.Offered[0].Code = false, "changed"; return own },
	} {
		if err := m.ChangeDevice(t.Context(), jane, change); err != nil && err != own {
			t.Errorf("got %v, want nil or the error as it is", err)
		}
	}
	after, err := os.Stat(m.file(jane, ".json"))
	if err != nil || !os.SameFile(before, after) || !before.ModTime().Equal(after.ModTime()) {
		t.Errorf("the file was written (%v)", err)
	}
}

func TestChangesOfManyProcessesAreAllKept(t *testing.T) {
	const processes, times = 20, 5
	m := MemoryIn(t.TempDir())
	all(t, processes, "change", string(m), strconv.Itoa(times))
	got, err := m.Device(jane)
	if want := strconv.Itoa(processes * times); err != nil || got.Seed != want || len(got.Offered) != keptOffers {
		t.Errorf("got %+v, %v, want %s changes", got, err, want)
	}
}

func TestKilledWriterLeavesNoBrokenFile(t *testing.T) {
	m := MemoryIn(t.TempDir())
	changes, limit := 0, 30*time.Millisecond
	for range processes(100) {
		cmd := exec.Command(os.Args[0], "change", string(m), "1000000")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(rand.N(limit))
		kill(cmd)
		d, err := m.Device(jane)
		if err != nil {
			t.Fatal(err)
		}
		n, _ := strconv.Atoi(d.Seed)
		if n < changes {
			t.Fatalf("got %d changes after %d", n, changes)
		}
		if changes = n; changes == 0 {
			limit += limit / 4 // processes may start slowly
		}
	}
	if changes == 0 {
		t.Error("every writer was killed before its first change")
	}

	staged, _ := filepath.Glob(filepath.Join(string(m), "*.tmp"))
	t.Logf("%d changes, %d files left staged", changes, len(staged))
	age(t, staged...)
	if err := m.ChangeDevice(soon(t), jane, become(device())); err != nil {
		t.Fatal(err)
	}
	if staged, _ := filepath.Glob(filepath.Join(string(m), "*.tmp")); len(staged) > 0 {
		t.Errorf("not swept up: %q", staged)
	}
}

func TestRemovedSeedLeavesNothingStaged(t *testing.T) {
	m := Memory(t.TempDir())
	put(t, m.SealedPath(jane), "sealed")
	left := m.SealedPath(jane) + ".aws-mfa.123.tmp"
	put(t, left, "sealed")
	age(t, left)
	if err := m.RemoveSealed(jane); err != nil {
		t.Fatal(err)
	}
	if got := files(t, Dir(m)); len(got) > 0 {
		t.Errorf("got %q", got)
	}
}

func TestBrokenFilesSayWhyAndAreReplaced(t *testing.T) {
	serial := `{"SerialNumber": "` + jane + `", `
	for content, want := range map[string]string{
		"":                              "empty file",
		"\x00\x00\x00\x00":              "not JSON",
		`{"SerialNumber": "secret`:      "not JSON",
		`{"SerialNumber": "` + "\xff\"": "not JSON",
		"\ufeff{}":                      "not JSON",
		"{}{}":                          "not JSON",
		"null":                          "no SerialNumber",
		"{}":                            "no SerialNumber",
		`["secret"]`:                    "not the JSON that was written",
		`"secret"`:                      "not the JSON that was written",
		`{"SerialNumber": "secret"}`:    "SerialNumber is another device's",
		serial + `"Proven": "secret"}`:  "not the JSON that was written",
		serial + `"Offered": {}}`:       "not the JSON that was written",
		serial + `"Offered": [{"Code": "1", "At": "secret"}]}`: "not the JSON that was written",
		serial + `"Offered": [{"Code": 123456}]}`:              "not the JSON that was written",
		serial + `"x": "` + strings.Repeat("x", 64<<10) + `"}`: "larger than 64 KiB",
	} {
		m := Memory(t.TempDir())
		path := m.file(jane, ".json")
		put(t, path, content)
		got, err := m.Device(jane)
		if broken := new(BrokenError); !errors.As(err, &broken) || broken.Reason != want || broken.Path != path {
			t.Errorf("%.80q: got %v, want %s", content, err, want)
		}
		if !reflect.DeepEqual(got, Device{SerialNumber: jane}) {
			t.Errorf("%.80q: got %+v, want only the serial number", content, got)
		}
		own := errors.New("own")
		if err := m.ChangeDevice(t.Context(), jane, func(*Device) error { return own }); err != own || get(t, path) != content {
			t.Errorf("%.80q: got %v and another file, want %v and the same", content, err, own)
		}
		err = m.ChangeDevice(t.Context(), jane, func(d *Device) error {
			if !reflect.DeepEqual(*d, Device{SerialNumber: jane}) {
				t.Errorf("%.80q: got %+v, want only the serial number", content, d)
			}
			return nil
		})
		if err != nil {
			t.Errorf("%.80q: %v", content, err)
		}
		if got, err := m.Device(jane); err != nil || !reflect.DeepEqual(got, Device{SerialNumber: jane}) {
			t.Errorf("%.80q: replaced by %+v, %v", content, got, err)
		}
	}
	for content, want := range map[string]string{
		"":     "empty file",
		"x":    "not JSON",
		"[]":   "not the JSON that was written",
		"{}":   "no duration in Ahead",
		"null": "no duration in Ahead",
		`{"Ahead": "secret", "Measured": "2026-11-21T00:26:19Z"}`: "no duration in Ahead",
		`{"Ahead": "1s"}`:                       "no time in Measured",
		`{"Ahead": "1s", "Measured": "secret"}`: "not the JSON that was written",
		`{"Ahead": 1, "Measured": ""}`:          "not the JSON that was written",
	} {
		m := Memory(t.TempDir())
		put(t, m.clock(""), content)
		_, err := m.Offset("")
		if broken := new(BrokenError); !errors.As(err, &broken) || broken.Reason != want || broken.Path != m.clock("") {
			t.Errorf("%q: got %v, want %s", content, err, want)
		}
		want := Offset{time.Second, device().Offered[0].At}
		if err := m.KeepOffset("", want); err != nil {
			t.Errorf("%q: %v", content, err)
		}
		if got, err := m.Offset(""); err != nil || got != want {
			t.Errorf("%q: got %v, %v, want %v", content, got, err, want)
		}
	}
	for content, want := range map[string]string{"": "empty file", strings.Repeat("x", 64<<10+1): "larger than 64 KiB"} {
		m := Memory(t.TempDir())
		put(t, m.SealedPath(jane), content)
		_, err := m.Sealed(jane)
		if broken := new(BrokenError); !errors.As(err, &broken) || broken.Reason != want {
			t.Errorf("%.80q: got %v, want %s", content, err, want)
		}
	}
}

func TestWhatCouldNotBeReadIsNotWritten(t *testing.T) {
	m := MemoryIn(t.TempDir())
	long := strings.Repeat("x", 64<<10)
	for what, err := range map[string]error{
		"an empty seed":                 m.KeepSealed(jane, nil),
		"a large seed":                  m.KeepSealed(jane, []byte(long+"x")),
		"an offset never measured":      m.KeepOffset("", Offset{Ahead: 1}),
		"a large device":                m.ChangeDevice(t.Context(), jane, become(Device{Seed: long})),
		"a device without serial":       m.ChangeDevice(t.Context(), "", become(device())),
		"a serial that is no text":      m.ChangeDevice(t.Context(), "\xff", become(device())),
		"a code offered at no RFC time": m.ChangeDevice(t.Context(), jane, become(Device{Offered: []Offer{{At: time.Unix(1<<40, 0)}}})),
	} {
		if err == nil {
			t.Errorf("%s: no error", what)
		}
	}
	for _, file := range files(t, Dir(m)) {
		if filepath.Ext(file) != ".lock" {
			t.Errorf("there is %s", file)
		}
	}
}

// The names are looked at too: what is harmless here may not be on Windows.
func TestHostileSerialsStayInTheDirectory(t *testing.T) {
	plain := regexp.MustCompile(`^([A-Za-z0-9_][A-Za-z0-9_-]{0,39}-)?[0-9a-f]{32}$`)
	seen := map[string]string{}
	for _, serial := range []string{
		"", "/", ".", "..", "../../x", "x/..", `..\..\x`, `C:\x`, "C:x", `\\server\share`, "~", "-rf", "--", "$(x)", "*", "[",
		"x\x00y", "\x00", "\n", "\xff\xfe", "\u202egpj.x", "é日😀", "é", "e\u0301", "x ", "x.", "x:stream", "x.tmp", "x.json",
		"CON", "con", "NUL.x", "COM1", "COM¹", "aux/AUX", "clock", "clock.json", jane, strings.ToUpper(jane),
		"arn:aws:iam::123456789012:mfa/Jane", "jane", "arn:aws:iam::210987654321:mfa/jane", "GAHT12345678",
		strings.Repeat("x", 1<<20), strings.Repeat("é", 1<<20), strings.Repeat("/", 1<<20), strings.Repeat("0", 40) + "/",
		strings.Repeat("A", 40), strings.Repeat("0", 40) + "\n",
	} {
		name := fileName(serial)
		if !plain.MatchString(name) {
			t.Errorf("%.40q: got %q", serial, name)
		}
		if other, ok := seen[strings.ToLower(name)]; ok {
			t.Errorf("%.40q: got %s, as for %.40q", serial, name, other)
		}
		seen[strings.ToLower(name)] = serial

		home := t.TempDir()
		m := MemoryIn(home)
		if err := m.KeepSealed(serial, []byte("sealed")); err != nil {
			t.Errorf("%.40q: %v", serial, err)
		}
		want := []string{name + ".json", name + ".json.lock", name + ".lock"}
		err := m.ChangeDevice(t.Context(), serial, func(d *Device) error { d.Proven = true; return nil })
		switch {
		case errors.As(err, new(*BrokenError)): // too large, or no text
			want = want[1:]
		case err != nil:
			t.Errorf("%.40q: %v", serial, err)
		}
		release, err := m.Lock(t.Context(), serial, func() { t.Errorf("%.40q: waits", serial) })
		if err != nil {
			t.Fatal(err)
		}
		release()
		if err := m.RemoveSealed(serial); err != nil {
			t.Errorf("%.40q: %v", serial, err)
		}
		if got := files(t, Dir(m)); !slices.Equal(got, want) {
			t.Errorf("%.40q: got %q, want %q", serial, got, want)
		}
		for _, dir := range []string{home, filepath.Join(home, ".aws")} {
			if got := files(t, Dir(dir)); len(got) != 1 {
				t.Errorf("%.40q: got %q in %s", serial, got, dir)
			}
		}
	}
}

func TestSerialsThatDifferOnlyInCaseAreTwoDevices(t *testing.T) {
	m := MemoryIn(t.TempDir())
	serials := []string{jane, "arn:aws:iam::123456789012:mfa/JANE"}
	for _, serial := range serials {
		err := m.ChangeDevice(t.Context(), serial, func(d *Device) error { d.Seed = serial; return nil })
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, serial := range serials {
		if got, err := m.Device(serial); err != nil || got.Seed != serial || strings.EqualFold(fileName(jane), fileName(serials[1])) {
			t.Errorf("got %+v, %v, want %s", got, err, serial)
		}
	}
}

func TestLockOfADeviceMayBeHeldWhileItIsChanged(t *testing.T) {
	m := MemoryIn(t.TempDir())
	release, err := m.Lock(t.Context(), jane, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	if err := m.ChangeDevice(soon(t), jane, become(device())); err != nil {
		t.Error(err)
	}
}

func TestDeviceIsNotChangedAfterItsContext(t *testing.T) {
	m := MemoryIn(t.TempDir())
	err := m.ChangeDevice(soon(t), jane, func(d *Device) error {
		d.Proven = true
		ctx, cancel := context.WithCancelCause(t.Context())
		cause := errors.New("enough")
		cancel(cause)
		if err := m.ChangeDevice(ctx, jane, become(device())); err != cause {
			t.Errorf("got %v, want %v", err, cause)
		}
		return nil
	})
	if got, reading := m.Device(jane); err != nil || reading != nil || !got.Proven || got.Seed != "" {
		t.Errorf("got %+v, %v, %v", got, err, reading)
	}
}

func TestEmptyDirectoryInThePlaceOfAFileIsRemoved(t *testing.T) {
	m := Memory(t.TempDir())
	offset := Offset{time.Second, device().Offered[0].At}
	places := []struct {
		path  string
		write func() error
	}{
		{m.file(jane, ".json"), func() error { return m.ChangeDevice(soon(t), jane, become(device())) }},
		{m.file("other", ".json.lock"), func() error { return m.ChangeDevice(soon(t), "other", become(Device{})) }},
		{m.SealedPath(jane), func() error { return m.KeepSealed(jane, []byte("sealed")) }},
		{m.clock(""), func() error { return m.KeepOffset("", offset) }},
	}
	for _, place := range places {
		for _, inside := range []string{"", "file"} {
			if err := os.RemoveAll(place.path); err != nil {
				t.Fatal(err)
			}
			if err := os.Mkdir(place.path, 0o700); err != nil {
				t.Fatal(err)
			}
			if inside != "" {
				put(t, filepath.Join(place.path, inside), "")
			}
			err := place.write()
			if inside == "" && err != nil {
				t.Errorf("%s: empty: %v", place.path, err)
			}
			if broken := new(BrokenError); inside != "" && (!errors.As(err, &broken) || broken.Path != place.path) {
				t.Errorf("%s: not empty: got %v, want a BrokenError", place.path, err)
			}
		}
		if _, err := os.Stat(filepath.Join(place.path, "file")); err != nil {
			t.Error(err)
		}
	}
	for _, remove := range []func() error{
		func() error { return m.RemoveSealed(jane) },
		func() error { return m.KeepOffset("", Offset{}) },
	} {
		if err := remove(); !errors.As(err, new(*BrokenError)) {
			t.Errorf("removing: got %v, want a BrokenError", err)
		}
	}
}

func TestChangeIsNotAskedForIfItCouldNotBeKept(t *testing.T) {
	m := Memory(t.TempDir())
	if err := os.MkdirAll(filepath.Join(m.file(jane, ".json"), "not empty"), 0o700); err != nil {
		t.Fatal(err)
	}
	err := m.ChangeDevice(t.Context(), jane, func(*Device) error {
		t.Error("asked")
		return nil
	})
	if !errors.As(err, new(*BrokenError)) {
		t.Errorf("got %v, want a BrokenError", err)
	}
}

func TestFileInThePlaceOfTheDirectoryIsNamed(t *testing.T) {
	home := t.TempDir()
	m := MemoryIn(home)
	if err := os.Mkdir(filepath.Dir(string(m)), 0o700); err != nil {
		t.Fatal(err)
	}
	put(t, string(m), "")
	for what, err := range map[string]error{
		"change": m.ChangeDevice(t.Context(), jane, become(device())),
		"offset": m.KeepOffset("", Offset{time.Second, time.Now()}),
		"seed":   m.KeepSealed(jane, []byte("sealed")),
	} {
		if err == nil || !strings.Contains(err.Error(), string(m)) {
			t.Errorf("%s: got %v, want an error that names %s", what, err, m)
		}
	}
	if got := get(t, string(m)); got != "" {
		t.Errorf("got %q", got)
	}
}

func TestRememberedFilesMayBeSymbolicLinks(t *testing.T) {
	m, elsewhere := Memory(t.TempDir()), t.TempDir()
	for path, write := range map[string]func() error{
		m.file(jane, ".json"): func() error { return m.ChangeDevice(soon(t), jane, become(device())) },
		m.SealedPath(jane):    func() error { return m.KeepSealed(jane, []byte("sealed")) },
		m.clock(""):           func() error { return m.KeepOffset("", Offset{time.Second, time.Now()}) },
		m.file("x", ".lock"): func() error {
			release, err := m.Lock(soon(t), "x", nil)
			if err == nil {
				release()
			}
			return err
		},
	} {
		file := filepath.Join(elsewhere, filepath.Base(path))
		symlink(t, file, path)
		if err := write(); err != nil {
			t.Error(err)
		}
		if info, err := os.Lstat(file); err != nil || !info.Mode().IsRegular() {
			t.Errorf("%s: got %v, %v, want a file", file, info, err)
		}
		if got, err := os.Readlink(path); err != nil || got != file {
			t.Errorf("%s leads to %s (%v), want %s", path, got, err, file)
		}
	}
	if err := m.RemoveSealed(jane); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(elsewhere, filepath.Base(m.SealedPath(jane)))); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the seed is still there after RemoveSealed (%v)", err)
	}
}

func FuzzDevice(f *testing.F) {
	data, _ := device().encode()
	f.Add(data)
	f.Add([]byte(`{"SerialNumber": "` + jane + `", "offered": [{}, null], "Seed": null}`))
	m := Memory(f.TempDir())
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := parseDevice(data, jane)
		if err != nil || len(d.Offered) > keptOffers {
			return
		}
		if err := m.ChangeDevice(t.Context(), jane, become(d)); err != nil {
			t.Fatal(err)
		}
		got, err := m.Device(jane)
		if len(d.Offered) == 0 {
			d.Offered = nil
		}
		if err != nil || !reflect.DeepEqual(got, d) {
			t.Errorf("got %v, %+v, want %+v", err, got, d)
		}
	})
}

func TestACopyThatCouldNotBeRenewedIsNotForgotten(t *testing.T) {
	t.Parallel()
	m := MemoryIn(t.TempDir())
	first, second, other := Copy{"f", "p", "A1", "mfa"}, Copy{"f", "p", "A2", "mfa"}, Copy{"f", "q", "A1", "mfa"}
	for _, step := range []struct {
		keep    Copy
		present string
		want    []Copy
	}{
		{first, "", []Copy{first}},
		{first, "A1", []Copy{first}},
		{other, "", []Copy{first, other}},
		{second, "A1", []Copy{first, other, second}}, // it may never be written
		{second, "A1", []Copy{first, other, second}},
		{second, "A2", []Copy{other, second}},
		{first, "AKIA", []Copy{other, first}}, // of somebody else
	} {
		if err := m.KeepCopy(t.Context(), "s", step.keep, step.present); err != nil {
			t.Fatal(err)
		}
		if got, err := m.Copies("s"); err != nil || !slices.Equal(got, step.want) {
			t.Errorf("%+v: got %v, %v, want %v", step, got, err, step.want)
		}
	}
	if got := m.Copied(); len(got) != 1 {
		t.Errorf("got %q", got)
	}
}

// A session may be copied while it is signed out of.
func TestCopiesThatWereNotRemovedAreNotForgotten(t *testing.T) {
	t.Parallel()
	m := MemoryIn(t.TempDir())
	removed, made := Copy{"f", "p", "A1", "mfa"}, Copy{"f", "q", "A1", "mfa"}
	for _, c := range []Copy{removed, made} {
		if err := m.KeepCopy(t.Context(), "s", c, ""); err != nil {
			t.Fatal(err)
		}
	}
	for _, gone := range [][]Copy{{removed}, {removed}, nil} {
		if err := m.ForgetCopies(t.Context(), "s", gone); err != nil {
			t.Fatal(err)
		}
		if got, err := m.Copies("s"); err != nil || !slices.Equal(got, []Copy{made}) {
			t.Errorf("got %v, %v, want %v", got, err, made)
		}
	}
	if err := m.ForgetCopies(t.Context(), "s", []Copy{made}); err != nil || len(m.Copied()) > 0 {
		t.Errorf("got %v, and there are still copies of %q", err, m.Copied())
	}
}
