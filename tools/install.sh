#!/bin/sh
# Make a virtual environment and install pinned, hashed packages and grader itself into it.
# usage: tools/install.sh VENV REQUIREMENTS        (the Makefile runs it)
set -eu
venv=$1
requirements=$2

say() { printf '%s\n' "$*" >&2; }

fail() { # what happened, what to type
    say "error: $1"
    say "hint: $2"
    exit 4
}

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
    for name in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11; do
        if command -v "$name" >/dev/null && new_enough "$name"; then
            command -v "$name"
            return
        fi
    done
    fail "no Python 3.11 or newer was found" "Install one, or name it: make demo PYTHON=/path/to/python3"
}

# Debian and Ubuntu ship Python without what makes virtual environments.
install_venv_package() { # python
    package=$("$1" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
    if ! command -v apt-get >/dev/null; then
        fail "$1 cannot make virtual environments" "Install the venv and ensurepip modules of your Python."
    fi
    if [ "$(id -u)" != 0 ] || [ -n "${GRADER_NO_INSTALL:-}" ]; then
        fail "$1 cannot make virtual environments" "Type: sudo apt-get install $package"
    fi
    say "installing $package"
    export DEBIAN_FRONTEND=noninteractive
    apt-get install -qq --yes "$package" >/dev/null 2>&1 \
        || { apt-get update -qq >/dev/null 2>&1 && apt-get install -qq --yes "$package" >/dev/null 2>&1; } \
        || fail "apt-get could not install $package" "Type: apt-get install $package   to see why."
}

if ! "$venv/bin/python" -c 'import pip' 2>/dev/null || ! new_enough "$venv/bin/python"; then
    python=$(find_python)
    say "making a virtual environment in $venv"
    "$python" -c 'import venv, ensurepip' 2>/dev/null || install_venv_package "$python"
    "$python" -m venv --clear "$venv" || fail "$python could not make $venv" "Look at the lines above."
fi

say "installing the packages of $requirements"
# The user's own pip settings hold (index, certificates, proxy), but for one that cannot work here.
export PIP_USER=0 PIP_DISABLE_PIP_VERSION_CHECK=1
"$venv/bin/python" -m pip install -qq --require-hashes -r "$requirements" \
    || fail "pip could not install $requirements" "pip must reach a package index; see: $venv/bin/python -m pip config list"
"$venv/bin/python" -m pip install -qq --no-index --no-deps --no-build-isolation --editable . \
    || fail "pip could not install grader itself" "Type: make clean   and try again."
