#!/usr/bin/env bash
# Builds everything and runs the tests, or a part of them. `scripts/test.sh --help` tells the parts.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() {
  cat <<'HELP'
Usage: scripts/test.sh [PART...]

Without PART: installs what is missing, builds everything in release and runs all parts but sanitize; most of them beside
'program', which leaves the cores idle half of the time. That takes about 22 minutes on two cores from a built tree, and 8
more for a first build; on slower ones 29 and 13.

  build          everything in release, tests too (2 to 10 minutes)
  program        the library, the program's commands and the scripts (15 minutes)
  units          MPITests and NeuralNetworkTests in one process (3 minutes)
  avx2           NeuralNetworkTests with the kernels of AVX2, where the processor has AVX-512 (1 minute)
  instructions   no AVX-512 in the program outside of the kernels that are chosen while it runs (seconds)
  ranks          RankTests under mpirun with 1, 2, 3 and 4 ranks (4 minutes); ranks-1 to ranks-4: with so many (1 minute)
  outsider       a package of its own that uses the library (1 minute)
  format         swift format lint (seconds)
  sanitize       NeuralNetworkTests and RankTests in debug with the address sanitizer, built in .build-sanitize: not among
                 the default parts (about an hour, and 10 minutes more for a first build)

A PART needs what 'build' made, but for format, outsider and sanitize. Logs are in .build/test-logs. Ends with a summary;
exit code 1 if anything failed, 2 for a PART that there is not.

RANK_TEST_TIMEOUT: seconds after which one run of the rank tests counts as hung (default 900; sanitize: 3600).
HELP
}

all=(build program units avx2 instructions ranks-1 ranks-2 ranks-3 ranks-4 outsider format)
chosen=()
for argument; do
  case $argument in
    -h | --help) usage && exit 0 ;;
    ranks) chosen+=(ranks-1 ranks-2 ranks-3 ranks-4) ;;
    *)
      if [[ " ${all[*]} sanitize " != *" $argument "* || -z $argument ]]; then
        echo "test.sh: there is no part '$argument': build, program, units, avx2, instructions, ranks, ranks-1 to ranks-4," \
          "outsider, format, sanitize; --help explains them" >&2
        exit 2
      fi
      chosen+=("$argument")
      ;;
  esac
done
timeout=${RANK_TEST_TIMEOUT:-}
if [[ $timeout && ! $timeout =~ ^[1-9][0-9]{0,5}$ ]]; then
  echo "test.sh: RANK_TEST_TIMEOUT must be a whole number of seconds from 1 to 999999, not '$timeout'" >&2
  exit 2
fi

logs=.build/test-logs
passed=0 failed=0 summary=()

# part NAME COMMAND...: runs it into a log, shows what matters, and counts.
part() {
  local name=$1 log code=0 good=0 bad=0 start=$SECONDS
  shift
  log=$logs/${name// /-}.log
  echo "== $name: $*"
  "$@" </dev/null >"$log" 2>&1 || code=$?
  read -r good bad < <(count "$log")
  # A filter that no longer matches would look like success.
  if [[ $* == *--filter* ]] && ((code == 0 && good + bad == 0)); then
    echo "error: no test ran" >>"$log"
    code=1
  fi
  # A part that failed without a failed test (build, crash, hang, lint) is one failure.
  if ((code != 0 && bad == 0)); then bad=1; fi
  if ((code == 0 && bad > 0)); then code=1; fi
  passed=$((passed + good)) failed=$((failed + bad))
  if ((code != 0)); then
    grep -aE '✘|error:|Fatal error|warning:' "$log" | cut -c1-500 | head -n 60 || true
    echo "-- the end of $log:"
    # Parameterized tests announce each case with all its values.
    { grep -av '◇' "$log" || true; } | tail -n 40 | cut -c1-500
    summary+=("FAILED  $name (exit code $code, $good tests passed, $bad failures, $((SECONDS - start)) s; $log)")
  else
    summary+=("ok      $name ($good tests, $((SECONDS - start)) s)")
  fi
  echo "${summary[-1]}"
  return "$code"
}

# "passed failed" of a log of swift-testing. A test of the ranks counts once, and fails where it failed on any rank.
count() {
  sed -E 's/\x1b\[[0-9;]*m//g' "$1" | awk '
    match($0, /[✔✘] Test .* (passed|failed) after /) {
      name = substr($0, RSTART, RLENGTH)
      if (name ~ / Test (run|case) /) next
      verdict = name ~ / failed after $/ ? "failed" : "passed"
      sub(/^[^T]*Test /, "", name)
      sub(/( with [0-9]+ test cases?)? (passed|failed) after $/, "", name)
      # mpirun tags lines with [job,rank]: only rank 0 counts what exists.
      other = $0 ~ /^\[[0-9]+,[1-9][0-9]*\]/
      if (!other) total++
      if (verdict == "failed" && !(name in broken)) { broken[name] = 1; bad++ }
    }
    END { good = total - bad; print (good < 0 ? 0 : good), bad + 0 }'
}

# Instructions of AVX-512 outside the target that is called only where the processor has them would end the program on
# every older processor.
no_wide_instructions() {
  local found wide
  # Mangled names shorten words that they repeat.
  found=$(objdump -d --no-show-raw-insn "$1" | awk '
    /^[0-9a-f]+ </ { name = $2 }
    /%zmm|%[xy]mm(1[6-9]|2[0-9]|3[01])|%k[0-7]/ { print name }' | sort | uniq -c | swift demangle)
  wide=$(grep -c WideKernels <<<"$found" || true)
  found=$(grep -v WideKernels <<<"$found" || true)
  if [[ -n $found ]] || ((wide == 0)); then
    echo "error: AVX-512 outside WideKernels, or none in it, in $1:"
    echo "$found"
    return 1
  fi
}

# The tests on several hosts, made of namespaces, need root.
without=()
if ((EUID != 0)); then without=(--skip 'FaceRecognitionTests\.ClusterTests'); fi
bundle=.build/release/cosfacePackageTests.xctest
# One at a time: each test may use all cores. `swift test` would lock .build, and other parts would wait for it.
tests=(--testing-library swift-testing --no-parallel --filter)

# A module may import only what Package.swift lists for it.
run_build() { part 'build' swift build -c release --build-tests --explicit-target-dependency-import-check error; }

run_program() { part 'program' "$bundle" "${tests[@]}" '^FaceRecognitionTests\.' "${without[@]}"; }
run_units() { part 'units' "$bundle" "${tests[@]}" '^(MPITests|NeuralNetworkTests)\.'; }

# Kernels are there in two widths: where the processor has AVX-512, those of AVX2 have their turn here.
run_avx2() {
  if ! grep -qw avx512bw /proc/cpuinfo; then
    summary+=('-       AVX2 kernels: this processor has no others, so that the other parts test them')
    return 0
  fi
  ONEDNN_MAX_CPU_ISA=AVX2 part 'AVX2 kernels' "$bundle" "${tests[@]}" '^NeuralNetworkTests\.'
}

run_instructions() {
  if [[ ${COSFACE_CPU:-x86-64-v3} != x86-64-v3 ]]; then
    summary+=("-       instructions: COSFACE_CPU=$COSFACE_CPU asks for others")
    return 0
  fi
  part 'instructions' no_wide_instructions "${bundle%/*}/cosface"
}

# ranks N BUNDLE SECONDS [mpirun's options]: the tests of the ranks.
ranks() {
  local count=$1 bundle=$2 limit=$3
  shift 3
  OMP_NUM_THREADS=1 part "${prefix:-}ranks $count" mpirun --oversubscribe --bind-to none --mca mpi_yield_when_idle 1 \
    --timeout "$limit" --tag-output "$@" -n "$count" \
    "$bundle" "${tests[@]}" '^RankTests\.'
}

run_outsider() { part 'outsider' Tests/Outsider/check.sh; }
run_format() { part 'format' swift format lint --strict --recursive Sources Tests Package.swift; }

run_sanitize() {
  local failed='' prefix='sanitize: ' bundle=.build-sanitize/debug/cosfacePackageTests.xctest
  # Open MPI keeps memory until its end, which is no leak of ours.
  export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=0:abort_on_error=0:exitcode=99}
  export COSFACE_OPTIMIZED_KERNELS=1
  part 'sanitize: build' swift build --build-tests --sanitize=address --scratch-path .build-sanitize || return 1
  part 'sanitize: NeuralNetworkTests' "$bundle" --testing-library swift-testing --no-parallel \
    --filter '^NeuralNetworkTests\.' || failed=1
  for count in 1 2 3; do
    ranks "$count" "$bundle" "${timeout:-3600}" -x ASAN_OPTIONS || failed=1
  done
  [[ ! $failed ]]
}

run() {
  case $1 in
    ranks-*) ranks "${1#ranks-}" "$bundle" "${timeout:-900}" ;;
    *) "run_$1" ;;
  esac
}

# beside PART...: runs them one after the other; what came of them goes to a file, for `join_beside`.
beside() {
  local name
  passed=0 failed=0 summary=()
  for name; do run "$name" || true; done
  { echo "$passed $failed" && printf '%s\n' "${summary[@]}"; } >"$logs/beside"
}

# Waits for `beside` and takes over its output and its counts.
join_beside() {
  local counts='0 1' lines=()
  wait "$1" || true
  cat "$logs/beside.log"
  if [[ -s $logs/beside ]]; then
    mapfile -t lines <"$logs/beside"
    counts=${lines[0]}
    summary+=("${lines[@]:1}")
  else
    summary+=("FAILED  the parts beside 'program' ended early; $logs/beside.log")
  fi
  passed=$((passed + ${counts% *})) failed=$((failed + ${counts#* }))
}

# All parts, of which some run beside 'program'.
run_all() {
  run build || { run format || true; return; }
  rm -f "$logs/beside"
  # A group of its own: it ends with this script.
  set -m
  beside instructions outsider format units avx2 ranks-1 ranks-2 ranks-3 </dev/null >"$logs/beside.log" 2>&1 &
  local other=$!
  set +m
  trap 'kill -- -'"$other"' 2>/dev/null || true' EXIT
  run program || true
  join_beside "$other"
  trap - EXIT
  # Four on two cores wait long for one another as it is.
  run ranks-4 || true
}

mkdir -p "$logs"
# Colors would get into the logs.
export NO_COLOR=1 SWIFT_BACKTRACE=color=no,registers=none,images=none
# mpirun refuses root unless told twice.
if ((EUID == 0)); then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi

if ((${#chosen[@]})); then
  for name in "${chosen[@]}"; do
    case $name in
      program | units | avx2 | instructions | ranks-*)
        if [[ " ${chosen[*]} " != *' build '* && ! -e $bundle ]]; then
          echo "test.sh: $name needs what is built: scripts/test.sh build $name" >&2
          exit 2
        fi
        ;;
    esac
  done
else
  chosen=("${all[@]}")
  scripts/setup.sh
  more=(--only-tests)
  if ((EUID == 0)); then more+=(--only-cluster); fi
  scripts/setup.sh "${more[@]}"
fi
. scripts/setup/find-swift.sh
find_swift
if ((${#without[@]})) && [[ " ${chosen[*]} " == *' program '* ]]; then
  echo "test.sh: the tests on several hosts (ClusterTests) are left out: they need root"
fi
if [[ ${chosen[*]} == "${all[*]}" ]]; then
  run_all
else
  for name in "${chosen[@]}"; do
    if run "$name"; then continue; fi
    # Without a build only what needs none is worth its time.
    if [[ $name == build ]]; then
      if [[ " ${chosen[*]} " == *' format '* ]]; then run format || true; fi
      break
    fi
  done
fi

echo
echo "Summary"
printf '  %s\n' "${summary[@]}"
if ((${#without[@]})) && [[ " ${chosen[*]} " == *' program '* ]]; then echo '  left out: ClusterTests (several hosts), which need root'; fi
echo
echo "$passed passed, $failed failed"
((failed == 0))
