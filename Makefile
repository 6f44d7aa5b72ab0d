# aws-mfa: the commands a person needs. Each works on a fresh clone.

GO       ?= go
FUZZTIME ?= 1m
PLATFORMS := linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64
PROGRAMS := aws-mfa-login aws-mfa-status aws-mfa-console
SOURCES  := go.mod go.sum $(shell find cmd shared -type f ! -name '*_test.go' ! -path '*/testdata/*' ! -path 'shared/awstest/*' ! -path 'shared/release/*')

# The version, and the date of all that is packed: those of the commit, which an
# archive made by git (also where there is no git) has in .archived.
archived = $(filter-out $$Format%,$(shell sed -n 's/^$(1) //p' .archived))
ifneq ($(wildcard .git),)
VERSION           ?= $(shell git describe --tags --always --dirty 2>/dev/null)
SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null)
else
VERSION           ?= $(firstword $(call archived,version) $(call archived,commit))
SOURCE_DATE_EPOCH ?= $(call archived,date)
endif
# HTTP/2 is not spoken (session.HTTPClient), so that half a megabyte of it need not be linked.
BUILD    := CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -tags nethttpomithttp2 -ldflags '-s -w -X aws-mfa/shared/cli.version=$(VERSION)'

# Where things go, as the GNU coding standards name it. DESTDIR comes before all.
PREFIX      ?= /usr/local
prefix      = $(PREFIX)
exec_prefix = $(prefix)
bindir      = $(exec_prefix)/bin
datarootdir = $(prefix)/share
mandir      = $(datarootdir)/man
man1dir     = $(mandir)/man1
bashdir     = $(datarootdir)/bash-completion/completions
zshdir      = $(datarootdir)/zsh/site-functions
fishdir     = $(datarootdir)/fish/vendor_completions.d

# What is installed. COMPLETE are the arguments with which a program prints its
# completion script, before the name of the shell; without them there are none.
COMPLETE   := --completion
built      := $(PROGRAMS:%=bin/%)
pages      := $(PROGRAMS:%=docs/%.1)
ifneq ($(COMPLETE),)
bash       := $(PROGRAMS:%=bin/completions/%.bash)
zsh        := $(PROGRAMS:%=bin/completions/_%)
fish       := $(PROGRAMS:%=bin/completions/%.fish)
powershell := $(PROGRAMS:%=bin/completions/%.ps1)
endif

build: ## build the programs into bin/
	$(BUILD) -o bin/ ./cmd/... ./shared/awstest/sandbox

demo: build ## see the suite at work inside a local AWS, in a temporary HOME
	bin/sandbox -bin bin sh shared/awstest/sandbox/demo.sh

sandbox: build ## a shell inside a local AWS, to play; mfa-code prints the device's code
	bin/sandbox -bin bin

test: ## everything
	$(GO) test ./...

race: ## the packages that do things at once under the race detector; the programs that the scripts run are built without it
	CGO_ENABLED=1 $(GO) test -race -skip TestSuite $$($(GO) list ./... | grep -v -e shared/profile -e shared/release)

faults: ## the programs under faults: killed, disk, network, load (docs/reliability.md)
	$(GO) test -tags faults -run '^TestFault[A-Z]' -timeout 8m ./shared/awstest

fuzz: ## look for input that is read wrongly: each fuzz target for FUZZTIME
	@for dir in $$(grep -rl '^func Fuzz' --include='*_test.go' cmd shared | xargs -n 1 dirname | sort -u); do \
		for target in $$(sed -n 's/^func \(Fuzz[A-Za-z]*\)(.*/\1/p' $$dir/*_test.go); do \
			set -- $(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 100x ./$$dir; \
			echo "$$*"; "$$@" || exit 1; \
	done; done

ROUNDS ?= 50
bench: ## how our programs compare with others built and run beside them, in ROUNDS turns; UPDATE=1 writes docs/performance.md
	$(GO) test -run '^$$' -bench Speed -benchtime $(ROUNDS)x -timeout 30m ./shared/awstest $(if $(UPDATE),-update)
	$(GO) test -run '^$$' -bench . -skip Speed -benchtime 3x ./shared/awstest ./shared/profile

cross: ## build for every platform; vet, and compile the tests, for the other systems
	for platform in $(PLATFORMS); do \
		echo $$platform; export GOOS=$${platform%/*} GOARCH=$${platform#*/} CGO_ENABLED=0; \
		for p in $(PROGRAMS); do $(BUILD) -o /dev/null ./cmd/$$p || exit 1; done; \
		case $$platform in windows/amd64|darwin/arm64) $(GO) vet ./... && $(GO) test -vet=off -c -o /dev/null ./... >/dev/null || exit 1;; esac; \
	done

wine: ## the programs and the tests of Windows run by Wine (docs/windows.md)
	$(GO) vet -tags wine ./shared/awstest
	$(GO) test -tags wine -count 1 -v -run '^TestWine$$' -timeout 15m ./shared/awstest

install: $(built) $(bash) $(zsh) $(fish) ## install programs, pages, completions below PREFIX (/usr/local); make before, and then as root
	umask 022; install -d '$(DESTDIR)$(bindir)'
	install -m 755 $(built) '$(DESTDIR)$(bindir)'
	$(MAKE) install-shared

# What is the same on every platform.
install-shared: $(bash) $(zsh) $(fish)
	umask 022; install -d '$(DESTDIR)$(man1dir)'
	install -m 644 $(pages) '$(DESTDIR)$(man1dir)'
ifneq ($(COMPLETE),)
	umask 022; install -d '$(DESTDIR)$(bashdir)' '$(DESTDIR)$(zshdir)' '$(DESTDIR)$(fishdir)'
	for p in $(PROGRAMS); do install -m 644 bin/completions/$$p.bash '$(DESTDIR)$(bashdir)'/$$p || exit 1; done
	install -m 644 $(zsh) '$(DESTDIR)$(zshdir)'
	install -m 644 $(fish) '$(DESTDIR)$(fishdir)'
endif

uninstall: ## remove what install put there
	rm -f $(PROGRAMS:%='$(DESTDIR)$(bindir)'/%) $(PROGRAMS:%='$(DESTDIR)$(man1dir)'/%.1)
ifneq ($(COMPLETE),)
	rm -f $(PROGRAMS:%='$(DESTDIR)$(bashdir)'/%) $(PROGRAMS:%='$(DESTDIR)$(zshdir)'/_%) $(PROGRAMS:%='$(DESTDIR)$(fishdir)'/%.fish)
endif

# For install, which builds nothing that is up to date.
bin/aws-mfa-%: $(SOURCES)
	$(BUILD) -o $@ ./cmd/$(@F)

bin/completions/%.bash bin/completions/_% bin/completions/%.fish bin/completions/%.ps1: bin/%
	mkdir -p bin/completions
	$< $(COMPLETE) bash >bin/completions/$*.bash
	$< $(COMPLETE) zsh >bin/completions/_$*
	$< $(COMPLETE) fish >bin/completions/$*.fish
	$< $(COMPLETE) powershell >bin/completions/$*.ps1

dist: $(powershell) ## archives for every platform, with their checksums, in bin/dist/
	test -n '$(VERSION)' -a -n '$(SOURCE_DATE_EPOCH)' || { echo 'VERSION and SOURCE_DATE_EPOCH are needed' >&2; exit 1; }
	rm -rf bin/dist
	for platform in $(PLATFORMS); do \
		dir=bin/dist/aws-mfa-$(VERSION)-$$(echo $$platform | tr / -) && mkdir -p $$dir/docs && \
		GOOS=$${platform%/*} GOARCH=$${platform#*/} GOAMD64=v1 GOARM64=v8.0 $(BUILD) -o $$dir/bin/ ./cmd/... && \
		$(MAKE) install-shared DESTDIR=$$dir prefix= && \
		cp LICENSE README.md $(powershell) $$dir && cp docs/*.md docs/*.json $$dir/docs || exit 1; \
	done
	$(GO) run ./shared/release -version '$(VERSION)' -epoch '$(SOURCE_DATE_EPOCH)' bin/dist/*/
	rm -rf bin/dist/*/

sbom: $(built) ## the programs' bill of materials (CycloneDX), in bin/sbom.cdx.json
	$(GO) run ./shared/release -version '$(VERSION)' -epoch '$(SOURCE_DATE_EPOCH)' -bill $(built) >bin/sbom.cdx.json

STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
lint: ## gofmt, vet, staticcheck, and modules as they were pinned
	test -z "$$(gofmt -l cmd shared | tee /dev/stderr)"
	$(GO) vet ./... && $(GO) vet -tags faults ./... && $(GO) vet -tags wine ./...
	$(GO) mod tidy -diff
	$(GO) mod verify
	$(GO) run $(STATICCHECK) ./... && $(GO) run $(STATICCHECK) -tags faults ./...

GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.8.0
GOVULNDB    ?= https://vuln.go.dev
vuln: ## known vulnerabilities in what the programs call, as GOVULNDB has them
	$(GO) run $(GOVULNCHECK) -db '$(GOVULNDB)' ./cmd/...

clean: ## remove what was built
	rm -rf bin

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST)

.DELETE_ON_ERROR:
.PHONY: build demo sandbox test race faults fuzz bench cross wine install install-shared uninstall dist sbom lint vuln clean help
