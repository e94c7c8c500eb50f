# shellcheck shell=bash disable=SC2034
# Sourced. Waiting for processes while signals come, and namespaces that end with the script that made them.

# ended PROCESS: waits for it, and leaves its exit code in `code`.
ended() {
  while true; do
    code=0
    wait "$1" || code=$?
    kill -0 "$1" 2>/dev/null || break # Otherwise a signal woke us.
  done
}

# in_namespaces [UNSHARE'S OPTION]... -- COMMAND...: runs COMMAND as process 1 of a process namespace, with mounts of its own: when
# it ends, so does everything that it started, and with the last process go the mounts. It ends, too, if this script is killed.
# The first signal lets COMMAND end; the second ends everything at once. Leaves its exit code in `code`.
in_namespaces() {
  setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child "$@" <&0 &
  namespace=$!
  trap stop_namespace INT TERM HUP
  ended "$namespace"
}

stop_namespace() {
  trap 'kill -KILL "$namespace" 2>/dev/null || true' INT TERM HUP
  local inner
  inner=$(cat "/proc/$namespace/task/$namespace/children" 2>/dev/null || true)
  # shellcheck disable=SC2086
  kill -TERM $inner 2>/dev/null || true
}
