#!/usr/bin/env bash
# Makes sure that everything needed for building is there. `scripts/setup.sh --help` explains.
set -euo pipefail

scripts=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
# shellcheck source=scripts/setup/needs.sh
. "$scripts/setup/needs.sh"
# shellcheck source=scripts/setup/find-swift.sh
. "$scripts/setup/find-swift.sh"
# shellcheck source=scripts/setup/fetch-swift.sh
. "$scripts/setup/fetch-swift.sh"

usage() {
  cat <<HELP
Usage: scripts/setup.sh [--yes] [--only-cluster] [--only-tests] [--only-distribution]

Looks for what building needs, and installs what is missing. Does nothing, and needs no network, where all is there.

Libraries are looked for as the build does it: by pkg-config (PKG_CONFIG_PATH) and the compiler (CPATH, LIBRARY_PATH), so
that those of a module, of Spack or of your own count. What is missing is installed by apt-get; where there is none, it is
named, with its version and how it is found.

Swift $swift_required or later is needed, too. Where it is missing, the script offers Debian's package, or swift.org's toolchain for this
system: about 1 GB is fetched, its signature checked, and 3 GB unpacked to a folder of its own, where the scripts here find it.

Options:
  --yes            Asks no questions: Swift is fetched where it is missing. Without a terminal, nothing is fetched otherwise.
  --only-cluster, --only-distribution
                   What scripts/cluster-test.sh or scripts/distribution-test.sh needs, instead.
  --only-tests     What the tests need besides, instead.
  -h, --help       This text.

COSFACE_SWIFT_HOME: where fetched toolchains are (default \$XDG_DATA_HOME/cosface-swift, ~/.local/share/cosface-swift).
COSFACE_SWIFT_PLATFORM: the toolchain of another system (debian12, ubuntu24.04, ubuntu22.04, fedora39, ubi9, amazonlinux2023,
amazonlinux2) than the nearest to this one.
COSFACE_SWIFT_URL: a mirror of https://download.swift.org.
COSFACE_SWIFT_KEYS: a file of public keys, each of which may have signed the toolchain. Without it: Swift's key for its
releases 6.x, from https://www.swift.org/keys/all-keys.asc.
HELP
}

fail() {
  echo "setup.sh: $*" >&2
  exit 1
}

# What is left of a fetched Swift that was refused, too.
clean_up() {
  rm -rf "$work"
  [[ ! $part ]] || { rm -rf "$part" && rmdir --ignore-fail-on-non-empty "$swift_home"; }
}

# ---- What is missing is installed, or named.

as_root() {
  if ((EUID == 0)); then "$@"; else sudo "$@"; fi
}

apt_version() { LC_ALL=C apt-cache policy "$1" 2>/dev/null | sed -n 's/^ *Candidate: \([^(].*\)/\1/p'; }

# The first of some names of a package that apt knows here; the first of all where it knows none.
apt_name() {
  local name
  for name; do
    if [[ $(apt_version "$name") ]]; then echo "$name" && return; fi
  done
  echo "$1"
}

# Installs what is in `missing`, by the names in `packages`.
install() {
  local names chosen=()
  if ! command -v apt-get >/dev/null; then
    {
      echo "setup.sh: these are missing here, or not found, and there is no apt-get to install them:"
      printf '  %s\n' "${missing[@]}"
      explain_search
    } >&2
    exit 1
  fi
  if [[ ! $updated ]] && { ((EUID == 0)) || command -v sudo >/dev/null; }; then
    as_root apt-get update --quiet --quiet || echo "setup.sh: going on with the lists of packages that are here" >&2
    updated=1
  fi
  for names in "${packages[@]}"; do
    # shellcheck disable=SC2086
    chosen+=("$(apt_name $names)")
  done
  ((EUID == 0)) || command -v sudo >/dev/null || fail "as root, run: apt-get install ${chosen[*]}"
  echo "setup.sh: installing by apt-get: ${chosen[*]}"
  as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install --yes --quiet --quiet --no-install-recommends "${chosen[@]}" ||
    fail "apt-get could not install them; they are for: $(join "${missing[@]}")"
}

# provide NEEDS: installs what is missing of the needs that this function states, and looks again.
provide() {
  look "$1"
  ((${#missing[@]})) || return 0
  install
  look "$1"
  ((${#missing[@]} == 0)) || fail "after apt-get these are still missing, or not found: $(join "${missing[@]}")"
}

# ---- Swift

set_up_swift() {
  local reason version
  provide swift_libraries
  if reason=$(swift_complaint); then return; fi
  version=$(apt_version swiftlang || true)
  if [[ $version ]] && is_at_least "$swift_required" "${version%%-*}"; then
    agree "$reason" "installs Debian's swiftlang ${version%%-*} by apt-get (3 GB)"
    missing=(Swift) packages=(swiftlang)
    install
  else
    fetch_swift "$reason"
  fi
  find_swift
  provide swift_libraries
  reason=$(swift_complaint) || fail "$reason"
}

# agree REASON ACTION: returns where ACTION is wanted.
agree() {
  local answer
  if [[ $yes ]]; then
    echo "setup.sh: $1; this $2"
    return
  fi
  [[ -t 0 && -t 2 ]] || fail "$1. 'scripts/setup.sh --yes' $2. Or install it yourself: https://www.swift.org/install/linux/"
  read -r -p "setup.sh: $1. A yes $2: [y/N] " answer
  [[ ${answer,,} == y || ${answer,,} == yes ]] || fail "Swift is needed: https://www.swift.org/install/linux/"
}

yes='' updated='' only=()
for argument; do
  case $argument in
    --yes) yes=1 ;;
    --only-cluster | --only-tests | --only-distribution) only+=("${argument#--only-}_needs") ;;
    -h | --help) usage && exit 0 ;;
    *) fail "there is no option $argument; --help lists them" ;;
  esac
done

work=$(mktemp -d)
part=''
trap clean_up EXIT
if ((${#only[@]})); then
  for needs in "${only[@]}"; do provide "$needs"; done
  exit 0
fi
find_swift
provide tools
provide libraries
warn_of_threads
set_up_swift
