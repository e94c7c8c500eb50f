#!/usr/bin/env bash
# How the cost of a step grows: seconds per step for more images, more classes, and 1 rank or one per core, with what the
# straight line through the first and the last figure says beside.
#   scripts/growth.sh [--network NAME] [--most-classes N] [--steps N]
# For an otherwise idle machine. Replicated, a rank needs 12 bytes x 512 for each class: --most-classes 100000 for less memory.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/cores.sh

network=mobilefacenet most=1000000 steps=3
while (($#)); do
  case $1 in
    --network | --most-classes | --steps)
      (($# >= 2)) || { echo "growth.sh: $1 needs a value" >&2 && exit 2; }
      case $1 in --network) network=$2 ;; --most-classes) most=$2 ;; --steps) steps=$2 ;; esac
      shift 2
      ;;
    -h | --help) sed -n '2,5s/^# //p' "$0" && exit 0 ;;
    *) echo "growth.sh: unknown option $1; see --help" >&2 && exit 2 ;;
  esac
done
[[ $most =~ ^[1-9][0-9]*$ && $steps =~ ^[1-9][0-9]*$ ]] || { echo "growth.sh: numbers of at least 1 are needed" >&2 && exit 2; }
# A line needs two points.
((most >= 10000)) || { echo "growth.sh: --most-classes $most must be 10000 or more" >&2 && exit 2; }
swift build -c release --product cosface >&2
cosface=$(swift build -c release --show-bin-path)/cosface
if ((EUID == 0)); then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi

# seconds RANKS BATCH CLASSES
seconds() {
  mpirun --bind-to core -n "$1" "$cosface" bench step --network "$network" --batch-size "$2" --classes "$3" --threads 1 \
    --steps "$steps" --json | sed -n 's/.*"secondsPerStep":\([0-9.e-]*\).*/\1/p'
}

# table TITLE: reads lines "size seconds" and prints them beside the line through the first and the last.
table() {
  awk -v title="$1" '{ size[NR] = $1; found[NR] = $2 } END {
    printf "\n| %s | s a step | straight line | ratio |\n|---|---|---|---|\n", title
    slope = (found[NR] - found[1]) / (size[NR] - size[1])
    for (i = 1; i <= NR; i++) {
      line = found[1] + slope * (size[i] - size[1])
      printf "| %d | %.4g | %.4g | %.2f |\n", size[i], found[i], line, found[i] / line
    }
  }'
}

echo "$network, ranks of 1 thread, medians of $steps steps; load before the start $(cut -d ' ' -f 1-3 /proc/loadavg)"
for ranks in 1 "$(all_cores)"; do
  for batch in 8 16 32 64 128; do echo "$batch $(seconds "$ranks" "$batch" 10000)"; done |
    table "$ranks rank(s), N = 10,000: images of each rank"
  for ((classes = 1000; classes <= most; classes *= 10)); do echo "$classes $(seconds "$ranks" 32 "$classes")"; done |
    table "$ranks rank(s), 32 images of each: classes"
done
