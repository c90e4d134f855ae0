# Shared by the scripts beside it: finds a Python, and makes its virtual environment in .venv.
# Sourced with `set -euo pipefail`, never run.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
me=scripts/$(basename "$0")
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1

# Variables of the caller's own Python are not meant for ours (PYTHON itself chooses it), and what is made
# here can be read by others than its owner: a service runs as a user of its own.
for variable in "${!PYTHON@}"; do
    [ "$variable" = PYTHON ] || unset "$variable"
done
umask 022

# A terminal that is gone is no reason to stop half way.
say() {
    printf '%s: %s\n' "$me" "$1" >&2 || true
}

fail() {
    say "$1"
    exit 1
}

# Runs a command; what it prints is only shown when it fails.
quietly() {
    local output status=0
    output=$(mktemp)
    "$@" >"$output" 2>&1 </dev/null || status=$?
    [ "$status" = 0 ] || cat "$output" >&2
    rm -f "$output"
    return "$status"
}

# Prints "3.MINOR ok|no-venv|old PATH" for an interpreter that runs and is a plain release.
probe() {
    "$1" -I -c '
import os.path, sys, sysconfig
minor = sys.version_info[1]
state = "ok"
try:
    import venv, ensurepip
    ensurepip.version()
except Exception:
    state = "no-venv"
if sys.version_info < (3, 10):
    state = "old"
if sys.version_info[3] == "final" and not sysconfig.get_config_var("Py_GIL_DISABLED"):
    print("3.%d %s %s" % (minor, state, os.path.realpath(sys.executable)))
' 2>/dev/null </dev/null || true
}

# Every path that may be an interpreter, first choice first.
candidates() {
    local folder pyenv=${PYENV_ROOT:-${HOME:-}/.pyenv}
    local -a folders
    IFS=: read -r -a folders <<<"$PATH"
    for folder in "${folders[@]}" /usr/bin /usr/local/bin "$pyenv"/versions/*/bin \
        /opt/pyenv/*/bin /opt/pyenv/versions/*/bin /opt/python*/bin /opt/python/*/bin \
        "${HOME:-}"/.local/share/uv/python/*/bin; do
        # A shim of pyenv takes long to say which of the versions it stands for.
        [ "$folder" = "$pyenv/shims" ] || printf '%s\n' "$folder"/python3.[1-9][0-9] "$folder"/python3
    done
}

# One line of probe() for each version found, newest first; of several, one that has venv.
pythons() {
    local path
    candidates | while read -r path; do
        [ ! -x "$path" ] || readlink -f "$path"
    done | awk '!seen[$0]++' | while read -r path; do
        probe "$path"
    done | sort -s -t. -k2,2nr | awk '
        $2 == "ok" && !($1 in best) { best[$1] = $0; if (!($1 in other)) order[n++] = $1; next }
        !($1 in best) && !($1 in other) { other[$1] = $0; order[n++] = $1 }
        END { for (i = 0; i < n; i++) print (order[i] in best ? best[order[i]] : other[order[i]]) }'
}

# Sets $version and $python to $PYTHON, else to the newest usable Python.
choose_python() {
    local found state
    if [ -n "${PYTHON:-}" ]; then
        found=$(probe "$PYTHON")
        [ -n "$found" ] || fail "PYTHON=$PYTHON is not a Python that runs"
    else
        found=$(pythons | awk 'NR == 1 { best = $0 } $2 == "ok" && !ok { ok = best = $0 } END { print best }')
        [ -n "$found" ] || fail "no Python found: apt-get install python3 python3-venv"
    fi
    read -r version state python <<<"$found"
    case $state in
        old) fail "$python is Python $version, too old: 3.10 or newer is needed (apt-get install python3 python3-venv)" ;;
        no-venv) fail "$python has no venv module: apt-get install python3-venv" ;;
    esac
}

# tests_become COMMAND…: replaces this shell by COMMAND, in the environment of the tests; wants $bin.
tests_become() {
    exec "$bin/python" -I "$root/tests/support/environment.py" "$@"
}

# The requirements of setup.cfg, each pinned to its lower bound.
lower_bounds() {
    sed -nE 's/^ +([A-Za-z0-9_.-]+)>=([0-9.]+)(,<[0-9.]+)?$/\1==\2/p' "$root/setup.cfg"
}

# pip_install ARGUMENTS…: as the caller's pip reaches its index, and where a proxy is in the way without it.
pip_install() {
    local -a proxies=(HTTP_PROXY HTTPS_PROXY ALL_PROXY http_proxy https_proxy all_proxy)
    quietly "$bin/python" -m pip install "$@" && return
    [ -n "$(printenv "${proxies[@]}")" ] || return 1
    say "once more, without the proxies of the environment"
    quietly env "${proxies[@]/#/--unset=}" "$bin/python" -m pip install "$@"
}

# environment EXTRAS [lowest]: sets $bin to the programs of an environment of $python that has the
# package, editable, and EXTRAS installed. It is made once, and again when setup.cfg has changed.
environment() {
    local extras=$1 folder=$root/.venv/$version${2:+-$2}
    local made="$root $python" wanted
    local -a pinned=()
    bin=$folder/bin
    wanted=$(cat "$root/setup.cfg" "$root/setup.py" | sha256sum)
    mkdir -p "$root/.venv"
    exec 9>"$root/.venv/.lock"
    flock 9
    if [ "$(cat "$folder/.made" 2>/dev/null)" != "$made" ]; then
        say "making .venv/${folder##*/} with $python"
        quietly "$python" -m venv --clear "$folder" || fail "$python -m venv failed"
        echo "$made" >"$folder/.made"
    fi
    if [ "$(cat "$folder/.has-$extras" 2>/dev/null)" != "$wanted" ]; then
        say "installing execsvc${extras:+[$extras]} into .venv/${folder##*/}"
        if [ "${2:-}" = lowest ]; then
            lower_bounds >"$folder/lower-bounds.txt"
            pinned=(-c "$folder/lower-bounds.txt")
        fi
        (cd "$root" && pip_install --use-pep517 "${pinned[@]}" --editable ".${extras:+[$extras]}") ||
            fail "pip could not install execsvc, see above"
        echo "$wanted" >"$folder/.has-$extras"
    fi
    exec 9>&-
}
