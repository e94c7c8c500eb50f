#!/usr/bin/env bash
# Makes several hosts out of this machine and runs cosface on them. `scripts/cluster-test.sh --help` explains.
set -euo pipefail

self=$(readlink -f "${BASH_SOURCE[0]}")
root=$(dirname "$(dirname "$self")")
# shellcheck source=scripts/cores.sh
. "$root/scripts/cores.sh"
# shellcheck source=scripts/processes.sh
. "$root/scripts/processes.sh"

usage() {
  cat <<'HELP'
Usage: scripts/cluster-test.sh P [options] [launch.sh's options] -- COMMAND [cosface's options]

  scripts/cluster-test.sh 3 -- train --data faces --output runs/three --verify-replicas 1
  scripts/cluster-test.sh 2 --rate 1gbit -- bench allreduce
  scripts/cluster-test.sh 2 --restarts 1 --during 'wait_for 60 test -s runs/a/metrics.jsonl; kill -9 $(ranks node2)' -- \
    train --data faces --output runs/a --checkpoint-every 5

Makes P hosts, node1 ... nodeP, out of this machine: each has its own network, host name and sshd with keys of its own,
joined by a switch; the file system is shared, as on most clusters. cosface is started on node1 by
scripts/launch.sh --hostfile, with ssh and TCP between the hosts. All of it lives in namespaces that end with this script,
however it ends; the machine's own network is not touched. Needs root.

Options:
  --slots N        Ranks that each host has room for (default 1).
  --rate RATE      Shapes every link, in both directions: 1gbit, 100mbit, ... as tc spells it (a token bucket).
  --before CODE    Bash code to run when the hosts are up, before cosface starts.
  --during CODE    Bash code to run beside cosface. Both find these functions:
                     on HOST COMMAND...      runs a command on a host
                     link HOST down|up       pulls a host's cable, or puts it back
                     ranks HOST              process ids of the ranks on a host
                     wait_for SECONDS COMMAND...   until the command succeeds; fails if it does not
                     all_gone              succeeds where no rank runs on any host
                     steps RUN               how many steps the run in this folder has written down
  -h, --help       This text.

With a core for every rank, the hosts get cores of their own; otherwise ranks take turns. The exit code is cosface's, or 1
where only --during failed, which is waited for.
HELP
}

fail() {
  echo "cluster-test.sh: $*" >&2
  exit 2
}

# ---- Outside: options, packages, and the namespaces that end with this process.

outside() {
  local hosts='' slots=1 rate='' before='' during='' launch=()
  case ${1:-} in -h | --help) usage && exit 0 ;; esac
  hosts=${1:-}
  [[ $hosts =~ ^[1-9][0-9]?$ ]] || fail "how many hosts (1 to 99)? For example: scripts/cluster-test.sh 3 -- check; --help explains"
  shift
  while (($#)); do
    case $1 in
      --slots | --rate | --before | --during)
        (($# >= 2)) || fail "$1 needs a value"
        case $1 in
          --slots) slots=$2 ;;
          --rate) rate=$2 ;;
          --before) before=$2 ;;
          --during) during=$2 ;;
        esac
        shift 2
        ;;
      -h | --help) usage && exit 0 ;;
      --hostfile) fail "--hostfile is made here; leave it out" ;;
      --) shift && break ;;
      *) launch+=("$1") && shift ;;
    esac
  done
  [[ $slots =~ ^[1-9][0-9]*$ ]] || fail "--slots needs a number of at least 1, not '$slots'"
  [[ -z $rate || $rate =~ ^[0-9.]+[kmgt]?bit$ ]] || fail "--rate is such as 1gbit or 100mbit, not '$rate'"
  (($#)) || fail "what should cosface do? For example: scripts/cluster-test.sh 3 -- check"
  ((EUID == 0)) || fail "needs root, to make network namespaces: try sudo $0 ..."
  "$root/scripts/setup.sh" --only-cluster
  unshare --net --mount --pid --fork true 2>/dev/null ||
    fail "this machine does not let root make namespaces (a container without CAP_SYS_ADMIN?): unshare --net --mount --pid failed"

  work=$(mktemp --directory "${TMPDIR:-/tmp}/cosface-cluster.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  # With the last process go the networks, too.
  in_namespaces --net --mount-proc -- \
    "$self" --inside "$work" "$hosts" "$slots" "$rate" "$before" "$during" ${#launch[@]} "${launch[@]}" "$@"
  exit "$code"
}

# ---- Inside: the switch is this network namespace; a host is a sleeping process with namespaces of its own.

declare -A host_process=()

# on HOST COMMAND...
on() {
  local host=$1
  shift
  nsenter --target "${host_process[$host]}" --net --uts --mount -- env --chdir="$PWD" "$@"
}

# link HOST down|up: the switch's end of the cable, so that the host sees its own go dead, too.
link() { ip link set "port-$1" "$2"; }

# ranks HOST
ranks() {
  local process network found=1
  network=$(readlink "/proc/${host_process[$1]}/ns/net")
  for process in $(pgrep -x "$(basename "$binary" | cut -c 1-15)" || true); do
    if [[ $(readlink "/proc/$process/ns/net") == "$network" ]]; then echo "$process" && found=0; fi
  done
  return "$found"
}

all_gone() {
  local host
  for host in "${!host_process[@]}"; do
    if ranks "$host" >/dev/null; then return 1; fi
  done
}

# wait_for SECONDS COMMAND...
wait_for() {
  local end=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < end)) || { echo "cluster-test.sh: waited in vain for: $*" >&2 && return 1; }
    sleep 0.1
  done
}

# steps RUN
steps() { if [[ -e $1/metrics.jsonl ]]; then wc -l <"$1/metrics.jsonl"; else echo 0; fi; }

# Bytes that a shaped link may send at once: a millisecond's worth. More would make short messages too fast, less would keep
# fast links from their rate.
burst() {
  awk -v rate="$rate" 'BEGIN {
    bits = rate + 0
    if (rate ~ /kbit/) bits *= 1e3; else if (rate ~ /mbit/) bits *= 1e6; else if (rate ~ /gbit/) bits *= 1e9
    else if (rate ~ /tbit/) bits *= 1e12
    bytes = bits / 8000
    printf "%d", bytes < 16384 ? 16384 : bytes
  }'
}

make_host() {
  local number=$1 host=node$1 folder=$work/node$1 port=port-node$1
  mkdir "$folder"
  # Ready when it has its own namespaces and name.
  unshare --net --uts --mount -- bash -c 'hostname "$1"; touch "$2"; exec sleep infinity' - "$host" "$folder/up" &
  host_process[$host]=$!
  wait_for 10 test -e "$folder/up"
  ip link add "$port" type veth peer name eth0 netns "${host_process[$host]}"
  ip link set "$port" master switch up
  on "$host" bash -euc 'ip link set lo up; ip addr add "$1" dev eth0; ip link set eth0 up' - "10.77.0.$number/24"
  if [[ $rate ]]; then
    on "$host" tc qdisc add dev eth0 root tbf rate "$rate" burst "$(burst)" latency 50ms
    tc qdisc add dev "$port" root tbf rate "$rate" burst "$(burst)" latency 50ms
  fi
  # What a host has of its own besides the network. sshd refuses a root whose password is locked.
  ssh-keygen -q -t ed25519 -N '' -f "$folder/host_key"
  sed 's/^root:![^:]*:/root:*:/' /etc/shadow >"$folder/shadow" && chmod 600 "$folder/shadow"
  on "$host" bash -euc '
    mount --bind "$1/hosts" /etc/hosts
    mount --bind "$1/ssh" /etc/ssh
    mount --bind "$2/shadow" /etc/shadow
    mount -t tmpfs -o mode=1777 tmpfs /dev/shm
    mount -t tmpfs -o mode=755 tmpfs /run
    mkdir /run/sshd' - "$work" "$folder"
  host_cores[$number]=0-$((cores - 1))
  if ((hosts * slots <= cores)); then host_cores[$number]=$(((number - 1) * slots))-$((number * slots - 1)); fi
  on "$host" taskset --cpu-list "${host_cores[$number]}" /usr/sbin/sshd -D -e -h "$folder/host_key" 2>"$folder/sshd.log" &
}

# A folder in place of /etc/ssh, so that `ssh node2` works with nothing else given, as on a cluster that is set up.
make_keys() {
  mkdir "$work/ssh"
  ssh-keygen -q -t ed25519 -N '' -f "$work/ssh/key"
  cat >"$work/ssh/ssh_config" <<CONFIG
Host node*
  IdentityFile $work/ssh/key
  IdentitiesOnly yes
  UserKnownHostsFile /dev/null
  StrictHostKeyChecking no
  LogLevel ERROR
CONFIG
  cat >"$work/ssh/sshd_config" <<CONFIG
AuthorizedKeysFile $work/ssh/key.pub
PermitRootLogin prohibit-password
PasswordAuthentication no
StrictModes no
UsePAM no
PidFile none
CONFIG
}

answers() { on node1 ssh -o BatchMode=yes -o ConnectTimeout=5 "$1" true; }

inside() {
  work=$1 hosts=$2 slots=$3 rate=$4 before=$5 during=$6
  local count=$7 launch launcher='' beside='' number cores code=0
  shift 7
  launch=("${@:1:count}")
  shift "$count"
  binary=${COSFACE_BINARY:-$root/.build/release/cosface}
  declare -A host_cores=()
  cores=$(all_cores)
  # Process 1 of a namespace hears only signals that it has a handler for.
  trap 'if [[ $launcher ]]; then kill -TERM "$launcher" 2>/dev/null || true; else exit 143; fi' TERM
  mount -t tmpfs -o mode=755 tmpfs "$work"
  ip link set lo up
  ip link add switch type bridge
  ip link set switch up
  make_keys
  printf '127.0.0.1 localhost\n' >"$work/hosts"
  for ((number = 1; number <= hosts; number++)); do
    printf '10.77.0.%d node%d\n' "$number" "$number" >>"$work/hosts"
    printf 'node%d slots=%d\n' "$number" "$slots" >>"$work/hostfile"
  done
  for ((number = 1; number <= hosts; number++)); do make_host "$number"; done
  for ((number = 1; number <= hosts; number++)); do
    wait_for 20 answers "node$number" || { cat "$work/node$number/sshd.log" >&2 && exit 1; }
  done
  if ((hosts * slots > cores)); then
    # Ranks that wait must leave the core to those that work.
    export OMPI_MCA_mpi_yield_when_idle=1 OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-passive}
  fi
  # Every host believes that it has all cores, and would bind its ranks to the first ones.
  [[ " ${launch[*]} " == *" --bind "* ]] || launch+=(--bind none)
  [[ " ${launch[*]} " == *" --interface "* ]] || launch+=(--interface 10.77.0.0/24)
  eval "$before"
  on node1 taskset --cpu-list "${host_cores[1]}" "$root/scripts/launch.sh" --hostfile "$work/hostfile" "${launch[@]}" -- "$@" <&0 &
  launcher=$!
  (eval "$during") >&2 &
  beside=$!
  ended "$launcher"
  wait "$beside" || {
    echo "cluster-test.sh: --during ended with exit code $?" >&2
    if ((code == 0)); then code=1; fi
  }
  exit "$code"
}

if [[ ${1:-} == --inside ]]; then
  shift
  inside "$@"
else
  outside "$@"
fi
