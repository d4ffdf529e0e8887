# make demo    the main job, on data and a server of its own      make build   target/release/pg-logstats
# make test    the tests                                          make check   format, lints, dependencies, docs
# make fuzz    each fuzz target for some seconds
# Each installs what it needs first (Debian packages, as root).

CARGO ?= cargo
export CARGO_TERM_COLOR ?= auto
# Each dependency is compiled once: one profile for all, and the same features. Cargo chooses features by what is built; naming an
# example makes it choose those that the tests need too, so that `make test` after `make build` compiles no dependency again.
PROFILE := --release --locked
BINARY := build $(PROFILE) --workspace --bin pg-logstats --example analyse

.PHONY: demo build test check fmt clippy deny docs toolchain bench fuzz clean

demo:
	@scripts/toolchain.sh demo
	@$(CARGO) $(BINARY)
	@scripts/demo.sh

build:
	@scripts/toolchain.sh build
	$(CARGO) $(BINARY)

test:
	@scripts/toolchain.sh test
	$(CARGO) $(BINARY)
	$(CARGO) nextest run --workspace --cargo-profile release --locked
	@scripts/postgres-versions.sh --report
	$(CARGO) test --workspace --doc $(PROFILE)

check: fmt clippy deny docs

fmt:
	$(CARGO) fmt --all --check

clippy:
	@scripts/toolchain.sh build
	$(CARGO) clippy --workspace --all-targets $(PROFILE) -- -D warnings

deny:
	@scripts/toolchain.sh deny
	@# The tree is judged for all its targets, so the crates of others must be there, too.
	$(CARGO) fetch --locked
	$(CARGO) deny --offline --locked check bans licenses sources

docs:
	@scripts/toolchain.sh build
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps $(PROFILE)

toolchain:
	@scripts/toolchain.sh build

bench:
	@scripts/toolchain.sh build
	$(CARGO) bench --package pg-logstats-benches

FUZZ_SECONDS ?= 5
# The same inputs at every run and on every machine, so that a change is judged by itself; FUZZ_SEED=0 FUZZ_RUNS=-1 looks for new ones.
FUZZ_SEED ?= 1
FUZZ_RUNS ?= 20000
fuzz:
	@scripts/toolchain.sh fuzz
	@scripts/toolchain.sh build
	SEED=$(FUZZ_SEED) RUNS=$(FUZZ_RUNS) fuzz/run.sh $(FUZZ_SECONDS)

clean:
	$(CARGO) clean
