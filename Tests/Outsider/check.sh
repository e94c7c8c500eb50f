#!/usr/bin/env bash
# Builds a package of somebody else against the library, and runs the README's program in it on made-up faces.
# With the main package's build folder, so that what was built there is not built again.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

# What a newcomer copies is what is run here.
sed -n '/^## From Swift/,/^## /p' README.md | sed -n '/^```swift$/,/^```$/p' | sed '1d; /^```$/,$d' |
  diff - <(tail -n +2 Tests/Outsider/Sources/face-program/main.swift) ||
  { echo "error: the README's program is not Tests/Outsider's" && exit 1; }

swift build -c release --package-path Tests/Outsider --scratch-path .build --product face-program
program=$(swift build -c release --package-path Tests/Outsider --scratch-path .build --show-bin-path)/face-program

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for person in 1 2 3; do
  mkdir -p "$work/faces/$person"
  for image in 1 2 3 4; do
    { printf 'P5\n64 64\n255\n' && head -c 4096 /dev/urandom; } >"$work/faces/$person/$image.pgm"
  done
done

"$program" "$work/faces" "$work/run" "$work"/faces/1/[12].pgm >"$work/output"
cat "$work/output"
# Five epochs of one step each (12 faces in batches of 16), and a cosine.
[[ $(grep -c '^step [0-4]  loss [0-9.]*$' "$work/output") == 5 ]]
grep -Eq '^cosine -?[01]\.[0-9]+' "$work/output"

# An error says what is wrong; Swift ends a program that lets one through.
if "$program" "$work/none" "$work/other" 2>"$work/error"; then exit 1; fi
grep -q 'there is no such file or folder' "$work/error"
