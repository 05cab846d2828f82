# Shared by the scripts in this folder. Plain sh; sourced, never run.

root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd) || exit 1
cd "$root" || exit 1
venv=$root/.venv
python=$venv/bin/python

say() { printf '%s\n' "$*"; }
step() { printf '\n== %s\n' "$*"; }
fail() {
    printf '%s\n' "$*" >&2
    exit 1
}

# The newest Python on the PATH that is new enough.
find_python() {
    for name in python3 python3.13 python3.12 python3.11; do
        if command -v "$name" >/dev/null 2>&1 &&
            "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$name"
            return 0
        fi
    done
    return 1
}

# prepare NAME FILE...: the environment in .venv with exactly what the files pin, installed once
# for each content of the files.
prepare() {
    name=$1
    shift
    base=$(find_python) || fail \
        "This needs Python 3.11 or newer. On Debian 12: apt-get install python3 python3-venv"
    "$base" -c 'import ensurepip, venv' 2>/dev/null || fail \
        "Python's venv module is incomplete here. On Debian: apt-get install python3-venv"
    wanted=$("$base" - "$base" "$@" <<'PYTHON'
import hashlib, sys
digest = hashlib.sha256(sys.version.encode())
for name in sys.argv[2:]:
    with open(name, "rb") as file:
        digest.update(file.read())
print(digest.hexdigest())
PYTHON
    ) || exit 1
    stamp=$venv/.installed-$name
    if [ -x "$python" ] && "$python" -c '' 2>/dev/null &&
        [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then
        return 0
    fi
    if ! { [ -x "$python" ] && "$python" -m pip --version >/dev/null 2>&1; }; then
        say "Making the Python environment in .venv"
        rm -rf "$venv"
        "$base" -m venv "$venv" || fail "Could not make $venv."
    fi
    say "Installing the Python packages that $* pin (a minute or so, once)"
    set -- $(for file in "$@"; do printf -- '-r %s ' "$file"; done)
    "$python" -m pip install -qq --disable-pip-version-check --no-input --require-hashes "$@" ||
        fail "The Python packages could not be installed; pip says why above."
    "$python" -m pip check --disable-pip-version-check >/dev/null ||
        fail "The Python packages in .venv disagree. Remove .venv and run this again."
    printf '%s' "$wanted" >"$stamp"
}

am_root() { [ "$(id -u)" -eq 0 ]; }

# as_root WORDS...: run as root, through sudo if that asks for no password.
as_root() {
    if am_root; then
        "$@"
    elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
        sudo -n "$@"
    else
        return 126
    fi
}

# debian PACKAGE=PROBE...: install the packages whose probe (a command or a path) is not there.
# Says what it does; without root says what a person can do, and returns 1.
debian() {
    missing=
    for pair in "$@"; do
        probe=${pair#*=}
        command -v "$probe" >/dev/null 2>&1 || ls $probe >/dev/null 2>&1 ||
            missing="$missing ${pair%%=*}"
    done
    [ -n "$missing" ] || return 0
    if ! command -v apt-get >/dev/null 2>&1; then
        say "Not here, and this is not Debian:$missing"
        return 1
    fi
    say "Installing Debian packages:$missing"
    if ! as_root true; then
        say "That needs root. Run: sudo apt-get install$missing"
        return 1
    fi
    if [ -z "${apt_updated:-}" ]; then
        as_root apt-get update -qq || return 1
        apt_updated=1
    fi
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends $missing >/dev/null || return 1
}

# as_postgres WORDS...: PostgreSQL refuses to run as root.
as_postgres() {
    if am_root; then
        runuser -u postgres -- "$@"
    else
        "$@"
    fi
}

# memory_folder: where short-lived files go: memory if there is space, else the temporary folder.
memory_folder() {
    if [ -w /dev/shm ] && [ "$(df -Pk /dev/shm | awk 'NR == 2 { print $4 }')" -gt 2000000 ]; then
        echo /dev/shm
    else
        echo "${TMPDIR:-/tmp}"
    fi
}

# start_postgres [durable]: a private cluster on a unix socket in a folder that is thrown away.
# Unless it has to be durable, as production's is, it spares what makes data survive a crash.
# Sets postgres_folder and postgres_url.
start_postgres() {
    spared="-c fsync=off -c synchronous_commit=off -c full_page_writes=off"
    [ "${1:-}" != durable ] || spared=
    postgres_programs=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
    [ -n "$postgres_programs" ] || postgres_programs=$(pg_config --bindir 2>/dev/null) || return 1
    postgres_folder=$(mktemp -d "$(memory_folder)/imr-pg.XXXXXX") || return 1
    if am_root; then
        chown postgres "$postgres_folder" || return 1
    fi
    (
        cd "$postgres_folder" || exit 1
        as_postgres "$postgres_programs/initdb" -D "$postgres_folder/data" -U postgres -A trust \
            -E UTF8 --locale=C.UTF-8 --no-sync >"$postgres_folder.log" 2>&1 || exit 1
        as_postgres "$postgres_programs/pg_ctl" -D "$postgres_folder/data" -s -w -t 60 \
            -l "$postgres_folder/server.log" -o "-k '$postgres_folder' -c listen_addresses='' \
            -c max_connections=100 -c wal_level=minimal -c max_wal_senders=0 \
            -c autovacuum=off -c jit=off $spared" \
            start >>"$postgres_folder.log" 2>&1 </dev/null || exit 1
    ) || {
        cat "$postgres_folder.log" >&2
        return 1
    }
    postgres_url="postgresql://postgres@/imr?host=$postgres_folder"
}

stop_postgres() {
    [ -n "${postgres_folder:-}" ] || return 0
    (cd "$postgres_folder" && as_postgres "$postgres_programs/pg_ctl" -D "$postgres_folder/data" \
        -s -m immediate stop >/dev/null 2>&1)
    rm -rf "$postgres_folder" "$postgres_folder.log"
    postgres_folder=
}
