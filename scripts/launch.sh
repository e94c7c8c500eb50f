#!/usr/bin/env bash
# Starts cosface on several ranks with mpirun. `scripts/launch.sh --help` explains the options.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=scripts/guard.sh
. "$root/scripts/guard.sh"
# shellcheck source=scripts/cores.sh
. "$root/scripts/cores.sh"
# shellcheck source=scripts/mpirun.sh
. "$root/scripts/mpirun.sh"
# shellcheck source=scripts/processes.sh
. "$root/scripts/processes.sh"

usage() {
  cat <<'HELP'
Usage: scripts/launch.sh [options] -- COMMAND [cosface's options]

  scripts/launch.sh -- train --data faces --network mobilefacenet --batch-size 32
  scripts/launch.sh -n 2 --threads 4 -- train ...
  scripts/launch.sh --hostfile hostfiles/mycluster --interface 10.1.0.0/16 -- train ...

Options:
  -n, --ranks N       Ranks in all. Default: as many as there are cores for, T cores each.
  --threads T         Threads of each rank (default 1). One rank per core with one thread is usually fastest;
                      fewer ranks with more threads need less memory, since each rank holds a replica.
  --hostfile FILE     The nodes, one a line: `node01 slots=16`, where slots are the cores to use.
                      hostfiles/cluster.example is one to copy and says what the nodes need;
                      hostfiles/localhost is this machine. Default: this machine, or the nodes of the
                      batch system's allocation.
  --bind WHERE        core (default): each rank keeps to its own T cores. none: the system moves ranks as it likes.
                      socket, numa, hwthread: as mpirun's --bind-to. With more ranks and threads than cores: none.
                      Two jobs at once on one machine need none too: mpirun would give both the same cores.
  --interface CIDR    The network between nodes, such as 10.1.0.0/16 or eth0. Open MPI otherwise tries all that are
                      up, and hangs on those that do not connect the nodes (Docker's bridge, for one).
  --restarts N        For train: after a failure start again, up to N times, from the run's last checkpoint, on those hosts
                      of the host file that answer to ssh then: one that was lost is asked again at the next failure.
                      Not after success (exit code 0), a stop that was asked for (75), wrong options (64) or what
                      cosface refuses (1): that would come again.
  --verbose           Shows where mpirun places and binds the ranks, and lets Open MPI explain what it meets later, too
                      (networks that do not connect, ranks that have gone).
  -h, --help          This text.

The program is .build/release/cosface; COSFACE_BINARY names another. LD_LIBRARY_PATH and what OpenMP, OpenBLAS and oneDNN
read (OMP_..., GOMP_..., OPENBLAS_..., ONEDNN_...), where set, go to all ranks. The exit code is mpirun's: cosface's own, or
not zero when any rank failed (69: a rank or host was lost, or a collective operation hung; 128 + signal: a rank was
killed; 255: mpirun lost a host). Where mpirun of Open MPI 5 has lost a host it ends with 0: this script with 69.
HELP
}

fail() {
  echo "launch.sh: $*" >&2
  exit 2
}

# number OPTION VALUE GREATEST
number() {
  [[ $2 =~ ^[1-9][0-9]{0,8}$ ]] && (($2 <= $3)) || fail "$1 needs a whole number from 1 to $3, not '$2'"
}

ranks='' threads=1 hostfile='' bind='' interface='' verbose='' restarts=0
while (($#)); do
  case $1 in
    -n | --ranks | --threads | --hostfile | --bind | --interface | --restarts)
      (($# >= 2)) || fail "$1 needs a value"
      case $1 in
        -n | --ranks) number "$1" "$2" 1000000 && ranks=$2 ;;
        --threads) number "$1" "$2" 1024 && threads=$2 ;;
        --hostfile) hostfile=$2 ;;
        --bind) bind=$2 ;;
        --interface) interface=$2 ;;
        --restarts) number "$1" "$2" 10000 && restarts=$2 ;;
      esac
      shift 2
      ;;
    --verbose) verbose=1 && shift ;;
    -h | --help) usage && exit 0 ;;
    --) shift && break ;;
    -*) fail "there is no option $1; --help lists them (cosface's own come after --)" ;;
    *) break ;;
  esac
done
(($#)) || fail "what should cosface do? For example: scripts/launch.sh -- train --data faces; --help explains"
case $bind in
  '' | core | none | socket | numa | hwthread) ;;
  *) fail "--bind is core, none, socket, numa or hwthread, not '$bind'" ;;
esac

number COSFACE_GUARD_SECONDS "${COSFACE_GUARD_SECONDS:-30}" 86400
binary=${COSFACE_BINARY:-$root/.build/release/cosface}
[[ -x $binary && ! -d $binary ]] || fail "there is no program $binary; build it with: swift build -c release"
command -v mpirun >/dev/null || fail "there is no mpirun; scripts/setup.sh installs Open MPI"
[[ $mpi_release ]] || fail "$(command -v mpirun) is not Open MPI's (its --version does not say so): put Open MPI's first in PATH"

# The run's folder, for --restarts, and the arguments that go on with it: --output becomes --resume-or-start.
run='' again=()
if ((restarts)); then
  [[ $1 == train ]] || fail "--restarts is for train, not for $1"
  resumes=''
  for argument; do if [[ $argument =~ ^--resume(-or-start)?(=|$) ]]; then resumes=1; fi; done
  previous=''
  for argument; do
    case $previous in --output | --resume | --resume-or-start) run=$argument ;; esac
    case $argument in --output=* | --resume=* | --resume-or-start=*) run=${argument#*=} ;; esac
    previous=$argument
    if [[ ! $resumes ]]; then argument=${argument/#--output/--resume-or-start}; fi
    again+=("$argument")
  done
  [[ $run ]] || fail "--restarts needs to know the run's folder: give train --output"
fi

# Cores that this process may use, without the second threads of a core: they share its arithmetic.
local_cores() {
  local physical allowed
  physical=$(lscpu --parse=CORE,SOCKET | grep -v '^#' | sort -u | wc -l)
  allowed=$(all_cores)
  echo $((physical < allowed ? physical : allowed))
}

# "host cores" for each node of the host file; 0 where the file does not say how many cores.
nodes() {
  local cores
  cores=$(local_cores)
  tr '\r' '\n' <"$hostfile" | sed -e $'1s/^\xef\xbb\xbf//' -e 's/#.*//' | awk -v cores="$cores" 'NF {
    slots = ($1 == "localhost") ? cores : 0
    for (i = 2; i <= NF; i++) if ($i ~ /^slots=/) slots = substr($i, 7)
    print $1, slots
  }'
}

# Whether mpirun reaches the host without ssh.
is_local() { [[ " localhost 127.0.0.1 $(hostname) $(hostname -f 2>/dev/null) $(hostname -I 2>/dev/null) " == *" $1 "* ]]; }

# The hosts among the arguments that do not answer to ssh.
silent_hosts() {
  local host index probes=() asked=()
  for host; do
    if is_local "$host"; then continue; fi
    # shellcheck disable=SC2086
    ssh $ssh_arguments -o BatchMode=yes -o ConnectTimeout=10 -n "$host" true >/dev/null 2>&1 &
    probes+=($!) asked+=("$host")
  done
  for index in "${!probes[@]}"; do wait "${probes[index]}" || echo "${asked[index]}"; done
}

# room: how many ranks have cores of their own; empty where only mpirun knows.
room='' placement=() names=()
# Where the ranks go: reads the host file, leaving out the hosts in $lost.
lost=''
place() {
  room=0 placement=() names=()
  # mpirun reads neither Windows line ends nor a byte order mark: it gets the hosts themselves.
  local foreign=''
  if grep -q $'\r\|^\xef\xbb\xbf' "$hostfile"; then foreign=1; fi
  local hosts='' host slots
  while read -r host slots; do
    if [[ " $lost " == *" $host "* ]]; then continue; fi
    [[ $slots =~ ^(0|[1-9][0-9]{0,5})$ ]] || fail "$hostfile: slots of $host is '$slots', not a whole number from 0 to 999999"
    names+=("$host")
    if ((slots == 0)); then
      [[ $asked && $threads == 1 ]] || fail "$hostfile: $host needs slots=CORES (or give -n, with one thread per rank)"
      room=''
      continue
    fi
    ((slots < threads)) && fail "$hostfile: $host has $slots slots, too few for $threads threads per rank"
    hosts+=${hosts:+,}$host:$((slots / threads))
    if [[ $room ]]; then room=$((room + slots / threads)); fi
  done < <(nodes)
  ((${#names[@]})) || fail "$hostfile names no host${lost:+ that answers}"
  # mpirun would place one rank per slot; with several threads a rank takes several.
  if ((threads > 1)) || [[ $lost$foreign && $room ]]; then
    placement=(--host "$hosts")
  elif [[ $lost$foreign ]]; then
    placement=(--host "$(IFS=, && echo "${names[*]}")")
  else
    placement=(--hostfile "$hostfile")
  fi
}

asked=$ranks
if [[ $hostfile ]]; then
  [[ -r $hostfile ]] || fail "there is no host file $hostfile; hostfiles/cluster.example is one to copy"
  place
  # mpirun's own message names no host.
  if ((${#names[@]} > 1)) && [[ -z $ssh_agent${SLURM_JOB_ID:-}${PBS_JOBID:-} ]]; then
    silent=$(silent_hosts "${names[@]}")
    [[ -z $silent ]] || fail "no answer to ssh (it must work without a password) from: ${silent//$'\n'/, }"
  fi
elif [[ ${SLURM_JOB_ID:-}${PBS_JOBID:-} ]]; then
  ranks=${ranks:-${SLURM_NTASKS:-}}
  [[ $ranks ]] || fail "in this batch job the number of ranks is unknown: give -n"
else
  room=$(($(local_cores) / threads))
fi
ranks=${ranks:-$((room > 0 ? room : 1))}

turns=''
if [[ $room ]] && ((ranks > room)); then
  wanted="$ranks rank(s) of $threads thread(s) need more cores than there are: $room such rank(s) would fit"
  [[ ${bind:-none} == none ]] || fail "$wanted; --bind $bind needs a core for each thread, --bind none does not"
  echo "launch.sh: warning: $wanted. They take turns, and everything is slower." >&2
  bind=none
  # Ranks that wait must leave the core to those that work.
  turns=1
  export OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-passive}
fi
# No option has spaces in it, but for those of ssh.
read -ra settings < <(placement_options "${bind:-core}" "$threads" "$turns")
add() { settings+=("$@"); }

# shellcheck disable=SC2046
if [[ $interface ]]; then
  add $(network_options "$interface")
elif ((${#names[@]} > 1)); then
  bridges=$(sed -n 's/^ *\(\(docker\|br-\|virbr\|lxcbr\|lxdbr\|podman\|cni\)[^:]*\):.*/\1/p' /proc/net/dev | paste -sd ' ')
  [[ -z $bridges ]] || echo "launch.sh: warning: this host has $bridges, which leads to no other host. If the ranks do not find" \
    "each other, name the network between the hosts with --interface." >&2
fi
# shellcheck disable=SC2046
if [[ $hostfile || ${SLURM_JOB_ID:-}${PBS_JOBID:-} ]]; then
  add $(lost_host_options)
  mapfile -t -O ${#settings[@]} settings \
    < <(ssh_options "${ssh_arguments:+$ssh_arguments }-o ServerAliveInterval=5 -o ServerAliveCountMax=3")
fi
# shellcheck disable=SC2046
if [[ $verbose ]]; then add $(verbose_options); fi

# OpenBLAS reads a variable of its own first.
export OMP_NUM_THREADS=$threads OPENBLAS_NUM_THREADS=$threads
# ssh brings no variables along, and ranks whose libraries choose other kernels round differently. Unless OMP_WAIT_POLICY
# or GOMP_SPINCOUNT is set, idle OpenMP threads spin for some milliseconds, then sleep, which suits ranks with cores of their own.
exported=()
while read -r name; do
  exported+=(-x "$name")
done < <(compgen -e | grep -E '^((OMP|GOMP|OPENBLAS|ONEDNN|DNNL)_|LD_LIBRARY_PATH$)')

# mpirun refuses root unless told twice; containers often have no other user.
if ((EUID == 0)); then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi

# compose COSFACE'S ARGUMENTS...: leaves the command in `line`, and shows it.
compose() {
  # Without --quiet: it would also hide why mpirun itself fails (too few slots).
  line=(mpirun -n "$ranks" "${placement[@]}" "${settings[@]}" "${exported[@]}" "$binary" "$@")
  {
    for name in OMPI_ALLOW_RUN_AS_ROOT OMPI_ALLOW_RUN_AS_ROOT_CONFIRM OMP_NUM_THREADS OPENBLAS_NUM_THREADS OMP_WAIT_POLICY; do
      if [[ -v $name ]]; then printf '%s=%q ' "$name" "${!name}"; fi
    done
    printf '%q ' "${line[@]}"
    printf '\n'
  } >&2
}

compose "$@"
# PRRTE's mpirun has several hosts to lose, and ends with 0 then.
hides_loss=''
if ! is_orte && [[ ${#names[@]} -gt 1 || ${SLURM_JOB_ID:-}${PBS_JOBID:-} ]]; then hides_loss=1; fi
if ((!restarts)) && [[ ! $hides_loss ]]; then
  # This process becomes mpirun.
  guard_mpirun $$
  exec "${line[@]}"
fi

# Signals go on to mpirun, which passes USR1 to the ranks; whoever ends the job does not want it started again.
job='' stopped=''
forward() {
  if [[ $1 != USR1 ]]; then stopped=1; fi
  if [[ $job ]]; then kill -"$1" "$job" 2>/dev/null || true; fi
}
for signal in INT TERM HUP USR1; do
  # shellcheck disable=SC2064
  trap "forward $signal" "$signal"
done

# Passes lines on to standard error, and makes the file $1 where mpirun tells of a lost host among them.
look_for_loss() {
  local text
  while IFS= read -r text || [[ $text ]]; do
    printf '%s\n' "$text" >&2
    if [[ $text == 'PRTE has lost communication with a remote daemon.'* ]]; then : >"$1"; fi
  done
}

# start: starts mpirun with `line`, and leaves its exit code in `code`.
start() {
  local folder='' reader
  if [[ $hides_loss ]]; then
    folder=$(mktemp --directory)
    mkfifo "$folder/errors"
    look_for_loss "$folder/lost" <"$folder/errors" &
    reader=$!
    "${line[@]}" <&0 2>"$folder/errors" &
  else
    "${line[@]}" <&0 &
  fi
  job=$!
  guard_mpirun "$job"
  ended "$job"
  job=''
  [[ $folder ]] || return 0
  # Somebody whom mpirun has left behind may hold its end of the pipe.
  for _ in {1..30}; do
    kill -0 "$reader" 2>/dev/null || break
    sleep 0.1
  done
  if [[ -e $folder/lost && $code == 0 ]]; then code=69; fi
  rm -r "$folder"
}

# The ranks of the first start, or fewer for the hosts that are left: as many as have room and divide the global batch
# evenly.
fit() {
  local state batch parts
  ranks=$wanted_ranks
  if [[ -z $room ]] || ((ranks <= room)); then return; fi
  ranks=$room
  state=$("$binary" inspect "$run" --json 2>/dev/null || true)
  batch=$(sed -n 's/.*"globalBatchSize" : \([0-9]*\).*/\1/p' <<<"$state" | head -n 1)
  parts=$(sed -n 's/.*"gradientAccumulation" : \([0-9]*\).*/\1/p' <<<"$state" | head -n 1)
  while [[ $batch ]] && ((ranks > 1 && batch % (ranks * ${parts:-1}) != 0)); do ranks=$((ranks - 1)); done
}

# Of the first start, with all hosts: what every later one is measured by.
wanted_ranks=$ranks all_hosts=("${names[@]}")
# More ranks than cores, as asked for: hosts that are left take their turns, too.
if [[ $turns ]]; then room=''; fi
for ((attempt = 0; ; attempt++)); do
  start
  case $code in 0 | 1 | 64 | 75) exit "$code" ;; esac
  if [[ $stopped ]] || ((attempt == restarts)); then exit "$code"; fi
  sleep 2
  if [[ $hostfile ]]; then
    before=$lost
    # All of them: one that was lost before may be still, or may be back.
    lost=$(silent_hosts "${all_hosts[@]}" | paste -sd ' ')
    # A link that is just coming back deserves a second look.
    if [[ $lost ]]; then
      sleep 5
      # shellcheck disable=SC2086
      lost=$(silent_hosts $lost | paste -sd ' ')
    fi
    if [[ $lost ]]; then echo "launch.sh: no answer from $lost: going on without" >&2; fi
    for host in $before; do
      if [[ " $lost " != *" $host "* ]]; then echo "launch.sh: $host answers again, and takes part" >&2; fi
    done
    asked=$wanted_ranks
    place
    fit
  fi
  echo "launch.sh: ended with exit code $code; starting again from the last checkpoint of $run ($((attempt + 1)) of $restarts" \
    "restarts) with $ranks ranks" >&2
  compose "${again[@]}"
done
