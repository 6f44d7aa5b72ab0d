//go:build unix

package session

import (
	"strings"
	"testing"
	"time"

	"aws-mfa/shared/profile"
)

func TestACredentialProcessThatHangsIsKilled(t *testing.T) {
	t.Parallel()
	for _, script := range []string{"exec sleep 60", "exec sleep 60 >&-", "sleep 60; echo {}", "trap '' TERM INT HUP; sleep 60; sleep 60"} {
		began := time.Now()
		_, err := run(t.Context(), profile.Command{Words: []string{"sh", "-c", "exec 2>/dev/null; " + script}}, time.Second)
		if err == nil || !strings.HasSuffix(err.Error(), "sh: did not finish within 1s") {
			t.Errorf("%s: got %v", script, err)
		}
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("%s: took %s", script, took)
		}
	}
}
