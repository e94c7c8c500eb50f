#!/usr/bin/env bash
# Five landmarks of the face in each photograph, as `cosface dataset align` takes them:
#   scripts/landmarks.sh PHOTOGRAPHS landmarks.csv
#   cosface dataset align PHOTOGRAPHS FACES --landmarks landmarks.csv
# MediaPipe finds them; it comes from PyPI with its weights, 250 MB in all, into .cache/landmarks-venv. See landmarks.py.
set -euo pipefail

fail() {
  echo "landmarks.sh: $*" >&2
  exit 2
}

case ${1:-} in -h | --help) sed -n '2,5s/^# //p' "$0" && exit 0 ;; esac
(($# == 2)) || fail "give the folder of the photographs and the table to write; see --help"
[[ -d $1 ]] || fail "there is no folder $1"
folder=$(dirname "${BASH_SOURCE[0]}")
venv=$folder/../.cache/landmarks-venv
if [[ ! -x $venv/bin/python || ! -e $venv/whole ]]; then
  rm -rf "$venv"
  python3 -m venv "$venv" || fail "python3 with venv is needed; on Debian and Ubuntu: apt-get install python3-venv"
  # What MediaPipe names beside these (jax, sound) serves other tasks.
  "$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps mediapipe==0.10.14 &&
    "$venv/bin/pip" install --quiet --disable-pip-version-check absl-py attrs flatbuffers 'numpy<2' 'protobuf>=4.25.3,<5' \
      opencv-python-headless matplotlib pillow || fail "PyPI did not give MediaPipe; is there a network?"
  touch "$venv/whole"
fi
"$venv/bin/python" -W ignore "$folder/landmarks.py" "$1" "$2" 2> >(grep -vE '^(WARNING|INFO|[WI][0-9]{4} )' >&2)
