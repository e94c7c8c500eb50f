#!/usr/bin/env bash
# What adapting a network to a few hundred people brings: README's table of adapt.yaml.
#   scripts/recipes/adapt.sh --weights NETWORK --data FACES --lfw LFW --pairs LIST --output DIR [--seed N]
# Of FACES, 450 people with five images or more are drawn by the seed: three images of each to train on, two to judge by; all
# others are strangers. LFW and LIST: Labeled Faces in the Wild and its pairsDevTest.txt.
# Prints for the network as it came and for the adapted one: how often the first of all people whom a search finds is the right
# one (gallery: the images trained on, and the strangers), TAR at FAR 1e-3 and 1e-4 among the images to judge by, and View 1,
# ten-fold; in per cent.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

fail() {
  echo "adapt.sh: $*" >&2
  exit 2
}

weights='' data='' lfw='' pairs='' output='' seed=1
while (($#)); do
  case $1 in
    -h | --help) sed -n '2,9s/^# //p' "$0" && exit 0 ;;
    --weights | --data | --lfw | --pairs | --output | --seed)
      (($# >= 2)) || fail "$1 needs a value"
      declare "${1#--}=$2"
      shift 2
      ;;
    *) fail "unknown option $1; see --help" ;;
  esac
done
for name in weights data lfw pairs output; do
  [[ ${!name} ]] || fail "--$name is missing; see --help"
done
[[ -e $weights ]] || fail "there is no $weights"
for folder in "$data" "$lfw"; do [[ -d $folder ]] || fail "there is no folder $folder"; done
[[ -f $pairs ]] || fail "there is no file $pairs"
[[ ! -e $output ]] || fail "$output is there already: give a new folder, or remove it"
swift build -c release --product cosface >&2
cosface=$(swift build -c release --show-bin-path)/cosface
# shellcheck source=scripts/accuracy.sh
. scripts/accuracy.sh
mkdir -p "$output"

python3 - "$data" "$output" "$seed" <<'P'
import os, pathlib, random, sys
data, output = map(pathlib.Path, sys.argv[1:3])
people = {folder.name: sorted(folder.iterdir()) for folder in sorted(data.iterdir()) if folder.is_dir()}
own = [name for name, images in people.items() if len(images) >= 5]
if len(own) < 450:
    sys.exit(f"adapt.sh: {data} has {len(own)} people with five images; 450 are needed")
own = set(random.Random(int(sys.argv[3])).sample(own, 450))
for name, images in people.items():
    for index, image in enumerate(images):
        part = "strangers" if name not in own else "train" if index < 3 else "judge"
        if part == "judge" and index > 4:
            continue
        (output / part / name).mkdir(parents=True, exist_ok=True)
        os.symlink(image.resolve(), output / part / name / image.name)
P

# judge NAME MODEL: a line of the table.
judge() {
  local first rates
  first=$("$cosface" evaluate --model "$2" --probes "$output/judge" --gallery "$output/train" --distractors "$output/strangers" --json |
    python3 -c 'import json, sys; print("%.2f" % (100 * json.load(sys.stdin)["rates"][0]["rate"]))')
  rates=$("$cosface" evaluate --model "$2" --data "$output/judge" --max-pairs 1000000 --json | python3 -c '
import json, sys
rates = json.load(sys.stdin)["verification"]["acceptRates"]
print(*("%.2f" % (100 * rate["trueAcceptRate"]) for rate in rates if rate["falseAcceptRate"] in (1e-3, 1e-4)), sep="\t")')
  printf '%s\t%s\t%s\t%s\n' "$1" "$first" "$rates" "$(ten_fold "$2" --data "$lfw" --pairs "$pairs")"
}

printf 'network\trank 1\tTAR at 1e-3\tTAR at 1e-4\tView 1\n' >"$output/table.tsv"
judge 'as it came' "$weights" | tee -a "$output/table.tsv" >&2
start=$SECONDS
scripts/launch.sh -- train --config scripts/recipes/adapt.yaml --weights "$weights" --data "$output/train" \
  --output "$output/adapted" --seed "$seed" >&2
minutes=$(python3 -c "print('%.1f' % (($SECONDS - $start) / 60))")
judge "adapted, $minutes minutes" "$output/adapted" >>"$output/table.tsv"
cat "$output/table.tsv"
