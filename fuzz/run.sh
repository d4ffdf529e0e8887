#!/usr/bin/env bash
# Fuzzes each target for some seconds, one after the other. Needs no nightly toolchain and no cargo-fuzz.
# `loader` and `export` are no targets of libFuzzer's but programs of the main workspace, which has wasmtime compiled already (README.md).
#   usage: fuzz/run.sh [SECONDS=10] [TARGET…]      env: SEED=0 (0: another one each time), RUNS=-1 (no limit),
#          VERBOSITY=0
# What is found is written to fuzz/artifacts/TARGET/, and the script ends with 1. Inputs that reach something new are kept in
# fuzz/corpus/TARGET/ (not committed), beside the seeds in fuzz/seeds/TARGET/.
set -euo pipefail
cd "$(dirname "$0")"
SECONDS_EACH=${1:-10}
shift $(( $# > 0 ? 1 : 0 ))
TARGETS=("$@")
[ ${#TARGETS[@]} -gt 0 ] || TARGETS=(stderr csv json prefix normalise decompress envelope part checkpoint dsse proof policy journal export loader)
# What cargo-fuzz asks of the compiler, without the address sanitizer: the crates forbid unsafe code.
COVERAGE="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
-Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1"
HOST=$(rustc -vV | sed -n 's/^host: //p')
COVERED=()
PROGRAMS=()
for target in "${TARGETS[@]}"; do
  case "$target" in
    loader | export) PROGRAMS+=("$target") ;;
    *) COVERED+=("$target") ;;
  esac
done
FAILED=0
if [ ${#PROGRAMS[@]} -gt 0 ]; then
  # With the features that `make build` and `make test` choose, so that no dependency is compiled again.
  (cd .. && cargo build --release --locked --workspace "${PROGRAMS[@]/#/--bin=}" --bin pg-logstats --example analyse)
fi
for program in "${PROGRAMS[@]}"; do
  echo "== $program, $SECONDS_EACH s"
  case "$program" in
    export) ../target/release/export "${SEED:-0}" "$SECONDS_EACH" "${RUNS:--1}" artifacts/export || FAILED=1 ;;
    loader)
      cargo build --release --locked --manifest-path components/Cargo.toml --target-dir target/components
      ../target/release/loader seeds corpus/loader
      # The maker of the inputs ends when nobody reads any more; what counts is how the loader ends.
      (target/components/release/components "${SEED:-0}" corpus/loader || true) \
        | ../target/release/loader "$SECONDS_EACH" "${RUNS:--1}" artifacts/loader || FAILED=1
      ;;
  esac
done
[ ${#COVERED[@]} -gt 0 ] || exit $FAILED
# With a target named, build scripts and macros are compiled without these flags.
RUSTFLAGS="$COVERAGE --cfg fuzzing" cargo build --release --locked --target "$HOST" --target-dir target
for target in "${COVERED[@]}"; do
  mkdir -p "corpus/$target" "artifacts/$target" "seeds/$target"
  echo "== $target, $SECONDS_EACH s"
  if ! "target/$HOST/release/$target" -seed="${SEED:-0}" -runs="${RUNS:--1}" -max_total_time="$SECONDS_EACH" -max_len=4096 -timeout=10 -rss_limit_mb=2048 \
      -print_final_stats=1 -verbosity="${VERBOSITY:-0}" -artifact_prefix="artifacts/$target/" "corpus/$target" "seeds/$target" \
      2>"artifacts/$target/log"; then
    tail -n 40 "artifacts/$target/log" >&2
    FAILED=1
  fi
  grep -E '^stat::(number_of_executed_units|average_exec_per_sec|new_units_added|peak_rss_mb)' "artifacts/$target/log" || true
done
exit $FAILED
