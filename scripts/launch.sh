#!/usr/bin/env bash
# Starts cosface on several ranks with mpirun. `scripts/launch.sh --help` explains the options.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

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
  --verbose           Shows where mpirun places and binds the ranks, and lets Open MPI explain what it meets later, too
                      (networks that do not connect, ranks that have gone).
  -h, --help          This text.

The program is .build/release/cosface; COSFACE_BINARY names another. OMP_WAIT_POLICY, GOMP_SPINCOUNT and LD_LIBRARY_PATH,
where set, go to all ranks. The exit code is mpirun's: cosface's own, or not zero when any rank failed.
HELP
}

fail() {
  echo "launch.sh: $*" >&2
  exit 2
}

number() {
  [[ $2 =~ ^[1-9][0-9]*$ ]] || fail "$1 needs a number of at least 1, not '$2'"
}

ranks='' threads=1 hostfile='' bind='' interface='' verbose=''
while (($#)); do
  case $1 in
    -n | --ranks | --threads | --hostfile | --bind | --interface)
      (($# >= 2)) || fail "$1 needs a value"
      case $1 in
        -n | --ranks) number "$1" "$2" && ranks=$2 ;;
        --threads) number "$1" "$2" && threads=$2 ;;
        --hostfile) hostfile=$2 ;;
        --bind) bind=$2 ;;
        --interface) interface=$2 ;;
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

binary=${COSFACE_BINARY:-$root/.build/release/cosface}
[[ -x $binary && ! -d $binary ]] || fail "there is no program $binary; build it with: swift build -c release"
command -v mpirun >/dev/null || fail "there is no mpirun; scripts/setup.sh installs Open MPI"

# Cores that this process may use, without the second threads of a core: they share its arithmetic.
local_cores() {
  local physical allowed
  physical=$(lscpu --parse=CORE,SOCKET | grep -v '^#' | sort -u | wc -l)
  allowed=$(nproc)
  echo $((physical < allowed ? physical : allowed))
}

# "host cores" for each node of the host file; 0 where the file does not say how many cores.
nodes() {
  local cores
  cores=$(local_cores)
  sed 's/#.*//' "$hostfile" | awk -v cores="$cores" 'NF {
    slots = ($1 == "localhost") ? cores : 0
    for (i = 2; i <= NF; i++) if ($i ~ /^slots=/) slots = substr($i, 7)
    print $1, slots
  }'
}

# room: how many ranks have cores of their own; empty where only mpirun knows.
room='' placement=()
if [[ $hostfile ]]; then
  [[ -r $hostfile ]] || fail "there is no host file $hostfile; hostfiles/cluster.example is one to copy"
  room=0 hosts=''
  while read -r host slots; do
    [[ $slots =~ ^[0-9]+$ ]] || fail "$hostfile: slots of $host is '$slots', not a number"
    if ((slots == 0)); then
      [[ $ranks && $threads == 1 ]] || fail "$hostfile: $host needs slots=CORES (or give -n, with one thread per rank)"
      room='' && break
    fi
    ((slots < threads)) && fail "$hostfile: $host has $slots slots, too few for $threads threads per rank"
    hosts+=${hosts:+,}$host:$((slots / threads))
    room=$((room + slots / threads))
  done < <(nodes)
  [[ $room != 0 ]] || fail "$hostfile names no host"
  # mpirun would place one rank per slot; with several threads a rank takes several.
  if ((threads > 1)); then placement=(--host "$hosts"); else placement=(--hostfile "$hostfile"); fi
elif [[ ${SLURM_JOB_ID:-}${PBS_JOBID:-} ]]; then
  ranks=${ranks:-${SLURM_NTASKS:-}}
  [[ $ranks ]] || fail "in this batch job the number of ranks is unknown: give -n"
else
  room=$(($(local_cores) / threads))
fi
ranks=${ranks:-$((room > 0 ? room : 1))}

if [[ $room ]] && ((ranks > room)); then
  wanted="$ranks rank(s) of $threads thread(s) need more cores than there are: $room such rank(s) would fit"
  [[ ${bind:-none} == none ]] || fail "$wanted; --bind $bind needs a core for each thread, --bind none does not"
  echo "launch.sh: warning: $wanted. They take turns, and everything is slower." >&2
  bind=none
  # Ranks that wait must leave the core to those that work.
  placement+=(--oversubscribe --mca mpi_yield_when_idle 1)
  export OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-passive}
fi
bind=${bind:-core}
case $bind in
  core | hwthread) placement+=(--map-by "slot:PE=$threads" --bind-to "$bind") ;;
  *) placement+=(--map-by slot --bind-to "$bind") ;;
esac

# oob is mpirun's own traffic, btl the ranks'.
if [[ $interface ]]; then
  placement+=(--mca btl_tcp_if_include "$interface" --mca oob_tcp_if_include "$interface")
fi
# cosface silences those explanations once it runs, unless this variable is set.
if [[ $verbose ]]; then placement+=(--report-bindings --display-map -x OMPI_MCA_orte_execute_quiet=0); fi

# OpenBLAS reads a variable of its own first.
export OMP_NUM_THREADS=$threads OPENBLAS_NUM_THREADS=$threads
exported=(-x OMP_NUM_THREADS -x OPENBLAS_NUM_THREADS)
# Otherwise idle OpenMP threads spin for some milliseconds, then sleep, which suits ranks with cores of their own.
for name in OMP_WAIT_POLICY GOMP_SPINCOUNT LD_LIBRARY_PATH; do
  if [[ -v $name ]]; then exported+=(-x "$name"); fi
done

# mpirun refuses root unless told twice; containers often have no other user.
if ((EUID == 0)); then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi

# Without --quiet: it would also hide why mpirun itself fails (too few slots, a node out of reach).
line=(mpirun -n "$ranks" "${placement[@]}" "${exported[@]}" "$binary" "$@")
{
  for name in OMPI_ALLOW_RUN_AS_ROOT OMPI_ALLOW_RUN_AS_ROOT_CONFIRM OMP_NUM_THREADS OPENBLAS_NUM_THREADS OMP_WAIT_POLICY; do
    if [[ -v $name ]]; then printf '%s=%q ' "$name" "${!name}"; fi
  done
  printf '%q ' "${line[@]}"
  printf '\n'
} >&2
exec "${line[@]}"
