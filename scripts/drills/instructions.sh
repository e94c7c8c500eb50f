#!/usr/bin/env bash
# Counts the instructions of a training step under valgrind and compares them with instructions.tsv beside this script: fails
# where a step takes 20 % more. Valgrind shows every program the same processor (AVX2), so the count depends on the code, and
# hardly on the machine; never on its load.
#   scripts/drills/instructions.sh [--record] [NETWORK]...
# --record writes down what it finds: after a change that is meant. Networks: those of instructions.tsv unless given.
# COSFACE_BINARY names another program than .build/release/cosface. A few minutes for each network.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. scripts/drills/faces.sh

table=scripts/drills/instructions.tsv record='' networks=()
for argument; do
  case $argument in
    --record) record=1 ;;
    -h | --help) sed -n '2,7s/^# //p' "$0" && exit 0 ;;
    -*) echo "instructions.sh: unknown option $argument; see --help" >&2 && exit 2 ;;
    *) networks+=("$argument") ;;
  esac
done
((${#networks[@]})) || mapfile -t networks < <(cut -f 1 "$table")
cosface=${COSFACE_BINARY:-.build/release/cosface}
[[ -x $cosface ]] || { echo "instructions.sh: there is no $cosface; build it with: swift build -c release" >&2 && exit 2; }
command -v valgrind >/dev/null || { echo "instructions.sh: needs valgrind: apt-get install valgrind" >&2 && exit 2; }

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
make_faces "$folder/faces" 8 2
# Valgrind gives up on debug information that it does not know.
strip -o "$folder/cosface" "$cosface"

# count NETWORK STEPS: instructions of a whole run.
count() {
  OMP_NUM_THREADS=1 valgrind --tool=cachegrind --cache-sim=no --cachegrind-out-file=/dev/null --error-exitcode=0 \
    "$folder/cosface" train --data "$folder/faces" --output "$folder/$1-$2" --network "$1" --input-size 48 --batch-size 4 \
    --optimizer sgd --steps "$2" --threads 1 >"$folder/log" 2>&1 || { tail -n 5 "$folder/log" >&2 && return 1; }
  sed -n 's/.*I *refs: *//p' "$folder/log" | tr -d ,
}

failed=0
for network in "${networks[@]}"; do
  # What start and end take falls out of the difference.
  few=$(count "$network" 1) many=$(count "$network" 3)
  found=$(((many - few) / 2000000))
  known=$(awk -F '\t' -v network="$network" '$1 == network { print $2 }' "$table" 2>/dev/null || true)
  if [[ $record ]]; then
    { [[ ! -e $table ]] || awk -F '\t' -v network="$network" '$1 != network' "$table"; } >"$folder/table"
    printf '%s\t%s\n' "$network" "$found" >>"$folder/table"
    sort "$folder/table" >"$table"
    echo "$network: $found million instructions a step, written down${known:+ in place of $known}"
  elif [[ -z $known ]]; then
    echo "$network: $found million instructions a step; none are written down (--record does)"
    failed=1
  else
    verdict=ok
    if ((found * 10 > known * 12)); then verdict='TOO MANY' failed=1; fi
    echo "$network: $found million instructions a step, $((100 * found / known)) % of $known: $verdict"
  fi
done
exit "$failed"
