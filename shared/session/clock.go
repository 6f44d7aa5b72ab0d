package session

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"aws-mfa/shared/cache"
	"aws-mfa/shared/profile"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// clockTolerance is an offset that is not worth a word, and in no code's way.
const clockTolerance = 5 * time.Second

// Clocks are AWS's, and that of each endpoint that somebody set in its place: a
// machine for tests must not set the clock for AWS.
type Clocks struct {
	memory cache.Memory
	mu     sync.Mutex
	known  map[string]*Clock // by endpoint
}

// NewClocks are clocks that are remembered there.
func NewClocks(m cache.Memory) *Clocks { return &Clocks{memory: m, known: map[string]*Clock{}} }

// Of is the clock of the STS endpoint.
func (c *Clocks) Of(n profile.Network) *Clock { return c.at(n.STS.Text) }

func (c *Clocks) at(endpoint string) *Clock {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known[endpoint] == nil {
		c.known[endpoint] = &Clock{memory: c.memory, endpoint: endpoint}
	}
	return c.known[endpoint]
}

// A Clock is AWS's: this computer's, corrected by what the answers of AWS said
// the time was, in this run or one before. It may be used concurrently.
type Clock struct {
	memory   cache.Memory
	endpoint string // "" is AWS's own
	mu       sync.Mutex
	loaded   bool
	offset   cache.Offset
}

// Now is the time on AWS's clock.
func (c *Clock) Now() time.Time { return time.Now().Add(-c.Ahead()) }

// Ahead is how much this computer's clock is ahead of AWS's, as far as AWS has
// told; 0 if that is not more than a few seconds. What was measured a day ago
// is forgotten.
func (c *Clock) Ahead() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.load()
	return c.offset.Ahead
}

// Off tells in words how far this computer's clock is off.
func Off(ahead time.Duration) string {
	if ahead < 0 {
		return fmt.Sprintf("this computer's clock is %s behind AWS's", profile.Short(-ahead))
	}
	return fmt.Sprintf("this computer's clock is %s ahead of AWS's", profile.Short(ahead))
}

func (c *Clock) load() {
	if c.loaded {
		return
	}
	c.loaded = true
	c.offset = c.memory.Known(c.endpoint, time.Now())
}

// answered takes the time from the Date of an answer of AWS, and returns how
// much this computer's clock is ahead of that.
func (c *Clock) answered(sent, received time.Time, header http.Header) time.Duration {
	date, err := http.ParseTime(header.Get("Date"))
	// A gateway or a hotel's sign-in page has a Date too, but no request id.
	if err != nil || header.Get("X-Amzn-Requestid") == "" {
		return 0
	}
	ahead := measure(sent, received, date)
	if ahead.Abs() < cache.MaxOffset {
		c.learn(ahead, received)
	} else {
		c.learn(0, received) // what was known is wrong now
	}
	return ahead
}

func (c *Clock) learn(ahead time.Duration, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.load()
	if (ahead-c.offset.Ahead).Abs() <= clockTolerance/2 && (ahead == 0 || now.Sub(c.offset.Measured).Abs() < time.Hour) {
		return
	}
	c.offset = cache.Offset{}
	if ahead != 0 {
		c.offset = cache.Offset{Ahead: ahead, Measured: now}
	}
	_ = c.memory.KeepOffset(c.endpoint, c.offset) // else it will be measured again
}

// measure returns how much this computer's clock is ahead. AWS wrote the date,
// in whole seconds, at some moment between sent and received.
func measure(sent, received, date time.Time) time.Duration {
	least, most := sent.Sub(date.Add(time.Second)), received.Sub(date)
	if least <= clockTolerance && most >= -clockTolerance {
		return 0
	}
	return (least + (most-least)/2).Round(time.Second)
}

// A signer signs requests on AWS's time.
type signer struct {
	*v4.Signer
	clock *Clock
}

func (s signer) SignHTTP(ctx context.Context, k aws.Credentials, r *http.Request, payload, service, region string, at time.Time, options ...func(*v4.SignerOptions)) error {
	return s.Signer.SignHTTP(ctx, k, r, payload, service, region, at.Add(-s.clock.Ahead()), options...)
}
