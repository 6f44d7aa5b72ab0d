package main

import (
	"context"

	"aws-mfa/shared/cli"
)

func (s *status) watch(ctx context.Context, v *cli.Voice) error { return nil }
