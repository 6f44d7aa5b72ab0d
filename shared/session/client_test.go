package session

import (
	"sync"
	"testing"

	"aws-mfa/shared/profile"
)

// Eight at a time need some eight connections, however many there are to ask.
func TestClientsShareTheirConnections(t *testing.T) {
	t.Parallel()
	w := start(t)
	clients := NewClients(NewClocks(w.memory()), w.tell)
	keys := profile.Keys{AccessKeyID: w.jane.AccessKeyID, SecretAccessKey: w.jane.SecretAccessKey}
	before := w.Connections()
	for range 5 {
		var group sync.WaitGroup
		for range maxIdle {
			group.Go(func() {
				client, err := clients.Of(w.role("power").Network, powerARN)
				if err != nil {
					t.Error(err)
					return
				}
				if who, err := client.Identity(t.Context(), keys); err != nil || who.ARN != janeARN {
					t.Errorf("got %v, %v", who, err)
				}
			})
		}
		group.Wait()
	}
	if got := w.Count("GetCallerIdentity"); got != 5*maxIdle {
		t.Errorf("got %d questions, want %d", got, 5*maxIdle)
	}
	// A connection may be made while another becomes free.
	if got := w.Connections() - before; got > 2*maxIdle {
		t.Errorf("got %d connections for %d questions, want some %d", got, 5*maxIdle, maxIdle)
	}
}

func TestClientsOfDifferentEndpointsAreToldApart(t *testing.T) {
	t.Parallel()
	w := start(t)
	clients := NewClients(NewClocks(w.memory()), w.tell)
	seen := map[string]bool{}
	for _, n := range []profile.Network{
		{}, {FIPS: true}, {DualStack: true}, {LegacySTS: true},
		{Region: profile.Value{Text: "eu-west-1", Set: true}}, {STS: profile.Value{Text: "http://127.0.0.1:1", Set: true}},
	} {
		client, err := clients.Of(n, powerARN)
		if err != nil {
			t.Fatal(err)
		}
		if seen[client.Endpoint()] {
			t.Errorf("%+v: got the endpoint %q again", n, client.Endpoint())
		}
		seen[client.Endpoint()] = true
	}
}
