# Sourced: a private PostgreSQL cluster on a socket in a temporary folder, for the demo and for generating fixtures.
#
#   cluster_start [SETTING…]   sets PGHOST, PGPORT, CLUSTER (its folder); the server's own log files lie in $CLUSTER/log
#   cluster_stop               stops it by its pid and removes the folder
#
# PostgreSQL refuses to run as root, so as root it runs as `postgres`.

cluster_as() {
    if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi
}

cluster_bindir() {
    if [ -n "${PGBIN:-}" ]; then
        echo "$PGBIN"
    elif command -v pg_config >/dev/null 2>&1 && [ -x "$(pg_config --bindir)/initdb" ]; then
        pg_config --bindir
    else
        ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -t/ -k5 -n | tail -n 1
    fi
}

cluster_start() {
    local bin
    bin=$(cluster_bindir)
    if [ ! -x "$bin/initdb" ]; then
        echo "no PostgreSQL server found: run \`scripts/toolchain.sh demo\`, or set PGBIN to the folder with initdb" >&2
        return 1
    fi
    CLUSTER=$(mktemp -d /tmp/pglsXXXXXX)
    chmod 755 "$CLUSTER"
    mkdir "$CLUSTER/log"
    if [ "$(id -u)" = 0 ]; then chown -R postgres "$CLUSTER"; fi
    cluster_as "$bin/initdb" -D "$CLUSTER/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 >/dev/null
    {
        echo "listen_addresses = ''"
        echo "unix_socket_directories = '$CLUSTER'"
        echo "port = 5432"
        echo "fsync = off"
        echo "logging_collector = on"
        echo "log_directory = '$CLUSTER/log'"
        echo "log_filename = 'postgresql.log'"
        echo "log_file_mode = 0644"
        echo "log_timezone = 'UTC'"
        printf '%s\n' "$@"
    } >>"$CLUSTER/data/postgresql.conf"
    cluster_as "$bin/pg_ctl" -D "$CLUSTER/data" -w -t 60 -l "$CLUSTER/start.log" start >/dev/null || {
        cat "$CLUSTER/start.log" >&2
        return 1
    }
    export PGHOST=$CLUSTER PGPORT=5432 PGUSER=postgres PGDATABASE=postgres
    CLUSTER_BIN=$bin
}

cluster_stop() {
    [ -n "${CLUSTER:-}" ] || return 0
    if [ -s "$CLUSTER/data/postmaster.pid" ]; then
        local pid
        pid=$(head -n 1 "$CLUSTER/data/postmaster.pid")
        kill -QUIT "$pid" 2>/dev/null || true
        for _ in $(seq 1 100); do
            kill -0 "$pid" 2>/dev/null || break
            sleep 0.05
        done
    fi
    rm -rf "$CLUSTER"
    CLUSTER=
}
