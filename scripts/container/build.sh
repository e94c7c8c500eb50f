#!/usr/bin/env bash
# The steps by which Containerfile and cosface.def make an image. `scripts/container/build.sh --help` explains.
set -euo pipefail

scripts=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")

usage() {
  cat <<'HELP'
Usage: scripts/container/build.sh compile FOLDER
       scripts/container/build.sh install FOLDER
       scripts/container/build.sh root FOLDER ROOT

compile   Installs what building needs (scripts/setup.sh --yes), builds the program in this checkout, and puts into FOLDER
          the program, those of its libraries that belong to no Debian package (Swift's), the names of the packages that
          have the others, and the scripts.
install   On a bare Debian of the same release, with FOLDER at the place where it will stay: installs those packages and
          mpirun, and links the program to /usr/local/bin/cosface.
root      Makes an image's root folder, ROOT, where there is no engine for containers: a bare Debian of this system's
          release by debootstrap, with FOLDER in it and installed. Apptainer packs such a folder (apptainer build
          cosface.sif ROOT/), and so does podman (tar -C ROOT -c . | podman import - cosface).

All of it needs Debian or Ubuntu, and to be root. scripts/container/README.md says how images are made and used.
HELP
}

fail() {
  echo "container/build.sh: $*" >&2
  exit 1
}

apt_install() {
  apt-get update --quiet --quiet
  DEBIAN_FRONTEND=noninteractive apt-get --option Dpkg::Use-Pty=0 install --yes --quiet --quiet \
    --no-install-recommends "$@" >/dev/null
}

# The package that a file belongs to; none for those of no package. Older Debians list some files without /usr before them.
owner() {
  { dpkg-query --search "$1" 2>/dev/null || dpkg-query --search "${1#/usr}" 2>/dev/null || true; } | sed 's/:.*//;q'
}

compile() {
  local library package
  cd "$scripts/.."
  # For the packages that SwiftPM fetches.
  [[ -e /etc/ssl/certs/ca-certificates.crt ]] || apt_install ca-certificates
  scripts/setup.sh --yes
  # shellcheck source=scripts/setup/find-swift.sh
  . scripts/setup/find-swift.sh
  find_swift
  swift build -c release --product cosface
  mkdir -p "$folder"
  cp .build/release/cosface "$folder/"
  cp --recursive scripts "$folder/"
  [[ $(ldd "$folder/cosface") != *'not found'* ]] || fail "$folder/cosface lacks libraries: $(ldd "$folder/cosface")"
  # The program looks for libraries beside itself, too.
  ldd "$folder/cosface" | awk '$3 ~ /^\// { print $3 }' | while read -r library; do
    package=$(owner "$(readlink -f "$library")")
    if [[ $package ]]; then echo "$package"; else cp --dereference "$library" "$folder/"; fi
  done | sort -u >"$folder/packages"
  echo openmpi-bin >>"$folder/packages"
  echo "container/build.sh: $folder has the program, and needs $(wc -l <"$folder/packages") packages"
}

install() {
  local packages absent
  mapfile -t packages <"$folder/packages"
  apt_install "${packages[@]}"
  apt-get clean
  rm -rf /var/lib/apt/lists/*
  absent=$(ldd "$folder/cosface" | grep 'not found' || true)
  [[ -z $absent ]] || fail "$folder/cosface lacks libraries: $absent"
  ln --symbolic --force "$folder/cosface" /usr/local/bin/cosface
  cosface --version
}

root() {
  local root=$1 release
  [[ ! -e $root ]] || fail "$root is there already"
  release=$(. /etc/os-release && echo "$VERSION_CODENAME")
  "$scripts/setup.sh" --only-distribution
  debootstrap --variant=minbase "$release" "$root" ${DEBIAN_MIRROR:+"$DEBIAN_MIRROR"} >/dev/null ||
    fail "debootstrap failed: see $root/debootstrap/debootstrap.log"
  mkdir -p "$root$(dirname "$folder")"
  cp --recursive "$folder" "$root$folder"
  # As this system finds packages.
  cp --dereference /etc/resolv.conf "$root/etc/"
  cp --recursive --no-clobber /etc/apt/apt.conf.d "$root/etc/apt/"
  # Without /proc no program finds what lies beside it. The mount ends with the command.
  # shellcheck disable=SC2016
  unshare --mount --propagation private bash -c 'mount --bind /proc "$0/proc" && exec chroot "$0" "$@"' "$root" \
    "$folder/scripts/container/build.sh" install "$folder"
}

case "${1:-} $#" in
  '-h 1' | '--help 1') usage && exit 0 ;;
  'compile 2' | 'install 2' | 'root 3') ;;
  *) usage >&2 && exit 2 ;;
esac
step=$1 folder=$(realpath --canonicalize-missing "$2")
shift 2
"$step" "$@"
