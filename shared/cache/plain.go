package cache

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strconv"
	"time"
)

// A plainEntry is an entry as those write them who do: in ASCII, on one line,
// with texts where texts belong, none of them with escapes, and no key twice.
// It is there because a directory may hold a thousand of them.
type plainEntry struct {
	accessKeyID, secretAccessKey, sessionToken, accountID []byte
	assumedRoleID, assumedRoleARN, requestID              []byte
	packed                                                int32
	expiration                                            time.Time
}

// parsePlain reads such an entry. What it takes means the same to parse; ok is
// false for all else, good or not.
func parsePlain(data []byte) (e plainEntry, ok bool) {
	if len(data) > maxSize || plainLength(data) < len(data) {
		return e, false
	}
	var expiration []byte
	e.packed = -1
	p := plainReader{data: data}
	p.object([]string{"Credentials", "AssumedRoleUser", "ResponseMetadata", "PackedPolicySize"}, func(i int) {
		switch i {
		case 0:
			p.texts([]string{"AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration", "AccountId"},
				&e.accessKeyID, &e.secretAccessKey, &e.sessionToken, &expiration, &e.accountID)
		case 1:
			p.texts([]string{"AssumedRoleId", "Arn"}, &e.assumedRoleID, &e.assumedRoleARN)
		case 2:
			p.texts([]string{"RequestId"}, &e.requestID)
		case 3:
			e.packed = p.number()
		}
	})
	if p.space(); p.at != len(data) || len(e.accessKeyID) == 0 || len(e.secretAccessKey) == 0 || len(e.sessionToken) == 0 {
		return e, false
	}
	var err error
	e.expiration, err = parseExpiration(string(expiration))
	return e, err == nil
}

func (p *plainEntry) entry() Entry {
	e := Entry{
		AccessKeyID:     string(p.accessKeyID),
		SecretAccessKey: string(p.secretAccessKey),
		SessionToken:    string(p.sessionToken),
		Expiration:      p.expiration,
		AccountID:       string(p.accountID),
		AssumedRoleID:   string(p.assumedRoleID),
		AssumedRoleARN:  string(p.assumedRoleARN),
		RequestID:       string(p.requestID),
	}
	if e.AccountID == "" {
		e.AccountID = accountOf(e.AssumedRoleARN)
	}
	if percent := p.packed; percent >= 0 {
		e.PackedPolicySize = &percent
	}
	return e
}

// A plainReader reads JSON without escapes. Where it meets anything else it
// goes to a place from which nothing can be read, and never to the end.
type plainReader struct {
	data  []byte // plain
	at    int
	depth int
}

func (p *plainReader) fail() { p.at = len(p.data) + 1 }

func (p *plainReader) failed() bool { return p.at > len(p.data) }

// peek is the next character, 0 at the end.
func (p *plainReader) peek() byte {
	if p.at >= len(p.data) {
		return 0
	}
	return p.data[p.at]
}

// take passes over c, if that is next.
func (p *plainReader) take(c byte) bool {
	if p.peek() != c || c == 0 {
		return false
	}
	p.at++
	return true
}

func (p *plainReader) space() {
	for p.at < len(p.data) && p.data[p.at] == ' ' {
		p.at++
	}
}

// object reads an object, and has found read the value of each known key.
func (p *plainReader) object(known []string, found func(i int)) {
	seen := 0
	p.list('{', '}', func() {
		key := p.string()
		p.space()
		if !p.take(':') {
			p.fail()
		}
		p.space()
		i := slices.IndexFunc(known, func(k string) bool { return k == string(key) })
		switch {
		case i < 0:
			p.skip()
		case seen&(1<<i) != 0:
			p.fail()
		default:
			seen |= 1 << i
			found(i)
		}
	})
}

// texts reads an object, and puts the texts of the known keys in their places.
func (p *plainReader) texts(known []string, places ...*[]byte) {
	p.object(known, func(i int) { *places[i] = p.string() })
}

const plainDepth = 8 // of objects and arrays

// list reads what stands between open and end, with commas.
func (p *plainReader) list(open, end byte, item func()) {
	p.space()
	if p.depth++; !p.take(open) || p.depth > plainDepth {
		p.fail()
	}
	p.space()
	if p.take(end) {
		p.depth--
		return
	}
	for !p.failed() {
		p.space()
		item()
		p.space()
		if p.take(end) {
			p.depth--
			return
		}
		if !p.take(',') {
			p.fail()
		}
	}
}

// string reads a text.
func (p *plainReader) string() []byte {
	if p.take('"') {
		rest := p.data[p.at:]
		if size := bytes.IndexByte(rest, '"'); size >= 0 {
			p.at += size + 1
			return rest[:size]
		}
	}
	p.fail()
	return nil
}

// plainLength is how much of s, from its beginning on, is to be seen in ASCII
// and no backslash.
func plainLength(s []byte) int {
	at := 0
	for at+8 <= len(s) && plainEight(binary.LittleEndian.Uint64(s[at:])) {
		at += 8
	}
	for at < len(s) && ' ' <= s[at] && s[at] <= '~' && s[at] != '\\' {
		at++
	}
	return at
}

// plainEight is plainLength for eight bytes at once: each term sets the top bit
// of the first byte that is not plain, if not of later ones that are. Source:
// https://graphics.stanford.edu/~seander/bithacks.html#ZeroInWord
func plainEight(x uint64) bool {
	const each = 0x0101010101010101
	backslash := x ^ each*'\\'
	return (x|(x-each*' ')|(backslash-each)&^backslash|(x+each))&(each<<7) == 0
}

// number reads a whole number of a few digits.
func (p *plainReader) number() int32 {
	start := p.at
	for c := p.peek(); '0' <= c && c <= '9'; c = p.peek() {
		p.at++
	}
	if p.at > len(p.data) {
		return 0
	}
	digits := p.data[start:p.at]
	n, err := strconv.Atoi(string(digits))
	if err != nil || len(digits) > 6 || len(digits) > 1 && digits[0] == '0' {
		p.fail()
	}
	return int32(n)
}

// skip passes over a value of the kinds that entries have.
func (p *plainReader) skip() {
	switch p.peek() {
	case '"':
		p.string()
	case '{':
		p.object(nil, nil)
	case '[':
		p.list('[', ']', p.skip)
	case 't':
		p.word("true")
	case 'f':
		p.word("false")
	case 'n':
		p.word("null")
	default:
		p.number()
	}
}

func (p *plainReader) word(w string) {
	if p.failed() || !bytes.HasPrefix(p.data[p.at:], []byte(w)) {
		p.fail()
		return
	}
	p.at += len(w)
}
