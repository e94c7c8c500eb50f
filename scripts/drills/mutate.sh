#!/usr/bin/env bash
# mutate.sh [n [seed]]: n accidents (default 2000) to each file of a checkpoint: truncations, flipped bits, edited headers,
# added bytes, zeroed pieces, other header lengths. Each must be refused with a reason; none may crash, none be believed.
# The accidents happen inside the test program, thousands a minute; the first of each file also go through `cosface inspect`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

count=${1:-2000} seed=${2:-$RANDOM}
[[ $count =~ ^[1-9][0-9]*$ && $seed =~ ^[0-9]+$ ]] || {
  echo "usage: scripts/drills/mutate.sh [n [seed]]" >&2
  exit 2
}
log=.build/mutate.log
swift build -c release --build-tests >"$log" 2>&1 || { tail -n 40 "$log"; exit 1; }
echo "mutate.sh: $count mutations of each file, seed $seed"
code=0
COSFACE_MUTATIONS=$count COSFACE_SEED=$seed NO_COLOR=1 swift test -c release --skip-build --disable-xctest --no-parallel \
  --filter '^FaceRecognitionTests\.CheckpointDamageTests/mutations' </dev/null >"$log" 2>&1 || code=$?
grep -E 'mutations, [0-9]+ believed|✘|Fatal' "$log" | head -n 40 || true
# A filter that no longer matches, or a crash, would print fewer than the four files.
files=$(grep -cE "$count mutations, 0 believed" "$log" || true)
if ((code != 0 || files != 4)); then
  echo "mutate.sh: FAILED (exit code $code, $files of 4 files); all of it in $log"
  exit 1
fi
echo "mutate.sh: passed, $((4 * count)) mutations refused"
