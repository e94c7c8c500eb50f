#!/usr/bin/env bash
# Makes an image's root folder by the steps of Containerfile, and runs the program in it, by the image's own mpirun and, a
# container for each rank, by this system's. Needs Debian and root; what is made goes with the script. On another release:
#   scripts/distribution-test.sh trixie scripts/container/test.sh
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.."

# Mounts are made in a namespace of their own, and end with it: what is removed here has none. Containers see /tmp.
if [[ ${1:-} != --inside ]]; then
  work=$(mktemp --directory /tmp/cosface-image.XXXXXX)
  trap 'rm -rf --one-file-system "$work"' EXIT
  unshare --mount --propagation private "$0" --inside "$work"
  exit
fi
work=$2 folder=$2/cosface image=$2/root

fail() {
  echo "container/test.sh: $*" >&2
  exit 1
}

step() { echo && echo "== $*"; }

# started_as NAME COMMAND: a program that starts the image's.
started_as() {
  printf '#!/bin/sh\nexec %s chroot %q %q "$@"\n' "$2" "$image" "$folder/cosface" >"$work/$1"
  chmod +x "$work/$1"
}

step "Compiling, and collecting what an image needs"
scripts/container/build.sh compile "$folder"

step "The image's root folder"
scripts/container/build.sh root "$folder" "$image"
du --summarize --human-readable "$image"
# What engines show of the host.
mount --bind "$image" "$image"
for place in proc sys dev tmp; do mount --rbind "/$place" "$image/$place"; done
cmp <("$folder/cosface" --version) <(chroot "$image" cosface --version) || fail "the image has other libraries than this system"

step "The image's mpirun, in it"
chroot "$image" env COSFACE_BINARY="$folder/cosface" "$folder/scripts/launch.sh" -n 2 --bind none -- check

data=$work/faces
for person in 0 1 2 3; do
  mkdir -p "$data/p$person"
  for number in 0 1 2 3; do
    { printf 'P5\n48 48\n255\n' && head -c 2304 /dev/urandom; } >"$data/p$person/$number.pgm"
  done
done
train=(train --data "$data" --network mobilefacenet --embedding 32 --input-size 48 --batch-size 4 --steps 4 --seed 3)

step "This system's mpirun, without a container"
COSFACE_BINARY=$folder/cosface scripts/launch.sh -n 2 --bind none -- "${train[@]}" --output "$work/bare"

started_as container ''
started_as container-of-a-user 'unshare --user --map-root-user'
for program in container container-of-a-user; do
  step "This system's mpirun, each rank in a $program"
  COSFACE_BINARY=$work/$program scripts/launch.sh -n 2 --bind none -- check --data "$data"
  COSFACE_BINARY=$work/$program scripts/launch.sh -n 2 --bind none -- "${train[@]}" --output "$work/$program-run"
  cmp "$work/bare/model.safetensors" "$work/$program-run/model.safetensors" || fail "other weights than without a container"
done
echo && echo "ok      the image's program runs, and trains to the same bytes"
