# shellcheck shell=bash disable=SC2154
# Sourced by setup.sh. Fetches a toolchain from swift.org, sees that Swift's key signed it, and unpacks it to $swift_home.

swift_fetched=6.3.1
# "Swift 6.x Release Signing Key", as https://www.swift.org/keys/active/ has it. That it has expired since is no matter: it was
# valid when it signed these releases.
swift_keys_url=https://www.swift.org/keys/all-keys.asc
swift_keys=(52BB7E3DE28A71BE22EC05FFEF80A866B47A981F)

# fetch_swift REASON: returns when it is there, and asks before.
fetch_swift() {
  local platform name url
  platform=${COSFACE_SWIFT_PLATFORM:-$(this_platform)}
  name=swift-$swift_fetched-RELEASE-$platform
  url=${COSFACE_SWIFT_URL:-https://download.swift.org}
  url=$url/swift-$swift_fetched-release/${platform//./}/swift-$swift_fetched-RELEASE/$name.tar.gz
  [[ $(uname -m) == x86_64 ]] || fail "$1. Only x86-64 is supported"
  agree "$1" "fetches Swift $swift_fetched for $platform from ${url%/swift-*-release/*} (1 GB, unpacked 3 GB) into $swift_home"
  provide download_needs
  # A folder appears whole or not at all.
  mkdir -p "$swift_home"
  part=$(mktemp -d "$swift_home/part.XXXXXX")
  download "$url.sig" "$part/signature"
  download "$url" "$part/archive"
  verify "$url"
  unpack "$url" "$name"
  mv "$part/$name" "$swift_home/"
  rm -rf "$part"
  echo "setup.sh: Swift $swift_fetched is in $swift_home/$name. The scripts here find it there; for your own shell:"
  echo "  export PATH=$swift_home/$name/usr/bin:\$PATH"
}

# download URL FILE
download() {
  local progress=--silent
  [[ ! -t 2 ]] || progress=--progress-bar
  curl "$progress" --show-error --fail --location --retry 2 --output "$2" "$1" ||
    fail "could not fetch $1; is there a network? COSFACE_SWIFT_URL names a mirror"
}

# Whether the archive is what one of the keys signed.
verify() {
  local status signer
  if [[ ${COSFACE_SWIFT_KEYS:-} ]]; then
    cp "$COSFACE_SWIFT_KEYS" "$part/keys" || fail "COSFACE_SWIFT_KEYS: there is no file $COSFACE_SWIFT_KEYS"
  else
    download "$swift_keys_url" "$part/keys"
  fi
  binary "$part/keys" >"$part/keys.gpg" || fail "the keys are damaged: ${COSFACE_SWIFT_KEYS:-$swift_keys_url}"
  status=$(gpgv --homedir "$part" --keyring "$part/keys.gpg" --status-fd 1 "$part/signature" "$part/archive" \
    2>"$part/words") || fail "$1 is not what was signed, and is removed: $(tail -n 1 "$part/words")"
  signer=$(awk '$2 == "VALIDSIG" { print $NF }' <<<"$status")
  [[ ${COSFACE_SWIFT_KEYS:-} || " ${swift_keys[*]} " == *" ${signer:-none} "* ]] ||
    fail "$1 is signed by key ${signer:-unknown}, which is not Swift's, and is removed"
}

# Public keys as gpgv reads them: ASCII armor is taken off.
binary() {
  if grep -q '^-----BEGIN PGP' "$1"; then
    tr -d '\r' <"$1" | awk '/^-----/ { inside = 0 } inside && !/^=/; /^$/ { inside = 1 }' | base64 --decode
  else
    cat "$1"
  fi
}

# unpack URL NAME: to $part/NAME. What would lie anywhere else is refused.
unpack() {
  local names outside
  names=$(tar --list --file "$part/archive") || fail "$1 is no archive"
  outside=$(awk -F / -v name="$2" '$1 != name || /(^|\/)\.\.(\/|$)/ { print; exit }' <<<"$names")
  [[ ! $outside ]] || fail "$1 would write outside of its folder $2, to $outside; nothing was unpacked"
  tar --extract --file "$part/archive" --directory "$part" --no-same-owner || fail "could not unpack $1 to $part"
  [[ -x $part/$2/usr/bin/swift ]] || fail "$1 has no $2/usr/bin/swift"
}

# The toolchain for this system, or for the nearest of swift.org's.
this_platform() (
  ID='' VERSION_ID=''
  # shellcheck disable=SC1091
  if [[ -r /etc/os-release ]]; then . /etc/os-release; fi
  platform_of "$ID" "$VERSION_ID" "$(getconf GNU_LIBC_VERSION | cut -d' ' -f2)"
)

# platform_of ID VERSION_ID GLIBC: the newest that is no newer than the system; of a system that swift.org does not know, by its
# C library. Debian's testing and unstable have no version.
platform_of() {
  case $1 in
    debian) is_at_least 12 "${2:-99}" && echo debian12 && return ;;
    ubuntu)
      is_at_least 24.04 "$2" && echo ubuntu24.04 && return
      is_at_least 22.04 "$2" && echo ubuntu22.04 && return
      ;;
    fedora) is_at_least 39 "$2" && echo fedora39 && return ;;
    amzn) is_at_least 2023 "$2" && echo amazonlinux2023 && return ;;
  esac
  if is_at_least 2.34 "$3"; then echo ubi9; else echo amazonlinux2; fi
}
