#!/usr/bin/env bash
# Installs what is missing, builds everything in release, and runs all tests: those of one process, those of the ranks under
# mpirun with 1, 2, 3 and 4 of them, and the formatter's. Ends with a summary; exit code 1 if anything failed.
# RANK_TEST_TIMEOUT: seconds after which one run of the rank tests counts as hung (default 900).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

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
  local found
  found=$(objdump -d --no-show-raw-insn "$1" | awk '
    /^[0-9a-f]+ </ { name = $2 }
    /%zmm|%[xy]mm(1[6-9]|2[0-9]|3[01])|%k[0-7]/ { if (name ~ /WideKernels/) wide++; else print name }
    END { if (!wide) print "no kernel of WideKernels at all" }' | sort | uniq -c)
  if [[ -n $found ]]; then
    echo "error: AVX-512 outside WideKernels, or none in it, in $1:"
    echo "$found"
    return 1
  fi
}

scripts/setup.sh
# Tests on several hosts, made of namespaces: they need root.
without=()
if ((EUID == 0)); then
  scripts/setup.sh --only-cluster
else
  without=(--skip 'FaceRecognitionTests\.ClusterTests')
  echo "test.sh: the tests on several hosts (ClusterTests) are left out: they need root"
fi
mkdir -p "$logs"
# Colors would get into the logs.
export NO_COLOR=1 SWIFT_BACKTRACE=color=no,registers=none,images=none
# mpirun refuses root unless told twice.
if ((EUID == 0)); then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi

if part 'build' swift build -c release --build-tests; then
  bundle=$(swift build -c release --show-bin-path)/cosfacePackageTests.xctest
  # One at a time: each test may use all cores.
  part 'one process' swift test -c release --skip-build --disable-xctest --no-parallel \
    --filter '^(MPITests|NeuralNetworkTests|FaceRecognitionTests)\.' "${without[@]}" || true
  # Kernels are there in two widths: where the processor has AVX-512, those of AVX2 have their turn here.
  if grep -qw avx512bw /proc/cpuinfo; then
    ONEDNN_MAX_CPU_ISA=AVX2 part 'AVX2 kernels' swift test -c release --skip-build --disable-xctest --no-parallel \
      --filter '^NeuralNetworkTests\.' || true
  fi
  if [[ ${COSFACE_CPU:-x86-64-v3} == x86-64-v3 ]]; then
    part 'instructions' no_wide_instructions "${bundle%/*}/cosface" || true
  fi
  for ranks in 1 2 3 4; do
    OMP_NUM_THREADS=1 part "ranks $ranks" mpirun --oversubscribe --bind-to none --mca mpi_yield_when_idle 1 \
      --timeout "${RANK_TEST_TIMEOUT:-900}" --tag-output -n "$ranks" \
      "$bundle" --testing-library swift-testing --no-parallel --filter '^RankTests\.' || true
  done
  part 'outsider' Tests/Outsider/check.sh || true
fi
part 'format' swift format lint --strict --recursive Sources Tests Package.swift || true

echo
echo "Summary"
printf '  %s\n' "${summary[@]}"
if ((${#without[@]})); then echo '  left out: ClusterTests (several hosts), which need root'; fi
echo
echo "$passed passed, $failed failed"
((failed == 0))
