#!/usr/bin/env bash
# Makes sure that everything needed for building is installed: Debian packages by apt, and Swift, which it cannot install.
# Does nothing, and needs no network, where all is there. --only-cluster: what scripts/cluster-test.sh needs, instead.
set -euo pipefail

packages=(
  libopenmpi-dev openmpi-bin openssh-client       # MPI; mpirun starts other nodes by ssh
  libopenblas-openmp-dev                          # matrix products; the variant that shares our threads
  libdnnl-dev                                     # convolutions
  libturbojpeg0-dev libjpeg62-turbo-dev           # images
  libspng-dev zlib1g-dev
  libxxhash-dev                                   # digests
  g++ pkg-config                                  # Swift links with g++'s libraries, libgomp among them
)

# To make hosts out of one machine. Debian also starts the service of openssh-server where it has systemd.
if [[ ${1:-} == --only-cluster ]]; then packages=(iproute2 openssh-client openssh-server util-linux procps); fi

if ! command -v dpkg-query >/dev/null; then
  echo "setup.sh: this is not Debian; see that you have what these packages hold: ${packages[*]}" >&2
else
  missing=()
  for package in "${packages[@]}"; do
    status=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true)
    [[ $status == installed ]] || missing+=("$package")
  done
  if ((${#missing[@]})); then
    as_root=()
    if ((EUID != 0)); then
      command -v sudo >/dev/null || {
        echo "setup.sh: as root, run: apt-get install ${missing[*]}" >&2
        exit 1
      }
      as_root=(sudo)
    fi
    echo "setup.sh: installing by apt-get: ${missing[*]}"
    "${as_root[@]}" apt-get update --quiet --quiet
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
      apt-get install --yes --quiet --quiet --no-install-recommends "${missing[@]}"
  fi

  if [[ ${1:-} == --only-cluster ]]; then exit 0; fi
  # Where both variants are installed Debian prefers pthread, whose second pool of threads would fight with ours.
  blas=$(readlink -f "/usr/lib/$(uname -m)-linux-gnu/libopenblas.so.0" || true)
  if [[ $blas != *openblas-openmp* ]]; then
    echo "setup.sh: warning: programs here load $blas; several threads per rank will be slow. To choose OpenMP's:" >&2
    echo "  sudo update-alternatives --config libopenblas.so.0-$(uname -m)-linux-gnu" >&2
  fi
fi

required=6.3
if ! command -v swift >/dev/null; then
  echo "setup.sh: Swift is missing. Install Swift $required from https://www.swift.org/install/linux/ and see that" \
    "'swift --version' works here." >&2
  exit 1
fi
# The tools' own notices come first in this text on some systems.
version=$(swift --version 2>&1 | sed -n 's/.*Swift version \([0-9.]*\).*/\1/p' | head -n 1)
if [[ $(printf '%s\n' "$required" "$version" | sort --version-sort | head -n 1) != "$required" ]]; then
  echo "setup.sh: Swift is version ${version:-unknown}; install $required or later from https://www.swift.org/install/linux/" >&2
  exit 1
fi
