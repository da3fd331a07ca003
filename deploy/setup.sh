#!/usr/bin/env bash
# Prepares a Debian 12 or later machine for Millpond: system packages, TimescaleDB, Python packages.
#
# With the word "tests" also what only the tests need: servers from the npm registry.
#
# Every step asks first whether its result is there, so that a second run takes no time. A step
# that works says one line; a step that fails says one line with the reason and the log's path.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
umask 022
export LC_ALL=C.UTF-8

readonly log_folder=.local/log
readonly build_folder=.local/build
readonly stamp=.venv/.millpond-setup
readonly minimum_python="3.11"

say() { printf 'set-up: %s\n' "$*"; }
fail() {
    printf 'set-up: %s\n' "$*" >&2
    exit 1
}

# What a log tells most: that the network failed, else the first error, else the last line.
reason_in() {
    local network='could not resolve|name resolution|connection (refused|timed out)|unreachable'
    network=$(grep -m 1 -oiE "$network|certificate verify failed" "$1" | head -n 1)
    [ -z "$network" ] || { echo "a package registry cannot be reached ($network)" && return; }
    grep -m 1 -i 'no space left' "$1" && return
    grep -m 1 -iE '^(E:|ERROR)|^[^W].*(error|fatal):' "$1" && return
    grep -v '^[[:space:]]*$' "$1" | tail -n 1
}

# step NAME WHAT COMMAND...: runs the command with its output in the log of that name.
step() {
    local name=$1 what=$2 log=$log_folder/setup-$1.log status reason
    shift 2
    mkdir -p "$log_folder"
    say "$what"
    # Not `if ! ...`: bash ignores `set -e` inside a function that is called as a condition.
    set +e
    (
        set -e
        "$@"
    ) >"$log" 2>&1 </dev/null
    status=$?
    set -e
    [ "$status" = 0 ] && return
    reason=$(reason_in "$log" | sed 's/^ *//')
    fail "$name failed: ${reason:-exit status $status} (all of it: $PWD/$log)"
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

# Asks for the password before output goes to a log, and only when there is something to install.
need_root() {
    [ "$(id -u)" = 0 ] && return
    command -v sudo >/dev/null || fail "system packages are missing ($*) and only root may install \
them: run 'make setup' as root, or install sudo"
    sudo true || fail "sudo was refused; it is needed to install: $*"
}

need_debian() {
    local ID='' VERSION_ID='' VERSION_CODENAME=''
    # shellcheck disable=SC1091
    . /etc/os-release
    [ "$ID" = debian ] || fail "this machine runs ${ID:-an unknown system}; set-up knows Debian 12 \
and later (elsewhere: install PostgreSQL with TimescaleDB, set MILLPOND_DATABASE_URL)"
    [ -z "$VERSION_ID" ] || [ "${VERSION_ID%%.*}" -ge 12 ] \
        || fail "this is Debian $VERSION_ID; set-up knows Debian 12 and later"
    debian_codename=$VERSION_CODENAME
}

installed() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

apt_get() {
    as_root env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 apt-get -q -y \
        -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$@"
}

# Package lists may be absent (fresh image) or old; a broken third-party source must not stop us.
update_package_lists() {
    [ -z "${package_lists_are_new:-}" ] || return 0
    local log=$log_folder/setup-package-lists.log
    mkdir -p "$log_folder"
    say "reading the package lists"
    apt_get update >"$log" 2>&1 </dev/null \
        || say "not all could be read, going on with those at hand ($(reason_in "$log"))"
    package_lists_are_new=yes
}

# --- services that Debian would start ------------------------------------------------------------
# Debian starts a service when its package arrives: mosquitto, a PostgreSQL cluster "main". Millpond
# runs private ones. During our own installation no service starts that was not there before;
# those that were there are restarted as ever when an upgrade touches them.

readonly policy=/usr/sbin/policy-rc.d
readonly cluster_setting=/etc/postgresql-common/createcluster.d/millpond-set-up.conf
readonly kept_policy=$policy.before-millpond

known_services() {
    find /etc/init.d /lib/systemd/system /usr/lib/systemd/system -maxdepth 1 -printf '%f\n' \
        2>/dev/null | sed 's/\.service$//' | sort -u | tr '\n' ' '
}

hold_back_services() {
    release_services
    if [ -e "$policy" ]; then as_root mv "$policy" "$kept_policy"; fi
    as_root tee "$policy" >/dev/null <<POLICY
#!/bin/sh
# Written by Millpond's set-up while it installs packages; it removes this file afterwards.
known=' $(known_services)'
case "\$known" in *" \${1%.service} "*) ;; *) exit 101 ;; esac
[ ! -x $kept_policy ] || exec $kept_policy "\$@"
POLICY
    as_root chmod 755 "$policy"
    as_root mkdir -p "$(dirname "$cluster_setting")"
    echo 'create_main_cluster = false' | as_root tee "$cluster_setting" >/dev/null
}

release_services() {
    if grep -qs "Written by Millpond's set-up" "$policy"; then as_root rm -f "$policy"; fi
    if [ -e "$kept_policy" ]; then as_root mv "$kept_policy" "$policy"; fi
    as_root rm -f "$cluster_setting"
}

install_packages() {
    local mosquitto_is_new=
    installed mosquitto || mosquitto_is_new=yes
    trap release_services EXIT
    hold_back_services
    apt_get install --no-install-recommends "$@"
    release_services
    trap - EXIT
    if [ -n "$mosquitto_is_new" ] && installed mosquitto && [ -d /run/systemd/system ]; then
        as_root systemctl disable --quiet mosquitto.service
    fi
}

# --- system packages -----------------------------------------------------------------------------

python_is_usable() {
    "$1" -c "import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))" 2>/dev/null
}

find_python() {
    local candidate
    for candidate in /usr/bin/python3 python3; do
        if python_is_usable "$candidate"; then
            python=$candidate
            return
        fi
    done
    return 1
}

set_up_packages() {
    local missing=() package
    for package in mosquitto chromium fonts-noto-cjk libpangoft2-1.0-0 libharfbuzz-subset0; do
        installed "$package" || missing+=("$package")
    done
    find_python || missing+=(python3-venv)
    [ "${#missing[@]}" -gt 0 ] || return 0
    need_debian
    need_root "${missing[@]}"
    update_package_lists
    step packages "installing ${missing[*]}" install_packages "${missing[@]}"
}

# --- TimescaleDB ---------------------------------------------------------------------------------

# A complete extension: the loader, the library and the SQL file of the version that is default.
timescaledb_is_there() {
    local control version libraries
    for control in /usr/share/postgresql/*/extension/timescaledb.control; do
        [ -e "$control" ] || continue
        version=$(sed -n "s/^default_version *= *'\(.*\)'/\1/p" "$control")
        libraries=/usr/lib/postgresql/$(basename "$(dirname "$(dirname "$control")")")
        if [ -x "$libraries/bin/postgres" ] && [ -e "$libraries/lib/timescaledb.so" ] \
            && [ -e "$libraries/lib/timescaledb-$version.so" ] \
            && [ -e "$(dirname "$control")/timescaledb--$version.sql" ]; then
            return
        fi
    done
    return 1
}

set_up_timescaledb() {
    local major
    timescaledb_is_there && return
    need_debian
    need_root "PostgreSQL with TimescaleDB"
    update_package_lists
    major=$(apt-cache pkgnames postgresql- | sed -n 's/^postgresql-\([0-9]*\)-timescaledb$/\1/p' \
        | sort -n | tail -n 1)
    if [ -n "$major" ]; then
        step timescaledb "installing postgresql-$major-timescaledb" \
            install_postgresql "postgresql-$major" "postgresql-$major-timescaledb"
    else
        [ "$debian_codename" = bookworm ] \
            || fail "this Debian ($debian_codename) offers no postgresql-NN-timescaledb package"
        step timescaledb "building TimescaleDB for PostgreSQL 15 (about two minutes)" \
            build_timescaledb
    fi
    timescaledb_is_there || fail "TimescaleDB is still incomplete after its installation \
(see $PWD/$log_folder/setup-timescaledb.log)"
}

# Debian's own packages are named only where they are missing: naming them would upgrade them.
install_postgresql() {
    local missing=() package
    for package in "$@"; do installed "$package" || missing+=("$package"); done
    [ "${#missing[@]}" = 0 ] || install_packages "${missing[@]}"
}

build_timescaledb() {
    install_postgresql postgresql-15 postgresql-server-dev-15 cmake gcc libc6-dev make libssl-dev \
        dpkg-dev debian-archive-keyring
    rm -rf "$build_folder/timescaledb"
    mkdir -p "$build_folder/timescaledb"
    fetch_timescaledb_source
    (
        cd "$build_folder/timescaledb/source"
        cmake -S . -B build -DPG_CONFIG=/usr/lib/postgresql/15/bin/pg_config \
            -DCMAKE_BUILD_TYPE=Release -DAPACHE_ONLY=1 -DREGRESS_CHECKS=OFF -DUSE_TELEMETRY=OFF \
            -DWARNINGS_AS_ERRORS=OFF
        make -C build -j "$(nproc)"
        as_root make -C build install
    )
    as_root rm -rf "$build_folder/timescaledb"
}

# The mirror as the machine's own apt configuration names it, whichever format that has.
debian_mirror() {
    # shellcheck disable=SC2016
    apt-get indextargets --format '$(CODENAME) $(COMPONENT) $(LABEL) $(REPO_URI)' \
        'Created-By: Packages' | sed -n 's/^bookworm main Debian //p' | grep -v '^cdrom:' | head -n 1
}

# Debian 13's source through private lists and caches: the machine's own sources stay as they are.
fetch_timescaledb_source() {
    local mirror private
    mirror=$(debian_mirror)
    [ -n "$mirror" ] || { echo "error: apt's configuration names no Debian mirror" && return 1; }
    private=$PWD/$build_folder/timescaledb/apt
    mkdir -p "$private/lists/partial" "$private/cache/archives/partial"
    echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main" \
        >"$private/sources.list"
    # apt would drop to a user that cannot enter a folder which is open to root only.
    local private_apt=(apt-get -q -o Dir::Etc::SourceList="$private/sources.list"
        -o Dir::Etc::SourceParts=/dev/null -o Dir::State::Lists="$private/lists"
        -o Dir::Cache="$private/cache" -o Acquire::Retries=3 -o APT::Sandbox::User="$(id -un)")
    "${private_apt[@]}" update
    (
        cd "$build_folder/timescaledb"
        "${private_apt[@]}" source timescaledb
        mv timescaledb-*/ source
    )
}

# --- Python --------------------------------------------------------------------------------------

# A virtual environment holds absolute paths and one Python's packages: after a move of the checkout
# or an upgrade of the system's Python it must be made anew.
environment_identity() { echo "$PWD $(.venv/bin/python -V 2>&1)"; }
wanted_stamp() {
    environment_identity
    cat requirements.lock pyproject.toml deploy/setup.sh | sha256sum
}

make_environment() {
    if [ -e "$stamp" ] && [ "$(head -n 1 "$stamp")" != "$(environment_identity)" ]; then
        rm -rf .venv
    fi
    .venv/bin/python -m pip --version || "$python" -m venv --clear .venv
    .venv/bin/python -m pip install --disable-pip-version-check --no-input --require-hashes \
        -r requirements.lock
    .venv/bin/python -m pip install --disable-pip-version-check --no-input --no-deps --no-index \
        --no-build-isolation --editable .
}

set_up_python() {
    [ "$(cat "$stamp" 2>/dev/null)" != "$(wanted_stamp)" ] || return 0
    find_python || fail "no python3 $minimum_python or later with its venv module was found"
    step python "installing the Python packages into .venv" make_environment
    wanted_stamp >"$stamp"
}

# --- servers for the interoperability tests ------------------------------------------------------

# Exactly what the lock in a folder names, and none of the packages' own install scripts.
install_npm() {
    (cd "$1" && npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier)
}

# set_up_npm FOLDER NAME WHAT
set_up_npm() {
    local folder=$1 name=$2 what=$3 wanted
    wanted="$(node --version) $(sha256sum <"$folder/package-lock.json")"
    [ "$(cat "$folder/node_modules/.millpond-setup" 2>/dev/null)" != "$wanted" ] || return 0
    step "$name" "installing $what" install_npm "$folder"
    echo "$wanted" >"$folder/node_modules/.millpond-setup"
}

# require() of ES modules came with 20.19; Debian 12 has 18.
node_is_new_enough() {
    node -e 'const [major, minor] = process.versions.node.split(".").map(Number);
        process.exit(major > 20 || (major === 20 && minor >= 19) ? 0 : 1)' 2>/dev/null
}

set_up_interop() {
    if ! command -v npm >/dev/null; then
        need_debian
        need_root npm
        update_package_lists
        step npm "installing npm" install_packages npm
    fi
    if ! node_is_new_enough; then
        set_up_npm tests/interop/runtime node "a newer Node.js for the tests"
        # npm leaves out optional packages for which the Node.js that runs it is too old.
        PATH=$(echo "$PWD"/tests/interop/runtime/node_modules/node-linux-*/bin):$PATH
    fi
    set_up_npm tests/interop interop "the servers of the interoperability tests"
}

set_up_packages
# Whoever brings a server needs none from here; the tests of the private cluster do.
[ -n "${MILLPOND_DATABASE_URL:-}" ] && [ "${1:-}" != tests ] || set_up_timescaledb
set_up_python
[ "${1:-}" != tests ] || set_up_interop
