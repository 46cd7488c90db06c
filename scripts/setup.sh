# shellcheck shell=bash
# Sourced by play, bench and test: system packages and the virtual environment.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
VENV=$ROOT/.venv
installing=
apt_updated=

# In a terminal, on a line of its own even while pip's progress is shown.
say() {
    [[ ! -t 2 ]] || printf '\r\033[K' >&2
    printf '%s\n' "$*" >&2
}
die() {
    say "$@"
    exit 1
}

# Shows a command's output only when it fails.
quietly() {
    local output
    output=$("$@" 2>&1 </dev/null) || {
        printf '%s\n' "$output" | tail -n 15 >&2
        return 1
    }
}

# Asked once: "yes" or "no" from then on.
may_install() {
    [[ -n $installing ]] || if can_install; then installing=yes; else installing=no; fi
    [[ $installing == yes ]]
}

can_install() {
    command -v apt-get >/dev/null || return 1
    [[ $(id -u) == 0 ]] && return
    command -v sudo >/dev/null || return 1
    sudo -n true 2>/dev/null && return
    # Without a terminal nobody can enter the password.
    [[ -t 0 ]] || return 1
    say "System packages are missing; installing them needs your password."
    sudo -v
}

as_root() {
    if [[ $(id -u) == 0 ]]; then
        env DEBIAN_FRONTEND=noninteractive "$@"
    else
        sudo env DEBIAN_FRONTEND=noninteractive "$@"
    fi
}

apt_update() {
    [[ -z $apt_updated ]] || return 1
    apt_updated=yes
    # One broken third-party source must not keep the others from being used.
    quietly as_root apt-get update -qq || true
}

apt_offers() { apt-cache show "$1" >/dev/null 2>&1; }

# --no-remove: never remove a package of the user's.
# Non-interactively, jackd2's question about real-time priority gets its default answer, "no".
apt_get() {
    as_root apt-get install -qq -y --no-install-recommends --no-remove -o DPkg::Lock::Timeout=120 "$@"
}

# The package lists are updated only if an installation fails with the present ones.
apt_install() {
    say "Installing $* ..."
    apt_get "$@" >/dev/null 2>&1 </dev/null && return
    apt_update || true
    quietly apt_get "$@"
}

find_python() {
    local name
    for name in python3 python3.13 python3.12 python3.11 python3.14; do
        # Debian's python3 has no ensurepip until python3-venv is installed.
        if "$name" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            command -v "$name"
            return
        fi
    done
    return 1
}

# The packages that provide a recent enough Python; empty if there are none.
python_packages() {
    local minor version
    minor=$(apt-cache show --no-all-versions python3 2>/dev/null | sed -n 's/^Version: 3\.\([0-9]*\).*/\1/p' || true)
    if ((${minor:-11} >= 11)); then
        echo python3 python3-venv
        return
    fi
    # Ubuntu 22.04's python3 is 3.10; it offers 3.11 as well.
    for version in 3.13 3.12 3.11; do
        if apt_offers "python$version-venv"; then
            echo "python$version" "python$version-venv"
            return
        fi
    done
}

portaudio_package() {
    if ! apt_offers libportaudio2 && apt_offers libportaudio2t64; then
        echo libportaudio2t64
    else
        echo libportaudio2
    fi
}

have_portaudio() {
    # Elsewhere the sounddevice wheel includes it.
    [[ $(uname -s) == Linux ]] || return 0
    # /sbin is not on an ordinary Debian user's PATH.
    [[ $(PATH=$PATH:/sbin:/usr/sbin ldconfig -p 2>/dev/null) == *libportaudio.so.2* ]]
}

how_to_install() {
    if command -v apt-get >/dev/null; then
        say "    sudo apt-get update && sudo apt-get install $*"
    else
        say "    (no apt-get here: use this system's package manager for what Debian calls $*)"
    fi
}

need_python() {
    local packages
    PYTHON=$(find_python) && return
    if may_install && ! apt_offers python3-venv; then
        apt_update || true
    fi
    packages=$(python_packages)
    # Outdated lists may lack it.
    if [[ -z $packages ]] && may_install && apt_update; then packages=$(python_packages); fi
    if [[ -z $packages ]]; then
        die "cmaudio needs Python 3.11 or newer, and this system's packages have none." \
            "Install one so that python3.11 (or newer) is on PATH, then run this again."
    fi
    if may_install; then
        # shellcheck disable=SC2086  # a list of packages
        apt_install $packages || true
        PYTHON=$(find_python) && return
    fi
    say "cmaudio needs Python 3.11 or newer with venv. Run this, then start again:"
    have_portaudio || packages+=" $(portaudio_package)"
    how_to_install "$packages"
    exit 1
}

need_portaudio() {
    have_portaudio && return
    if may_install; then
        apt_offers libportaudio2 || apt_offers libportaudio2t64 || apt_update || true
        apt_install "$(portaudio_package)" && return
    fi
    say "PortAudio is missing, so no sound card can be used. To install it:"
    how_to_install "$(portaudio_package)"
}

have_jack() { [[ $(uname -s) != Linux ]] || command -v jackd >/dev/null; }

have_chromium() {
    [[ $(uname -s) != Linux ]] || { command -v chromium && command -v chromedriver; } >/dev/null
}

# A virtual sound card, for measuring and testing where there is none.
want_jack() {
    have_jack && return
    if may_install && apt_install jackd2; then return; fi
    say "$1 To install it:"
    how_to_install jackd2
}

# A browser for the tests of the panel.
want_chromium() {
    have_chromium && return
    # Ubuntu's packages only install snaps, which root cannot drive in a container.
    if grep -q '^ID=debian' /etc/os-release 2>/dev/null && may_install && apt_install chromium chromium-driver; then return; fi
    say "$1 To install it:"
    how_to_install chromium chromium-driver
}

python_runs() { "$VENV/bin/python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

# Some tools create environments without pip.
working_venv() {
    python_runs || return 1
    "$VENV/bin/python" -c 'import pip' 2>/dev/null || "$VENV/bin/python" -m ensurepip >/dev/null 2>&1
}

# One line in a terminal, rewritten every second: the time so far, and what pip is busy with. Its errors stay.
progress() {
    local line='' doing='' since=$SECONDS status
    while :; do
        status=0
        IFS= read -r -t 1 line || status=$?
        if ((status > 128)); then line=; elif ((status)); then break; fi
        case $line in
            Collecting* | "Installing collected"*) doing=${line%%[,(:]*} ;;
            *ERROR:*) printf '\r\033[K%s\n' "$line" ;;
        esac
        printf '\r\033[K%4d s  %.60s' $((SECONDS - since)) "$doing"
    done
    printf '\r\033[K'
}

# --no-compile: Python compiles what is imported when it is first imported, a fraction of what is installed.
pip_install() {
    local pip=("$VENV/bin/python" -m pip install --disable-pip-version-check --no-compile)
    if [[ -t 2 ]]; then
        "${pip[@]}" "$@" 2>&1 </dev/null | progress >&2
    else
        "${pip[@]}" --quiet "$@" </dev/null
    fi
}

have_module() { "$VENV/bin/python" -c 'import importlib.util, sys; sys.exit(not importlib.util.find_spec(sys.argv[1]))' "$1"; }

# install_package EXTRAS: a stamp in the environment names the pyproject.toml it was last installed from.
install_package() {
    local extras=$1 stamp=$VENV/.cmaudio-stamp mark
    # The directory is part of the mark, since the environment of a moved checkout still points to the old place.
    mark="$(cksum <"$ROOT/pyproject.toml") $ROOT"
    if [[ -x $VENV/bin/cmaudio ]] && grep -qxF "$mark [$extras]" "$stamp" 2>/dev/null; then
        return
    fi
    say "Installing cmaudio${extras:+ [$extras]} into .venv (takes a while the first time) ..."
    pip_install -e "$ROOT${extras:+[$extras]}" || die "pip could not install cmaudio; its message is above."
    # Every set of extras includes the plain package; stamps of another pyproject.toml no longer count.
    { grep -F "$mark [" "$stamp" 2>/dev/null || true; printf '%s\n' "$mark []" "$mark [$extras]"; } >"$stamp.new"
    mv "$stamp.new" "$stamp"
}

# make_venv: Python, PortAudio and an empty environment.
make_venv() {
    if working_venv; then
        need_portaudio
    else
        need_python
        need_portaudio
        [[ ! -e $VENV ]] || say "The .venv here has no working Python 3.11 or newer with pip: recreating it."
        quietly "$PYTHON" -m venv --clear "$VENV" || die "Could not make $VENV."
    fi
}

# set_up EXTRAS
set_up() {
    make_venv
    install_package "$1"
}

# Everything for the tests. Packages of the system are installed while pip runs.
set_up_tests() {
    local packages
    make_venv
    # A question for a password comes first.
    { have_jack && have_chromium; } || may_install || true
    {
        want_jack "jackd is missing: the tests on a real audio device will be skipped."
        want_chromium "Chromium is missing: the tests of the panel in a browser will be skipped."
    } &
    packages=$!
    # shellcheck disable=SC2064  # known now, and local
    trap "wait $packages" EXIT
    install_package train,dev,evaluate,serve
    if ! have_module tinysoundfont; then
        # --no-deps: it asks for pyaudio, which needs a compiler and is not used here.
        quietly pip_install --no-deps tinysoundfont ||
            say "tinysoundfont cannot be installed: the evaluation's tests that need it will be skipped."
    fi
    if ! have_module axe_playwright_python; then
        # --no-deps: only its copy of axe-core is used, not Playwright.
        quietly pip_install --no-deps axe-playwright-python ||
            say "axe-core cannot be installed: the tests of the panel for accessibility will be skipped."
    fi
    trap - EXIT
    wait "$packages" || true
}
