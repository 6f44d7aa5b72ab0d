# aws-mfa: the commands a person needs. Each works on a fresh clone.

GO       ?= go
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null)
PROGRAMS := aws-mfa-login aws-mfa-status aws-mfa-console
BUILD    := CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w -X aws-mfa/shared/cli.version=$(VERSION)'

build: ## build the programs into bin/
	$(BUILD) -o bin/ ./cmd/... ./shared/awstest/sandbox

demo: build ## see the suite at work inside a local AWS
	bin/sandbox -bin bin sh shared/awstest/sandbox/demo.sh

sandbox: build ## a shell inside a local AWS, to play
	bin/sandbox -bin bin

test: ## everything
	$(GO) test ./...

.PHONY: build demo sandbox test
