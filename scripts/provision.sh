#!/usr/bin/env bash
# Installs the outside programs that tests use today, from Debian's own packages. Does nothing where all are there.
#   scripts/provision.sh            what `BALLAST_TEST_ALL=1 npm test` needs
#   scripts/provision.sh --golden   also the Python environment in which golden numbers are made again
set -euo pipefail
cd "$(dirname "$0")/.."

missing=()

# want COMMAND PACKAGE...: the packages are installed when the command is not there.
want() {
  local command=$1
  shift
  command -v "$command" >/dev/null 2>&1 || missing+=("$@")
}

want python3 python3

golden=no
for argument in "$@"; do
  case $argument in
    --golden) golden=yes ;;
    *)
      echo "provision: found argument \"$argument\", expected --golden or none" >&2
      exit 2
      ;;
  esac
done
# The module may be absent where the command is there.
if [ "$golden" = yes ] && ! python3 -c 'import ensurepip, venv' >/dev/null 2>&1; then
  missing+=(python3 python3-venv)
fi

if [ ${#missing[@]} -gt 0 ]; then
  if ! command -v apt-get >/dev/null 2>&1; then
    echo "provision: found no apt-get, expected it or these installed by hand: ${missing[*]}" >&2
    exit 1
  fi
  sudo=()
  if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null 2>&1; then
      echo "provision: found user $(id -un) without sudo, expected root to install: ${missing[*]}" >&2
      exit 1
    fi
    sudo=(sudo)
  fi
  export DEBIAN_FRONTEND=noninteractive
  "${sudo[@]}" apt-get update -qq
  "${sudo[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}"
  echo "provision: installed ${missing[*]}"
else
  echo 'provision: everything is there'
fi

if [ "$golden" = yes ]; then
  environment=test/golden/.venv
  [ -x "$environment/bin/python" ] || python3 -m venv "$environment"
  if [ -f test/golden/requirements.txt ]; then
    "$environment/bin/python" -m pip install --quiet --requirement test/golden/requirements.txt
  fi
  echo "provision: golden generators run with $environment/bin/python"
fi
