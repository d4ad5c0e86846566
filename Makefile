# The first two are all that a newcomer needs: `go run ./cmd/hotline demo`, then `make test`.
GO          ?= go
STATICCHECK ?= honnef.co/go/tools/cmd/staticcheck@v0.8.2
SOAK_SECONDS ?= 7200

.PHONY: demo test test-race test-plain soak build fmt lint deps bench

demo: ## everything on this machine, without any account
	$(GO) run ./cmd/hotline demo

build: ## the one binary, in bin/
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/hotline ./cmd/hotline

# What links whatsmeow is tested without -race: the library races with itself where a line ends (its socket, its event
# flags), which no test of ours can mend, and its SQLite, C turned into Go, is several times slower under it. It is built
# as the program is, without cgo, so that the largest packages are compiled once for lint, tests and the program.
NORACE := ./cmd/... ./bot/whatsapp/...

# The two kinds run side by side: one computes, the other mostly waits for programs that it has killed.
test: deps fmt lint ## every test, long proofs at a tenth of their counts
	@$(MAKE) --no-print-directory -j2 test-race test-plain

test-race:
	$(GO) test -race -timeout 50m $$($(GO) list ./... | grep -v -e '/cmd/' -e '/bot/whatsapp')

test-plain:
	CGO_ENABLED=0 $(GO) test -timeout 50m $(NORACE)

soak: deps ## the long proofs at their full counts, fuzzing, benchmarks; SOAK_SECONDS bounds it
	@.ci/soak $(SOAK_SECONDS)

bench: deps
	$(GO) test -run '^$$' -bench . -benchmem ./...

fmt:
	@test -z "$$(gofmt -l .)" || { echo "gofmt these:"; gofmt -l .; exit 1; }

lint:
	CGO_ENABLED=0 $(GO) vet ./...
	CGO_ENABLED=0 $(GO) run $(STATICCHECK) ./...

deps:
	@.ci/install
