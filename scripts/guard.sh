# Sourced. Open MPI 4.1's mpirun can hang at its own end after a rank was killed: its PMIx server waits for a lock for ever, and
# --timeout does not help. All ranks have ended by then, so nobody is left whom the run could wait for.

# guard_mpirun PID: ends mpirun where for half a minute ($COSFACE_GUARD_SECONDS) it has had no living child, after it had one.
# Returns at once: what watches is nobody's child, and holds no file open.
guard_mpirun() {
  (watch_mpirun "$1" </dev/null >/dev/null 2>&1 &)
}

watch_mpirun() {
  local mpirun=$1 name seen='' last=$SECONDS limit=${COSFACE_GUARD_SECONDS:-30}
  exec 3>&- 4>&- 5>&-
  while sleep 1 && kill -0 "$mpirun" 2>/dev/null; do
    # Kernels without this file leave nothing to tell by.
    cat "/proc/$mpirun/task/$mpirun/children" >/dev/null || return 0
    if has_living_child "$mpirun"; then
      seen=1 last=$SECONDS
    elif [[ $seen ]] && ((SECONDS - last >= limit)); then
      read -r name <"/proc/$mpirun/comm" || return 0
      [[ $name == mpirun || $name == orterun ]] || return 0
      echo "mpirun has had no process for $limit s and does not end: a defect of Open MPI. It is ended by SIGKILL." \
        >"/proc/$mpirun/fd/2" || true
      kill -9 "$mpirun"
      return 0
    fi
  done
}

has_living_child() {
  local child text
  for child in $(cat "/proc/$1"/task/*/children 2>/dev/null); do
    text=$(cat "/proc/$child/stat" 2>/dev/null) || continue
    # Behind the name in parentheses stands the state; Z has ended and waits to be noticed.
    if [[ ${text##*) } != Z* ]]; then return 0; fi
  done
  return 1
}
