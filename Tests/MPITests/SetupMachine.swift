import Foundation
import TestSupport

/// A machine as scripts/setup.sh sees it: this one's programs, but no Swift, and packages that are made up.
final class SetupMachine {
  let folder = NSTemporaryDirectory() + "setup-\(UUID().uuidString)"
  /// Versions of packages, as `apt-cache` knows them.
  var known: [String: String] = [:]
  var environment: [String: String] = [:]

  private static let checkout = SlurmScriptTests.checkout

  init(apt: Bool = true, sudo: Bool = true) throws {
    for name in ["programs", "pkgconfig", "packages", "tmp", "home"] {
      try FileManager.default.createDirectory(atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
    }
    // A copy: whoever runs it may not be allowed to look into the checkout.
    let copying = """
      ln -st \(folder)/programs $(find /usr/bin/ /usr/sbin/ -maxdepth 1 ! -type d ! -name 'swift*' ! -name 'apt*' ! -name sudo)
      cd \(Self.checkout) && cp --recursive --parents scripts/setup.sh scripts/setup Sources/C*/shim.h \(folder)
      chmod 1777 \(folder)/tmp
      """
    _ = try Subprocess.run(["bash", "-c", copying])
    for library in try Self.libraries.get().keys { try install(library) }
    if sudo { try write("exec \"$@\"", to: "programs/sudo") }
    guard apt else { return }
    try write("cat \(folder)/packages/$2.known 2>/dev/null || true", to: "programs/apt-cache")
    // What a package brings is what its script does.
    let installing = """
      echo "$*" >>\(folder)/apt
      [[ $1 == install ]] || exit 0
      for name; do if [[ -e \(folder)/packages/$name ]]; then . \(folder)/packages/$name; fi; done
      """
    try write(installing, to: "programs/apt-get")
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  /// A file that can be run by bash.
  func write(_ text: String, to name: String) throws {
    try Data("#!/bin/bash\n\(text)\n".utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: "\(folder)/\(name)")
  }

  /// What pkg-config reads of this machine's libraries that setup.sh looks for by it.
  private static let libraries = Result {
    var texts: [String: String] = [:]
    for library in ["ompi-c", "openblas", "libturbojpeg", "libjpeg", "spng", "zlib", "libxxhash"] {
      let options = try ["--cflags", "--libs"].map { try Subprocess.run(["pkg-config", $0, library]).text }
      texts[library] = """
        Name: \(library)
        Description: \(library)
        Version: 1
        Cflags: \(options[0])
        Libs: \(options[1])

        """
    }
    return texts
  }

  /// Makes a library of this machine visible, at once or by a package.
  func install(_ library: String, by package: String? = nil) throws {
    let file = "\(folder)/\(package.map { "packages/\($0).pc" } ?? "pkgconfig/\(library).pc")"
    try Data(Self.libraries.get()[library]!.utf8).write(to: URL(fileURLWithPath: file))
    if let package { try write("cp \(file) \(folder)/pkgconfig/\(library).pc", to: "packages/\(package)") }
  }

  func remove(_ libraries: String...) throws {
    for library in libraries { try FileManager.default.removeItem(atPath: "\(folder)/pkgconfig/\(library).pc") }
  }

  /// A program in Swift's place.
  static func swift(_ version: String) -> String {
    "if [[ $1 == build ]]; then echo 'Swift Package Manager'; else echo 'Swift version \(version) (made up)'; fi"
  }

  /// What setup.sh asks of Swift, and what it fetches.
  static func value(_ name: String) throws -> String {
    let source = "cd \(checkout)/scripts/setup && . ./find-swift.sh && . ./fetch-swift.sh && echo $\(name)"
    return try Subprocess.run(["bash", "-c", source]).text
  }

  func setUp(_ arguments: String..., by user: [String] = []) throws -> Subprocess.Outcome {
    try run(user + ["bash", "\(folder)/scripts/setup.sh"] + arguments)
  }

  func run(_ command: [String]) throws -> Subprocess.Outcome {
    for (package, version) in known {
      let text = "\(package):\n  Installed: (none)\n  Candidate: \(version)\n"
      try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/packages/\(package).known"))
    }
    let own = [
      "PATH": "\(folder)/programs", "HOME": "\(folder)/home", "TMPDIR": "\(folder)/tmp", "no_proxy": "*",
      "PKG_CONFIG_LIBDIR": "\(folder)/pkgconfig", "PKG_CONFIG_PATH": "",
    ]
    return try Subprocess.run(command, environment: own.merging(environment) { $1 })
  }

  /// What apt-get was told, but for `update`.
  var installations: [String] {
    let text = (try? String(contentsOfFile: "\(folder)/apt", encoding: .utf8)) ?? ""
    return text.split(separator: "\n").filter { $0.hasPrefix("install ") }.map {
      $0.split(separator: " ").filter { $0 != "install" && !$0.hasPrefix("--") }.joined(separator: " ")
    }
  }

  func names(in place: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(place)")) ?? []).sorted()
  }
}
