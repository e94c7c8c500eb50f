# Sourced. Open MPI 4.1's mpirun can hang at its own end after a rank was killed: its PMIx server waits for a lock for ever, and
# --timeout does not help. All ranks have ended by then, so nobody is left whom the run could wait for.

# guard_mpirun PID: ends mpirun where for half a minute ($COSFACE_GUARD_SECONDS) it has had no living child, after it had one.
# Returns at once: what watches is nobody's child, and holds no file open.
guard_mpirun() {
  (watch_mpirun "$1" </dev/null >/dev/null 2>&1 &)
}

watch_mpirun() {
  local mpirun=$1 name seen='' last=$SECONDS limit=${COSFACE_GUARD_SECONDS:-30} file
  # Who started us may wait for the end of any file that we were given.
  for file in "/proc/$BASHPID/fd"/*; do
    file=${file##*/}
    if ((file > 2)); then eval "exec $file>&-"; fi
  done
  while sleep 1 && is_alive "$mpirun"; do
    # Kernels without this file leave nothing to tell by.
    cat "/proc/$mpirun/task/$mpirun/children" >/dev/null || return 0
    if has_living_child "$mpirun"; then
      seen=1 last=$SECONDS
    elif [[ $seen ]] && ((SECONDS - last >= limit)); then
      read -r name <"/proc/$mpirun/comm" || return 0
      [[ $name == mpirun || $name == orterun || $name == prterun ]] || return 0
      echo "mpirun has had no process for $limit s and does not end: a defect of Open MPI. It is ended by SIGKILL." \
        >"/proc/$mpirun/fd/2" || true
      kill -9 "$mpirun"
      return 0
    fi
  done
}

# Whether there is such a process that has not ended: its parent may be slow to notice.
is_alive() {
  local text
  text=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  # Behind the name in parentheses stands the state.
  [[ ${text##*) } != Z* ]]
}

has_living_child() {
  local child
  for child in $(cat "/proc/$1"/task/*/children 2>/dev/null); do
    if is_alive "$child"; then return 0; fi
  done
  return 1
}
