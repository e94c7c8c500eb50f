#!/usr/bin/env bash
# Compares cosface's speed and memory with PyTorch's and onnxruntime's on this machine and prints a table.
#   scripts/compare-pytorch.sh [--quick] [--runs N] [--only ROW]...
# Programs run in turn (A B A B ...), N times each (default 5; --quick: once, fewer steps, no 1,000,000 classes). A PyTorch
# figure is the best of its settings: plain, channels-last and compiled on all cores, and DDP with a process per core. A
# setting of either program that the first run finds a quarter behind its best is not repeated.
# ROW is one of step-mobilefacenet step-iresnet18 step-iresnet50 step-iresnet100 head-100k head-1m infer-1 infer-32 ranks data.
# The virtual environment is made outside of the checkout: $COSFACE_PEER_VENV, by default ~/.cache/cosface-peer.
# COSFACE_FACES: a folder of JPEG faces for the row `data`, which is left out without it.
# Meant for an otherwise idle machine; the load before the start is printed with the table.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

runs=5 steps=5 quick='' only=()
while (($#)); do
  case $1 in
    --quick) quick=1 runs=1 steps=3 && shift ;;
    --runs | --only)
      (($# >= 2)) || { echo "compare-pytorch.sh: $1 needs a value" >&2 && exit 2; }
      if [[ $1 == --runs ]]; then runs=$2; else only+=("$2"); fi
      shift 2
      ;;
    -h | --help) sed -n '2,11s/^# //p' "$0" && exit 0 ;;
    *) echo "compare-pytorch.sh: unknown option $1; see --help" >&2 && exit 2 ;;
  esac
done
[[ $runs =~ ^[1-9][0-9]*$ ]] || { echo "compare-pytorch.sh: --runs needs a number of at least 1, not '$runs'" >&2 && exit 2; }
rows=(step-mobilefacenet step-iresnet18 step-iresnet50 step-iresnet100 head-100k head-1m infer-1 infer-32 ranks data)
for row in "${only[@]}"; do
  [[ " ${rows[*]} " == *" $row "* ]] || { echo "compare-pytorch.sh: no row '$row'; rows are: ${rows[*]}" >&2 && exit 2; }
done

# shellcheck source=scripts/peer.sh
. scripts/peer.sh
peer_environment
swift build -c release --product cosface >&2
cosface=$(swift build -c release --show-bin-path)/cosface

# Exported by the caller, they would hold for both programs, and for nproc.
unset OMP_NUM_THREADS OMP_THREAD_LIMIT
cores=$(nproc)
results=$(mktemp)
trap 'rm -f "$results"' EXIT
export TORCHINDUCTOR_CACHE_DIR=${TMPDIR:-/tmp}/cosface-peer-inductor
if ((EUID == 0)); then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi

wanted() { ((${#only[@]} == 0)) || [[ " ${only[*]} " == *" $1 "* ]]; }

# ROW/PROGRAM/SETTING of those that are not repeated.
declare -A behind=()

# take ROW PROGRAM SETTING COMMAND...: runs it and keeps its JSON. A setting that fails is named, and counts for nothing.
take() {
  local row=$1 program=$2 setting=$3 output
  shift 3
  if [[ ${behind["$row/$program/$setting"]:-} ]]; then return; fi
  echo "  $row: $program $setting" >&2
  if output=$(timeout 1800 "$@" 2>"$results.errors" | grep '^{' | tail -n 1) && [[ -n $output ]]; then
    printf '%s\t%s\t%s\t%s\n' "$row" "$program" "$setting" "$output" >>"$results"
  else
    echo "compare-pytorch.sh: failed: $*" >&2
    tail -n 5 "$results.errors" >&2 || true
  fi
  rm -f "$results.errors"
}

ours() { take "$1" cosface "$2" "${@:3}" --json; }
peer() { take "$1" peer "$2" "$venv/bin/python" scripts/pytorch_peer.py "${@:3}"; }
ranks=(mpirun --bind-to core -n "$cores")
ddp=("$venv/bin/python" -m torch.distributed.run "--nproc_per_node=$cores" scripts/pytorch_peer.py)

# step NETWORK BATCH: BATCH images a step in all.
step() {
  local row=step-$1 each=$(($2 / cores))
  local common=(step --network "$1" --classes 10000 --steps "$steps")
  ours "$row" "1 rank x $cores threads" "$cosface" bench "${common[@]}" --batch-size "$2" --threads "$cores"
  peer "$row" 'NCHW' "${common[@]}" --batch-size "$2" --threads "$cores"
  ours "$row" "$cores ranks x 1 thread" "${ranks[@]}" "$cosface" bench "${common[@]}" --batch-size "$each" --threads 1
  ours "$row" "$cores ranks x 1 thread, sharded" "${ranks[@]}" "$cosface" bench "${common[@]}" --batch-size "$each" \
    --threads 1 --classifier sharded
  peer "$row" 'channels-last' "${common[@]}" --batch-size "$2" --threads "$cores" --channels-last
  take "$row" peer 'DDP, channels-last' "${ddp[@]}" "${common[@]}" --batch-size "$each" --threads 1 --channels-last
  if [[ -z $quick ]]; then
    take "$row" peer 'DDP, NCHW' "${ddp[@]}" "${common[@]}" --batch-size "$each" --threads 1
    peer "$row" 'compiled' "${common[@]}" --batch-size "$2" --threads "$cores" --compile
    peer "$row" 'compiled, channels-last' "${common[@]}" --batch-size "$2" --threads "$cores" --compile --channels-last
  fi
}

# head ROW CLASSES
head() {
  ours "$1" "$cores threads" "$cosface" bench head --classes "$2" --batch-size 64 --threads "$cores" --steps "$steps"
  peer "$1" "$cores threads" head --classes "$2" --batch-size 64 --threads "$cores" --steps "$steps"
}

# infer ROW BATCH
infer() {
  ours "$1" '1 thread' "$cosface" bench infer --batch-size "$2" --threads 1 --steps $((steps * 4))
  peer "$1" 'onnxruntime, 1 thread' infer --batch-size "$2" --threads 1 --steps $((steps * 4))
}

load=$(cut -d ' ' -f 1-3 /proc/loadavg)
for ((run = 1; run <= runs; run++)); do
  echo "compare-pytorch.sh: run $run of $runs" >&2
  if wanted step-mobilefacenet; then step mobilefacenet 32; fi
  if wanted step-iresnet18; then step iresnet18 32; fi
  if wanted step-iresnet50; then step iresnet50 16; fi
  if wanted step-iresnet100; then step iresnet100 8; fi
  if wanted head-100k; then head head-100k 100000; fi
  if wanted head-1m && { [[ -z $quick ]] || ((${#only[@]})); }; then head head-1m 1000000; fi
  if wanted infer-1; then infer infer-1 1; fi
  if wanted infer-32; then infer infer-32 32; fi
  if wanted ranks; then
    for setting in "1 replicated" "$cores replicated" "$cores sharded"; do
      read -r count classifier <<<"$setting"
      take ranks cosface "$setting" mpirun --bind-to core -n "$count" "$cosface" bench step --network mobilefacenet \
        --classes 10000 --batch-size 16 --threads 1 --steps $((steps * 2)) --classifier "$classifier" --json
    done
  fi
  if wanted data && [[ -n ${COSFACE_FACES:-} ]]; then
    ours data '1 worker' "$cosface" bench data --data "$COSFACE_FACES" --workers 1
    take data cosface 'training on them' "$cosface" bench step --network mobilefacenet --batch-size 16 --threads 1 \
      --steps "$steps" --json
  fi
  if ((run == 1 && runs > 1)); then
    while read -r key; do behind[$key]=1; done < <("$venv/bin/python" scripts/compare_table.py --behind "$results")
  fi
done

"$venv/bin/python" scripts/compare_table.py "$results" "$("$venv/bin/python" scripts/pytorch_peer.py about)" "$load"
