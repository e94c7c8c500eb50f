#!/usr/bin/env bash
# What each part of the method brings, one part changed at a time, two seeds each, on all cores of this machine.
#   scripts/recipes/ablation.sh --data FACES --others OTHERS --lfw LFW --pairs LIST --output DIR [PART...]
# OTHERS: faces of people who are not among FACES. LFW and LIST: Labeled Faces in the Wild and its pairsDevTest.txt.
# PARTS, all unless named:
#   heads    PyTorch: what becomes of the class weight's norm and of the embedding's (pytorch_heads.py), by SGD
#   margin   0 to 0.45
#   ranks    1, 2 and 4 ranks at one global batch
#   options  optimizer, scale, augmentation, sampling, width
# A line for each run goes to DIR/results.tsv, and a table to the output: View 1 (ten-fold), OTHERS (6,000 pairs, ten-fold),
# the last loss, and the loss and the accuracy on View 1 after each epoch. Runs that are there already are not made again.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

fail() {
  echo "ablation.sh: $*" >&2
  exit 2
}

data='' others='' lfw='' pairs='' output='' parts=()
while (($#)); do
  case $1 in
    -h | --help) sed -n '2,12s/^# //p' "$0" && exit 0 ;;
    --data | --others | --lfw | --pairs | --output)
      (($# >= 2)) || fail "$1 needs a value"
      declare "${1#--}=$2"
      shift 2
      ;;
    heads | margin | ranks | options) parts+=("$1") && shift ;;
    *) fail "unknown part or option $1; see --help" ;;
  esac
done
for name in data others lfw pairs output; do
  [[ ${!name} ]] || fail "--$name is missing; see --help"
done
for folder in "$data" "$others" "$lfw"; do [[ -d $folder ]] || fail "there is no folder $folder"; done
[[ -f $pairs ]] || fail "there is no file $pairs"
((${#parts[@]})) || parts=(heads margin ranks options)
swift build -c release --product cosface >&2
cosface=$(swift build -c release --show-bin-path)/cosface
# shellcheck source=scripts/accuracy.sh
. scripts/accuracy.sh
mkdir -p "$output"
results=$output/results.tsv

# judge MODEL OPTION...: on View 1 and on the others.
judge() {
  ten_fold "$@" --data "$lfw" --pairs "$pairs"
  ten_fold "$@" --data "$others" --max-pairs 6000
}

# note PART VARIANT SEED RUN LOSSES CURVE: a finished run. RUN may have options of evaluate behind it.
note() {
  local found
  # shellcheck disable=SC2086
  found=$(judge $4 | paste -sd '\t')
  printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$found" "$5" "$6" | tee -a "$results"
}

has() { grep -qs "^$1"$'\t'"$2"$'\t'"$3"$'\t' "$results"; }

# Of each epoch from a run's metrics: the mean loss, or the accuracy of the validation behind it.
of_epochs() {
  python3 - "$1" "$2" <<'P'
import json, sys
epochs = {}
for line in map(json.loads, open(sys.argv[2])):
    epochs.setdefault(line["epoch"], []).append(line)
value = {
    "loss": lambda lines: "%.2f" % (sum(line["loss"] for line in lines) / len(lines)),
    "accuracy": lambda lines: "%.1f" % (100 * lines[-1]["validations"][0]["crossValidatedAccuracy"] if "validations" in lines[-1] else float("nan")),
}[sys.argv[1]]
print(" ".join(value(lines) for _, lines in sorted(epochs.items())))
P
}

# train PART VARIANT LAUNCH -- OPTION...: two seeds of small.yaml, at 48 x 48 and shortened, with OPTIONs. LAUNCH: options of launch.sh.
train() {
  local part=$1 variant=$2 launch=() seed run
  shift 2
  while [[ $1 != -- ]]; do launch+=("$1") && shift; done
  shift
  for seed in 1 2; do
    has "$part" "$variant" "$seed" && continue
    run=$output/$part-$variant-$seed
    rm -rf "$run"
    scripts/launch.sh "${launch[@]}" -- train --config scripts/recipes/small.yaml --input-size 48 --epochs 5 --data "$data" --output "$run" \
      --seed "$seed" --no-tensorboard --validation "$pairs" --validation-images "$lfw" "$@" >"$run.log" 2>&1 ||
      { tail -n 5 "$run.log" >&2 && return 1; }
    note "$part" "$variant" "$seed" "$run" "$(of_epochs loss "$run/metrics.jsonl")" "$(of_epochs accuracy "$run/metrics.jsonl")"
  done
}

heads() {
  # shellcheck source=scripts/peer.sh
  . scripts/peer.sh
  peer_environment
  local kind seed run size=(--embedding 256 --input-size 32) weights curve
  local recipe=("${size[@]}" --network mobilefacenet --batch-size 64 --epochs 3 --warmup 0.3e --optimizer sgd --learning-rate 0.1
    --logit-scale 24 --augment flip)
  # The recipe as a run's file; no step is trained.
  if [[ ! -e $output/heads/configuration.json ]]; then
    rm -rf "$output/heads"
    "$cosface" train --data "$data" --output "$output/heads" "${recipe[@]}" --stop-after 0 --no-tensorboard >/dev/null 2>&1 || (($? == 75))
  fi
  for kind in mean-norm fixed exact unit-norm unit-norm-scaled free-feature; do
    for seed in 1 2; do
      has heads "$kind" "$seed" && continue
      run=$output/heads-$kind-$seed
      rm -rf "$run"
      "$venv/bin/python" scripts/pytorch_trainer.py "$output/heads/configuration.json" "$run" --head "$kind" --seed "$seed" --plain >"$run.log" 2>&1 ||
        { tail -n 5 "$run.log" >&2 && return 1; }
      curve=''
      for weights in "$run"/epoch-*.safetensors; do
        curve+=" $(ten_fold "$weights" --network mobilefacenet "${size[@]}" --data "$lfw" --pairs "$pairs")"
      done
      note heads "$kind" "$seed" "$weights --network mobilefacenet ${size[*]}" \
        "$(python3 -c 'import json, sys; print(" ".join("%.2f" % json.loads(line)["loss"] for line in open(sys.argv[1])))' "$run/times.jsonl")" \
        "${curve# }"
    done
  done
}

margin() {
  local value
  for value in 0 0.1 0.2 0.35 0.45; do train margin "$value" -- --margin "$value"; done
}

ranks() {
  local count
  for count in 1 2 4; do train ranks "$count" -n "$count" -- --batch-size $((64 / count)); done
}

options() {
  train options as-it-is --
  train options adamw -- --optimizer adamw
  train options sgd -- --optimizer sgd
  train options scale-16 -- --logit-scale 16
  train options scale-32 -- --logit-scale 32
  train options scale-learned -- --logit-multiplier 24
  train options augment-none -- --augment none
  train options augment-flip -- --augment flip
  train options augment-1 -- --augment-strength 1
  train options balanced -- --sampling balanced
  train options width-512 -- --embedding 512
}

for part in "${parts[@]}"; do "$part"; done

python3 - "$results" <<'P'
import sys
rows = {}
for line in open(sys.argv[1]):
    part, variant, _, view, others, losses, curve = line.rstrip("\n").split("\t")
    rows.setdefault((part, variant), []).append((float(view), float(others), float(losses.split()[-1])))
print(f"\n{'part':8s} {'variant':18s} View 1 (seeds)          others (seeds)          last loss")
for (part, variant), runs in rows.items():
    def shown(column):
        values = [run[column] for run in runs]
        return f"{sum(values) / len(values):6.2f} ({', '.join('%.2f' % value for value in values)})"
    print(f"{part:8s} {variant:18s} {shown(0):23s} {shown(1):23s} {sum(run[2] for run in runs) / len(runs):6.2f}")
P
