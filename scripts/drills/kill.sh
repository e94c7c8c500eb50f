#!/usr/bin/env bash
# kill.sh [n [seed]]: n times (default 50) starts a run of two ranks that writes a checkpoint every other step, and kills one
# rank, all, mpirun, or everything with SIGKILL: at a random moment, or just while a checkpoint is being written. Then the
# same command is given again, a third of the time to be killed again, until the run is complete. Passed is a round whose
# model, checkpoint, losses and order of images are those of a run that nobody touched, to the byte, and in which no resume
# began before the last checkpoint that had been finished. COSFACE_BINARY names a program that is built already.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source scripts/drills/faces.sh
source scripts/guard.sh
source scripts/mpirun.sh

count=${1:-50} seed=${2:-$RANDOM}
[[ $count =~ ^[1-9][0-9]*$ && $seed =~ ^[0-9]+$ ]] || {
  echo "usage: scripts/drills/kill.sh [n [seed]]" >&2
  exit 2
}
if [[ ! ${COSFACE_BINARY:-} ]]; then swift build -c release --product cosface >&2; fi
program=$(realpath "${COSFACE_BINARY:-.build/release/cosface}")
if ((EUID == 0)); then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi
export OMP_NUM_THREADS=1
RANDOM=$((seed % 32768))
steps=30

# Where mpirun is killed its session folder and the ranks' shared memory stay behind: in folders of this script's.
work=$(mktemp -d) shared=$(mktemp -d -p /dev/shm) mpirun='' ranks=()
export TMPDIR=$work
cleanup() {
  if [[ $mpirun ]]; then kill -9 "$mpirun" "${ranks[@]}" 2>/dev/null || true; fi
  rm -rf "$shared"
  if [[ ${keep:-} ]]; then echo "kill.sh: the files are in $work"; else rm -rf "$work"; fi
}
trap cleanup EXIT
trap 'exit 1' INT TERM
make_faces "$work/faces" 4 7

# start RUN: the same command for the first start and each resume; its process is $mpirun.
start() {
  # shellcheck disable=SC2046
  mpirun -n 2 $(placement_options none 1 turns) $(shared_memory_options "$shared") \
    --timeout 300 "$program" train \
    --resume-or-start "$1" --data "$work/faces" --network mobilefacenet --embedding 32 --input-size 48 --batch-size 4 \
    --steps $steps --optimizer sgd --learning-rate 0.02 --logit-scale 16 --augment standard --checkpoint-every 2 --keep 2 --log-samples \
    >"$1.log" 2>&1 &
  mpirun=$! ranks=()
  guard_mpirun "$mpirun"
}

# finish: waits for mpirun and its ranks; sets code, and survivors where a rank outlives mpirun.
finish() {
  code=0
  wait "$mpirun" 2>/dev/null || code=$?
  local deadline=$((SECONDS + 20)) rank
  for rank in "${ranks[@]}"; do
    while kill -0 "$rank" 2>/dev/null; do
      if ((SECONDS > deadline)); then
        survivors+=" $rank"
        kill -9 "$rank" 2>/dev/null || true
      fi
      sleep 0.02
    done
  done
  mpirun='' ranks=()
}

# newest RUN: the step of its newest finished checkpoint; 0 without any.
newest() {
  local folder last=0
  for folder in "$1"/checkpoints/step-*; do
    [[ $folder =~ step-([0-9]+)$ ]] && last=$((10#${BASH_REMATCH[1]}))
  done
  echo "$last"
}

# strike RUN: kills somebody at some moment of the run in progress; sets how, and seen to the newest checkpoint before.
strike() {
  local run=$1 victims=() moment delay
  delay=$((RANDOM % duration))
  sleep "$(printf '%d.%03d' $((delay / 1000)) $((delay % 1000)))"
  moment="after $delay ms"
  if ((RANDOM % 2)); then
    moment='while writing'
    until compgen -G "$run/checkpoints/.step-*" >/dev/null || ! kill -0 "$mpirun" 2>/dev/null; do :; done
  fi
  mapfile -t ranks < <(pgrep -P "$mpirun" -f train || true)
  seen=$(newest "$run")
  case $((RANDOM % 5)) in
    0) how='first rank' victims=("${ranks[@]:0:1}") ;;
    1) how='last rank' victims=("${ranks[@]: -1}") ;;
    2) how='all ranks' victims=("${ranks[@]}") ;;
    3) how='mpirun' victims=("$mpirun") ;;
    4) how='everything' victims=("${ranks[@]}" "$mpirun") ;;
  esac
  how+=" $moment"
  ((${#victims[@]})) || victims=("$mpirun")
  kill -9 "${victims[@]}" 2>/dev/null || how+=' (it had ended)'
}

# The losses without what depends on the clock.
losses() { sed -E 's/.*("epoch":[0-9]+).*("loss":[^,]+).*("step":[0-9]+).*/\1 \2 \3/' "$1/metrics.jsonl"; }

same() {
  local last
  last=checkpoints/step-$(printf '%08d' $steps)
  for file in model.safetensors "$last/model.safetensors" "$last/optimizer.safetensors" samples.jsonl; do
    cmp "$work/whole/$file" "$1/$file" || return 1
  done
  diff <(losses "$work/whole") <(losses "$1")
}

begin=$(date +%s%3N)
start "$work/whole"
survivors='' && finish
((code == 0)) || {
  cat "$work/whole.log"
  exit 1
}
duration=$(($(date +%s%3N) - begin))
echo "kill.sh: $count rounds, seed $seed; an undisturbed run takes $duration ms"

passed=0 struck=0
for ((round = 1; round <= count; round++)); do
  run=$work/round what='' problem='' survivors='' seen=0
  while :; do
    start "$run"
    if [[ ! $what ]] || ((RANDOM % 3 == 0)); then
      former=$seen
      strike "$run"
      finish
      what+="${what:+; }$how, $seen finished"
      if ((code != 0)); then struck=$((struck + 1)); fi
      if (($(newest "$run") < seen || seen < former)); then problem="checkpoint $seen was lost"; fi
    else
      finish
      resumed=$(sed -nE 's/^resumed +after step ([0-9]+) .*/\1/p' "$run.log")
      if ((code != 0)); then problem="it cannot go on: $(grep -m 1 Error "$run.log" || echo "exit code $code")"; fi
      if ((${resumed:-0} < seen)); then problem="resumed after step ${resumed:-0}, though $seen was finished"; fi
      [[ $problem ]] || same "$run" || problem='the files differ'
      break
    fi
    if [[ $problem ]]; then break; fi
  done
  if [[ $survivors ]]; then problem+=" ranks outlived mpirun:$survivors"; fi
  echo "round $round: $what: ${problem:-the same bytes}"
  if [[ $problem ]]; then
    mv "$run" "$work/failed-$round" && mv "$run.log" "$work/failed-$round.log" && keep=1
  else
    passed=$((passed + 1))
    rm -rf "$run" "$run.log"
  fi
done
echo "kill.sh: $passed of $count rounds passed, after $struck interruptions"
((passed == count))
