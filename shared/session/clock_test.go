package session

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"aws-mfa/shared/cache"
	"aws-mfa/shared/profile"
)

// The Date of an answer says how far the clock is off, within what its whole
// seconds and the way there and back leave open.
func TestMeasure(t *testing.T) {
	t.Parallel()
	date := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct{ sent, received, want time.Duration }{
		{0, 0, 0},
		{900 * time.Millisecond, 950 * time.Millisecond, 0},
		{5 * time.Second, 5 * time.Second, 0},
		{-4 * time.Second, -4 * time.Second, 0},
		{8 * time.Second, 8 * time.Second, 8 * time.Second}, // 7 to 8
		{-8 * time.Second, -8 * time.Second, -9 * time.Second},
		{10 * time.Minute, 10*time.Minute + 200*time.Millisecond, 10 * time.Minute},
		{-10 * time.Minute, -10*time.Minute + time.Second, -10 * time.Minute},
		{-30 * time.Second, time.Second, 0}, // a slow answer says little
		{-20 * time.Second, -10 * time.Second, -16 * time.Second},
		{23 * time.Hour, 23 * time.Hour, 23 * time.Hour},
	} {
		if got := measure(date.Add(c.sent), date.Add(c.received), date); (got - c.want).Abs() > time.Second {
			t.Errorf("sent %s, received %s after the date: got %s, want %s", c.sent, c.received, got, c.want)
		}
	}
}

// answer is the header of an answer whose time is so far ahead of ours.
func answer(ahead time.Duration) http.Header {
	return http.Header{"Date": {time.Now().Add(ahead).UTC().Format(http.TimeFormat)}, "X-Amzn-Requestid": {"x"}}
}

func TestTheClockIsRememberedForADay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := cache.MemoryIn(t.TempDir())
		tell := func(header http.Header) time.Duration {
			return NewClocks(m).Of(profile.Network{}).answered(time.Now(), time.Now(), header)
		}
		tell(answer(10 * time.Minute))
		want := -10 * time.Minute
		is := func(when string, want time.Duration) {
			t.Helper()
			c := NewClocks(m).Of(profile.Network{})
			if got := c.Ahead(); (got - want).Abs() > time.Second {
				t.Errorf("%s: got %s ahead, want %s", when, got, want)
			}
			if got := time.Until(c.Now()); (got + want).Abs() > time.Second {
				t.Errorf("%s: AWS's time is %s from ours, want %s", when, got, -want)
			}
		}
		is("in the next run", want)
		time.Sleep(23 * time.Hour)
		is("after 23 hours", want)
		tell(answer(10 * time.Minute))
		time.Sleep(23 * time.Hour)
		is("measured again", want)
		time.Sleep(2 * time.Hour)
		is("after 25 hours", 0)

		tell(answer(-time.Hour))
		is("when it changed", time.Hour)
		gateway := answer(-10 * time.Minute)
		gateway.Del("X-Amzn-Requestid")
		tell(gateway)
		tell(http.Header{"X-Amzn-Requestid": {"x"}})
		tell(http.Header{"X-Amzn-Requestid": {"x"}, "Date": {"yesterday"}})
		is("answers that are not AWS's, or do not tell", time.Hour)
		if got := tell(answer(-26 * time.Hour)); (got - 26*time.Hour).Abs() > time.Second {
			t.Errorf("got %s, want it told", got)
		}
		is("too far to be believed", 0)
		tell(answer(-time.Hour))
		tell(answer(0))
		is("when it is right again", 0)
		if kept, err := m.Offset(""); err != nil || kept != (cache.Offset{}) {
			t.Errorf("got %v, %v, want nothing kept", kept, err)
		}
	})
}

// A machine for tests does not set the clock for AWS.
func TestEachEndpointHasItsClock(t *testing.T) {
	t.Parallel()
	clocks := NewClocks(cache.MemoryIn(t.TempDir()))
	local := profile.Network{STS: set("http://127.0.0.1:4566")}
	clocks.Of(local).answered(time.Now(), time.Now(), answer(time.Hour))
	if got := clocks.Of(profile.Network{}).Ahead(); got != 0 {
		t.Errorf("got %s for AWS", got)
	}
	if clocks.Of(local).Ahead() > -59*time.Minute {
		t.Errorf("got %s for the endpoint", clocks.Of(local).Ahead())
	}
	if got := NewClocks(clocks.memory).Of(local).Ahead(); got > -59*time.Minute {
		t.Errorf("got %s for the endpoint in the next run", got)
	}
}

func TestABrokenMemoryOfTheClockIsNone(t *testing.T) {
	t.Parallel()
	for _, kept := range []cache.Offset{
		{Ahead: time.Hour, Measured: time.Now().Add(48 * time.Hour)}, // by a clock that was wrong then
		{Ahead: 1000 * time.Hour, Measured: time.Now()},
	} {
		m := cache.MemoryIn(t.TempDir())
		if err := m.KeepOffset("", kept); err != nil {
			t.Fatal(err)
		}
		if got := NewClocks(m).Of(profile.Network{}).Ahead(); got != 0 {
			t.Errorf("%v: got %s", kept, got)
		}
	}
}
