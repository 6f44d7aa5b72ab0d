package session

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"aws-mfa/shared/awstest"
	"aws-mfa/shared/cache"
	"aws-mfa/shared/mfa"
	"aws-mfa/shared/profile"
)

const (
	janeARN  = "arn:aws:iam::123456789012:user/jane"
	powerARN = "arn:aws:iam::123456789012:role/PowerUserRole" // wants MFA, 1 h at most
	adminARN = "arn:aws:iam::123456789012:role/AdminRole"     // wants MFA, 12 h at most
	plainARN = "arn:aws:iam::123456789012:role/PlainRole"     // without MFA, 12 h at most
)

// A world is a local AWS with a user jane, her home directory, and an ear for
// secrets in whatever is told.
type world struct {
	*awstest.AWS
	t    *testing.T
	home string
	env  map[string]string
	jane *awstest.User

	mu   sync.Mutex
	told strings.Builder
}

// start makes a world with the profiles power, admin and plain, whose keys
// are in [default] of the credentials file.
func start(t *testing.T) *world {
	t.Helper()
	a, err := awstest.Start()
	if err != nil {
		t.Fatal(err)
	}
	w := &world{AWS: a, t: t, home: t.TempDir()}
	t.Cleanup(func() {
		a.Close()
		w.searchForSecrets()
	})
	const step = 30 * time.Second
	now := a.Now()
	a.Shift(now.Truncate(step).Add(step).Sub(now)) // no code runs out in the middle of a test
	w.jane = a.AddUser(janeARN)
	a.AddRole(awstest.Role{ARN: powerARN, Trusts: []string{janeARN}, RequireMFA: true})
	a.AddRole(awstest.Role{ARN: adminARN, Trusts: []string{janeARN}, RequireMFA: true, MaxSessionDuration: 12 * time.Hour})
	a.AddRole(awstest.Role{ARN: plainARN, Trusts: []string{janeARN, powerARN}, MaxSessionDuration: 12 * time.Hour})
	w.env = map[string]string{"HOME": w.home, "USERPROFILE": w.home, "AWS_ENDPOINT_URL_STS": a.URL()}
	serial := "mfa_serial = " + w.jane.Device.SerialNumber
	w.profile("power", "role_arn = "+powerARN, "source_profile = default", serial)
	w.profile("admin", "role_arn = "+adminARN, "source_profile = default", serial)
	w.profile("plain", "role_arn = "+plainARN, "source_profile = default")
	w.keys("default", w.jane.AccessKeyID, w.jane.SecretAccessKey)
	return w
}

// searchForSecrets looks for what AWS issued in what was told.
func (w *world) searchForSecrets() {
	for _, secret := range w.Secrets() {
		if strings.Contains(w.told.String(), secret) {
			w.t.Errorf("a secret was told: %.4s… (%d characters)", secret, len(secret))
		}
	}
}

func (w *world) Say(format string, args ...any)   { w.tell(format, args...) }
func (w *world) Warn(format string, args ...any)  { w.tell("warning: "+format, args...) }
func (w *world) Trace(format string, args ...any) { w.tell(format, args...) }

// memory is what is remembered between runs, and clock that of a new run.
func (w *world) memory() cache.Memory { return cache.MemoryIn(w.home) }
func (w *world) clock() *Clock        { return NewClocks(w.memory()).Of(profile.Network{}) }

func (w *world) store() Store { return Store{Roles: w.dir(), Memory: w.memory()} }

// forget makes the next run one on another computer.
func (w *world) forget() {
	w.t.Helper()
	if err := os.RemoveAll(string(w.memory())); err != nil {
		w.t.Fatal(err)
	}
}

// tell remembers what a user might get to see.
func (w *world) tell(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	fmt.Fprintf(&w.told, format+"\n", args...)
}

// heard is what was told so far.
func (w *world) heard() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.told.String()
}

// profile adds a profile to the config file.
func (w *world) profile(name string, lines ...string) {
	w.t.Helper()
	w.add("config", "[profile "+name+"]\n"+strings.Join(lines, "\n")+"\n")
}

// keys adds an access key to the credentials file.
func (w *world) keys(name, id, secret string) {
	w.t.Helper()
	w.add("credentials", fmt.Sprintf("[%s]\naws_access_key_id = %s\naws_secret_access_key = %s\n", name, id, secret))
}

func (w *world) add(file, text string) {
	w.t.Helper()
	path := filepath.Join(w.home, ".aws", file)
	before, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		w.t.Fatal(err)
	}
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, append(before, text...), 0o600)); err != nil {
		w.t.Fatal(err)
	}
}

// session puts the keys of a session into the environment, and makes a profile
// env of that role with them.
func (w *world) session(s Session, roleARN string) {
	w.t.Helper()
	w.env["AWS_ACCESS_KEY_ID"], w.env["AWS_SECRET_ACCESS_KEY"], w.env["AWS_SESSION_TOKEN"] = s.AccessKeyID, s.SecretAccessKey, s.SessionToken
	w.profile("env", "role_arn = "+roleARN, "credential_source = Environment")
}

// role is what a profile says.
func (w *world) role(name string) *profile.Login {
	w.t.Helper()
	return resolve(w.t, name, w.env)
}

func resolve(t *testing.T, name string, env map[string]string) *profile.Login {
	t.Helper()
	role, err := tryResolve(name, env)
	if err != nil {
		t.Fatal(err)
	}
	return role
}

func tryResolve(name string, env map[string]string) (*profile.Login, error) {
	set, err := profile.Load(func(variable string) (string, bool) {
		value, ok := env[variable]
		return value, ok
	})
	if err != nil {
		return nil, err
	}
	p, err := set.Profile(name)
	if err != nil {
		return nil, err
	}
	return p.Login()
}

// dir is where the sessions are kept.
func (w *world) dir() cache.Dir { return cache.In(w.home) }

// code is one that AWS accepts; AWS's clock moves on when all are used.
func (w *world) code() string {
	w.t.Helper()
	code, err := w.Code(w.jane.Device.SerialNumber)
	if err != nil {
		w.Shift(30 * time.Second)
		code, err = w.Code(w.jane.Device.SerialNumber)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return code
}

// A script gives one code after the other, but none that was used, and
// remembers what it was asked.
type script struct {
	codes   []string
	from    mfa.Source
	serials []string
	refused []error
}

func (s *script) Next(ctx context.Context, q mfa.Question) (mfa.Code, error) {
	s.serials, s.refused = append(s.serials, q.Serial), append(s.refused, q.Refused)
	for len(s.codes) > 0 {
		code := s.codes[0]
		s.codes = s.codes[1:]
		if !errors.As(q.Claim(ctx, code), new(*mfa.UsedError)) {
			return mfa.Code{Digits: code, From: s.from}, nil
		}
	}
	return mfa.Code{}, cmp.Or(q.Refused, errNoCode)
}

var errNoCode = errors.New("there is no code")

// open opens the profile's session with a good code, unless o has others.
func (w *world) open(name string, o Options) (Session, error) {
	w.t.Helper()
	return w.openRole(w.t.Context(), w.role(name), o)
}

func (w *world) openRole(ctx context.Context, role *profile.Login, o Options) (Session, error) {
	w.t.Helper()
	if o.Codes == nil {
		o.Codes = &script{codes: []string{w.code()}}
	}
	o.Roles, o.Memory, o.Clock, o.Teller = cache.Dir(cmp.Or(string(o.Roles), string(w.dir()))), w.memory(), w.clock(), w
	s, err := Open(ctx, role, o)
	w.tell("%v %+v %#v", s, s, s)
	if err != nil {
		w.tell("%v %+v %#v", err, err, err)
	}
	return s, err
}

// mustOpen opens a session that AWS has no reason to refuse.
func (w *world) mustOpen(name string, o Options) Session {
	w.t.Helper()
	s, err := w.open(name, o)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// wantCalls compares how often AWS was asked to assume a role.
func (w *world) wantCalls(want int) {
	w.t.Helper()
	if got := w.Count("AssumeRole"); got != want {
		w.t.Errorf("AssumeRole was called %d times, want %d: %+v", got, want, w.Calls())
	}
}

// put keeps a session for a profile that ends then.
func (w *world) put(name string, end time.Time) cache.Entry {
	w.t.Helper()
	e := cache.Entry{AccessKeyID: "ASIAIOSFODNN7EXAMPLE", SecretAccessKey: "kept", SessionToken: "kept", Expiration: end.UTC()}
	if err := w.dir().Write(Store{}.Name(w.role(name)), e); err != nil {
		w.t.Fatal(err)
	}
	return e
}

// files are the names and contents in the directory of sessions.
func (w *world) files() map[string]string {
	w.t.Helper()
	files := map[string]string{}
	entries, err := os.ReadDir(string(w.dir()))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		w.t.Fatal(err)
	}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(string(w.dir()), e.Name()))
		if err != nil {
			w.t.Fatal(err)
		}
		files[e.Name()] = string(data)
	}
	return files
}

func TestOneLoginIsOneAssumeRole(t *testing.T) {
	t.Parallel()
	w := start(t)
	codes := &script{codes: []string{w.code()}}
	s := w.mustOpen("power", Options{Codes: codes})
	w.wantCalls(1)
	call := w.Calls()[0]
	if call.RoleARN != powerARN || call.DurationSeconds != 0 || call.AccessKeyID != w.jane.AccessKeyID || call.Method != "POST" {
		t.Errorf("got call %+v", call)
	}
	if !slices.Equal(codes.serials, []string{w.jane.Device.SerialNumber}) || codes.refused[0] != nil {
		t.Errorf("codes were asked for %q after %v, want once for jane's device", codes.serials, codes.refused)
	}
	if want := "arn:aws:sts::123456789012:assumed-role/PowerUserRole/jane"; !s.Opened || s.Healed != nil || s.AssumedRoleARN != want {
		t.Errorf("got opened %v, healed %v, %s, want %s", s.Opened, s.Healed, s.AssumedRoleARN, want)
	}
	if left := s.Left(w.Now()); left <= 59*time.Minute || left > time.Hour {
		t.Errorf("got %s left, want an hour", left)
	}
	if s.RequestID == "" || s.AssumedRoleID == "" || !strings.HasPrefix(s.AccessKeyID, "ASIA") {
		t.Errorf("got request %q, id %q, key %q", s.RequestID, s.AssumedRoleID, s.AccessKeyID)
	}
	kept, err := w.store().Find(w.role("power"))
	if err != nil || kept.SessionToken != s.SessionToken || kept.SecretAccessKey != s.SecretAccessKey || !kept.Expiration.Equal(s.Expiration) || kept.AccountID != "123456789012" {
		t.Errorf("kept: got %v of %q, %v, want %v", kept, kept.AccountID, err, s)
	}
	for _, part := range []string{"AssumeRole: request to " + strings.TrimPrefix(w.URL(), "http://") + " (region us-east-1)", "AssumeRole: done", "written to " + w.dir().Path(Store{}.Name(w.role("power")))} {
		if !strings.Contains(w.heard(), part) {
			t.Errorf("the trace lacks %q:\n%s", part, w.heard())
		}
	}
}

func TestWhatTheProfileSaysIsWhatAWSIsAsked(t *testing.T) {
	t.Parallel()
	w := start(t)
	const arn = "arn:aws:iam::123456789012:role/Partner"
	w.AddRole(awstest.Role{ARN: arn, Trusts: []string{janeARN}, ExternalID: "xid-42", MaxSessionDuration: 12 * time.Hour})
	w.profile("partner", "role_arn = "+arn, "source_profile = default", "external_id = xid-42", "role_session_name = j.doe@example.com", "duration_seconds = 7200", "region = eu-west-1")
	s := w.mustOpen("partner", Options{})
	call := w.Calls()[0]
	if call.DurationSeconds != 7200 || call.Region != "eu-west-1" || !strings.HasSuffix(s.AssumedRoleARN, "/j.doe@example.com") {
		t.Errorf("got %+v, %s", call, s.AssumedRoleARN)
	}
	// --duration wins, and does not change where the session is kept.
	again := w.mustOpen("partner", Options{Duration: 3 * time.Hour, Force: true})
	if got := w.Calls()[1].DurationSeconds; got != 3*60*60 {
		t.Errorf("got %d seconds asked for, want 3 h", got)
	}
	if kept, err := w.store().Find(w.role("partner")); err != nil || kept.AccessKeyID != again.AccessKeyID || len(w.files()) != 1 {
		t.Errorf("got %v, %v in %d files, want %v in one", kept, err, len(w.files()), again)
	}
}

func TestNoCodeIsAskedForWithoutAnMFADevice(t *testing.T) {
	t.Parallel()
	w := start(t)
	codes := &script{}
	s := w.mustOpen("plain", Options{Codes: codes})
	if len(codes.serials) != 0 || !strings.HasSuffix(s.AssumedRoleARN, "assumed-role/PlainRole/aws-mfa") {
		t.Errorf("codes asked for: %d, got %s", len(codes.serials), s.AssumedRoleARN)
	}
	w.wantCalls(1)
}

func TestAPresentSessionIsKept(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		left  time.Duration
		force bool
		calls int
	}{
		{"an hour left", time.Hour, false, 0},
		{"a bit more than the margin left", cache.Margin + 30*time.Second, false, 0},
		{"14 minutes left", 14 * time.Minute, false, 1},
		{"expired", -time.Second, false, 1},
		{"an hour left, but forced", time.Hour, true, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := start(t)
			present := w.put("power", time.Now().Add(c.left))
			codes := &script{codes: []string{w.code()}}
			s := w.mustOpen("power", Options{Codes: codes, Force: c.force})
			w.wantCalls(c.calls)
			if opened := c.calls > 0; s.Opened != opened || (s.AccessKeyID != present.AccessKeyID) != opened || len(codes.serials) != c.calls {
				t.Errorf("got opened %v, %v, %d codes asked for", s.Opened, s, len(codes.serials))
			}
			if c.calls == 0 && w.Connections() != 0 {
				t.Errorf("got %d connections for a session that is there", w.Connections())
			}
		})
	}
}

func TestABrokenEntryIsReplacedAndTold(t *testing.T) {
	t.Parallel()
	for _, content := range []string{"", "{", `{"Credentials": {}}`} {
		t.Run(content, func(t *testing.T) {
			t.Parallel()
			w := start(t)
			path := w.dir().Path(Store{}.Name(w.role("power")))
			if err := errors.Join(os.MkdirAll(string(w.dir()), 0o700), os.WriteFile(path, []byte(content), 0o600)); err != nil {
				t.Fatal(err)
			}
			s := w.mustOpen("power", Options{})
			if s.Healed == nil || s.Healed.Path != path || !s.Opened {
				t.Errorf("got healed %v, opened %v, want %s healed", s.Healed, s.Opened, path)
			}
			if kept, err := w.store().Find(w.role("power")); err != nil || kept.AccessKeyID != s.AccessKeyID {
				t.Errorf("kept: got %v, %v", kept, err)
			}
			if s := w.mustOpen("power", Options{}); s.Opened || s.Healed != nil {
				t.Errorf("the next time: got opened %v, healed %v", s.Opened, s.Healed)
			}
			w.wantCalls(1)
		})
	}
}

func TestRefusedCodesAreFollowedByOthersAndNoneIsOfferedTwice(t *testing.T) {
	t.Parallel()
	w := start(t)
	good := w.code()
	wrong := []string{other(good, 1), other(good, 2)}
	codes := &script{codes: []string{wrong[0], wrong[0], wrong[0], wrong[1], wrong[0], good}}
	s := w.mustOpen("power", Options{Codes: codes})
	w.wantCalls(3)
	if !s.Opened || len(codes.codes) != 0 {
		t.Errorf("got opened %v with %q left", s.Opened, codes.codes)
	}
	for i, err := range codes.refused {
		var refused *RefusedError
		if (errors.As(err, &refused) && refused.Reason == WrongCode) != (i > 0) {
			t.Errorf("question %d was told %v", i+1, err)
		}
	}
}

func TestWhenNoCodeIsLeftTheRefusalIsTheAnswer(t *testing.T) {
	t.Parallel()
	w := start(t)
	_, err := w.open("power", Options{Codes: &script{codes: []string{other(w.code(), 1), other(w.code(), 2), other(w.code(), 3)}}})
	w.wantCalls(3)
	var refused *RefusedError
	if !errors.As(err, &refused) || refused.Reason != WrongCode {
		t.Errorf("got %v", err)
	}
}

// other is a code that differs from a good one.
func other(code string, by byte) string {
	return code[:2] + string('0'+(code[2]-'0'+by)%10) + code[3:]
}

func TestOnlyAWrongCodeIsFollowedByAnother(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.profile("stranger", "role_arn = arn:aws:iam::123456789012:role/Nobodys", "source_profile = default", "mfa_serial = "+w.jane.Device.SerialNumber)
	codes := &script{codes: []string{w.code(), other(w.code(), 1)}}
	_, err := w.open("stranger", Options{Codes: codes})
	if len(codes.serials) != 1 {
		t.Errorf("got %d codes asked for, want 1 (%v)", len(codes.serials), err)
	}
	w.wantCalls(1)
}

func TestARefusalLeavesTheCacheAsItWas(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.put("power", time.Now().Add(10*time.Minute))
	before := w.files()
	if _, err := w.open("power", Options{Codes: &script{codes: []string{other(w.code(), 1)}}}); err == nil {
		t.Fatal("got no error")
	}
	if after := w.files(); !maps.Equal(before, after) {
		t.Errorf("got %q, want %q", after, before)
	}
}

// A code must not be spent on a session that could not be kept.
func TestNothingIsAskedForWhenTheSessionCouldNotBeKept(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		spoil  func(dir, entry string) error
		answer string
	}{
		{"a file in the place of the directory", func(dir, _ string) error {
			return os.WriteFile(dir, nil, 0o600)
		}, "not a directory"},
		{"a dangling link in the place of the directory", func(dir, _ string) error {
			return os.Symlink("gone", dir)
		}, "a session could not be kept"},
		{"a directory in the place of the entry", func(_, entry string) error {
			return os.MkdirAll(entry, 0o700)
		}, "not a regular file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := start(t)
			dir := filepath.Join(w.home, "cache")
			if err := c.spoil(dir, cache.Dir(dir).Path(Store{}.Name(w.role("power")))); err != nil {
				t.Fatal(err)
			}
			if to, err := os.Readlink(dir); strings.Contains(c.name, "link") && to == "" {
				t.Skip("no symbolic links, as in Wine 8: ", err)
			}
			codes := &script{codes: []string{w.code()}}
			_, err := w.open("power", Options{Store: Store{Roles: cache.Dir(dir)}, Codes: codes})
			if err == nil || !strings.Contains(err.Error(), c.answer) {
				t.Errorf("got %v, want %q", err, c.answer)
			}
			if len(codes.serials) != 0 || w.Connections() != 0 {
				t.Errorf("got %d codes asked for and %d connections, want none", len(codes.serials), w.Connections())
			}
		})
	}
}

func TestFindTellsWhatIsThere(t *testing.T) {
	t.Parallel()
	w := start(t)
	role := w.role("power")
	if _, err := w.store().Find(role); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nothing there: got %v, want fs.ErrNotExist", err)
	}
	expired := w.put("power", time.Now().Add(-time.Hour))
	if e, err := w.store().Find(role); err != nil || e.AccessKeyID != expired.AccessKeyID {
		t.Errorf("expired: got %v, %v", e, err)
	}
	path := w.dir().Path(Store{}.Name(role))
	if err := os.WriteFile(path, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	var broken *cache.BrokenError
	if _, err := w.store().Find(role); !errors.As(err, &broken) || broken.Path != path {
		t.Errorf("broken: got %v", err)
	}
}

func TestIdentityTellsWhoseTheKeysAre(t *testing.T) {
	t.Parallel()
	w := start(t)
	s := w.mustOpen("power", Options{})
	client, err := NewClient(w.role("power").Network, "", w.clock(), w.tell)
	if err != nil {
		t.Fatal(err)
	}
	who, err := client.Identity(t.Context(), profile.Keys{AccessKeyID: s.AccessKeyID, SecretAccessKey: s.SecretAccessKey, SessionToken: s.SessionToken})
	if want := (Identity{"123456789012", s.AssumedRoleARN, s.AssumedRoleID}); err != nil || who != want {
		t.Errorf("got %+v, %v, want %+v", who, err, want)
	}
	who, err = client.Identity(t.Context(), profile.Keys{AccessKeyID: w.jane.AccessKeyID, SecretAccessKey: w.jane.SecretAccessKey})
	if err != nil || who.ARN != janeARN || !strings.HasPrefix(who.UserID, "AIDA") {
		t.Errorf("got %+v, %v, want %s", who, err, janeARN)
	}
}

// The session is named in AWS's logs by the role_session_name, else by the
// MFA device.
// Else the console would be opened, and the keys shown, in the world of others. An
// endpoint that somebody set in AWS's place may call itself what it likes.
func TestAnIdentityIsOfThePartitionThatWasAsked(t *testing.T) {
	t.Parallel()
	w := start(t)
	keys := profile.Keys{AccessKeyID: w.jane.AccessKeyID, SecretAccessKey: w.jane.SecretAccessKey}
	const foreign = "arn:aws-cn:iam::123456789012:user/jane"
	fault := awstest.Fault{Kind: awstest.Answer, Body: "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>" + foreign + "</Arn><UserId>AIDA</UserId><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"}
	w.Fail(fault)
	if who, err := w.through(profile.Network{CABundle: w.ca(), Region: set("eu-west-1")}, "").Identity(t.Context(), keys); err == nil || !strings.HasSuffix(err.Error(), ": the answer is about another partition of AWS") {
		t.Errorf("got %v, %v", who, err)
	}
	w.Fail(fault)
	if who, err := w.through(profile.Network{CABundle: w.ca(), Region: set("cn-north-1")}, "").Identity(t.Context(), keys); err != nil || who.ARN != foreign {
		t.Errorf("got %v, %v, want %s", who, err, foreign)
	}
	w.Fail(fault)
	client, err := NewClient(profile.Network{STS: set(w.URL())}, "", w.clock(), w.tell)
	if err != nil {
		t.Fatal(err)
	}
	if who, err := client.Identity(t.Context(), keys); err != nil || who.ARN != foreign {
		t.Errorf("got %v, %v, want %s", who, err, foreign)
	}
}

func TestSessionNames(t *testing.T) {
	t.Parallel()
	value := func(s string) profile.Value { return profile.Value{Text: s, Set: s != ""} }
	long := strings.Repeat("x", 65)
	for _, c := range []struct{ name, serial, want string }{
		{"me", "arn:aws:iam::123456789012:mfa/jane", "me"},
		{"", "arn:aws:iam::123456789012:mfa/jane", "jane"},
		{"", "arn:aws:iam::123456789012:mfa/team/jane", "jane"},
		{"", "GAHT12345678", "GAHT12345678"},
		{"", "", "aws-mfa"},
		{"", "arn:aws:iam::123456789012:mfa/j", "aws-mfa"},
		{"", "arn:aws:iam::123456789012:mfa/" + long, "aws-mfa"},
		{"", "arn:aws:iam::123456789012:mfa/" + long[1:], long[1:]},
	} {
		if got := sessionName(&profile.Login{SessionName: value(c.name), SerialNumber: value(c.serial)}); got != c.want {
			t.Errorf("%q, %q: got %q, want %q", c.name, c.serial, got, c.want)
		}
	}
}

// ../cache/testdata/cli-cache.json: what AWS CLI v1 1.45.11 and v2 2.36.7 named
// the entries of these profiles, in the order in which the chain was walked
// from its end.
func TestKeysAreNamedAsTheAWSCLINamesThem(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(filepath.Join("..", "cache", "testdata", "cli-cache.json"))
	if err != nil {
		t.Fatal(err)
	}
	var vectors struct {
		Cases []struct {
			ID, Config, Credentials, Profile string
			ExpectedFiles                    []string `json:"expected_files"`
		}
	}
	if err := json.Unmarshal(data, &vectors); err != nil || len(vectors.Cases) == 0 {
		t.Fatalf("got %d cases, %v", len(vectors.Cases), err)
	}
	refused := map[string]string{ // on purpose
		"h-special-chars": "is not an external id", // AWS takes [\w+=,.@:/-] only
	}
	for _, c := range vectors.Cases {
		t.Run(c.ID, func(t *testing.T) {
			home := t.TempDir()
			w := world{t: t, home: home}
			w.add("config", c.Config)
			w.add("credentials", c.Credentials)
			role, err := tryResolve(cmp.Or(c.Profile, "default"), map[string]string{"HOME": home, "USERPROFILE": home})
			if why := refused[c.ID]; why != "" {
				if err == nil || !strings.Contains(err.Error(), why) {
					t.Errorf("got %v, want %q", err, why)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for link := role; link != nil; link = link.Source.Login {
				got = append(got, Store{}.Name(link)+".json")
			}
			slices.Sort(got)
			want := slices.Sorted(slices.Values(c.ExpectedFiles))
			if !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

// through makes a client whose connections go through AWS's proxy, which
// knows AWS's hosts by name.
func (w *world) through(n profile.Network, arn string) *Client {
	w.t.Helper()
	client, err := NewClient(n, arn, w.clock(), w.tell)
	if err != nil {
		w.t.Fatal(err)
	}
	proxy, err := url.Parse(w.ProxyURL())
	if err != nil {
		w.t.Fatal(err)
	}
	client.http.Transport.(bounded).next.(*http.Transport).Proxy = http.ProxyURL(proxy)
	w.t.Cleanup(client.http.CloseIdleConnections)
	return client
}

// ca is the setting that makes AWS's hosts trusted.
func (w *world) ca() profile.Value {
	w.t.Helper()
	path := filepath.Join(w.home, "ca.pem")
	if err := os.WriteFile(path, w.CA(), 0o600); err != nil {
		w.t.Fatal(err)
	}
	return set(path)
}

func set(text string) profile.Value {
	return profile.Value{Text: text, Set: true, From: profile.Origin{File: "~/.aws/config", Line: 7}}
}

// Each host is the one of the AWS SDKs' endpoint rules for STS, and each call
// is signed for the region whose host it is.
func TestEndpoints(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, partition, host, signed string
		network                       profile.Network
	}{
		{"no region", "aws", "sts.us-east-1.amazonaws.com", "us-east-1", profile.Network{}},
		{"no region", "aws-cn", "sts.cn-northwest-1.amazonaws.com.cn", "cn-northwest-1", profile.Network{}},
		{"no region", "aws-us-gov", "sts.us-gov-west-1.amazonaws.com", "us-gov-west-1", profile.Network{}},
		{"no region", "aws-eusc", "sts.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1", profile.Network{}},
		{"no region", "aws-iso", "sts.us-iso-east-1.c2s.ic.gov", "us-iso-east-1", profile.Network{}},
		{"no region", "aws-iso-b", "sts.us-isob-east-1.sc2s.sgov.gov", "us-isob-east-1", profile.Network{}},
		{"no region", "aws-iso-e", "sts.eu-isoe-west-1.cloud.adc-e.uk", "eu-isoe-west-1", profile.Network{}},
		{"no region", "aws-iso-f", "sts.us-isof-south-1.csp.hci.ic.gov", "us-isof-south-1", profile.Network{}},
		{"region", "aws", "sts.eu-central-1.amazonaws.com", "eu-central-1", profile.Network{Region: set("eu-central-1")}},
		{"region", "aws-cn", "sts.cn-north-1.amazonaws.com.cn", "cn-north-1", profile.Network{Region: set("cn-north-1")}},
		{"region", "aws-us-gov", "sts.us-gov-east-1.amazonaws.com", "us-gov-east-1", profile.Network{Region: set("us-gov-east-1")}},
		{"region that the SDK does not know", "aws", "sts.ap-future-9.amazonaws.com", "ap-future-9", profile.Network{Region: set("ap-future-9")}},
		{"legacy", "aws", "sts.amazonaws.com", "us-east-1", profile.Network{Region: set("eu-west-1"), LegacySTS: true}},
		{"legacy, no region", "aws", "sts.amazonaws.com", "us-east-1", profile.Network{LegacySTS: true}},
		{"legacy, region younger than the setting", "aws", "sts.eu-south-1.amazonaws.com", "eu-south-1", profile.Network{Region: set("eu-south-1"), LegacySTS: true}},
		{"legacy", "aws-cn", "sts.cn-north-1.amazonaws.com.cn", "cn-north-1", profile.Network{Region: set("cn-north-1"), LegacySTS: true}},
		{"FIPS", "aws", "sts-fips.us-west-2.amazonaws.com", "us-west-2", profile.Network{Region: set("us-west-2"), FIPS: true}},
		{"FIPS", "aws-us-gov", "sts.us-gov-west-1.amazonaws.com", "us-gov-west-1", profile.Network{Region: set("us-gov-west-1"), FIPS: true}},
		{"dual stack", "aws", "sts.eu-west-1.api.aws", "eu-west-1", profile.Network{Region: set("eu-west-1"), DualStack: true}},
		{"dual stack", "aws-cn", "sts.cn-north-1.api.amazonwebservices.com.cn", "cn-north-1", profile.Network{Region: set("cn-north-1"), DualStack: true}},
		{"FIPS and dual stack", "aws", "sts-fips.us-east-2.api.aws", "us-east-2", profile.Network{Region: set("us-east-2"), FIPS: true, DualStack: true}},
		{"endpoint_url", "aws", "sts.eu-west-3.amazonaws.com", "eu-west-1", profile.Network{Region: set("eu-west-1"), STS: set("https://sts.eu-west-3.amazonaws.com")}},
	} {
		t.Run(c.name+" "+c.partition, func(t *testing.T) {
			t.Parallel()
			w := start(t)
			u := w.AddUser("arn:" + c.partition + ":iam::123456789012:user/jane")
			c.network.CABundle = w.ca()
			client := w.through(c.network, "arn:"+c.partition+":iam::123456789012:role/Admin")
			who, err := client.Identity(t.Context(), profile.Keys{AccessKeyID: u.AccessKeyID, SecretAccessKey: u.SecretAccessKey})
			calls := w.Calls()
			if len(calls) != 1 || strings.TrimSuffix(calls[0].Host, ":443") != c.host {
				t.Fatalf("got %v, calls %+v, want one to %s", err, calls, c.host)
			}
			if c.name == "endpoint_url" { // AWS itself wants another signature there
				c.signed, err = calls[0].Region, nil
				who.ARN = u.ARN
			}
			if err != nil || who.ARN != u.ARN || calls[0].Region != c.signed {
				t.Errorf("got %s, %v, signed for %s, want %s, signed for %s", who.ARN, err, calls[0].Region, u.ARN, c.signed)
			}
		})
	}
}

func TestDefaultRegions(t *testing.T) {
	t.Parallel()
	for arn, want := range map[string]string{
		"":                                   "us-east-1",
		"nonsense":                           "us-east-1",
		"arn:aws:iam::123456789012:role/x":   "us-east-1",
		"arn:aws-x:iam::123456789012:role/x": "us-east-1",
		"arn:aws-cn:sts::123456789012:assumed-role/x/y": "cn-northwest-1",
		"arn:aws-us-gov:iam::123456789012:role/x":       "us-gov-west-1",
	} {
		if got := DefaultRegion(arn); got != want {
			t.Errorf("%q: got %s, want %s", arn, got, want)
		}
	}
}
