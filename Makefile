GO ?= go
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.7.0
FUZZTIME ?= 20s

# The race detector needs a C compiler.
RACE := $(shell [ "$$($(GO) env CGO_ENABLED)" = 1 ] && command -v "$$($(GO) env CC | cut -d' ' -f1)" >/dev/null && echo -race)

# Modules that stand on their own, besides the core.
NESTED = example interop store/sqlite store/postgres store/redis

.PHONY: test nested engines lint fuzz bench

# Everything. What cannot be tested here is said loudly.
test: nested engines
	@[ -n "$(RACE)" ] || echo "make: no C compiler, so the tests run without -race"
	$(GO) test $(RACE) work

# Each nested module also builds without the workspace.
nested:
	@for m in $(NESTED); do echo "building ./$$m on its own"; (cd $$m && GOWORK=off $(GO) build -o /dev/null ./...) || exit 1; done

# PostgreSQL and Redis, for the tests of their stores.
engines:
	@.ci/engines

lint:
	@unformatted=$$(gofmt -l .); [ -z "$$unformatted" ] || { echo "not gofmt'ed: $$unformatted"; exit 1; }
	$(GO) vet work
	@for m in . $(NESTED); do echo "staticcheck and tidy in $$m"; \
		(cd $$m && GOWORK=off $(GO) run $(STATICCHECK) ./... && GOWORK=off $(GO) mod tidy -diff) || exit 1; done

# Each fuzz target, for FUZZTIME; most of it would otherwise go into making inputs small.
fuzz:
	@grep -rhoE '^func Fuzz[A-Za-z0-9]+' --include='*_test.go' --with-filename . | sort | while IFS=: read -r file line; do \
		target=$${line#func }; echo "$$target in $$(dirname $$file), $(FUZZTIME)"; \
		$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 100x "$$(dirname $$file)" </dev/null || exit 1; done

bench:
	$(GO) test -run '^$$' -bench . -benchtime 3s -count 6 ./tokenendpoint ./middleware

# The pages of the example as on a telephone, for the README.
.PHONY: screenshots
screenshots: engines
	@mkdir -p docs/screens
	cd example && CI=true SCREENS='$(CURDIR)/docs/screens' $(GO) test -count 1 -run Chrome .
