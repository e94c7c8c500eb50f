#!/usr/bin/env bash
# What 'dataset clean' finds of faults that were planted, and what it names beside them: README's figures.
#   scripts/recipes/clean.sh --data FACES --validation OTHERS --model NETWORK --output DIR [--seed N] [-- OPTION...]
# FACES and OTHERS: folders PERSON/IMAGE of different people. Links to them in DIR/set get these faults, drawn by the seed: 5 % of
# the images under another person, 100 people in two folders, 100 pairs of people in one folder, 300 images a second time (half
# of them encoded again as JPEG of quality 80; every third under another person), half of the images of 50 of the OTHERS under new
# names; the other half stays in the validation set, DIR/validation. OPTIONs go to 'dataset clean'.
# Prints, for each kind, how many of the planted ones are named in the table, and how many images and people are named that
# were not planted, in per cent of those; and the share of images under the right person before and after 'dataset apply'.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

fail() {
  echo "clean.sh: $*" >&2
  exit 2
}

data='' validation='' model='' output='' seed=1
while (($#)); do
  case $1 in
    -h | --help) sed -n '2,10s/^# //p' "$0" && exit 0 ;;
    --data | --validation | --model | --output | --seed)
      (($# >= 2)) || fail "$1 needs a value"
      declare "${1#--}=$2"
      shift 2
      ;;
    --) shift && break ;;
    *) fail "unknown option $1; see --help" ;;
  esac
done
for name in data validation model output; do
  [[ ${!name} ]] || fail "--$name is missing; see --help"
done
for folder in "$data" "$validation"; do [[ -d $folder ]] || fail "there is no folder $folder"; done
[[ -e $model ]] || fail "there is no $model"
[[ ! -e $output ]] || fail "$output is there already: give a new folder, or remove it"
swift build -c release --product cosface >&2
cosface=$(swift build -c release --show-bin-path)/cosface
mkdir -p "$output"

python3 scripts/recipes/clean_faults.py plant "$data" "$validation" "$output" "$seed"
# Encoded again by the program itself: packed as JPEG of lower quality, and unpacked.
mkdir "$output/pack"
"$cosface" dataset pack "$output/again" "$output/pack/again.rec" --quality 80 >&2
"$cosface" dataset unpack "$output/pack/again.rec" "$output/encoded" >&2
python3 scripts/recipes/clean_faults.py copy "$output"

start=$SECONDS
"$cosface" dataset clean --data "$output/set" --validation "$output/validation" --model "$model" --output "$output/table.csv" \
  --sheet "$output/sheet.html" "$@" | tee "$output/clean.txt"
echo "dataset clean took $((SECONDS - start)) s"
"$cosface" dataset apply --table "$output/table.csv" --data "$output/set" --output "$output/repaired.csv"
python3 scripts/recipes/clean_faults.py judge "$output"
