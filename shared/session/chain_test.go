package session

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aws-mfa/shared/awstest"
	"aws-mfa/shared/cache"
	"aws-mfa/shared/mfa"
	"aws-mfa/shared/profile"
	"aws-mfa/shared/recall"
)

// spokes adds roles that trust jane with MFA, and profiles of them.
func (w *world) spokes(names ...string) {
	for _, name := range names {
		arn := "arn:aws:iam::123456789012:role/" + name
		w.AddRole(awstest.Role{ARN: arn, Trusts: []string{janeARN}, RequireMFA: true, MaxSessionDuration: 4 * time.Hour})
		w.profile(name, "role_arn = "+arn, "source_profile = default", "mfa_serial = "+w.jane.Device.SerialNumber)
	}
}

// mfaProfile adds a profile jane with the keys and the device.
func (w *world) mfaProfile() {
	w.profile("jane", "mfa_serial = "+w.jane.Device.SerialNumber)
	w.keys("jane", w.jane.AccessKeyID, w.jane.SecretAccessKey)
}

// asked are the operations that AWS was asked for so far, in short.
func (w *world) asked() (all []string) {
	for _, c := range w.Calls() {
		text := c.Action
		if name := c.RoleARN[strings.LastIndexByte(c.RoleARN, '/')+1:]; name != "" {
			text += " " + name
		}
		if c.DurationSeconds != 0 {
			text += fmt.Sprintf(" %ds", c.DurationSeconds)
		}
		all = append(all, text)
	}
	return all
}

func (w *world) wantAsked(want ...string) {
	w.t.Helper()
	if got := w.asked(); !slices.Equal(got, want) {
		w.t.Errorf("AWS was asked for\n%q, want\n%q", got, want)
	}
}

func TestAChainIsOpenedHopByHop(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.profile("spoke", "role_arn = "+plainARN, "source_profile = power", "external_id = spoke")
	w.AddRole(awstest.Role{ARN: adminARN, Trusts: []string{plainARN}, MaxSessionDuration: 12 * time.Hour})
	w.profile("end", "role_arn = "+adminARN, "source_profile = spoke", "duration_seconds = 7200")
	codes := &script{codes: []string{w.code()}}
	s := w.mustOpen("end", Options{Codes: codes})
	w.wantAsked("AssumeRole PowerUserRole", "AssumeRole PlainRole", "AssumeRole AdminRole 3600s")
	if want := "arn:aws:sts::123456789012:assumed-role/AdminRole/jane"; s.AssumedRoleARN != want || !s.Opened || s.Origin != Indirect {
		t.Errorf("got %+v, want %s", s, want)
	}
	if !strings.Contains(w.heard(), "warning: end: opened with the keys of a session, a role's session lasts 1 hour at most") {
		t.Errorf("got %s", w.heard())
	}
	for _, hop := range []string{"power", "spoke", "end"} {
		if _, err := w.store().Find(w.role(hop)); err != nil {
			t.Errorf("%s: %v", hop, err)
		}
	}
	w.mustOpen("spoke", Options{Codes: &script{}}) // is there
	w.wantCalls(3)
}

func TestASourceThatIsOverForAWSIsOpenedAnew(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.profile("spoke", "role_arn = "+plainARN, "source_profile = power")
	w.mustOpen("power", Options{})
	w.ExpireSessions()
	w.mustOpen("spoke", Options{})
	w.wantAsked("AssumeRole PowerUserRole", "AssumeRole PlainRole", "AssumeRole PowerUserRole", "AssumeRole PlainRole")
}

func TestProfilesWithOneCacheNameShareASession(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.profile("again", "role_arn = "+plainARN, "source_profile = plain")
	w.mustOpen("again", Options{})
	w.wantAsked("AssumeRole PlainRole")
}

func TestAnMFASession(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.mfaProfile()
	s := w.mustOpen("jane", Options{})
	if left := s.Left(w.Now()); left <= 11*time.Hour || left > 12*time.Hour || s.AssumedRoleARN != "" {
		t.Errorf("got %v with %s left", s, left)
	}
	if again := w.mustOpen("jane", Options{Codes: &script{}}); again.Opened {
		t.Error("opened again")
	}
	w.mustOpen("jane", Options{Force: true, Duration: 36 * time.Hour})
	w.wantAsked("GetSessionToken", "GetSessionToken 129600s")
	if path := w.store().Path(w.role("jane")); filepath.Dir(path) != string(w.memory().Sessions()) || len(w.files()) != 0 {
		t.Errorf("kept in %s; the AWS CLI's cache has %v", path, w.files())
	}
}

func TestOneCodeForManyRoles(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		setup func(w *world)
		open  func(w *world, codes mfa.Codes)
		want  []string
		told  string
	}{
		{"by the flag", nil, func(w *world, codes mfa.Codes) {
			w.mustOpen("dev", Options{Codes: codes, MFASession: true})
			w.mustOpen("prod", Options{Codes: codes}) // an open one needs no flag
		}, []string{"GetSessionToken", "AssumeRole dev", "AssumeRole prod"}, "roles of up to 1h need no other code"},
		{"from the profile of the user", nil, func(w *world, codes mfa.Codes) {
			w.mfaProfile()
			w.profile("from-jane", "role_arn = arn:aws:iam::123456789012:role/dev", "source_profile = jane")
			w.mustOpen("from-jane", Options{Codes: codes})
			w.mustOpen("prod", Options{Codes: codes}) // the same key and device
		}, []string{"GetSessionToken", "AssumeRole dev", "AssumeRole prod"}, ""},
		{"from a profile of ours", nil, func(w *world, codes mfa.Codes) {
			w.mfaProfile()
			w.profile("jane-mfa", "credential_process = /bin/aws-mfa-login jane --format process")
			w.profile("from-jane", "role_arn = arn:aws:iam::123456789012:role/dev", "source_profile = jane-mfa")
			w.mustOpen("from-jane", Options{Codes: codes})
		}, []string{"GetSessionToken", "AssumeRole dev"}, ""},
		{"a longer one takes its own", nil, func(w *world, codes mfa.Codes) {
			w.mustOpen("dev", Options{Codes: codes, MFASession: true})
			w.mustOpen("prod", Options{Codes: &script{codes: []string{w.code()}}, MFASession: true, Duration: 2 * time.Hour})
		}, []string{"GetSessionToken", "AssumeRole dev", "AssumeRole prod 7200s"}, "prod: a role's session of more than 1h cannot come from an MFA session, so it takes a code of its own"},
		{"a code that was given is used", nil, func(w *world, codes mfa.Codes) {
			w.mustOpen("dev", Options{Codes: codes, MFASession: true})
			s := w.mustOpen("prod", Options{Codes: &script{codes: []string{w.code()}}, Given: true})
			if s.Origin != Direct {
				w.t.Errorf("got origin %d, want it opened with long-term keys", s.Origin)
			}
		}, []string{"GetSessionToken", "AssumeRole dev", "AssumeRole prod"}, ""},
		{"one that AWS ended is opened anew", nil, func(w *world, codes mfa.Codes) {
			w.mustOpen("dev", Options{Codes: codes, MFASession: true})
			w.ExpireSessions()
			w.mustOpen("prod", Options{MFASession: true})
		}, []string{"GetSessionToken", "AssumeRole dev", "AssumeRole prod", "GetSessionToken", "AssumeRole prod"}, ""},
		{"what AWS allows with a code only gets one", func(w *world) {
			w.Fail(awstest.Fault{Kind: awstest.Answer, Status: 403, Action: "AssumeRole", Times: 1, Body: denied})
		}, func(w *world, codes mfa.Codes) {
			w.mfaProfile()
			w.mustOpen("jane", Options{Codes: codes})
			w.mustOpen("prod", Options{})
		}, []string{"GetSessionToken", "AssumeRole prod", "AssumeRole prod"}, "AWS does not let prod be assumed from the MFA session, so it needs a code of its own"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := start(t)
			w.spokes("dev", "prod")
			if c.setup != nil {
				c.setup(w)
			}
			c.open(w, &script{codes: []string{w.code()}})
			w.wantAsked(c.want...)
			if !strings.Contains(w.heard(), c.told) {
				t.Errorf("got %s\nwant %s", w.heard(), c.told)
			}
		})
	}
}

const denied = `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>User: x is not authorized to perform: sts:AssumeRole on resource: y</Message></Error><RequestId>r</RequestId></ErrorResponse>`

func TestLoginsGoTogetherWhereThatSavesCodes(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.spokes("dev", "prod", "stage")
	w.mfaProfile()
	for _, c := range []struct {
		names string
		o     Options
		want  string
	}{
		{"dev", Options{}, ""},
		{"dev prod stage", Options{}, "dev prod stage"},
		{"dev plain", Options{}, ""},
		{"dev jane", Options{}, "dev jane"},
		{"dev dev", Options{}, ""},
		{"dev prod", Options{Duration: 2 * time.Hour}, ""},
		{"dev prod", Options{Longest: true}, ""},
		{"dev prod", Options{Given: true}, ""},
	} {
		var logins []*profile.Login
		for _, name := range strings.Fields(c.names) {
			logins = append(logins, w.role(name))
		}
		c.o.Store, c.o.Clock, c.o.Teller = w.store(), w.clock(), w
		together := c.o.Together(logins)
		var got []string
		for _, l := range logins {
			if together[l] {
				got = append(got, l.Profile)
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s %+v: got %q", c.names, c.o, got)
		}
	}
	w.put("dev", time.Now().Add(time.Hour)) // needs no code
	o := Options{Store: w.store(), Clock: w.clock(), Teller: w}
	if together := o.Together([]*profile.Login{w.role("dev"), w.role("prod")}); together[w.role("prod")] || len(together) > 1 {
		t.Errorf("got %v", together)
	}
}

func TestTheLongestThatAWSGrants(t *testing.T) {
	t.Parallel()
	for most := 1; most <= 12; most++ {
		asked := 0
		e, err := longest(quiet{}, "p", func(d time.Duration) (cache.Entry, error) {
			asked++
			if d > time.Duration(most)*time.Hour {
				return cache.Entry{}, &RefusedError{Reason: DurationTooLong, Login: &profile.Login{}}
			}
			return cache.Entry{RequestID: d.String()}, nil
		})
		if want := fmt.Sprintf("%dh0m0s", most); err != nil || e.RequestID != want {
			t.Errorf("got %s, %v, want %s", e.RequestID, err, want)
		}
		// The ones of the web console: 1, 2, 4, 8 and 12 hours.
		if bound := map[int]int{12: 1, 1: 3, 4: 4, 8: 5, 2: 5}[most]; asked > 7 || bound != 0 && asked > bound {
			t.Errorf("%dh: %d questions", most, asked)
		}
	}
	wrong := errors.New("wrong")
	e, err := longest(quiet{}, "p", func(d time.Duration) (cache.Entry, error) {
		switch {
		case d > 11*time.Hour:
			return cache.Entry{}, &RefusedError{Reason: DurationTooLong, Login: &profile.Login{}}
		case d > 2*time.Hour:
			return cache.Entry{}, wrong
		}
		return cache.Entry{RequestID: d.String()}, nil
	})
	if err != nil || e.RequestID != "2h0m0s" {
		t.Errorf("a session that was had is lost: got %s, %v", e.RequestID, err)
	}
}

type quiet struct{}

func (quiet) Say(string, ...any)   {}
func (quiet) Warn(string, ...any)  {}
func (quiet) Trace(string, ...any) {}

func TestTheLongestOfARole(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.spokes("dev")
	codes := &script{}
	for range 4 {
		codes.codes = append(codes.codes, w.code())
		w.Shift(30 * time.Second)
	}
	w.Shift(-2 * time.Minute)
	stepped := stepping{w, codes}
	s := w.mustOpen("dev", Options{Longest: true, Codes: stepped})
	if left := s.Left(w.Now()); left < 3*time.Hour || left > 4*time.Hour+5*time.Minute {
		t.Errorf("got %s left, want 4h", left)
	}
	w.wantAsked("AssumeRole dev 43200s", "AssumeRole dev 7200s", "AssumeRole dev 18000s", "AssumeRole dev 14400s")
}

func TestServeHandsOutTheSessionUntilItsEnd(t *testing.T) {
	t.Parallel()
	w := start(t)
	o := Options{Store: w.store(), Clock: w.clock(), Teller: w, Codes: &script{}}
	none := mfa.NoInput()

	good := w.put("power", time.Now().Add(time.Hour))
	if s, err := Serve(t.Context(), w.role("power"), o, none); err != nil || s.AccessKeyID != good.AccessKeyID || w.Connections() != 0 {
		t.Errorf("good: got %v, %v", s, err)
	}
	short := w.put("power", time.Now().Add(5*time.Minute))
	for range 2 {
		if s, err := Serve(t.Context(), w.role("power"), o, none); err != nil || s.AccessKeyID != short.AccessKeyID {
			t.Errorf("short, and nobody to be asked: got %v, %v", s, err)
		}
	}
	tried := &script{codes: []string{w.code()}}
	if s, err := Serve(t.Context(), w.role("power"), o, tried); err != nil || s.Opened || len(tried.serials) != 0 {
		t.Errorf("tried again within a minute: got %v, %v", s, err)
	}
	w.forget()
	if s, err := Serve(t.Context(), w.role("power"), o, tried); err != nil || !s.Opened {
		t.Errorf("short, with a code: got %v, %v", s, err)
	}
	w.put("power", time.Now().Add(-time.Minute))
	if _, err := Serve(t.Context(), w.role("power"), o, none); !errors.Is(err, errNoCode) {
		t.Errorf("expired: got %v", err)
	}
}

// The Go SDK kills a credential_process after 60 s.
func TestServeAnswersInTime(t *testing.T) {
	home := t.TempDir()
	for name, text := range map[string]string{
		"config":      "[profile p]\nrole_arn = " + powerARN + "\nsource_profile = default\nmfa_serial = GAHT12345678\n",
		"credentials": "[default]\naws_access_key_id = A\naws_secret_access_key = S\n",
	} {
		if err := errors.Join(os.MkdirAll(filepath.Join(home, ".aws"), 0o700), os.WriteFile(filepath.Join(home, ".aws", name), []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	login := resolve(t, "p", map[string]string{"HOME": home, "USERPROFILE": home})
	synctest.Test(t, func(t *testing.T) {
		memory := cache.MemoryIn(home)
		began := time.Now()
		_, err := Serve(t.Context(), login, Options{
			Store: Store{Roles: cache.In(home), Memory: memory}, Clock: NewClocks(memory).Of(profile.Network{}), Teller: quiet{}, Codes: never{},
		}, mfa.NoInput())
		if took := time.Since(began); err == nil || took != Answering {
			t.Errorf("got %v after %s, want an error after %s", err, took, Answering)
		}
	})
}

// A program that prints a file, and what the system says of one that is not there.
var printer, prints, noSuchProgram = onSystem("cat", "cmd"), onSystem("cat ", "cmd /c type "), onSystem("no such file or directory", "executable file not found in %PATH%")

func onSystem(unix, windows string) string {
	if runtime.GOOS == "windows" {
		return windows
	}
	return unix
}

func TestACredentialProcessAsSource(t *testing.T) {
	t.Parallel()
	w := start(t)
	good := fmt.Sprintf(`{"Version": 1, "AccessKeyId": %q, "SecretAccessKey": %q}`, w.jane.AccessKeyID, w.jane.SecretAccessKey)
	file := filepath.Join(w.home, "printed")
	w.profile("src", "credential_process = "+prints+file)
	w.profile("p", "role_arn = "+plainARN, "source_profile = src")
	for printed, want := range map[string]string{
		good:                                 "",
		strings.Replace(good, "1", `"1"`, 1): "", // as the AWS CLI does not take it; harmless
		"secret":                             "printed no credentials in JSON",
		`{"Version": 2}`:                     "printed no Version 1",
		`{"Version": 1, "AccessKeyId": "secret"}`:                                "printed no AccessKeyId or no SecretAccessKey",
		strings.Replace(good, "}", `, "Expiration": "2020-01-01T00:00:00Z"}`, 1): "printed credentials that have expired",
	} {
		if err := os.WriteFile(file, []byte(printed), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := w.open("p", Options{Codes: &script{}, Force: true})
		switch {
		case want == "" && err == nil:
		case want == "" || err == nil || !strings.Contains(err.Error(), printer+": "+want) || strings.Contains(err.Error(), "secret"):
			t.Errorf("%s: got %v, want %s", printed, err, want)
		}
	}
	w.profile("bad", "credential_process = /no/such/program")
	w.profile("q", "role_arn = "+adminARN, "source_profile = bad")
	var source *SourceError
	if _, err := w.open("q", Options{Codes: &script{}}); !errors.As(err, &source) || !strings.Contains(err.Error(), "/no/such/program: "+noSuchProgram) {
		t.Errorf("got %v", err)
	}
}

// stepping moves AWS's clock on with each code after the first.
type stepping struct {
	w     *world
	codes *script
}

func (s stepping) Next(ctx context.Context, q mfa.Question) (mfa.Code, error) {
	if len(s.codes.serials) > 0 {
		s.w.Shift(30 * time.Second)
	}
	return s.codes.Next(ctx, q)
}

// never has a code.
type never struct{}

func (never) Next(ctx context.Context, _ mfa.Question) (mfa.Code, error) {
	<-ctx.Done()
	return mfa.Code{}, context.Cause(ctx)
}

func TestWhatIsRememberedIsRecalledWhileItHolds(t *testing.T) {
	t.Parallel()
	w := start(t)
	if _, ok := recall.Find(w.memory(), w.store().Roles, "power", "now"); ok {
		t.Error("recalled what nobody remembered")
	}
	Remember(w.store(), "power", "now", w.role("power"), true)
	if _, ok := recall.Find(w.memory(), w.store().Roles, "power", "now"); ok {
		t.Error("recalled a session that is not there")
	}
	good := w.put("power", time.Now().Add(time.Hour))
	if e, ok := recall.Find(w.memory(), w.store().Roles, "power", "now"); !ok || e.AccessKeyID != good.AccessKeyID {
		t.Errorf("got %v, %v", e, ok)
	}
	for _, fingerprint := range []string{"later", ""} {
		if _, ok := recall.Find(w.memory(), w.store().Roles, "power", fingerprint); ok {
			t.Errorf("recalled with fingerprint %q", fingerprint)
		}
	}
	w.put("power", time.Now().Add(cache.Margin-time.Second))
	if _, ok := recall.Find(w.memory(), w.store().Roles, "power", "now"); ok {
		t.Error("recalled a session that is not good any more")
	}
	Remember(w.store(), "admin", "", w.role("admin"), true)
	if r := w.memory().Route("admin"); r != (cache.Route{}) {
		t.Errorf("remembered %+v without a fingerprint", r)
	}
}

// Roles that are each other's sources, in chains of other profiles, must not
// wait for each other.
func TestChainsThatCrossDoNotWaitForEachOther(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.AddRole(awstest.Role{ARN: plainARN, Trusts: []string{janeARN, adminARN}})
	w.AddRole(awstest.Role{ARN: adminARN, Trusts: []string{janeARN, plainARN}})
	w.profile("a", "role_arn = "+adminARN, "source_profile = b")
	w.profile("b", "role_arn = "+plainARN, "source_profile = default")
	w.profile("d", "role_arn = "+plainARN, "source_profile = e")
	w.profile("e", "role_arn = "+adminARN, "source_profile = default")
	w.Fail(awstest.Fault{Kind: awstest.Throttle, Action: "AssumeRole", Times: 2})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	ended := make(chan error, 2)
	for _, login := range []*profile.Login{w.role("a"), w.role("d")} {
		go func() {
			_, err := Open(ctx, login, Options{Store: w.store(), Clock: w.clock(), Teller: w, Codes: &script{}})
			ended <- err
		}()
	}
	for range 2 {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

func TestAProcessThatRunsUsForEverIsEnded(t *testing.T) {
	w := start(t)
	w.profile("src", "credential_process = true")
	w.profile("p", "role_arn = "+plainARN, "source_profile = src")
	t.Setenv(depthVariable, "4")
	if _, err := w.open("p", Options{Codes: &script{}}); err == nil || !strings.Contains(err.Error(), "runs aws-mfa-login, which comes back here: 4 deep") {
		t.Errorf("got %v", err)
	}
}

func TestWhatKeysOfTheEnvironmentOpenedIsNotRemembered(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.env["AWS_ACCESS_KEY_ID"], w.env["AWS_SECRET_ACCESS_KEY"] = w.jane.AccessKeyID, w.jane.SecretAccessKey
	w.profile("env", "role_arn = "+plainARN, "credential_source = Environment")
	w.profile("behind", "role_arn = "+adminARN, "source_profile = env")
	for _, name := range []string{"env", "behind"} {
		Remember(w.store(), name, "now", w.role(name), true)
		if r := w.memory().Route(name); r != (cache.Route{}) {
			t.Errorf("%s: got %+v", name, r)
		}
	}
}

func TestAnswersThatNoKeyLooksLikeAreRefused(t *testing.T) {
	t.Parallel()
	good := "ASIAIOSFODNN7EXAMPLE"
	for _, bad := range []string{"", "a\nb", "a b", "ü", strings.Repeat("x", 32<<10)} {
		if plain(&bad) {
			t.Errorf("%.10q is taken for a key", bad)
		}
	}
	if !plain(&good) || plain(nil) {
		t.Error("a key is not, or nothing is")
	}
}

// Who has a session that is still good does not wait until somebody at another
// terminal has typed a code.
func TestARenewalDoesNotWaitForASignIn(t *testing.T) {
	home := t.TempDir()
	w := world{t: t, home: home}
	w.add("config", "[profile p]\nrole_arn = "+powerARN+"\nsource_profile = default\nmfa_serial = GAHT12345678\n")
	w.add("credentials", "[default]\naws_access_key_id = A\naws_secret_access_key = S\n")
	login := resolve(t, "p", map[string]string{"HOME": home, "USERPROFILE": home})
	synctest.Test(t, func(t *testing.T) {
		store := Store{Roles: cache.In(home), Memory: cache.MemoryIn(home)}
		short := cache.Entry{AccessKeyID: "A", SecretAccessKey: "S", SessionToken: "T", Expiration: time.Now().Add(10 * time.Minute)}
		if err := store.Roles.Write(store.Name(login), short); err != nil {
			t.Fatal(err)
		}
		unlock, err := store.Memory.Lock(t.Context(), store.Name(login), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer unlock()
		began := time.Now()
		s, err := Serve(t.Context(), login, Options{Store: store, Clock: NewClocks(store.Memory).Of(profile.Network{}), Teller: quiet{}, Codes: never{}}, mfa.NoInput())
		if took := time.Since(began); err != nil || s.AccessKeyID != "A" || took > givenPatient {
			t.Errorf("got %v, %v after %s", s, err, took)
		}
	})
}
