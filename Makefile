# aws-mfa: the commands a person needs. Each works on a fresh clone.

GO       ?= go
FUZZTIME ?= 1m
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null)
BUILD    := CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -ldflags '-s -w -X aws-mfa/shared/cli.version=$(VERSION)'

build: ## build the programs into bin/
	$(BUILD) -o bin/ ./cmd/... ./shared/awstest/sandbox

demo: build ## see the suite at work inside a local AWS, in a temporary HOME
	bin/sandbox -bin bin sh shared/awstest/sandbox/demo.sh

sandbox: build ## a shell inside a local AWS, to play; mfa-code prints the device's code
	bin/sandbox -bin bin

test: ## everything
	$(GO) test ./...

race: ## the packages under the race detector; the programs that the scripts run are built without it
	CGO_ENABLED=1 $(GO) test -race -skip TestSuite ./...

faults: ## the programs under faults: killed, disk, network, load (docs/reliability.md)
	$(GO) test -tags faults -run '^TestFault[A-Z]' -timeout 20m ./shared/awstest

fuzz: ## look for input that is read wrongly: each fuzz target for FUZZTIME
	@for dir in $$(grep -rl '^func Fuzz' --include='*_test.go' cmd shared | xargs -n 1 dirname | sort -u); do \
		for target in $$(sed -n 's/^func \(Fuzz[A-Za-z]*\)(.*/\1/p' $$dir/*_test.go); do \
			set -- $(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 100x ./$$dir; \
			echo "$$*"; "$$@" || exit 1; \
	done; done

bench: ## how our programs compare with others built and run beside them
	$(GO) test -run '^$$' -bench . -benchtime 3x ./shared/awstest ./shared/profile

cross: ## build for every platform
	for os in linux darwin windows; do for arch in amd64 arm64; do \
		echo "$$os/$$arch"; GOOS=$$os GOARCH=$$arch CGO_ENABLED=0 $(GO) vet ./... && \
		GOOS=$$os GOARCH=$$arch $(BUILD) -o /dev/null ./cmd/aws-mfa-login && \
		GOOS=$$os GOARCH=$$arch $(BUILD) -o /dev/null ./cmd/aws-mfa-status && \
		GOOS=$$os GOARCH=$$arch $(BUILD) -o /dev/null ./cmd/aws-mfa-console || exit 1; \
	done; done

clean: ## remove what was built
	rm -rf bin

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST)

.PHONY: build demo sandbox test race faults fuzz bench cross clean help
