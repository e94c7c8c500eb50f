import Foundation
import TestSupport
import Testing

/// scripts/setup.sh with made-up packages, and with programs in apt's and Swift's place.
@Suite(.serialized) struct SetupScriptTests {
  private func machine(apt: Bool = true, sudo: Bool = true) throws -> SetupMachine {
    let machine = try SetupMachine(apt: apt, sudo: sudo)
    try machine.write(SetupMachine.swift("99.1"), to: "programs/swift")
    return machine
  }

  @Test(arguments: [true, false]) func nothingIsDoneWhereAllIsThere(apt: Bool) throws {
    let machine = try machine(apt: apt)
    let outcome = try machine.setUp()
    #expect(outcome.exitCode == 0 && !outcome.text.contains("installing"), "\(outcome)")
    #expect(machine.names(in: "tmp").isEmpty && !machine.names(in: ".").contains("apt"))
  }

  /// Names differ between Debian and Ubuntu: the first that apt knows is taken.
  @Test(arguments: [
    (["libjpeg62-turbo-dev", "libjpeg-dev"], "libjpeg62-turbo-dev"),
    (["libjpeg-turbo8-dev", "libjpeg-dev"], "libjpeg-turbo8-dev"),
    (["libjpeg-dev"], "libjpeg-dev"),
  ])
  func whatAptKnowsIsInstalled(known: [String], chosen: String) throws {
    let machine = try machine()
    try machine.remove("libjpeg", "spng")
    for package in known {
      machine.known[package] = "1.0-1"
      try machine.install("libjpeg", by: package)
    }
    try machine.install("spng", by: "libspng-dev")
    machine.known = machine.known.merging(["libspng-dev": "0.7.4-2", "libxxhash-dev": "0.8"]) { $1 }
    let outcome = try machine.setUp()
    #expect(outcome.exitCode == 0, "\(outcome)")
    #expect(machine.installations == ["\(chosen) libspng-dev"])
  }

  @Test func whatAptsPackagesDoNotBringIsNamed() throws {
    let machine = try machine()
    try machine.remove("spng")
    let outcome = try machine.setUp()
    #expect(outcome.exitCode == 1, "\(outcome)")
    #expect(machine.installations == ["libspng-dev"])
    let message = "after apt-get these are still missing, or not found: libspng 0.7 or later: spng.pc"
    #expect(outcome.lines.last == "setup.sh: \(message)")
  }

  /// Some source of packages may be out of date, or out of reach.
  @Test func aFailedUpdateIsNoHindrance() throws {
    let machine = try machine()
    try machine.remove("zlib")
    try machine.install("zlib", by: "zlib1g-dev")
    let aptGet = try String(contentsOfFile: "\(machine.folder)/programs/apt-get", encoding: .utf8)
    try machine.write("[[ $1 != update ]] || exit 100\n" + aptGet, to: "programs/apt-get")
    let outcome = try machine.setUp()
    #expect(outcome.exitCode == 0 && machine.installations == ["zlib1g-dev"], "\(outcome)")
    #expect(outcome.lines.first == "setup.sh: going on with the lists of packages that are here")
  }

  /// As on RHEL or SUSE: all that is missing is named, with its version and how it is found.
  @Test func withoutAptWhatIsMissingIsNamed() throws {
    let machine = try machine(apt: false)
    try machine.remove("ompi-c", "libxxhash")
    let outcome = try machine.setUp()
    #expect(outcome.exitCode == 1)
    let named = ["  Open MPI 4.1 or later: ompi-c.pc", "  xxHash 0.8 or later: libxxhash.pc"]
    #expect(outcome.lines.filter { $0.hasPrefix("  ") } == named)
    #expect(outcome.text.contains("PKG_CONFIG_PATH") && outcome.text.contains("CPATH"), "\(outcome)")
    // What a module or Spack brings.
    try FileManager.default.createDirectory(atPath: "\(machine.folder)/module", withIntermediateDirectories: true)
    for library in ["ompi-c", "libxxhash"] {
      try machine.install(library)
      try FileManager.default.moveItem(
        atPath: "\(machine.folder)/pkgconfig/\(library).pc", toPath: "\(machine.folder)/module/\(library).pc")
    }
    machine.environment["PKG_CONFIG_PATH"] = "\(machine.folder)/module"
    let second = try machine.setUp()
    #expect(second.exitCode == 0, "\(second)")
  }

  /// A header of an older version is as good as none.
  @Test func oldLibrariesAreMissing() throws {
    let machine = try machine(apt: false)
    try FileManager.default.createDirectory(atPath: "\(machine.folder)/old", withIntermediateDirectories: true)
    let text = "#define XXH_VERSION_NUMBER 704\n"
    try Data(text.utf8).write(to: URL(fileURLWithPath: "\(machine.folder)/old/xxhash.h"))
    machine.environment["CPATH"] = "\(machine.folder)/old"
    let outcome = try machine.setUp()
    #expect(outcome.exitCode == 1)
    #expect(outcome.lines.filter { $0.hasPrefix("  ") } == ["  xxHash 0.8 or later: libxxhash.pc"], "\(outcome)")
  }

  @Test func withoutRightsTheCommandIsSaid() throws {
    let machine = try machine(sudo: false)
    try machine.remove("zlib")
    machine.known["zlib1g-dev"] = "1"
    let outcome = try machine.setUp(
      by: getuid() == 0 ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] : [])
    #expect(outcome.exitCode == 1)
    #expect(outcome.lines.last == "setup.sh: as root, run: apt-get install zlib1g-dev", "\(outcome)")
    #expect(machine.installations.isEmpty)
  }

  @Test func theClustersToolsAreAskedForAlone() throws {
    let machine = try machine()
    try machine.remove("zlib")
    let tools = [
      "unshare": "util-linux", "ssh": "openssh-client", "pkill": "procps", "sshd": "openssh-server", "ip": "iproute2",
    ]
    for (tool, package) in tools {
      try? FileManager.default.removeItem(atPath: "\(machine.folder)/programs/\(tool)")
      try machine.write("ln -s true \(machine.folder)/programs/\(tool)", to: "packages/\(package)")
    }
    let outcome = try machine.setUp("--only-cluster")
    #expect(outcome.exitCode == 0, "\(outcome)")
    let installed = try #require(machine.installations.first).split(separator: " ")
    // The others may lie in /usr/sbin, which is looked into, too.
    #expect(Set(["util-linux", "openssh-client", "procps"]).isSubset(of: installed), "\(installed)")
    #expect(Set(tools.values.map { $0[...] }).isSuperset(of: installed), "\(installed)")
  }

  @Test func whatADistributionTestNeedsIsAskedForAlone() throws {
    let machine = try machine()
    try machine.remove("zlib")
    try machine.write("ln -s true \(machine.folder)/programs/debootstrap", to: "packages/debootstrap")
    let outcome = try machine.setUp("--only-distribution")
    // It may lie in /usr/sbin, which is looked into, too.
    let there = FileManager.default.fileExists(atPath: "/usr/sbin/debootstrap")
    #expect(outcome.exitCode == 0 && machine.installations == (there ? [] : ["debootstrap"]), "\(outcome)")
  }

  @Test func unknownOptionsAreRefused() throws {
    let outcome = try machine().setUp("--yess")
    #expect(outcome.exitCode == 1)
    #expect(outcome.lines == ["setup.sh: there is no option --yess; --help lists them"])
  }

  // MARK: Swift

  /// Without a terminal nothing is fetched unasked.
  @Test(arguments: [
    ("5.9", "/swift is Swift 5.9; "), (nil, "/swift is there, but does not start: swift: error while loading "),
  ])
  func aSwiftThatDoesNotDoIsExplained(version: String?, message: String) throws {
    let machine = try machine()
    let broken = "echo 'swift: error while loading shared libraries: libxml2.so.2: cannot open it'; exit 127"
    try machine.write(version.map(SetupMachine.swift) ?? broken, to: "programs/swift")
    machine.environment["COSFACE_SWIFT_URL"] = "http://127.0.0.1:9"
    let outcome = try machine.setUp()
    #expect(outcome.exitCode == 1 && outcome.lines.count == 1, "\(outcome)")
    #expect(outcome.text.contains(message), "\(outcome)")
    #expect(outcome.text.contains("'scripts/setup.sh --yes' fetches Swift "), "\(outcome)")
    #expect(machine.names(in: "home").isEmpty)
  }

  /// Debian's own package is taken where its version is enough.
  @Test func debiansSwiftIsInstalled() throws {
    let machine = try SetupMachine()
    try machine.write(SetupMachine.swift("98.2"), to: "debians")
    try machine.write("cp \(machine.folder)/debians \(machine.folder)/programs/swift", to: "packages/swiftlang")
    machine.known["swiftlang"] = "98.2-1+b1"
    let question = try machine.setUp()
    #expect(question.exitCode == 1 && machine.installations.isEmpty)
    #expect(question.text.contains("'scripts/setup.sh --yes' installs Debian's swiftlang 98.2 "), "\(question)")
    let outcome = try machine.setUp("--yes")
    #expect(outcome.exitCode == 0 && machine.installations == ["swiftlang"], "\(outcome)")
  }

  /// Debian's builds the program, but has not all that tests link with.
  @Test func aSwiftWithoutTestingIsNamed() throws {
    let machine = try machine()
    let outcome = try machine.setUp("--only-tests")
    #expect(outcome.exitCode == 1 && outcome.lines.count == 1, "\(outcome)")
    #expect(outcome.text.hasPrefix("setup.sh: the tests link with lib_Testing_Foundation.so, which "))
    let folder = "\(machine.folder)/lib/swift/linux"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try Data().write(to: URL(fileURLWithPath: "\(folder)/lib_Testing_Foundation.so"))
    let second = try machine.setUp("--only-tests")
    #expect(second.exitCode == 0 && second.lines.isEmpty, "\(second)")
  }

  @Test(arguments: [
    ("debian", "12", "2.36", "debian12"), ("debian", "13", "2.41", "debian12"), ("debian", "", "2.42", "debian12"),
    ("ubuntu", "26.04", "2.43", "ubuntu24.04"), ("ubuntu", "24.04", "2.39", "ubuntu24.04"),
    ("ubuntu", "22.04", "2.35", "ubuntu22.04"), ("fedora", "43", "2.42", "fedora39"),
    ("amzn", "2023", "2.34", "amazonlinux2023"), ("amzn", "2", "2.26", "amazonlinux2"), ("rhel", "9.6", "2.34", "ubi9"),
    ("rocky", "10.0", "2.39", "ubi9"), ("sles", "15.6", "2.38", "ubi9"), ("rhel", "8.10", "2.28", "amazonlinux2"),
  ])
  func theNearestToolchain(id: String, version: String, glibc: String, platform: String) throws {
    #expect(try SetupMachine.value("(platform_of '\(id)' '\(version)' \(glibc))") == platform)
  }
}
