# make run | build | desktop | check | test | bench | soak | lab | dist | docs | screens | clean
#
# check needs Go, a C compiler (for -race) and the Go module proxy; it takes under three minutes on two cores.
# test also runs against real peers and on packages: as root, it installs what it needs, and skips nothing where CI is set.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

VERSION ?= $(shell packaging/version.sh)
FUZZTIME ?= 30s
SOAKTIME ?= 5m
IDLETIME ?= 10m
STATICCHECK := go tool -modfile=tools/go.mod staticcheck

# What runs in other hosts, as root, stands apart: everything else needs nothing but loopback.
AROUND := ./interop/... ./bench/...
UNIT = $(shell go list ./... | grep -Ev '/(interop|bench)(/|$$)')

.PHONY: run build desktop check lint unit cross test peers interop windows fuzz bench soak lab dist docs screens clean

run: build
	bin/messngr serve

build:
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o bin/messngr ./cmd/messngr

# The pop-ups and the window, a module of its own: bin/messngr-desktop.
desktop:
	$(MAKE) -C desktop build

check: lint unit

lint:
	@bad=$$(git ls-files --cached --others --exclude-standard '*.go' | xargs gofmt -l); [ -z "$$bad" ] || { echo "gofmt would change:"; echo "$$bad"; exit 1; }
	go vet ./...
	$(STATICCHECK) ./...
	$(MAKE) -C desktop lint

unit:
	go test -race $(UNIT)
	$(MAKE) -C desktop unit

# Systems that no test runs on must at least compile.
cross:
	for os in windows darwin freebsd; do GOOS=$$os CGO_ENABLED=0 go vet ./cmd/... ; done

# Fuzzing takes the time that the peers leave, who mostly wait.
test: peers check cross
	nice -n 19 $(MAKE) --no-print-directory fuzz & fuzz=$$!; $(MAKE) --no-print-directory interop windows || { kill $$fuzz 2>/dev/null || true; exit 1; }; wait $$fuzz

# The programs that tests run against, and those that watch.
peers:
	interop/peers.sh || [ -z "$${CI:-}" ]

interop: peers build
	go test -timeout 15m $(AROUND)

# The desktop program with GTK, on screens in memory.
windows: peers
	$(MAKE) -C desktop test

fuzz:
	tools/fuzz.sh $(FUZZTIME)

bench: peers build
	go run ./bench -messngr bin/messngr -idle $(IDLETIME) -o doc/performance.md
	@cat doc/performance.md

# Long: hours of fuzzing, a minute of garbage, the service killed over and over.
soak: peers build
	go test -timeout 2h -run 'Killed|Garbage|Sites|Claimants|Cables|NMBD|SambasOwn' -v ./interop -soak
	MESSNGR_SOAK=60s go test -run TestForgedFlood -v ./transport/msgsvc
	tools/fuzz.sh $(SOAKTIME)

# Two hosts with messngr on both: prints what to try. LAB_CMD='alpha messngr send BETA hello' runs that and no shell.
lab: peers build
	go run ./interop/twohosts -messngr bin/messngr $(if $(LAB_CMD),-c '$(LAB_CMD)')

dist:
	packaging/dist.sh '$(VERSION)'

docs: build
	bin/messngr docs man dist/docs/man
	bin/messngr docs completions dist/docs/completions
	bin/messngr docs markdown >doc/cli.md

# The pictures in doc/screens, of the programs themselves; as root.
screens:
	interop/peers.sh
	$(MAKE) -C desktop screens
	work=$$(mktemp -d); trap 'rm -r "$$work"' EXIT; \
	go test -count 1 -run 'TestDesktopNotifications/xfce4-notifyd' ./interop -screens "$$work"; \
	convert "$$work"/*-urgent.png -trim +repage -strip doc/screens/notification.png

clean:
	rm -rf bin dist
