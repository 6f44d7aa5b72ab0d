package awstest_test

import (
	"fmt"
	"strings"
	"testing"

	"aws-mfa/shared/awstest"
)

// A searched script collects all that is shown, which must have none of the
// secrets of its AWS.
type searched struct {
	*testing.T
	aws   *awstest.AWS
	shown strings.Builder
}

// end closes the AWS, if there is one, after the search.
func (s *searched) end() {
	if s.aws == nil {
		return
	}
	defer s.aws.Close()
	for _, secret := range s.aws.Secrets() {
		if strings.Contains(s.shown.String(), secret) {
			s.T.Errorf("a secret was shown: %.4s… (%d characters)", secret, len(secret))
		}
	}
}

func (s *searched) Log(args ...any) {
	s.T.Helper()
	s.shown.WriteString(fmt.Sprint(args...))
	if testing.Verbose() || s.T.Failed() {
		s.T.Log(args...)
	}
}

// Verbose makes testscript log everything, so that it can be searched.
func (s *searched) Verbose() bool { return true }
