# shellcheck shell=bash
# Sourced. Which Swift builds the program, and where one is that setup.sh fetched.

# The lowest that builds it: 6.1 has no SendableMetatype.
swift_required=6.2
swift_home=${COSFACE_SWIFT_HOME:-${XDG_DATA_HOME:-~/.local/share}/cosface-swift}

# Puts a fetched Swift before the others in PATH where theirs does not do.
find_swift() {
  swift_complaint >/dev/null && return
  local folder
  for folder in "$swift_home"/swift-*/usr/bin; do
    if [[ -x $folder/swift ]]; then export PATH=$folder:$PATH; fi
  done
}

# Prints why the Swift in PATH does not do, and fails; prints nothing where it does.
swift_complaint() {
  local path version
  path=$(command -v swift) || {
    echo "Swift is missing; $swift_required or later is needed"
    return 1
  }
  # The tools' own notices come first in this text on some systems.
  version=$(swift --version 2>&1 | sed -n 's/.*Swift version \([0-9.]*\).*/\1/p' | head -n 1)
  # `swift build` asks for more libraries than `swift` does.
  if [[ ! $version ]] || ! swift build --version >/dev/null 2>&1; then
    echo "$path is there, but does not start: $(swift build --version 2>&1 | tail -n 1)"
    return 1
  fi
  is_at_least "$swift_required" "$version" || {
    echo "$path is Swift $version; $swift_required or later is needed"
    return 1
  }
}

# is_at_least LOWEST VERSION
is_at_least() { [[ $(printf '%s\n' "$1" "$2" | sort --version-sort | head -n 1) == "$1" ]]; }

# The folder of the programs of the Swift in PATH.
swift_folder() {
  local path
  path=$(command -v swift) && dirname "$(readlink -f "$path")"
}

# Names of shared libraries that they ask for, and that are not there.
swift_absent_libraries() {
  local folder
  folder=$(swift_folder) || return 0
  ldd "$folder"/swift-{driver,frontend,build,format} "$folder"/{clang,lld} 2>/dev/null |
    awk '/not found/ { print $1 }' | sort -u
}
