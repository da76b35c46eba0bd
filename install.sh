#!/bin/sh
# Sets stressaxis up in .venv beside this file. Run it again at any time: it only does what is missing.
#   sh install.sh          the program
#   sh install.sh test     the program and what its tests need
# PYTHON=/path/to/python3.12 sh install.sh   uses that Python (3.11 or newer).
set -eu
cd "$(dirname "$0")"

say() { printf '%s\n' "stressaxis: $*"; }

python=${PYTHON:-}
for candidate in python3 python3.13 python3.12 python3.11; do
    [ -z "$python" ] || break
    if command -v "$candidate" >/dev/null 2>&1 &&
        "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        python=$candidate
    fi
done
if [ -z "$python" ]; then
    say "Python 3.11 or newer is needed and was not found (PYTHON=/path/to/python names one)." >&2
    exit 1
fi

# --- libraries of the system: opencv-python's wheel links them, pip cannot bring them -------------------------------
missing=
if [ "$(uname -s)" = Linux ]; then
    libraries=$(PATH="$PATH:/sbin:/usr/sbin" ldconfig -p 2>/dev/null || true)
    has() { case "$libraries" in *"$1"*) return 0 ;; *) return 1 ;; esac; }
    has libGL.so.1 || missing="$missing libgl1"
    has libgthread-2.0.so.0 || missing="$missing libglib2.0-0"
    has libxcb.so.1 || missing="$missing libxcb1"
    if ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
        case "$(basename "$python")" in
            python3.*) missing="$missing $(basename "$python")-venv" ;;
            *) missing="$missing python3-venv" ;;
        esac
    fi
fi
if [ -n "$missing" ]; then
    line="apt-get install -y -qq --no-install-recommends$missing"
    if ! command -v apt-get >/dev/null 2>&1; then
        say "these system packages are missing:$missing (Debian's names). Install them and run this again." >&2
        exit 1
    elif [ "$(id -u)" = 0 ]; then
        say "installing system packages:$missing"
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive $line >/dev/null
    elif command -v sudo >/dev/null 2>&1 && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
        say "installing system packages through sudo:$missing"
        sudo apt-get update -qq
        sudo env DEBIAN_FRONTEND=noninteractive $line >/dev/null
    else
        say "system packages are missing. Ask an administrator to run this line, then run install.sh again:" >&2
        printf '    sudo apt-get update && sudo %s\n' "$line" >&2
        exit 1
    fi
fi

# --- the virtual environment ------------------------------------------------------------------------------------------
extras=${1:+[$1]}
[ -x .venv/bin/python ] || "$python" -m venv .venv
wanted=$(cat constraints.txt pyproject.toml | cksum)
stamp=".venv/installed${1:+-$1}"
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ]; then
    exit 0
fi
say "installing into .venv (a few minutes, about 1 GB)"
PIP_CONSTRAINT="$PWD/constraints.txt" PIP_DISABLE_PIP_VERSION_CHECK=1 \
    .venv/bin/python -m pip install --quiet --editable ".$extras"
printf '%s\n' "$wanted" > "$stamp"
say "ready: .venv/bin/stressaxis --help"
