#!/usr/bin/env bash
# disk-full.sh: a run whose folder is on a small disk that fills up, at four moments: while a checkpoint is written, with no
# byte left at a resume, when only the metrics still fit, and at the final model. Each time: a clear message and an exit
# code, the last good checkpoint whole, and after space is made the run goes on to the same bytes as one that had space.
# The disk is a tmpfs of this script's own, in a mount namespace: it needs root, or user namespaces.
# COSFACE_BINARY names a program that is built already.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source scripts/drills/faces.sh
source scripts/mpirun.sh

if [[ ! ${COSFACE_DRILL_WORK:-} ]]; then
  if [[ ! ${COSFACE_BINARY:-} ]]; then swift build -c release --product cosface >&2; fi
  COSFACE_BINARY=$(realpath "${COSFACE_BINARY:-.build/release/cosface}")
  COSFACE_DRILL_WORK=$(mktemp -d)
  export COSFACE_BINARY COSFACE_DRILL_WORK
  trap 'rm -rf "$COSFACE_DRILL_WORK"' EXIT
  namespace=(unshare --mount)
  if ((EUID != 0)); then namespace+=(--map-root-user); fi
  "${namespace[@]}" "$BASH" scripts/drills/disk-full.sh
  exit
fi

# From here on in the namespace: the mount goes with it.
work=$COSFACE_DRILL_WORK disk=$COSFACE_DRILL_WORK/disk
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMP_NUM_THREADS=1
mkdir "$disk"
mount -t tmpfs -o size=64m cosface-drill "$disk"
make_faces "$work/faces" 4 7

# shellcheck disable=SC2046
launch=(mpirun -n 2 $(placement_options none 1 turns) --timeout 300 "$COSFACE_BINARY" train)
options=(
  --data "$work/faces" --network mobilefacenet --embedding 32 --input-size 48 --batch-size 4 --steps 20
  --optimizer sgd --learning-rate 0.02 --logit-scale 16 --augment standard --checkpoint-every 4 --keep 9
)
failed=0
fail() {
  echo "  FAILED: $*"
  sed 's/^/    /' "$work/log" | tail -n 20
  failed=1
}
# expect CODE COMMAND...: 'error' is any exit code of a failure.
expect() {
  local wanted=$1 code=0
  shift
  "$@" >"$work/log" 2>&1 || code=$?
  if [[ $wanted == error ]]; then
    ((code != 0 && code != 75)) || fail "exit code $code of a run that cannot write"
    (($(grep -c 'No space left on device' "$work/log") == 1)) && grep -q 'The disk is full' "$work/log" ||
      fail 'not exactly one message that says so'
    echo "  $(grep -m 1 'No space left' "$work/log")"
  elif ((code != wanted)); then
    fail "exit code $code, not $wanted: $*"
  fi
}
free() { df --output=avail -B1 "$disk" | tail -n 1; }
# leave BYTES: fills the disk but for so many.
leave() {
  rm -f "$disk/filler"
  head -c $(($(free) - $1)) /dev/zero >"$disk/filler" 2>/dev/null || true
}
checkpoints() { (cd "$disk/run/checkpoints" && ls -d step-*) | tr '\n' ' '; }
whole() {
  local before=$1
  [[ $(checkpoints) == "$before" ]] || fail "the checkpoints were '$before' and are '$(checkpoints)'"
  "$COSFACE_BINARY" inspect "$disk/run" >"$work/log" || fail 'a checkpoint is damaged'
}

echo 'a run with space'
expect 0 "${launch[@]}" --output "$work/whole" "${options[@]}"

# A checkpoint's files, without the temporary names; on tmpfs whole pages.
start() {
  rm -rf "$disk/run" "$disk/filler"
  expect 75 "${launch[@]}" --output "$disk/run" "${options[@]}" --stop-after "$1"
  size=$(du -s -B1 "$disk/run/checkpoints/$(printf 'step-%08d' "$1")" | cut -f 1)
}
finish() {
  rm -f "$disk/filler"
  expect 0 "${launch[@]}" --resume "$disk/run"
  for file in model.safetensors checkpoints/step-00000020/{model,optimizer}.safetensors; do
    cmp "$work/whole/$file" "$disk/run/$file" || fail "$file differs"
  done
  grep -q 'resumed   after step' "$work/log" || fail 'it did not resume'
}

echo 'full while a checkpoint is written'
start 8
before=$(checkpoints)
leave $((size / 2))
expect error "${launch[@]}" --resume "$disk/run"
whole "$before"

echo 'no byte left'
leave 0
expect error "${launch[@]}" --resume "$disk/run"
whole "$before"

echo 'room for the metrics alone'
leave $((64 << 10))
expect error "${launch[@]}" --resume "$disk/run"
whole "$before"
finish

echo 'full at the final model'
start 19
leave $((size + size / 4))
expect error "${launch[@]}" --resume "$disk/run"
"$COSFACE_BINARY" inspect "$disk/run" >"$work/log" || fail 'a checkpoint is damaged'
[[ ! -e $disk/run/model.safetensors ]] || fail 'there is a model that was not finished'
finish

umount "$disk"
if ((failed)); then
  echo 'disk-full.sh: FAILED'
  exit 1
fi
echo 'disk-full.sh: passed'
