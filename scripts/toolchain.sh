#!/usr/bin/env bash
# Installs what is missing for a task, and nothing else. Does nothing, quickly, when all is there.
#
#   scripts/toolchain.sh build   a Rust compiler for WebAssembly (the runbooks) and libclang (the SQL parser's bindings)
#   scripts/toolchain.sh demo    the same, and a PostgreSQL server with its contrib modules, and jq
#   scripts/toolchain.sh test    the same, and cargo-nextest, openssl, git, python3, chromium, hypopg, and PostgreSQL in each supported version, Python's in-toto and
#                                componentize-js where they can be had
#   scripts/toolchain.sh deny    cargo-deny
#   scripts/toolchain.sh fuzz    a C++ compiler (libFuzzer)
#   … --check                    installs nothing: says what is missing, and ends with 1 when something is
#
# Debian and its derivatives: packages are installed with apt-get, as root or through sudo. Elsewhere the names of the missing things
# are printed. rustup's own target is tried first; only where rustup cannot fetch it, Debian's `rustc-web` builds the standard
# library for WebAssembly (guest-sdk/componentize says how). rustup stays first on PATH, and compiles everything else.
set -euo pipefail
cd "$(dirname "$0")/.."

TARGET=wasm32-unknown-unknown
# How long rustup may take to fetch the target (some 20 MB) before Debian's packages are the better way.
RUSTUP_SECONDS=${TOOLCHAIN_RUSTUP_SECONDS:-60}

usage() {
    sed -n '2,11s/^# \{0,1\}//p' "$0" >&2
    exit 2
}

say() { printf 'toolchain: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# --- what is there

# The compiler in use has the target: its folder alone may be a left-over of `rustup target remove`.
rustup_target_there() {
    compgen -G "$(rustc --print sysroot 2>/dev/null)/lib/rustlib/$TARGET/lib/libstd-*.rlib" >/dev/null
}

# Debian's compiler, the sources of its standard library in the same version, and a linker for WebAssembly.
debian_target_there() {
    [ -x /usr/bin/rustc ] || return 1
    local release sources
    release=$(/usr/bin/rustc -vV 2>/dev/null | sed -n 's/^release: //p')
    sources=$(readlink -f "$(/usr/bin/rustc --print sysroot)/lib/rustlib/src/rust" 2>/dev/null) || return 1
    [ -f "$sources/library/Cargo.lock" ] || return 1
    case ${sources##*/} in rustc-"$release" | rust) ;; *) return 1 ;; esac
    compgen -G "$(rustc --print sysroot)/lib/rustlib/*/bin/rust-lld" >/dev/null || have wasm-ld
}

wasm_there() { rustup_target_there || debian_target_there; }

libclang_there() {
    [ -n "${LIBCLANG_PATH:-}" ] && return 0
    local places=(/usr/lib/llvm-*/lib /usr/lib /usr/lib64 /usr/local/lib /usr/lib/*-linux-gnu)
    local place
    for place in "${places[@]}"; do
        compgen -G "$place/libclang.so*" >/dev/null || compgen -G "$place/libclang-*.so*" >/dev/null || continue
        # The headers of clang itself (stddef.h, …) come with it on Debian; bindgen needs them too.
        compgen -G "/usr/lib/llvm-*/lib/clang/*/include/stddef.h" >/dev/null || compgen -G "/usr/lib*/clang/*/include/stddef.h" >/dev/null || continue
        return 0
    done
    return 1
}

postgres_bin() {
    if [ -n "${PGBIN:-}" ]; then
        echo "$PGBIN"
    elif have pg_config && [ -x "$(pg_config --bindir)/initdb" ]; then
        pg_config --bindir
    else
        local newest
        newest=$(compgen -G '/usr/lib/postgresql/*/bin' | sort -t/ -k5 -n | tail -n 1) || true
        echo "$newest"
    fi
}

postgres_there() {
    local bin share
    bin=$(postgres_bin)
    [ -n "$bin" ] && [ -x "$bin/initdb" ] && [ -x "$bin/postgres" ] && have psql || return 1
    # Debian's pg_config may be a wrapper for the client; the server's own lies beside it, or in the package's usual place.
    for share in "$("$bin/pg_config" --sharedir 2>/dev/null || true)" "/usr/share/postgresql/$(basename "$(dirname "$bin")")"; do
        [ -f "$share/extension/pg_stat_statements.control" ] && return 0
    done
    return 1
}

server_major() { basename "$(dirname "$(postgres_bin)")"; }

hypopg_there() {
    local share
    for share in "$("$(postgres_bin)/pg_config" --sharedir 2>/dev/null || true)" "/usr/share/postgresql/$(server_major)"; do
        [ -f "$share/extension/hypopg.control" ] && return 0
    done
    return 1
}

# --- what is wanted

packages=() # Debian packages to install
missing=()  # what a person would call them

want() {
    missing+=("$1")
    shift
    packages+=("$@")
}

need_build() {
    have cargo || fail "no Rust: install it with rustup, then run this again"
    have cc || want "a C compiler" gcc libc6-dev
    libclang_there || want "libclang" libclang-dev
    wasm_there || want_wasm
}

want_wasm() {
    if [ "$check" = no ] && add_rustup_target; then return; fi
    want "a Rust compiler for $TARGET" rustc-web rust-web-src
}

# The ordinary way; quiet and short, because a machine without that network has another one.
add_rustup_target() {
    have rustup || return 1
    say "adding rustup's target $TARGET"
    RUSTUP_MAX_RETRIES=0 timeout "$RUSTUP_SECONDS" rustup --quiet target add "$TARGET" >/dev/null 2>&1 && rustup_target_there
}

need_fuzz() {
    have cargo || fail "no Rust: install it with rustup, then run this again"
    have c++ || want "a C++ compiler" g++
}

need_postgres() {
    postgres_there || want "PostgreSQL with its contrib modules" postgresql postgresql-contrib
    have jq || want jq jq
}

need_tests() {
    have openssl || want openssl openssl
    have git || want git git
    have python3 || want python3 python3
    # For the page of a handoff. Without fonts it shows boxes.
    have chromium || want "a browser" chromium fonts-dejavu-core
}

# --- installing

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

install_packages() {
    [ ${#packages[@]} -gt 0 ] || return 0
    local names
    names=$(IFS=,; echo "${missing[*]}")
    [ "$check" = no ] || fail "missing: ${names//,/, }; run \`scripts/toolchain.sh $task\`"
    have apt-get || fail "missing: ${names//,/, }; this is no Debian, so install them with your package manager"
    [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null ||
        fail "missing: ${names//,/, }; run \`sudo apt-get install --no-install-recommends ${packages[*]}\`"
    say "installing ${names//,/, }: ${packages[*]}"
    local log before
    before=$(clusters)
    log=$(mktemp)
    if ! { as_root apt-get update -q && as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${packages[@]}"; } >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        rm -f "$log"
        fail "apt-get could not install ${packages[*]}; its last lines stand above"
    fi
    rm -f "$log"
    drop_new_clusters "$before"
}

clusters() { compgen -G '/etc/postgresql/*/*' || true; }

# Debian's server package makes a cluster `main` and starts it. Nobody asked for one: the demo and the tests start their own. Only a
# cluster that this installation made is dropped.
drop_new_clusters() {
    local cluster name
    for cluster in $(comm -13 <(sort <<<"$1") <(clusters | sort)); do
        name=$(basename "$cluster")
        as_root pg_dropcluster --stop "$(basename "$(dirname "$cluster")")" "$name" >/dev/null 2>&1 ||
            say "could not drop the new cluster $name of $(dirname "$cluster"); it is of no use here"
    done
}

# cargo-nextest and cargo-deny as built programs where Python's registry has them (seconds), from source elsewhere (minutes).
install_cargo_tool() {
    local tool=$1
    if have "$tool"; then return 0; fi
    [ "$check" = no ] || fail "missing: $tool; run \`scripts/toolchain.sh $task\`"
    say "installing $tool"
    local log folder
    log=$(mktemp)
    folder=$(mktemp -d)
    if ! install_wheel "$tool" "$folder" >"$log" 2>&1 && ! cargo install --locked "$tool" >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        rm -rf "$log" "$folder"
        fail "could not install $tool; run \`cargo install --locked $tool\`"
    fi
    rm -rf "$log" "$folder"
}

install_wheel() {
    local tool=$1 folder=$2 home=${CARGO_HOME:-$HOME/.cargo} program
    have python3 || return 1
    python3 -m pip download --quiet --no-deps --only-binary :all: --dest "$folder" "astral-dev-toolchain-$tool" || return 1
    python3 -m zipfile -e "$folder"/*.whl "$folder/wheel" || return 1
    program=$(find "$folder/wheel" -type f -name "$tool" | head -n 1)
    [ -n "$program" ] && chmod 755 "$program" && "$program" --version || return 1
    mkdir -p "$home/bin" && cp "$program" "$home/bin/$tool" && have "$tool"
}

task=${1:-}
check=no
case ${2:-} in
    "") ;;
    --check) check=yes ;;
    *) usage ;;
esac

case $task in
    build) need_build ;;
    fuzz) need_fuzz ;;
    demo) need_build; need_postgres ;;
    test) need_build; need_postgres; need_tests ;;
    deny) ;;
    *) usage ;;
esac
install_packages
# Its package is named after the server's version, which is known now.
if [ "$task" = test ] && ! hypopg_there; then
    packages=() missing=()
    want "the extension hypopg" "postgresql-$(server_major)-hypopg"
    install_packages
fi
case $task in
    test) install_cargo_tool cargo-nextest ;;
    deny) install_cargo_tool cargo-deny ;;
esac

# What was installed has to do what it was installed for.
case $task in
    build | demo | test)
        wasm_there || fail "$TARGET still cannot be compiled for: run \`rustup target add $TARGET\`"
        libclang_there || fail "libclang is still not found: set LIBCLANG_PATH to its folder"
        ;;
esac
case $task in
    demo | test) postgres_there || fail "PostgreSQL is still not found: set PGBIN to the folder with initdb" ;;
esac
# Other versions, verifiers and languages: a warning each where they cannot be had, and their tests are listed as ignored.
case $task-$check in
    test-no) scripts/postgres-versions.sh; scripts/python-verifiers.sh; scripts/componentize-js.sh ;;
esac
