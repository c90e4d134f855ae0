# Shared by scripts/install and scripts/uninstall: where things are on a machine with systemd.
# Sourced behind _venv.sh, never run.
# shellcheck shell=bash disable=SC2034,SC2154

opt=/opt/execsvc
releases=$opt/releases
current=$opt/current
settings=/etc/execsvc
units=/etc/systemd/system
wrapper=/usr/local/bin/execsvc
# Made by uninstall when no position was open: a later --purge has no program to look with.
closed=$settings/uninstalled

need_root_and_systemd() {
    [ "$(id -u)" = 0 ] || fail "root has to run this: sudo $me"
    [ -d /run/systemd/system ] || fail "no systemd runs here: the daemon itself is execsvc run"
}

# One at a time; the lock goes with the process.
alone() {
    mkdir -p /run/lock
    exec 8>/run/lock/execsvc-install
    flock -n 8 || fail "another install or uninstall is at work"
}

# The files of a release outside of its virtual environment: "SOURCE TARGET", a line each.
system_files() {
    cat <<TXT
systemd/execsvc.service $units/execsvc.service
systemd/execsvc@.service $units/execsvc@.service
systemd/sysusers.d/execsvc.conf /etc/sysusers.d/execsvc.conf
systemd/tmpfiles.d/execsvc.conf /etc/tmpfiles.d/execsvc.conf
scripts/_wrapper $wrapper
TXT
}

# The units of ours that run, or try to: the service and its instances.
running_units() {
    systemctl list-units --plain --no-legend --all --state=active,activating,reloading,deactivating \
        execsvc.service 'execsvc@*.service' | awk '{ print $1 }'
}

# word UNIT: what the wrapper calls an instance, nothing for the service itself.
word() {
    case $1 in
        execsvc@*) name=${1#execsvc@} && echo "@${name%.service}" ;;
    esac
}

# ours UNIT COMMAND…: a command of the installed program, about this unit.
ours() {
    local unit=$1
    shift
    # shellcheck disable=SC2046 # no word at all for the service itself
    "$wrapper" $(word "$unit") "$@" </dev/null
}
