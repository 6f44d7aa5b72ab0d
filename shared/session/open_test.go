package session

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"aws-mfa/shared/awstest"
	"aws-mfa/shared/cache"
	"aws-mfa/shared/mfa"
	"aws-mfa/shared/profile"
)

// kept is codes made from a seed.
func (w *world) kept(seed string) mfa.Codes {
	w.t.Helper()
	s, err := mfa.ParseSeed(seed)
	if err != nil {
		w.t.Fatal(err)
	}
	keeper := func(context.Context, string) (mfa.Seed, error) { return s, nil }
	return mfa.Kept(keeper, func(time.Duration) {}, mfa.NoInput())
}

func TestAClockThatIsOffCostsOneRequestOnce(t *testing.T) {
	t.Parallel()
	for _, off := range []time.Duration{10 * time.Minute, -10 * time.Minute, 20 * time.Minute, -20 * time.Minute, 23 * time.Hour, -23 * time.Hour} {
		t.Run(off.String(), func(t *testing.T) {
			t.Parallel()
			w := start(t)
			w.Shift(-off)
			if err := w.Hasten(w.jane.Device.SerialNumber, time.Second); err != nil { // the second sign-in waits for the next code
				t.Fatal(err)
			}
			seed := "otpauth://totp/jane?period=1&secret=" + w.jane.Device.Seed
			s := w.mustOpen("power", Options{Codes: w.kept(seed)})
			w.wantCalls(2)
			if left := s.Left(w.Now()); left < 59*time.Minute || left > time.Hour {
				t.Errorf("got %s by AWS's clock", left)
			}
			w.mustOpen("power", Options{Codes: w.kept(seed), Force: true})
			w.wantCalls(3)

			// GetCallerIdentity too is asked at most once more.
			w.forget()
			client, err := NewClient(w.role("power").Network, "", w.clock(), w.tell)
			if err != nil {
				t.Fatal(err)
			}
			if who, err := client.Identity(t.Context(), profile.Keys{AccessKeyID: w.jane.AccessKeyID, SecretAccessKey: w.jane.SecretAccessKey}); err != nil || who.ARN != janeARN {
				t.Errorf("got %v, %v", who, err)
			}
		})
	}
}

func TestATypedCodeThatTheClockKeptFromAWSIsOfferedAgainByItself(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.Shift(time.Hour)
	codes := &script{codes: []string{w.code()}}
	w.mustOpen("power", Options{Codes: codes})
	w.wantCalls(2)
	if len(codes.serials) != 1 {
		t.Errorf("asked %d times", len(codes.serials))
	}
}

func TestAWrongSeedIsTriedOnce(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.Shift(time.Since(w.Now())) // both clocks are right
	_, err := w.open("power", Options{Codes: w.kept("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")})
	var refused *RefusedError
	if !errors.As(err, &refused) || refused.Reason != WrongCode || refused.Source != mfa.FromSeed || refused.Proven {
		t.Errorf("got %+v", err)
	}
	w.wantCalls(1)

	// And so with a clock that is off, but for the one repetition.
	w.forget()
	w.Shift(10 * time.Minute)
	if _, err := w.open("power", Options{Codes: w.kept("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")}); !errors.As(err, &refused) || refused.Offset > -9*time.Minute {
		t.Errorf("got %+v", err)
	}
	w.wantCalls(3)
}

func TestASeedWhoseCodesHaveWorkedIsProven(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.mustOpen("power", Options{Codes: w.kept(w.jane.Device.Seed)})
	if known, err := w.memory().Device(w.jane.Device.SerialNumber); err != nil || !known.Proven {
		t.Errorf("got %v, %v", known.Proven, err)
	}
	_, err := w.open("admin", Options{Codes: &script{codes: []string{other(w.code(), 1)}, from: mfa.FromSeed}})
	var refused *RefusedError
	if !errors.As(err, &refused) || !refused.Proven || refused.Source != mfa.FromSeed {
		t.Errorf("got %+v", err)
	}
}

// A code that AWS did not come to look at is as good as before; what became of
// another is not known.
func TestOnlyCodesThatAWSMayHaveSeenAreUsed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault awstest.Fault
		used  bool
	}{
		"throttled":    {awstest.Fault{Kind: awstest.Throttle, Times: 3}, false},
		"too many":     {awstest.Fault{Kind: awstest.Answer, Status: 429, Times: 3}, false},
		"out of order": {awstest.Fault{Kind: awstest.Answer, Status: 503, Times: 3}, true},
		"lost":         {awstest.Fault{Kind: awstest.Lost}, true},
		"gateway":      {awstest.Fault{Kind: awstest.Lost, Status: 504}, true},
		"other words":  {awstest.Fault{Kind: awstest.Answer, Status: 200, Body: "<html>"}, true},
		"not allowed":  {awstest.Fault{Kind: awstest.Answer, Status: 403, Body: refusal("AccessDenied", "no")}, true},
		"key unknown":  {awstest.Fault{Kind: awstest.Answer, Status: 403, Body: refusal("InvalidClientTokenId", "no")}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := start(t)
			w.Fail(c.fault)
			code := w.code()
			if _, err := w.open("power", Options{Codes: &script{codes: []string{code}}}); err == nil {
				t.Fatal("no error")
			}
			_, err := w.open("power", Options{Codes: &script{codes: []string{code}}})
			if used := err == errNoCode; used != c.used || !used && err != nil {
				t.Errorf("the same code again: got %v, want it used: %v", err, c.used)
			}
		})
	}
}

// Each run has its own lock, clock and codes, as processes do.
func TestOneOpensTheSessionAndTheOthersUseIt(t *testing.T) {
	t.Parallel()
	w := start(t)
	var group sync.WaitGroup
	sessions := make(chan string, 20)
	role, code := w.role("power"), w.code()
	for range cap(sessions) {
		group.Go(func() {
			s, err := w.openRole(t.Context(), role, Options{Codes: &script{codes: []string{code}}})
			if err != nil {
				t.Error(err)
			}
			sessions <- s.AccessKeyID
		})
	}
	group.Wait()
	close(sessions)
	first := <-sessions
	for s := range sessions {
		if s != first {
			t.Errorf("got sessions %s and %s", s, first)
		}
	}
	w.wantCalls(1)
}

func TestWaitingForAnotherEnds(t *testing.T) {
	t.Parallel()
	w := start(t)
	role := w.role("power")
	synctest.Test(t, func(t *testing.T) {
		unlock, err := w.memory().Lock(t.Context(), Store{}.Name(role), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer unlock()
		begin := time.Now()
		_, err = w.openRole(t.Context(), role, Options{Codes: &script{}})
		var busy *BusyError
		if !errors.As(err, &busy) || busy.Profile != "power" || time.Since(begin).Round(time.Second) != patience {
			t.Errorf("got %v after %s", err, time.Since(begin))
		}
		if !strings.Contains(w.heard(), "waiting for another process that is signing in to power") {
			t.Errorf("told %q", w.heard())
		}
		interrupted := errors.New("interrupted")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(interrupted) })
		if _, err := w.openRole(ctx, role, Options{Codes: &script{}}); err != interrupted {
			t.Errorf("got %v, want %v", err, interrupted)
		}
	})
}

// What AWS said to the one it would say to all.
func TestThoseWhoWaitedShareTheFailure(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.Fail(awstest.Fault{Action: "AssumeRole", Kind: awstest.Answer, Status: 403, Body: refusal("AccessDenied", "no"), Times: -1})
	role := w.role("power")
	unlock, err := w.memory().Lock(t.Context(), Store{}.Name(role), nil)
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	shared, own := make(chan error, 10), make(chan error, 10)
	for range 10 {
		group.Go(func() {
			_, err := w.openRole(t.Context(), role, Options{Codes: &script{codes: []string{"123456"}}})
			if errors.As(err, new(*SharedError)) {
				shared <- err
			} else {
				own <- err
			}
		})
	}
	for strings.Count(w.heard(), "waiting for another process") < 10 {
		time.Sleep(time.Millisecond)
	}
	unlock()
	group.Wait()
	if len(own) != 1 || len(shared) != 9 {
		t.Errorf("got %d with an error of their own and %d with another's", len(own), len(shared))
	}
	if got := (<-shared).Error(); got != "another process could not sign in: "+(<-own).Error() {
		t.Errorf("got %s", got)
	}
	w.wantCalls(1)

	// Who did not wait tries.
	if _, err := w.open("power", Options{}); errors.As(err, new(*SharedError)) {
		t.Errorf("got %v", err)
	}
	w.wantCalls(2)
}

// Others may have the same session in mind, and go about it in another way.
func TestFailuresAreSharedWithEqualsOnly(t *testing.T) {
	t.Parallel()
	w := start(t)
	role := w.role("power")
	program := *role
	program.MFAProcess.Text = "another"
	region := *role
	region.Network.Settings = append(slices.Clone(role.Network.Settings), profile.Setting{Name: "region", Value: set("us-east-2")})
	keys := *role
	keys.Source.Keys.AccessKeyID = "AKIAIOSFODNN7EXAMPLE"
	mine := Options{}.wish(role)
	if again := (Options{}).wish(w.role("power")); again != mine {
		t.Errorf("got %s and %s", mine, again)
	}
	for name, other := range map[string]string{
		"duration": Options{Duration: time.Hour}.wish(role), "program": Options{}.wish(&program),
		"region": Options{}.wish(&region), "keys": Options{}.wish(&keys),
	} {
		if other == mine {
			t.Errorf("another %s makes no difference", name)
		}
	}
}

// What one process lacks another may have.
func TestFailuresThatAreOnesOwnAreNotShared(t *testing.T) {
	t.Parallel()
	for err, want := range map[error]bool{
		&RefusedError{}: true, &NetworkError{Err: errNoCode}: true, mfa.ErrEnded: true,
		&mfa.NoTerminalError{}: false, context.Canceled: false, errNoCode: false, &cache.BrokenError{}: false,
	} {
		if got := shared(err); got != want {
			t.Errorf("%T: got %v", err, got)
		}
	}
}

func TestACodeAtHandDoesNotWaitLong(t *testing.T) {
	t.Parallel()
	w := start(t)
	role, code := w.role("power"), w.code()
	unlock, err := w.memory().Lock(t.Context(), Store{}.Name(role), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	begin := time.Now()
	s, err := w.openRole(t.Context(), role, Options{Codes: &script{codes: []string{code}}, Given: true})
	if err != nil || !s.Opened || time.Since(begin) < givenPatient {
		t.Errorf("got %v, %v after %s", s, err, time.Since(begin))
	}
}

// However short, or with a clock so far ahead that it looks expired.
func TestASessionThatWasWaitedForIsTaken(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		shift time.Duration
		calls int
	}{"short": {0, 1}, "clock ahead": {-2 * time.Hour, 2}} {
		w := start(t)
		w.Shift(c.shift)
		role, code := w.role("power"), w.code()
		var group sync.WaitGroup
		for range 10 {
			group.Go(func() {
				if _, err := w.openRole(t.Context(), role, Options{Codes: &script{codes: []string{code}}, Duration: 15 * time.Minute}); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			})
		}
		group.Wait()
		w.wantCalls(c.calls)
	}
}

func TestWithoutAMemoryATypedCodeSignsIn(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.add("mfa", "a file in its place\n")
	good := w.code()
	wrong := other(good, 1)
	codes := &script{codes: []string{wrong, wrong, good}}
	w.mustOpen("power", Options{Codes: codes})
	w.wantCalls(2) // what was offered in this run is known all the same
	for _, want := range []string{"warning: other processes may sign in at the same time: ", "warning: which MFA codes were used cannot be remembered: "} {
		if strings.Count(w.heard(), want) != 1 {
			t.Errorf("told %q, want %q once", w.heard(), want)
		}
	}
}

// What the AWS CLI would not use, or AWS not take, is not good.
func TestASessionIsGoodByBothClocks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		ahead, left time.Duration
		good        bool
	}{
		{0, 16 * time.Minute, true},
		{-10 * time.Minute, 16 * time.Minute, false}, // 6 minutes by AWS's clock
		{-10 * time.Minute, 26 * time.Minute, true},
		{10 * time.Minute, 14 * time.Minute, false}, // the AWS CLI would ask
		{10 * time.Minute, 16 * time.Minute, true},
		{2 * time.Hour, -30 * time.Minute, true}, // whatever we do, the AWS CLI would ask
		{2 * time.Hour, -110 * time.Minute, false},
	} {
		w := start(t)
		if err := w.memory().KeepOffset("", cache.Offset{Ahead: c.ahead, Measured: time.Now()}); err != nil {
			t.Fatal(err)
		}
		if c.ahead == 0 {
			w.forget()
		}
		w.put("power", time.Now().Add(c.left))
		_, err := w.open("power", Options{Codes: &script{}})
		if good := err == nil; good != c.good {
			t.Errorf("%s ahead, %s left: got %v, want good: %v", c.ahead, c.left, err, c.good)
		}
	}
}
