# make demo    the main job, on data and a server of its own      make build   target/release/pg-logstats
# make test    the tests                                          make check   format, lints, dependencies, docs
# Each installs what it needs first (Debian packages, as root).

CARGO ?= cargo
export CARGO_TERM_COLOR ?= auto
# One profile for all: each dependency is compiled once.
PROFILE := --release --locked

.PHONY: demo build test check fmt clippy deny docs toolchain bench clean

demo:
	@scripts/toolchain.sh demo
	@$(CARGO) build $(PROFILE) --quiet
	@scripts/demo.sh

build:
	@scripts/toolchain.sh build
	$(CARGO) build $(PROFILE)

test:
	@scripts/toolchain.sh test
	$(CARGO) nextest run --workspace --cargo-profile release --locked
	$(CARGO) test --workspace --doc $(PROFILE)

check: fmt clippy deny docs

fmt:
	$(CARGO) fmt --all --check

clippy:
	@scripts/toolchain.sh build
	$(CARGO) clippy --workspace --all-targets $(PROFILE) -- -D warnings

deny:
	@scripts/toolchain.sh deny
	$(CARGO) deny --offline --locked check bans licenses sources

docs:
	@scripts/toolchain.sh build
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps $(PROFILE)

toolchain:
	@scripts/toolchain.sh build

bench:
	@scripts/toolchain.sh build
	$(CARGO) bench --package pg-logstats-benches

clean:
	$(CARGO) clean
