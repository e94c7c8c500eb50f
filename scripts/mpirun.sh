# Sourced. What the releases of Open MPI spell differently: 4's mpirun is ORTE's, that of 5 and later PRRTE's.

# mpi_release: "5.0.7"; empty where mpirun is another MPI's.
mpi_release=$(mpirun --version 2>/dev/null </dev/null | sed -n 's/^mpirun (Open MPI) \([0-9][0-9.]*\).*/\1/p' || true)

is_orte() { ((${mpi_release%%.*} < 5)); }

# What mpirun gives to ssh, from its own variable.
if [[ $mpi_release ]] && is_orte; then
  ssh_arguments=${OMPI_MCA_plm_rsh_args:-} ssh_agent=${OMPI_MCA_plm_rsh_agent:-}
else
  ssh_arguments=${PRTE_MCA_plm_ssh_args:-} ssh_agent=${PRTE_MCA_plm_ssh_agent:-}
fi

# placement_options WHERE THREADS TURNS: each rank keeps to THREADS cores or threads of a core, or to a part of the machine;
# TURNS, unless empty: there may be more ranks than cores.
placement_options() {
  local map=slot where=$1
  case $where in core | hwthread) map+=:PE=$2 ;; esac
  if is_orte; then
    echo "${3:+--oversubscribe --mca mpi_yield_when_idle 1 }--map-by $map --bind-to $where"
  else
    case $where in socket) where=package ;; hwthread) map+=:HWTCPUS ;; esac
    echo "${3:+--mca mpi_yield_when_idle 1 }--map-by $map${3:+:OVERSUBSCRIBE} --bind-to $where"
  fi
}

# network_options CIDR: for mpirun's own traffic, and for the ranks'.
network_options() {
  if is_orte; then
    echo "--mca btl_tcp_if_include $1 --mca oob_tcp_if_include $1"
  else
    echo "--mca btl_tcp_if_include $1 --prtemca prte_if_include $1"
  fi
}

# Within half a minute mpirun sees that a host is gone, and a host that mpirun is: by default it takes many minutes.
lost_host_options() {
  local runtime=--prtemca
  if is_orte; then runtime=--mca; fi
  echo "$runtime oob_tcp_keepalive_time 8 $runtime oob_tcp_keepalive_intvl 4 $runtime oob_tcp_keepalive_probes 2"
}

# ssh_options TEXT: TEXT is one argument of mpirun, with spaces in it: two lines, each a word.
ssh_options() {
  if is_orte; then printf '%s\n' --mca plm_rsh_args "$1"; else printf '%s\n' --prtemca plm_ssh_args "$1"; fi
}

# shared_memory_options FOLDER: where the ranks of a host keep what they share.
shared_memory_options() {
  if is_orte; then echo "--mca btl_vader_backing_directory $1"; else echo "--mca btl_sm_backing_directory $1"; fi
}

# Shows the placement. 4.1: cosface silences explanations of what follows from a failure, unless this variable is set.
verbose_options() {
  if is_orte; then
    echo "--report-bindings --display-map -x OMPI_MCA_orte_execute_quiet=0"
  else
    echo "--display map,bindings -x OMPI_MCA_orte_execute_quiet=0"
  fi
}
