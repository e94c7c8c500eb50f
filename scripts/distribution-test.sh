#!/usr/bin/env bash
# Runs the README's commands, or another, on another release of Debian. `scripts/distribution-test.sh --help` explains.
set -euo pipefail

self=$(readlink -f "${BASH_SOURCE[0]}")
root=$(dirname "$(dirname "$self")")
# shellcheck source=scripts/setup/find-swift.sh
. "$root/scripts/setup/find-swift.sh"
# shellcheck source=scripts/processes.sh
. "$root/scripts/processes.sh"

usage() {
  cat <<'HELP'
Usage: scripts/distribution-test.sh [options] SYSTEM [COMMAND [ARGUMENT]...]

  scripts/distribution-test.sh trixie                               both commands of the README, on Debian 13
  scripts/distribution-test.sh trixie scripts/quickstart.sh
  scripts/distribution-test.sh --again trixie scripts/drills/cluster.sh kill
  scripts/distribution-test.sh --remove trixie

SYSTEM is bookworm, trixie or sid. debootstrap makes a small root folder of it once, .cache/systems/SYSTEM. Then the
checkout, as it is committed, is cloned inside, and COMMAND runs in the clone; without COMMAND: scripts/quickstart.sh, then
scripts/test.sh. The exit code is COMMAND's.

Options:
  --again    Keeps the clone of the last time with what was built there, and brings it to the checkout's commit.
  --remove   Removes the root folder of SYSTEM, and ends.
  -h, --help This text.

Before COMMAND, scripts/setup.sh installs what building needs. Of this machine the root sees the network, the Swift toolchain
(read only), and the settings for git, pip and certificates, so that mirrors and proxies serve there, too. Where SYSTEM
no longer has libxml2.so.2, which toolchains of swift.org ask for, it is copied from this machine into the root's
/usr/local/lib, with what it asks for itself; the script says so. All mounts and processes belong to namespaces, and go with
this script, however it ends. Needs root; debootstrap is installed where it is missing.
DEBIAN_MIRROR: where packages come from (default http://deb.debian.org/debian).
HELP
}

fail() {
  echo "distribution-test.sh: $*" >&2
  exit 2
}

# ---- Outside: the root folder, and the namespaces that end with this process.

make_root() {
  local mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
  "$root/scripts/setup.sh" --only-distribution
  echo "distribution-test.sh: debootstrap makes $system_root (half a minute)"
  mkdir -p "$systems"
  rm -rf "$system_root.part"
  debootstrap --variant=minbase "$system" "$system_root.part" "$mirror" >"$systems/$system.log" 2>&1 ||
    fail "debootstrap failed: $(tail -n 1 "$systems/$system.log"); all that it says is in $systems/$system.log"
  mv "$system_root.part" "$system_root"
}

# Settings of this machine without which nothing can be fetched in some places.
bring_settings() {
  local file
  cp --dereference /etc/resolv.conf "$system_root/etc/resolv.conf"
  # Every machine has it; newer debootstraps' small roots do not.
  if [[ ! -e $system_root/etc/hosts ]]; then printf '127.0.0.1 localhost\n' >"$system_root/etc/hosts"; fi
  for file in /etc/gitconfig /etc/gitignore /etc/pip.conf; do
    if [[ -e $file ]]; then cp "$file" "$system_root/etc/"; fi
  done
  mkdir -p "$system_root/usr/local/share/ca-certificates"
  for file in /usr/local/share/ca-certificates/*.crt; do
    if [[ -e $file ]]; then cp "$file" "$system_root/usr/local/share/ca-certificates/"; fi
  done
}

clone() {
  local place=$system_root/root/cosface commit
  commit=$(git -C "$root" rev-parse HEAD)
  if [[ -n $(git -C "$root" status --porcelain --untracked-files=no) ]]; then
    echo "distribution-test.sh: the checkout has changes that are not committed: they take no part" >&2
  fi
  if [[ ! $again || ! -d $place/.git ]]; then
    rm -rf "$place"
    git clone --quiet --no-hardlinks "$root" "$place"
  fi
  git -C "$place" fetch --quiet "$root" "$commit"
  git -C "$place" checkout --quiet --force --detach "$commit"
}

outside() {
  again='' remove=''
  while (($#)); do
    case $1 in
      --again) again=1 && shift ;;
      --remove) remove=1 && shift ;;
      -h | --help) usage && exit 0 ;;
      -*) fail "there is no option $1; --help lists them" ;;
      *) break ;;
    esac
  done
  case ${1:-} in
    bookworm | trixie | sid) system=$1 && shift ;;
    *) fail "which system: bookworm, trixie or sid, not '${1:-}'; --help explains" ;;
  esac
  systems=$root/.cache/systems system_root=$root/.cache/systems/$system
  if [[ $remove ]]; then
    # Nothing is mounted there but in the namespaces of a run that goes on.
    rm -rf --one-file-system "$system_root" "$system_root.part" "$systems/$system.log"
    exit 0
  fi
  ((EUID == 0)) || fail "needs root, for debootstrap and mounts: try sudo $0 ..."
  find_swift
  toolchain=$(swift_folder) || fail "Swift is missing here: scripts/setup.sh"
  [[ $toolchain == /*/usr/bin ]] || fail "$toolchain is no folder of a toolchain from swift.org, which could be lent: scripts/setup.sh"
  [[ -d $system_root ]] || make_root
  bring_settings
  clone
  in_namespaces --propagation private -- "$self" --inside "$system_root" "${toolchain%/usr/bin}" "$@"
  exit "$code"
}

# ---- Inside: namespaces of its own.

# Local folders that git takes packages from instead of the network.
mirrors() { git config --list | sed -n 's/^url\.\(\/.*\)\.insteadof=.*/\1/p' | sort -u; }

# bind FOLDER: shows this machine's folder at the same place, read only.
bind() {
  mkdir -p "$system_root$1"
  mount --bind "$1" "$system_root$1"
  mount -o remount,ro,bind "$system_root$1"
}

# A root of its own, not chroot: who enters this namespace later (hosts of cluster-test.sh do) finds the same one.
enter() {
  local folder
  mount --bind "$system_root" "$system_root"
  bind "$toolchain"
  while read -r folder; do bind "$folder"; done < <(mirrors)
  mount -t proc proc "$system_root/proc"
  mount --rbind /sys "$system_root/sys"
  mount -t tmpfs -o mode=755 tmpfs "$system_root/dev"
  for folder in null zero full random urandom tty; do
    touch "$system_root/dev/$folder"
    mount --bind "/dev/$folder" "$system_root/dev/$folder"
  done
  mkdir "$system_root"/dev/{shm,pts}
  mount -t tmpfs -o mode=1777 tmpfs "$system_root/dev/shm"
  mount -t devpts -o newinstance,ptmxmode=0666 devpts "$system_root/dev/pts"
  ln -s pts/ptmx "$system_root/dev/ptmx"
  for folder in fd:/proc/self/fd stdin:/proc/self/fd/0 stdout:/proc/self/fd/1 stderr:/proc/self/fd/2; do
    ln -s "${folder#*:}" "$system_root/dev/${folder%%:*}"
  done
  mount -t tmpfs -o mode=1777 tmpfs "$system_root/run"
  # The old root stays at a place of its own until libraries have been looked for there.
  mkdir -p "$system_root/old"
  cd "$system_root"
  pivot_root . old
  cd /root
}

install() { DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet --quiet --no-install-recommends "$@" >/dev/null; }

# What a fresh machine with git and Swift has.
furnish() {
  [[ ! -e /root/.furnished ]] || return 0
  # Lists of a mirror that stands still expire; to a root that only tests it does no harm.
  echo 'Acquire::Check-Valid-Until "false";' >/etc/apt/apt.conf.d/99cosface
  apt-get update --quiet --quiet
  install git ca-certificates
  update-ca-certificates >/dev/null 2>&1
  # Its package has another name and library in some releases after Debian 13.
  install libxml2 2>/dev/null || true
  [[ $(ldconfig -p) == *libxml2.so.2* ]] || lend libxml2.so.2
  touch /root/.furnished
}

# lend LIBRARY: copies it from this machine, with the libraries that it asks for itself and that are not here.
lend() {
  local file name
  file=$(find /old/usr/lib /old/lib -name "$1" -print -quit)
  [[ $file ]] || fail "the toolchain asks for $1, which neither $system nor this machine has"
  echo "distribution-test.sh: $system no longer has $1, which the toolchain asks for: copied from this machine"
  cp --dereference "$file" "/usr/local/lib/$1"
  ldconfig
  for name in $(ldd "/usr/local/lib/$1" | awk '/not found/ { print $1 }'); do lend "$name"; done
}

inside() {
  system_root=$1 toolchain=$2 system=$(basename "$1")
  shift 2
  enter
  export HOME=/root PATH=$toolchain/usr/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8
  furnish
  umount -l /old
  cd cosface
  scripts/setup.sh
  local kept=() name job='' code=0
  while read -r name; do kept+=("$name=${!name}"); done < <(compgen -e | grep -iE '^(https?_proxy|no_proxy|TERM|PIP_.*)$')
  if ((!$#)); then set -- bash -c 'scripts/quickstart.sh && scripts/test.sh'; fi
  trap 'if [[ $job ]]; then kill -TERM "$job" 2>/dev/null || true; else exit 143; fi' TERM
  env -i HOME="$HOME" PATH="$PATH" LANG="$LANG" "${kept[@]}" "$@" <&0 &
  job=$!
  ended "$job"
  exit "$code"
}

if [[ ${1:-} == --inside ]]; then
  shift
  inside "$@"
else
  outside "$@"
fi
