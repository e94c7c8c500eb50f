#!/usr/bin/env bash
# fuzz.sh [n [seed]]: n accidents (default 5000) to one valid file of each format that data comes in: .rec, .idx,
# property, catalogs, .bin, lists of images, pairs, templates and people, tables of landmarks and boxes, JPEG, PNG, PPM;
# and to weights of PyTorch (.pt as written since 1.6 and before) and a run's options in YAML.
# None may crash or hang, and none may be read with other labels or weights where anything in the format can tell. They
# happen inside the test program; the first ones of weights and options go through `cosface`, too.
#   SANITIZE=1    builds with the address sanitizer, into a folder of its own (slow to build)
# A .bin without digest, im2rec's .rec, plain lists, YAML, and .pt without checksums say nothing twice: what cannot be told there is counted, not failed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

count=${1:-5000} seed=${2:-$RANDOM}
[[ $count =~ ^[1-9][0-9]*$ && $seed =~ ^[0-9]+$ ]] || {
  echo "usage: scripts/drills/fuzz.sh [n [seed]]" >&2
  exit 2
}
log=.build/fuzz.log
build=(-c release)
# The sanitizer's own search for leaks would count what libraries keep for the whole process.
if [[ ${SANITIZE:-} == 1 ]]; then
  build=(--sanitize=address --scratch-path .build/address-sanitizer)
  export ASAN_OPTIONS=detect_leaks=0
fi
mkdir -p .build
swift build "${build[@]}" --build-tests >"$log" 2>&1 || { tail -n 40 "$log"; exit 1; }
echo "fuzz.sh: $count mutations of a file of each format, seed $seed${SANITIZE:+, with the address sanitizer}"
code=0
COSFACE_FUZZ=$count COSFACE_SEED=$seed NO_COLOR=1 timeout "${FUZZ_TIMEOUT:-3000}" \
  swift test "${build[@]}" --skip-build --disable-xctest --no-parallel \
  --filter '^FaceRecognitionTests\.DatasetFuzzTests' </dev/null >"$log" 2>&1 || code=$?
grep -E ' mutations, |✘|Fatal|AddressSanitizer' "$log" | head -n 60 || true
# A crash, or a filter that no longer matches, would print fewer than the formats.
formats=$(grep -cE "$count mutations, .* 0 believed" "$log" || true)
if ((code != 0 || formats != 26)); then
  echo "fuzz.sh: FAILED (exit code $code, $formats of 26 formats); all of it in $log"
  exit 1
fi
echo "fuzz.sh: passed, $((26 * count)) mutations"
