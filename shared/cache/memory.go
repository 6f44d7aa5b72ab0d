package cache

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"
)

// Memory is a directory of what is remembered beside the AWS CLI's cache: MFA
// devices, their sealed seeds and sessions, how far the clock is off, why
// sessions could not be opened, how they were, where copies of them are, whose
// they are, and locks.
//
// Its files are replaced whole: readers see the old one or the new one,
// whatever goes wrong. They are made 0600, the directory 0700. If a file is a
// symbolic link, the file it leads to is replaced.
//
// Writing and locking heal what they can: the directory is closed to others,
// and given 0700 again if its mode lets not even its owner enter; an empty
// directory in the place of a file is removed, and what killed writers left is
// swept up. What else is no regular file stays, and is a *BrokenError. Reading
// changes nothing.
type Memory string

// MemoryIn returns the directory for the user with that home directory.
func MemoryIn(home string) Memory { return Memory(filepath.Join(home, ".aws", "mfa")) }

// Sessions is the directory of the sessions that the AWS CLI does not know.
func (m Memory) Sessions() Dir { return Dir(filepath.Join(string(m), "sessions")) }

// Device is what is known of an MFA device.
type Device struct {
	SerialNumber string
	Seed         string  `json:",omitempty"` // the store that its seed is kept in: "keyring"; "" for none, or the file SealedPath
	Proven       bool    `json:",omitempty"` // a code made from that seed was accepted once
	Offered      []Offer `json:",omitempty"` // the last codes offered to AWS, newest last; a few are kept
}

// Offer is a one-time code and when it was offered to AWS.
type Offer struct {
	Code string
	At   time.Time // UTC when read
}

// keptOffers is more than there are codes that AWS may still take: it knows
// the ones of about 90 seconds, and each is good for one try.
const keptOffers = 8

// Device returns what is known of the device. If there is nothing, or nothing
// of use, which is a *BrokenError, it has only its serial number.
func (m Memory) Device(serial string) (Device, error) {
	path := m.file(serial, ".json")
	data, err := read(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Device{SerialNumber: serial}, nil
	case err != nil:
		return Device{SerialNumber: serial}, err
	}
	d, err := parseDevice(data, serial)
	if err != nil {
		return Device{SerialNumber: serial}, &BrokenError{path, err.Error()}
	}
	return d, nil
}

// changeLimit is how long a change waits for another, which takes milliseconds.
// Who holds the lock for longer is stopped, or is no process of ours.
const changeLimit = 5 * time.Second

// HeldTooLong is the Reason of a *BrokenError for a lock that another process
// does not give back.
const HeldTooLong = "another process holds it for too long"

// lockBriefly is lock for a change, with its limit: that of one turn, since there
// may be many before ours. The time on the lock tells when the last one began.
// Where the file system has no locks, there is none: what two that change a file
// at once lose is less than what would be if nothing were ever changed.
func (m Memory) lockBriefly(ctx context.Context, path string) (release func(), err error) {
	limited, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	limit := time.AfterFunc(changeLimit, func() { cancel(&BrokenError{path, HeldTooLong}) })
	defer limit.Stop()
	var turn time.Time
	release, err = m.lock(limited, path, func() {
		if info, err := os.Stat(path); err == nil && !info.ModTime().Equal(turn) {
			turn = info.ModTime()
			limit.Reset(changeLimit)
		}
	})
	switch {
	case err == nil:
		now := time.Now()
		_ = os.Chtimes(path, now, now) // else others wait for all turns together
	case errors.Is(err, errors.ErrUnsupported), errors.Is(err, syscall.ENOLCK):
		return func() {}, nil
	}
	return release, err
}

// ChangeDevice gives what is known of the device to change, and keeps what that
// makes of it. Nobody else changes the device meanwhile; it waits for them as
// Lock does, for each for some seconds at most, which end in a *BrokenError. Change must
// not change the device by another call. The lock is not the one of Lock(ctx, serial, …), which may be held.
//
// In place of a broken file, change sees a device with only its serial number,
// and the file is replaced. No file is written if nothing changed. If change
// returns an error, it is returned as it is, and the file stays as it was. What
// Device could not read again is refused with a *BrokenError. All but the
// newest few offers are forgotten.
func (m Memory) ChangeDevice(ctx context.Context, serial string, change func(*Device) error) error {
	path := m.file(serial, ".json")
	release, err := m.lockBriefly(ctx, path+".lock")
	if err != nil {
		return err
	}
	defer release()

	heal(path)
	if _, err := target(path); err != nil { // before change, which may spend a code
		return err
	}
	d, err := m.Device(serial)
	broken := errors.As(err, new(*BrokenError))
	if err != nil && !broken {
		return err
	}
	before, err := d.encode()
	if err != nil {
		return err
	}
	seed, c := d.Seed, passing // codes are not good for as long as it takes to start a computer
	if err := change(&d); err != nil {
		return err
	}
	if d.Seed != seed {
		c = lasting
	}
	d.SerialNumber = serial
	after, err := d.encode()
	if err != nil || bytes.Equal(before, after) && !broken {
		return err
	}
	if _, err := parseDevice(after, serial); err != nil {
		return &BrokenError{path, err.Error()}
	}
	return m.write(path, after, c)
}

func (d Device) encode() ([]byte, error) {
	d.Offered = slices.Clone(d.Offered[max(0, len(d.Offered)-keptOffers):])
	for i := range d.Offered {
		d.Offered[i].At = d.Offered[i].At.UTC()
	}
	return encode(d)
}

func parseDevice(data []byte, serial string) (d Device, err error) {
	switch err := parseObject(data, &d); {
	case err != nil:
		return Device{}, err
	case d.SerialNumber == "":
		return Device{}, errors.New("no SerialNumber")
	case d.SerialNumber != serial:
		return Device{}, errors.New("SerialNumber is another device's")
	}
	for i := range d.Offered {
		d.Offered[i].At = d.Offered[i].At.UTC()
	}
	return d, nil
}

// Offset is how far this computer's clock was off, when last compared.
type Offset struct {
	Ahead    time.Duration // this computer's clock less AWS's
	Measured time.Time     // on this computer's clock; UTC when read
}

type offsetFile struct {
	Ahead    string // as time.Duration prints it
	Measured time.Time
}

// Offset is that of AWS's clock, or of the one at an endpoint in AWS's place
// ("" for none). It returns the zero Offset if there is none, and with a *BrokenError if
// it cannot be read as one.
func (m Memory) Offset(endpoint string) (Offset, error) {
	path := m.clock(endpoint)
	data, err := read(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Offset{}, nil
	case err != nil:
		return Offset{}, err
	}
	o, err := parseOffset(data)
	if err != nil {
		return Offset{}, &BrokenError{path, err.Error()}
	}
	return o, nil
}

const (
	// MaxOffset is the largest difference that is believed of anybody.
	MaxOffset = 25 * time.Hour
	// offsetKnown is how long an offset is believed.
	offsetKnown = 24 * time.Hour
)

// Known is the Offset that is to be believed now; else the zero Offset: it
// will be measured again.
func (m Memory) Known(endpoint string, now time.Time) Offset {
	o, err := m.Offset(endpoint)
	if err != nil || now.Sub(o.Measured).Abs() >= offsetKnown || o.Ahead.Abs() >= MaxOffset {
		return Offset{}
	}
	return o
}

// KeepOffset keeps the offset in place of the one there is, or forgets that if
// the new one is zero. One that was never measured is a *BrokenError.
func (m Memory) KeepOffset(endpoint string, o Offset) error {
	path := m.clock(endpoint)
	if o.Ahead == 0 && o.Measured.IsZero() {
		return remove(path)
	}
	data, err := encode(offsetFile{o.Ahead.String(), o.Measured.UTC()})
	if err != nil {
		return err
	}
	if _, err := parseOffset(data); err != nil {
		return &BrokenError{path, err.Error()}
	}
	return m.write(path, data, passing)
}

func parseOffset(data []byte) (Offset, error) {
	var file offsetFile
	if err := parseObject(data, &file); err != nil {
		return Offset{}, err
	}
	ahead, err := time.ParseDuration(file.Ahead)
	switch {
	case err != nil:
		return Offset{}, errors.New("no duration in Ahead")
	case file.Measured.IsZero():
		return Offset{}, errors.New("no time in Measured")
	}
	return Offset{ahead, file.Measured.UTC()}, nil
}

// SealedPath returns the file of the device's seed, as somebody else encrypted it.
func (m Memory) SealedPath(serial string) string { return m.file(serial, ".age") }

// Sealed returns what KeepSealed kept. The error is fs.ErrNotExist when there
// is nothing, and a *BrokenError for what KeepSealed would not have kept.
func (m Memory) Sealed(serial string) ([]byte, error) { return read(m.SealedPath(serial)) }

// CheckSealed reports whether KeepSealed could keep something now, as Dir.Check
// does, before anybody types a seed.
func (m Memory) CheckSealed(serial string) error {
	if err := m.open(); err != nil {
		return err
	}
	path := m.SealedPath(serial)
	heal(path)
	return check(path)
}

// KeepSealed keeps data, of 1 byte to 64 KiB, else it is a *BrokenError.
func (m Memory) KeepSealed(serial string, data []byte) error {
	return m.write(m.SealedPath(serial), data, lasting)
}

// RemoveSealed takes the seed away, with what killed processes may have left of
// any. It is no error if there is none.
func (m Memory) RemoveSealed(serial string) error { return remove(m.SealedPath(serial)) }

// A Failure is why a session could not be opened, for those who waited for it,
// and for those who would only meet it again.
type Failure struct {
	Text string // without secrets
	For  string // what it depends on, besides the session's name
	At   time.Time
}

// Failure returns the last failure to open the session of that name, or the
// zero Failure. One that cannot be read is none.
func (m Memory) Failure(name string) (f Failure) {
	data, err := read(m.file(name, ".failed.json"))
	if err != nil || parseObject(data, &f) != nil {
		return Failure{}
	}
	return f
}

// KeepFailure keeps it in place of the one before, or forgets that if it is zero.
func (m Memory) KeepFailure(name string, f Failure) error {
	path := m.file(name, ".failed.json")
	if f == (Failure{}) {
		return remove(path)
	}
	return m.writeJSON(path, f, passing)
}

// An Origin is how a role's session was opened, which its entry does not tell.
type Origin struct {
	AccessKeyID string // of the session, by which it is known again
	Direct      bool   // with the long-term keys of a user
}

// Origin returns that of the session of that name which was opened here last,
// or the zero Origin. One that cannot be read is none.
func (m Memory) Origin(name string) (o Origin) {
	data, err := read(m.file(name, ".origin.json"))
	if err != nil || parseObject(data, &o) != nil {
		return Origin{}
	}
	return o
}

// KeepOrigin keeps it in place of the one before, or forgets that if it is zero.
func (m Memory) KeepOrigin(name string, o Origin) error {
	path := m.file(name, ".origin.json")
	if o == (Origin{}) {
		return remove(path)
	}
	return m.writeJSON(path, o, passing)
}

// A Route leads from a profile to its session, without a look at what the
// profile says.
type Route struct {
	For      string // what it depends on
	Session  string // the name
	OfUser   bool   // the session is in Sessions, and not with the AWS CLI's
	Endpoint string // in AWS's place, whose clock counts; "" for none
	Silent   bool   // there is nothing to tell of the profile but its session

	RoleARN, SerialNumber, Region string // what the profile says
}

// Route returns the way to the profile's session, or the zero Route. One that
// cannot be read is none.
func (m Memory) Route(profile string) (r Route) {
	data, err := read(m.file(profile, ".route.json"))
	if err != nil || parseObject(data, &r) != nil {
		return Route{}
	}
	return r
}

// KeepRoute keeps the way to the profile's session in place of the one before.
func (m Memory) KeepRoute(profile string, r Route) error {
	return m.writeJSON(m.file(profile, ".route.json"), r, passing)
}

// A Copy is a session that we wrote into an AWS file, under the name of a
// profile.
type Copy struct {
	File, Profile string
	AccessKeyID   string // of the session, by which it is known again
	Of            string // the profile whose session it is
}

// Copies are those of the session of that name. What cannot be read is a
// *BrokenError.
func (m Memory) Copies(name string) ([]Copy, error) {
	path := m.file(name, ".copies.json")
	data, err := read(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var all struct{ Copies []Copy }
	if err == nil && parseObject(data, &all) != nil {
		err = &BrokenError{path, "not the JSON that was written"}
	}
	return all.Copies, err
}

// KeepCopy adds a copy to those of the session of that name. Call it while the
// file is locked (in Rewrite) and the copy is yet to be written: so none is
// forgotten. In its place is now the session with the access key ID present, ""
// for none; what else is remembered of that place is gone.
func (m Memory) KeepCopy(ctx context.Context, name string, c Copy, present string) error {
	return m.changeCopies(ctx, name, func(copies []Copy) []Copy {
		copies = slices.DeleteFunc(copies, func(old Copy) bool {
			return old.File == c.File && old.Profile == c.Profile && (old.AccessKeyID != present || old.AccessKeyID == c.AccessKeyID)
		})
		return append(copies, c)
	})
}

// ForgetCopies forgets those copies of the session of that name, which were
// removed. There may be others meanwhile.
func (m Memory) ForgetCopies(ctx context.Context, name string, gone []Copy) error {
	if len(gone) == 0 {
		return nil
	}
	return m.changeCopies(ctx, name, func(copies []Copy) []Copy {
		return slices.DeleteFunc(copies, func(c Copy) bool { return slices.Contains(gone, c) })
	})
}

// changeCopies begins anew with what is broken.
func (m Memory) changeCopies(ctx context.Context, name string, change func([]Copy) []Copy) error {
	path := m.file(name, ".copies.json")
	release, err := m.lockBriefly(ctx, path+".lock")
	if err != nil {
		return err
	}
	defer release()
	copies, _ := m.Copies(name)
	if copies = change(copies); len(copies) == 0 {
		return remove(path)
	}
	return m.writeJSON(path, struct{ Copies []Copy }{copies}, lasting)
}

// AllCopies are the copies of all sessions, as far as they can be read.
func (m Memory) AllCopies() (all []Copy) {
	for _, name := range m.Copied() {
		copies, _ := m.Copies(name)
		all = append(all, copies...)
	}
	return all
}

// Copied are the names of the sessions that there are copies of.
func (m Memory) Copied() (names []string) {
	files, _ := filepath.Glob(filepath.Join(escape(string(m)), "*.copies.json"))
	for _, file := range files {
		names = append(names, strings.TrimSuffix(filepath.Base(file), ".copies.json"))
	}
	return names
}

func (m Memory) clock(endpoint string) string {
	if endpoint == "" {
		return filepath.Join(string(m), "clock.json")
	}
	return m.file(endpoint, ".clock.json")
}

func (m Memory) file(name, extension string) string {
	return filepath.Join(string(m), fileName(name)+extension)
}

// fileName makes a name for files of any text: what people know it by, such as
// jane in arn:aws:iam::123456789012:mfa/jane, and enough of a hash to keep apart
// what file systems do not, such as jane and JANE. No dot is left, since Windows
// finds the device CON also in CON.x. A cache entry's name is good as it is.
func fileName(text string) string {
	if len(text) == 40 && strings.Trim(text, "0123456789abcdef") == "" {
		return text
	}
	sum := sha256.Sum256([]byte(text))
	last := text[strings.LastIndexByte(text, '/')+1:]
	last = strings.Map(plain, last[:min(len(last), 40)])
	return strings.TrimLeft(last+"-"+hex.EncodeToString(sum[:16]), "-")
}

func plain(r rune) rune {
	if r < utf8.RuneSelf && (r == '_' || r == '-' || '0' <= r && r <= '9' || 'A' <= r && r <= 'Z' || 'a' <= r && r <= 'z') {
		return r
	}
	return '_'
}

// open makes the directory, or closes the one there is to others and opens it
// to the user. One that may be entered but not written, 0500, may be meant so.
func (m Memory) open() error {
	if err := open(string(m)); err != nil {
		return err
	}
	info, err := os.Lstat(string(m))
	if err == nil && info.IsDir() && info.Mode().Perm()&0o100 == 0 {
		err = os.Chmod(string(m), 0o700)
	}
	return err
}

const maxKept = 64 << 10 // bytes

func read(path string) ([]byte, error) {
	data, err := load(path, maxKept)
	if err == nil {
		err = fits(path, data)
	}
	if err != nil {
		return nil, err
	}
	return data, nil
}

func (m Memory) write(path string, data []byte, c care) error {
	if err := fits(path, data); err != nil {
		return err
	}
	if err := m.open(); err != nil {
		return err
	}
	heal(path)
	return keep(path, data, c)
}

func (m Memory) writeJSON(path string, v any, c care) error {
	data, err := encode(v)
	if err != nil {
		return err
	}
	return m.write(path, data, c)
}

func remove(path string) error {
	heal(path)
	return discard(path)
}

func fits(path string, data []byte) error {
	switch {
	case len(data) == 0:
		return &BrokenError{path, "empty file"}
	case len(data) > maxKept:
		return &BrokenError{path, "larger than 64 KiB"}
	}
	return nil
}

func encode(v any) ([]byte, error) {
	data, err := json.MarshalIndent(v, "", "  ")
	return append(data, '\n'), err
}

// parseObject tells what is wrong without the words of encoding/json, which
// quote what they stumble over.
func parseObject(data []byte, to any) error {
	switch {
	case !utf8.Valid(data) || !json.Valid(data):
		return errors.New("not JSON")
	case json.Unmarshal(data, to) != nil:
		return errors.New("not the JSON that was written")
	}
	return nil
}
