# shellcheck shell=bash disable=SC2154
# Sourced by setup.sh. What building needs, how it is looked for, and the packages that have it.

# What building starts with: without a compiler no library is found.
tools() {
  need 'gcc' 'a C compiler' has cc
  need 'libc6-dev' "the C library's headers" has_headers
  need 'pkg-config' 'pkg-config' has pkg-config
  need 'git' 'git' has git
  need 'openmpi-bin' 'mpirun, of Open MPI' has mpirun
}

# As Package.swift and the module maps in Sources name them. Names of packages differ between Debian and Ubuntu.
libraries() {
  need 'libopenmpi-dev' 'Open MPI 4.1 or later: ompi-c.pc' \
    module COpenMPI ompi-c 'OMPI_MAJOR_VERSION * 100 + OMPI_MINOR_VERSION >= 401'
  need 'libopenblas-openmp-dev' 'OpenBLAS, built for OpenMP: openblas.pc' module COpenBLAS openblas
  need 'libdnnl-dev' 'oneDNN 2.6 or later, built for OpenMP: dnnl.h and libdnnl.so' \
    module COneDNN -ldnnl 'DNNL_VERSION_MAJOR * 100 + DNNL_VERSION_MINOR >= 206'
  need 'libturbojpeg0-dev libturbojpeg-dev' 'libjpeg-turbo, its TurboJPEG: libturbojpeg.pc' \
    module CTurboJPEG libturbojpeg
  need 'libjpeg62-turbo-dev libjpeg-turbo8-dev libjpeg-dev' 'libjpeg-turbo, its libjpeg: libjpeg.pc' module CJPEG libjpeg
  need 'libspng-dev' 'libspng 0.7 or later: spng.pc' module CSPNG spng 'SPNG_VERSION_MAJOR * 100 + SPNG_VERSION_MINOR >= 7'
  need 'zlib1g-dev' 'zlib: zlib.pc' module CZlib zlib
  need 'libxxhash-dev' 'xxHash 0.8 or later: libxxhash.pc' module CXXHash libxxhash 'XXH_VERSION_NUMBER >= 800'
  need 'gcc' "GCC's libgomp.so" module COpenMP -lgomp
}

# To make hosts out of one machine. Debian also starts the service of openssh-server where it has systemd.
cluster_needs() {
  need 'iproute2' 'ip' has ip
  need 'openssh-client' 'ssh' has ssh
  need 'openssh-server' 'sshd' has sshd
  need 'util-linux' 'unshare and nsenter' has unshare
  need 'procps' 'ps and pkill' has pkill
}

# To make a root folder of another release of Debian.
distribution_needs() {
  need 'debootstrap' 'debootstrap' has debootstrap
}

# The tests make a key of their own, and serve what they sign.
tests_needs() {
  need 'gpg' 'gpg' has gpg
  need 'gpg-agent' 'gpg-agent' has gpg-agent
  download_needs
  find_swift
  # Debian's swiftlang leaves it out.
  [[ -e $(swift_folder)/../lib/swift/linux/lib_Testing_Foundation.so ]] ||
    fail "the tests link with lib_Testing_Foundation.so, which $(command -v swift) came without: put Swift from" \
      "https://www.swift.org/install/linux/ before it in PATH"
}

download_needs() {
  need 'curl' 'curl' has curl
  need 'ca-certificates' 'certificates of the web' has_certificates
  need 'gpgv' 'gpgv' has gpgv
}

# Shared libraries that the Swift in PATH does not start without.
swift_libraries() {
  local name
  for name in $(swift_absent_libraries); do
    case $name in
      libcurl.so.4) need 'libcurl4t64 libcurl4' "$name, for Swift" false ;;
      libncurses.so.6) need 'libncurses6' "$name, for Swift" false ;;
      libsqlite3.so.0) need 'libsqlite3-0' "$name, for Swift" false ;;
      libuuid.so.1) need 'libuuid1' "$name, for Swift" false ;;
      libxml2.so.2) need 'libxml2' "$name, for Swift" false ;;
      *) fail "$(command -v swift) is there, but does not start: it asks for $name" ;;
    esac
  done
}

# ---- How they are looked for

# look NEEDS: what is missing of those that this function states.
look() {
  missing=() packages=()
  "$1"
}

# need PACKAGES NAME CHECK...: packages are candidates, the first that apt knows has what CHECK looks for.
need() {
  local candidates=$1 name=$2
  shift 2
  if ! "$@"; then missing+=("$name") packages+=("$candidates"); fi
}

join() { local text && printf -v text '; %s' "$@" && echo "${text:2}"; }

has() { PATH=$PATH:/usr/sbin:/sbin command -v "$1" >/dev/null || [[ $1 == gpg-agent && -x /usr/lib/gnupg/gpg-agent ]]; }

has_certificates() { [[ -d /etc/pki/tls/certs || -e /etc/ssl/certs/ca-certificates.crt || -e /etc/ssl/ca-bundle.pem ]]; }

# compiles OPTION...: whether a program on standard input compiles and links, to $work/program. Swift brings the compiler that
# the build takes; it may choose libraries of another GCC than gcc does.
compiles() {
  local compiler
  compiler=$(swift_folder)/clang
  "$compiler" --version >/dev/null 2>&1 || compiler=cc
  "$compiler" -w -x c -o "$work/program" - "$@" >/dev/null 2>&1
}

has_headers() { printf '#include <stdio.h>\nint main(void) { return 0; }\n' | compiles; }

# module NAME LIBRARIES [CONDITION [CODE]]: whether a program with Sources/NAME/shim.h, where CONDITION holds, compiles and
# links with LIBRARIES: pkg-config's name of them, of whose options SwiftPM takes those for folders and libraries alone, or what
# the module map says. CODE: what the program exits with.
module() {
  local options=$2
  if [[ $2 != -* ]]; then options=$(pkg-config --cflags-only-I --libs-only-L --libs-only-l "$2" 2>/dev/null) || return 1; fi
  # shellcheck disable=SC2086
  printf '#include "%s"\n#if !(%s)\n#error\n#endif\nint main(void) { return %s; }\n' \
    "$scripts/../Sources/$1/shim.h" "${3:-1}" "${4:-0}" | compiles $options
}

explain_search() {
  cat <<'TEXT'
NAME.pc is looked for by pkg-config: put its folder in PKG_CONFIG_PATH, or load the module that does. What has none is looked
for by the compiler: put the folder of headers in CPATH, that of libraries in LIBRARY_PATH (and in LD_LIBRARY_PATH, to run).
TEXT
}

# What builds, and is slow or does not start.
warn_of_threads() {
  local code=0
  module COpenBLAS openblas 1 'openblas_get_parallel()' && { "$work/program" 2>/dev/null || code=$?; }
  if ((code == 127)); then
    echo "setup.sh: warning: programs here do not find OpenBLAS when they run; put its folder in LD_LIBRARY_PATH" >&2
  elif ((code != 2)); then
    # Where both variants are installed Debian prefers pthread, whose second pool of threads would fight with ours.
    echo "setup.sh: warning: programs here load an OpenBLAS that is not OpenMP's: several threads per rank will be slow" >&2
    if command -v update-alternatives >/dev/null; then
      echo "  To choose: sudo update-alternatives --config libopenblas.so.0-$(uname -m)-linux-gnu" >&2
    fi
  fi
  module COneDNN -ldnnl 'DNNL_CPU_RUNTIME == DNNL_RUNTIME_OMP' ||
    echo "setup.sh: warning: this oneDNN is not built for OpenMP: several threads per rank will be slow" >&2
}
