package session

import (
	"context"
	"net/http"
	"net/http/httptrace"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// STS is reached while somebody looks for a code, so that the answer costs no
// more than one round trip. An idle connection is kept for a moment only, since
// a request on one that AWS gives up at the same time would spend the code; so
// another takes its place, for as long as people take at most.
const (
	readyAfter = 50 * time.Millisecond // a code that is at hand is there by then
	readyFor   = maxIdleTime - 5*time.Second
	readyTimes = 12
)

// keepReady keeps a connection ready until ctx ends. What goes wrong, the
// request will find out.
func (c *Client) keepReady(ctx context.Context) {
	wait := readyAfter
	for range readyTimes {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		c.connect(ctx)
		wait = readyFor
	}
}

// connect begins a connection and leaves it to the next request: net/http goes
// on with one whose own request was given up.
func (c *Client) connect(ctx context.Context) {
	address, err := c.address(ctx)
	if err != nil {
		return
	}
	ctx, giveUp := context.WithCancel(ctx)
	defer giveUp()
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		ConnectStart: func(string, string) { giveUp() },
		GotConn:      func(got httptrace.GotConnInfo) { got.Conn.Close() }, // before anything is sent
	})
	r, err := http.NewRequestWithContext(ctx, http.MethodHead, address, nil)
	if err != nil {
		return
	}
	c.http.CloseIdleConnections()
	if answer, err := c.http.Do(r); err == nil {
		answer.Body.Close()
	}
}

// address is where the SDK will send the request.
func (c *Client) address(ctx context.Context) (string, error) {
	if c.network.STS.Set {
		return c.network.STS.Text, nil
	}
	endpoint, err := sts.NewDefaultEndpointResolverV2().ResolveEndpoint(ctx, sts.EndpointParameters{
		Region: &c.region, UseFIPS: &c.network.FIPS, UseDualStack: &c.network.DualStack, UseGlobalEndpoint: aws.Bool(c.network.LegacySTS),
	})
	return endpoint.URI.String(), err
}
