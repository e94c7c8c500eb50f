#!/usr/bin/env bash
# cluster.sh [--data DIR] [DRILL]...: accidents to a run on several hosts, made of this machine by cluster-test.sh (needs root).
#   hosts     three hosts train as three ranks on one host do; two of them go on with the run
#   kill      a rank is killed: all end at once, and --restarts finishes with the weights of a run that was left alone
#   link      a host's cable is pulled, and put back when all have ended: the same
#   lost      a host's cable stays out: the hosts that are left finish the run
#   stop      a rank is stopped (SIGSTOP): the watchdog names it, and --restarts finishes with the same weights
#   data      a host has other data: refused
#   program   a host has another program: refused
# Default: all but lost. DIR: faces, DIR/PERSON/IMAGE; small random ones are made unless given.
# COSFACE_BINARY: a program that is built already; without it this checkout's is built.
# Each drill ends with a line; exit code 1 if one failed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

data='' drills=()
while (($#)); do
  case $1 in
    --data) (($# >= 2)) || { echo "cluster.sh: --data needs a value" >&2 && exit 2; }
      data=$2 && shift 2 ;;
    -h | --help) sed -n '2,13s/^# //p' "$0" && exit 0 ;;
    hosts | kill | link | lost | stop | data | program) drills+=("$1") && shift ;;
    *) echo "cluster.sh: there is no drill $1; see --help" >&2 && exit 2 ;;
  esac
done
if ((${#drills[@]} == 0)); then drills=(hosts kill link stop data program); fi

if [[ ! ${COSFACE_BINARY:-} ]]; then swift build -c release --product cosface >&2; fi
binary=${COSFACE_BINARY:-$PWD/.build/release/cosface}
work=$(mktemp --directory "${TMPDIR:-/tmp}/cosface-drills.XXXXXX")
trap 'rm -rf "$work"' EXIT
export RUNS=$work BINARY=$binary
if [[ -z $data ]]; then
  data=$work/faces
  for person in 0 1 2 3; do
    mkdir -p "$data/p$person"
    for image in 0 1 2 3 4 5 6; do
      { printf 'P5\n48 48\n255\n' && head -c 2304 /dev/urandom; } >"$data/p$person/$image.pgm"
    done
  done
fi
export DATA=$data

# 60 steps of some ten milliseconds, a checkpoint each 5: long enough to be disturbed in the middle.
train=(train --data "$data" --network mobilefacenet --embedding 32 --input-size 48 --batch-size 4 --steps 60
  --optimizer sgd --learning-rate 0.02 --augment standard --logit-scale 16 --seed 3 --verify-replicas 10 --checkpoint-every 5)

fail() {
  echo "$*"
  return 1
}

# ends CODE COMMAND...: runs it into $log and looks at the exit code.
ends() {
  local wanted=$1 code=0
  shift
  "$@" >"$log" 2>&1 || code=$?
  [[ $code == "$wanted" ]] || fail "exit code $code, not $wanted"
}

told_once() { (($(grep -c '^Error: ' "$log") == 1)) || fail "more messages than one"; }

says() { grep -qE -- "$1" "$log" || fail "no message like: $1"; }

# All ranks everywhere end within half a minute of the accident; prints the seconds.
in_time='start=$SECONDS; wait_for 30 all_gone; echo "all ended within $((SECONDS - start + 1)) s"'

undisturbed() {
  if [[ ! -e $work/undisturbed/model.safetensors ]]; then
    ends 0 scripts/cluster-test.sh 2 -- "${train[@]}" --output "$work/undisturbed"
  fi
}

same_weights() { cmp "$work/undisturbed/model.safetensors" "$work/$1/model.safetensors" || fail "other weights than undisturbed"; }

# accident NAME CODE [OPTION...]: happens to the run NAME on two hosts, which --restarts then finishes.
accident() {
  local run=$1 code=$2
  shift 2
  undisturbed
  ends 0 scripts/cluster-test.sh 2 --restarts 2 --during "
    reached() { (( \$(steps $work/$run) >= 8 )); }
    wait_for 300 reached
    $code" -- "${train[@]}" --output "$work/$run" "$@"
  says "all ended within"
  says "starting again from the last checkpoint of $work/$run \(1 of 2"
  says "resumed   after step"
  same_weights "$run"
}

# The watchdog tells, or mpirun, whoever notices first.
names_the_lost_host() { says "lost node2 \(rank 1\)|Remote daemon: .* on node node2"; }

losses() { grep -o '"loss":[^,}]*' "$work/$1/metrics.jsonl" | cut -d : -f 2; }

hosts() {
  local small=(train --data "$data" --network spherenet20 --embedding 32 --input-size 48 --batch-size 4 --steps 10
    --optimizer sgd --learning-rate 0.001 --logit-scale 16 --verify-replicas 1 --checkpoint-every 4)
  ends 0 scripts/launch.sh -n 3 --bind none -- "${small[@]}" --output "$work/one-host"
  ends 0 scripts/cluster-test.sh 3 -- "${small[@]}" --output "$work/three-hosts"
  says "ranks     3 on node1 \(1\), node2 \(1\), node3 \(1\)"
  ends 75 scripts/cluster-test.sh 3 -- "${small[@]}" --output "$work/parted" --stop-after 6
  ends 0 scripts/cluster-test.sh 2 -- train --resume "$work/parted"
  says "ranks     2 on node1 \(1\), node2 \(1\)"
  says "resumed   after step 6 of 10"
  for run in three-hosts parted; do
    paste <(losses one-host) <(losses "$run") | awk -v run="$run" '
      { d = ($1 - $2) / $1; if (d < 0) d = -d; if (d > worst) worst = d }
      END { printf "%s: %d losses, at most %.1e from those of one host\n", run, NR, worst; exit NR != 10 || worst > 1e-4 }' |
      tee -a "$log"
  done
}

kill_drill() {
  accident killed "kill -9 \$(ranks node2); $in_time"
  # Told by mpirun (5's breaks the line), or, rarely, by the rank that was in the middle of sending, which Open MPI 4 ends there.
  says "rank 1 with PID [0-9]+ on node node2 exited on( signal 9|$)|writev failed: Connection reset by peer"
}

link() {
  accident pulled "link node2 down; $in_time; link node2 up"
  names_the_lost_host
}

lost() {
  local small=("${train[@]/mobilefacenet/spherenet20}")
  ends 0 scripts/cluster-test.sh 3 --restarts 1 --during "
    reached() { (( \$(steps $work/lost) >= 8 )); }
    wait_for 300 reached
    link node2 down; $in_time" -- "${small[@]}" --batch-size 4 --output "$work/lost"
  names_the_lost_host
  says "no answer from node2: going on without"
  says "ranks     2 on node1 \(1\), node3 \(1\)"
  [[ -e $work/lost/model.safetensors ]] || fail "no model"
}

stop() {
  accident stopped "kill -STOP \$(ranks node2); $in_time" --collective-timeout 10
  says "A collective operation hangs: rank 0 on node1 has waited in MPI_[A-Za-z]+ in step [0-9]+ for"
  says "  rank 1 on node2: (silent for|never heard of)"
}

data() {
  cp -r "$data" "$work/other"
  rm "$(find "$work/other" -type f | sort | tail -n 1)"
  ends 1 scripts/cluster-test.sh 3 --before 'on node2 mount --bind "$RUNS/other" "$DATA"' -- \
    "${train[@]}" --output "$work/refused"
  says "data in $data: '[0-9a-f]+' on rank .*, '[0-9a-f]+' on rank|data in"
  says "on rank 1 \(node2\)"
  told_once
}

program() {
  { cat "$binary" && echo; } >"$work/program"
  chmod +x "$work/program"
  ends 1 scripts/cluster-test.sh 3 --before 'on node2 mount --bind "$RUNS/program" "$BINARY"' -- \
    "${train[@]}" --output "$work/refused"
  says "digest of the program file: "
  says "on rank 1 \(node2\)"
  told_once
}

failed=0
for drill in "${drills[@]}"; do
  log=$work/$drill.log start=$SECONDS
  function=$drill
  if [[ $drill == kill ]]; then function=kill_drill; fi
  # Not in an `if`: there `set -e` would count for nothing.
  set +e
  reason=$(set -e && "$function" 2>&1)
  code=$?
  set -e
  if ((code == 0)); then
    printf 'ok      %s (%d s) %s\n' "$drill" $((SECONDS - start)) "$(grep -hoE 'all ended within.*' "$log" | paste -sd ' ')"
  else
    printf 'FAILED  %s: %s\n' "$drill" "$reason"
    sed 's/^/  | /' "$log" | tail -n 40
    failed=1
  fi
done
exit "$failed"
