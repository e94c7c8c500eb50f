#!/usr/bin/env bash
# Trains the same network on the same faces by the same recipe with cosface and with PyTorch, on all cores of this machine, one
# after the other, and prints the accuracy that each has reached after each epoch beside the minutes of training.
#   scripts/time-to-accuracy.sh --config RECIPE --data FACES --judge OTHERS --output DIR [--pairs LIST] [--seed N]
#                               [--peer-epochs E] [--peer-until MINUTES]
# RECIPE: a YAML file of options, such as a run's run.yaml. OTHERS: faces of other people; with LIST the root of its names.
# --peer-epochs: PyTorch's schedule takes so many epochs instead of the recipe's. --peer-until: it stops after so many minutes.
# Both programs' weights are judged by `cosface evaluate`, ten-fold, outside of the time that counts. PyTorch has the faces
# decoded in memory before its time begins, and the fastest of its settings, found before, too.
# DIR gets both runs, the table, and report.html with the curves. Meant for an otherwise idle machine.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

fail() {
  echo "time-to-accuracy.sh: $*" >&2
  exit 2
}

config='' data='' judge='' output='' pairs='' seed=1 peer_options=()
while (($#)); do
  case $1 in
    -h | --help) sed -n '2,11s/^# //p' "$0" && exit 0 ;;
    --config | --data | --judge | --output | --pairs | --seed | --peer-epochs | --peer-until)
      (($# >= 2)) || fail "$1 needs a value"
      case $1 in
        --peer-*) peer_options+=("--${1#--peer-}" "$2") ;;
        *) declare "${1#--}=$2" ;;
      esac
      shift 2
      ;;
    *) fail "unknown option $1; see --help" ;;
  esac
done
for name in config data judge output; do
  [[ ${!name} ]] || fail "--$name is missing; see --help"
done
[[ -f $config ]] || fail "there is no file $config"
[[ -d $data && -d $judge ]] || fail "--data and --judge are folders of faces: $data and $judge"
[[ ! -e $output ]] || fail "$output is there already: give a new folder, or remove it"

# shellcheck source=scripts/peer.sh
. scripts/peer.sh
peer_environment
swift build -c release --product cosface >&2
cosface=$(swift build -c release --show-bin-path)/cosface
# shellcheck source=scripts/accuracy.sh
. scripts/accuracy.sh
unset OMP_NUM_THREADS OMP_THREAD_LIMIT
mkdir -p "$output"

"$cosface" train --config "$config" --data "$data" --output "$output/cosface" --seed "$seed" --threads "$(nproc)" \
  --checkpoint-every 1e --keep 100000 --no-tensorboard
"$venv/bin/python" scripts/pytorch_trainer.py "$output/cosface/configuration.json" "$output/pytorch" "${peer_options[@]}"

limit=(--max-pairs 6000)
if [[ $pairs ]]; then limit=(--pairs "$pairs"); fi

# judge NAME MODEL OPTION...: keeps MODEL's ten-fold accuracy in $output/NAME.txt, in per cent.
judge() {
  local name=$1 accuracy
  shift
  accuracy=$(ten_fold "$@" --data "$judge" "${limit[@]}")
  echo "$(basename "$1" .safetensors) $accuracy" >>"$output/$name.txt"
}

for checkpoint in "$output"/cosface/checkpoints/step-*; do judge cosface "$checkpoint"; done
# What a state dict does not say of its network.
read -r network embedding side < <("$venv/bin/python" -c '
import json, sys
values = json.load(open(sys.argv[1]))
print(values["network"], values["embedding"], values["inputSize"])' "$output/cosface/configuration.json")
for weights in "$output"/pytorch/epoch-*.safetensors; do
  judge pytorch "$weights" --network "$network" --embedding "$embedding" --input-size "$side"
done
"$venv/bin/python" scripts/accuracy_table.py "$output"
"$cosface" report "$output/curves/cosface" "$output/curves/pytorch" --no-evaluation --output "$output/report.html"
echo "curves: $output/report.html"
