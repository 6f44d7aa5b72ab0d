package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"aws-mfa/shared/cli"
	"aws-mfa/shared/profile"
	"aws-mfa/shared/session"
)

// Limits of asking AWS.
const (
	atOnce  = 8
	timeout = 5 * time.Second // for one identity
	enough  = 2               // questions to an endpoint that never answers

	patience = time.Second // until a person wonders
)

// A question is whose keys these are, asked at one endpoint. Rows with the
// same session have the same.
type question struct{ id, secret, token, endpoint string }

// An answer is what AWS said, or why it did not.
type answer struct {
	who session.Identity
	err error
}

// questions are what there is to ask about rows that may be signed in, and the
// rows that each is about.
func questions(rows []*row, clients *session.Clients) (asked []question, about map[question][]*row) {
	about = map[question][]*row{}
	for _, r := range rows {
		if r.keys.AccessKeyID == "" || r.State == signedOut || r.State == expired {
			continue
		}
		client, err := clients.Of(*r.network, r.site)
		if err != nil {
			r.answer(answer{err: err})
			continue
		}
		r.client = client
		q := question{r.keys.AccessKeyID, r.keys.SecretAccessKey, r.keys.SessionToken, client.Endpoint()}
		if about[q] == nil {
			asked = append(asked, q)
		}
		about[q] = append(about[q], r)
	}
	return asked, about
}

// identify asks AWS about all rows that may be signed in, side by side, and
// once for rows with the same session. What AWS does not answer leaves a row
// unknown, not the command failed.
func identify(ctx context.Context, rows []*row, clients *session.Clients, v *cli.Voice) error {
	asked, about := questions(rows, clients)
	warned := map[string]bool{}
	for _, q := range asked {
		if network := about[q][0].network; !warned[network.STS.Text] {
			warned[network.STS.Text] = true
			v.WarnOfExposure(*network)
		}
	}
	begun, done := time.Now(), 0
	slow := time.AfterFunc(patience, func() { v.Progress("asking AWS who you are") })
	defer v.Erase()
	defer slow.Stop()
	ask(ctx, asked, about, func(q question, a answer) {
		for _, r := range about[q] {
			r.answer(a)
		}
		if done++; time.Since(begun) > patience {
			v.Progress("asking AWS who you are: %d of %d", done, len(asked))
		}
	})
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var reasons []string
	names := map[string][]string{}
	for _, r := range rows {
		if r.Reason == "" || r.keys.AccessKeyID == "" || r.echo {
			continue
		}
		if names[r.Reason] == nil {
			reasons = append(reasons, r.Reason)
		}
		names[r.Reason] = append(names[r.Reason], r.name())
	}
	for _, reason := range reasons {
		v.Warn("%s: %s", several(names[reason]), reason)
	}
	return nil
}

// several names the first few.
func several(names []string) string {
	const few = 3
	if len(names) > few+1 {
		return fmt.Sprintf("%s and %d others", strings.Join(names[:few], ", "), len(names)-few)
	}
	return strings.Join(names, ", ")
}

// ask asks AWS, and tells each answer, one at a time.
func ask(ctx context.Context, asked []question, about map[question][]*row, tell func(question, answer)) {
	var (
		group  sync.WaitGroup
		mu     sync.Mutex
		silent = silences{}
		next   = make(chan question)
	)
	for range min(atOnce, len(asked)) {
		group.Go(func() {
			for q := range next {
				mu.Lock()
				a, known := silent.of(q)
				mu.Unlock()
				if !known {
					a = askOne(ctx, about[q][0])
				}
				mu.Lock()
				silent.learn(q, a)
				tell(q, a)
				mu.Unlock()
			}
		})
	}
	for _, q := range asked {
		next <- q
	}
	close(next)
	group.Wait()
}

// askOne asks AWS whose the row's keys are.
func askOne(ctx context.Context, r *row) answer {
	if ctx.Err() != nil {
		return answer{err: context.Cause(ctx)}
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	who, err := r.client.Identity(ctx, r.keys)
	return answer{who, err}
}

// silences are the endpoints that have not answered, so that many questions
// to one that is dead do not add up.
type silences map[string]*silence

type silence struct {
	times    int
	answered bool
	last     answer
}

// of is the answer to a question to an endpoint that is silent.
func (s silences) of(q question) (answer, bool) {
	known := s[q.endpoint]
	if known == nil || known.answered || known.times < enough {
		return answer{}, false
	}
	return known.last, true
}

func (s silences) learn(q question, a answer) {
	if s[q.endpoint] == nil {
		s[q.endpoint] = &silence{}
	}
	known := s[q.endpoint]
	if errors.As(a.err, new(*session.NetworkError)) {
		known.times, known.last = known.times+1, a
	} else {
		known.answered = true
	}
}

// answer takes what AWS said of the row's keys.
func (r *row) answer(a answer) {
	var refused *session.RefusedError
	if a.err != nil {
		r.Reason = a.err.Error()
	}
	switch {
	case a.err == nil:
		r.Account, r.ARN, r.UserID = a.who.Account, a.who.ARN, a.who.UserID
		if r.Reason = r.disagreement(a.who); r.Reason != "" {
			r.State = rejected
		} else if r.State == unknown {
			r.State = active
		}
	case !errors.As(a.err, &refused):
		r.State = unknown
	case refused.Reason == session.ExpiredSession:
		r.State = expired
	case refused.Reason == session.ClockOff, refused.Reason == session.Unavailable, refused.Reason == session.RegionDisabled:
		r.State = unknown
	default:
		r.State = rejected
	}
}

// disagreement tells in what AWS contradicts what is said here about whose the
// keys are, "" for nothing.
func (r *row) disagreement(who session.Identity) string {
	got, _ := profile.ParseARN(who.ARN)
	kind, name, _ := strings.Cut(got.Resource, "/")
	name, _, _ = strings.Cut(name, "/")
	role, _ := profile.ParseARN(r.site)
	switch {
	case r.CachedARN != "" && r.CachedARN != who.ARN:
		return fmt.Sprintf("AWS says that the session is of %s, the cache says of %s", who.ARN, r.CachedARN)
	case r.login != nil && r.login.IsRole() && (kind != "assumed-role" || !sameRole(name, role.Resource) || got.Account != role.Account):
		return fmt.Sprintf("AWS says that the session is of %s, which is not %s", who.ARN, r.site)
	case r.login != nil && !r.login.IsRole() && role.Account != "" && got.Account != role.Account:
		return fmt.Sprintf("AWS says that the session is of %s, whose account is not that of %s", who.ARN, r.site)
	case r.sso != nil && (got.Account != r.sso.AccountID.Text || permissionSet(name) != r.sso.RoleName.Text):
		return fmt.Sprintf("AWS says that the session is of %s, which is not %s in account %s", who.ARN, r.sso.RoleName.Text, r.sso.AccountID.Text)
	}
	return ""
}

// sameRole tells whether the name of an assumed role, which has no path, is
// that of the role.
func sameRole(name, resource string) bool {
	return strings.EqualFold(name, resource[strings.LastIndexByte(resource, '/')+1:])
}
