package cache

import (
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"strings"
	"time"
)

// A Glimpse is what an entry tells to those who have no use for its secrets.
type Glimpse struct {
	AccessKeyID    string
	Expiration     time.Time
	AccountID      string // as in Entry
	AssumedRoleARN string
}

// A Snapshot is all entries of a Dir at one moment, for those who look for
// many. It takes an entry's word for the name of the role that it is of: if all
// entries tell, none is looked for under another name, until Doubt.
type Snapshot struct {
	dir      Dir
	whole    bool                    // else there may be more
	entries  map[[sha1.Size]byte]int // by name, which of the glimpses
	glimpses []Glimpse               // one without Expiration is yet to be read
	asked    []bool                  // which of them somebody has asked for
	roles    roleSet
	anyRole  bool // some entry does not tell whose it is, or what it tells is doubted
	unread   int  // entries that nobody has asked for
}

// A roleSet has the names of roles, and some more: as many bits as an entry
// seldom needs, by the hash of the name.
type roleSet [1 << 10]uint64

func (s *roleSet) add(role string) {
	at := foldHash(role) % (64 * uint32(len(s)))
	s[at/64] |= 1 << (at % 64)
}

func (s *roleSet) has(role string) bool {
	at := foldHash(role) % (64 * uint32(len(s)))
	return s[at/64]&(1<<(at%64)) != 0
}

// Snapshot reads all entries.
func (d Dir) Snapshot() *Snapshot {
	s := &Snapshot{dir: d}
	f, err := os.Open(string(d))
	if err != nil {
		s.whole = errors.Is(err, fs.ErrNotExist)
		return s
	}
	defer f.Close()
	files, err := f.Readdirnames(-1)
	s.whole = err == nil
	s.entries = make(map[[sha1.Size]byte]int, len(files))
	s.glimpses = make([]Glimpse, 0, len(files))
	space := make([]byte, 8192) // for more than most entries have
	for _, file := range files {
		name, isEntry := strings.CutSuffix(file, ".json")
		if sum, ok := sumOf(name); isEntry && ok {
			s.entries[sum] = len(s.glimpses)
			s.add(f, file, space)
		}
	}
	return s
}

func (s *Snapshot) add(dir *os.File, file string, space []byte) {
	var g Glimpse
	if data, ok := readSmall(dir, file, space); ok {
		if plain, ok := parsePlain(data); ok {
			g = plain.glimpse()
		}
	}
	s.glimpses, s.asked = append(s.glimpses, g), append(s.asked, false)
	s.unread++
	if role := assumedRole(g.AssumedRoleARN); role != "" {
		s.roles.add(role)
	} else {
		s.anyRole = true
	}
}

func (p *plainEntry) glimpse() Glimpse {
	g := Glimpse{AccessKeyID: string(p.accessKeyID), Expiration: p.expiration, AssumedRoleARN: string(p.assumedRoleARN)}
	if g.AccountID = accountOf(g.AssumedRoleARN); len(p.accountID) > 0 && g.AccountID != string(p.accountID) {
		g.AccountID = string(p.accountID)
	}
	return g
}

// Len is how many entries there were, as far as is known.
func (s *Snapshot) Len() int { return len(s.entries) }

// Read is as Dir.Read for the entry of that key. If there was none, the error
// is fs.ErrNotExist itself.
func (s *Snapshot) Read(k Key) (Glimpse, error) {
	if s.Lacks(k.RoleARN) {
		return Glimpse{}, fs.ErrNotExist
	}
	return s.read(k.sum())
}

// Lacks tells whether there is certainly no entry of a role, which most seldom
// have.
func (s *Snapshot) Lacks(roleARN string) bool {
	return s.whole && !s.anyRole && !s.roles.has(roleARN[strings.LastIndexByte(roleARN, '/')+1:])
}

// Doubt ends the belief in what entries tell of their roles, and reports whether
// that may make a difference: there are entries that nobody has asked for, so
// that one may be another role's than its name stands for.
func (s *Snapshot) Doubt() bool {
	before := s.anyRole
	s.anyRole = true
	return !before && s.unread > 0
}

func (s *Snapshot) read(sum [sha1.Size]byte) (Glimpse, error) {
	i, there := s.entries[sum]
	if there && !s.asked[i] {
		s.asked[i] = true
		s.unread--
	}
	if there && !s.glimpses[i].Expiration.IsZero() {
		return s.glimpses[i], nil
	}
	if !there && s.whole {
		return Glimpse{}, fs.ErrNotExist
	}
	return s.dir.glimpse(hex.EncodeToString(sum[:]))
}

func (d Dir) glimpse(name string) (Glimpse, error) {
	e, err := d.Read(name)
	return glimpseOf(e), err
}

func glimpseOf(e Entry) Glimpse {
	return Glimpse{AccessKeyID: e.AccessKeyID, Expiration: e.Expiration, AccountID: e.AccountID, AssumedRoleARN: e.AssumedRoleARN}
}

// assumedRole is NAME in arn:partition:sts::account:assumed-role/NAME/session,
// "" in anything else.
func assumedRole(arn string) string {
	_, rest, _ := strings.Cut(arn, ":assumed-role/")
	name, _, ok := strings.Cut(rest, "/")
	if !ok {
		return ""
	}
	return name
}

// foldHash is the FNV-1a hash of a name, with small letters for capitals. Two
// names that have the same one only cost time.
func foldHash(name string) uint32 {
	h := uint32(2166136261)
	for i := range len(name) {
		c := name[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		h = (h ^ uint32(c)) * 16777619
	}
	return h
}

// sumOf takes capitals as well: to some file systems they are the same.
func sumOf(name string) (sum [sha1.Size]byte, ok bool) {
	if len(name) != hex.EncodedLen(len(sum)) {
		return sum, false
	}
	var digits [2 * sha1.Size]byte
	copy(digits[:], name)
	_, err := hex.Decode(sum[:], digits[:])
	return sum, err == nil
}
