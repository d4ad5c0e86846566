# The first two are all that a newcomer needs: `go run ./cmd/hotline demo`, then `make test`.
GO          ?= go
STATICCHECK ?= honnef.co/go/tools/cmd/staticcheck@v0.8.2
SOAK_SECONDS ?= 7200

.PHONY: demo test soak build fmt lint deps bench

demo: ## everything on this machine, without any account
	$(GO) run ./cmd/hotline demo

build: ## the one binary, in bin/
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/hotline ./cmd/hotline

test: deps fmt lint ## every test, long proofs at a tenth of their counts
	$(GO) test -race -timeout 14m ./...

soak: deps ## the long proofs at their full counts, fuzzing, benchmarks; SOAK_SECONDS bounds it
	@.ci/soak $(SOAK_SECONDS)

bench: deps
	$(GO) test -run '^$$' -bench . -benchmem ./...

fmt:
	@test -z "$$(gofmt -l .)" || { echo "gofmt these:"; gofmt -l .; exit 1; }

lint:
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...

deps:
	@.ci/install
