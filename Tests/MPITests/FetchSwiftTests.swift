import Foundation
import Glibc
import TestSupport
import Testing

/// scripts/setup.sh fetches a small made-up toolchain over the loopback interface, signed by a key of the test's own.
@Suite(.serialized) struct FetchSwiftTests {
  private let machine: SetupMachine
  private let signer: Signer
  private let server: FileServer
  private let name: String
  /// Where the mirror has the archive.
  private let path: String

  init() throws {
    machine = try SetupMachine()
    signer = try Signer(in: machine.folder)
    server = try FileServer()
    let version = try SetupMachine.value("swift_fetched")
    name = "swift-\(version)-RELEASE-ubuntu24.04"
    path = "/swift-\(version)-release/ubuntu2404/swift-\(version)-RELEASE/\(name).tar.gz"
    try machine.write(SetupMachine.swift(version), to: "swift")
    machine.environment = [
      "COSFACE_SWIFT_URL": "http://127.0.0.1:\(server.port)", "COSFACE_SWIFT_PLATFORM": "ubuntu24.04",
      "COSFACE_SWIFT_KEYS": signer.keys,
    ]
  }

  /// Serves what `making` leaves as archive.tar.gz, and its signature. It finds the toolchain's folder, $name.
  private func serve(_ making: String = "tar -czf archive.tar.gz $name", by signer: Signer? = nil) throws {
    let script = """
      cd \(machine.folder) && name=\(name) && mkdir -p $name/usr/bin && cp swift $name/usr/bin/
      \(making)
      """
    let outcome = try Subprocess.run(["bash", "-c", script])
    try #require(outcome.exitCode == 0, "\(outcome)")
    server.files[path] = try Data(contentsOf: URL(fileURLWithPath: "\(machine.folder)/archive.tar.gz"))
    server.files[path + ".sig"] = try (signer ?? self.signer).signature(of: "\(machine.folder)/archive.tar.gz")
  }

  private func expectRefusal(_ message: String) throws {
    let outcome = try machine.setUp("--yes")
    #expect(outcome.exitCode == 1 && outcome.lines.last?.contains(message) == true, "\(outcome)")
    let data = "\(machine.folder)/home/.local/share"
    #expect(try FileManager.default.contentsOfDirectory(atPath: data).isEmpty)
    #expect(machine.names(in: "tmp").isEmpty)
  }

  @Test func aSignedToolchainIsUnpackedAndFound() throws {
    try serve()
    let outcome = try machine.setUp("--yes")
    #expect(outcome.exitCode == 0, "\(outcome)")
    let folder = "home/.local/share/cosface-swift"
    #expect(machine.names(in: folder) == [name] && machine.names(in: "tmp").isEmpty)
    #expect(outcome.lines.last == "  export PATH=\(machine.folder)/\(folder)/\(name)/usr/bin:$PATH")
    // The other scripts find it, before a Swift that does not do; it is not fetched again.
    try machine.write(SetupMachine.swift("5.9"), to: "programs/swift")
    let script = ". \(machine.folder)/scripts/setup/find-swift.sh; find_swift; command -v swift"
    #expect(try machine.run(["bash", "-c", script]).text == "\(machine.folder)/\(folder)/\(name)/usr/bin/swift")
    server.files = [:]
    let second = try machine.setUp("--yes")
    #expect(second.exitCode == 0 && second.lines.isEmpty, "\(second)")
  }

  @Test func aChangedArchiveIsRefused() throws {
    try serve()
    server.files[path]![20] ^= 1
    try expectRefusal("is not what was signed, and is removed: gpgv: BAD signature")
  }

  @Test func aShortenedArchiveIsRefused() throws {
    try serve()
    server.files[path]!.removeLast(100)
    try expectRefusal("is not what was signed")
  }

  @Test func aLostConnectionIsSaid() throws {
    try serve()
    server.lost = 100
    try expectRefusal("could not fetch \(machine.environment["COSFACE_SWIFT_URL"]!)")
  }

  @Test func anotherKeysSignatureIsRefused() throws {
    try serve(by: Signer(in: "\(machine.folder)/home"))
    try expectRefusal("is not what was signed, and is removed: gpgv: Can't check signature: No public key")
  }

  @Test func aMissingSignatureIsSaid() throws {
    try serve()
    server.files[path + ".sig"] = nil
    try expectRefusal("could not fetch \(machine.environment["COSFACE_SWIFT_URL"]!)\(path).sig")
  }

  @Test(arguments: ["../outside", "$name/../../outside", "$PWD/outside"]) func pathsThatLeaveAreRefused(path: String)
    throws
  {
    try serve(
      "touch outside && tar -P --transform \"s|^outside|\(path)|\" -czf archive.tar.gz $name outside && rm outside")
    try expectRefusal("would write outside of its folder \(name), to ")
    #expect(!machine.names(in: ".").contains("outside"))
    #expect(!machine.names(in: "home/.local/share").contains("outside"))
  }

  /// A link out of the folder, and a file that would be written through it.
  @Test func linksThatLeaveAreNotFollowed() throws {
    try serve(
      """
      mkdir target && touch target/outside && ln -s $PWD/target $name/link
      tar --transform "s|^target/|$name/link/|" -czf archive.tar.gz $name target/outside && rm target/outside
      """)
    try expectRefusal("could not unpack")
    #expect(machine.names(in: "target").isEmpty)
  }

  /// Without a file of keys Swift's own key counts alone, whatever else swift.org's list holds.
  @Test(arguments: [true, false]) func itIsSwiftsKeyThatCounts(isSwifts: Bool) throws {
    try serve()
    let keys = isSwifts ? "swift_keys=(\(signer.fingerprint))" : ""
    let script = """
      cd \(machine.folder) && . scripts/setup/find-swift.sh && . scripts/setup/fetch-swift.sh
      fail() { echo "$*"; exit 1; }
      download() { [[ $1 == https://www.swift.org/keys/* ]] && cp \(signer.keys) "$2"; }
      part=tmp; cp archive.tar.gz tmp/archive; cp archive.tar.gz.sig tmp/signature
      \(keys)
      verify URL
      """
    machine.environment["COSFACE_SWIFT_KEYS"] = ""
    let outcome = try machine.run(["bash", "-euc", script])
    #expect(outcome.exitCode == (isSwifts ? 0 : 1), "\(outcome)")
    let refusal = "URL is signed by key \(signer.fingerprint), which is not Swift's, and is removed"
    #expect(outcome.lines == (isSwifts ? [] : [refusal]))
  }
}

/// Signs with a key of its own.
private final class Signer {
  private let home: String
  /// The public key, in ASCII armor, behind another one.
  let keys: String
  let fingerprint: String

  init(in folder: String) throws {
    home = "\(folder)/gpg"
    keys = "\(folder)/keys.asc"
    let script = """
      mkdir -m 700 \(home)
      for user in other signer; do
        \(Self.gpg) --homedir \(home) --pinentry-mode loopback --passphrase '' --quick-generate-key $user ed25519 sign never
        \(Self.gpg) --homedir \(home) --armor --export $user
      done >\(keys)
      \(Self.gpg) --homedir \(home) --list-keys --with-colons signer | sed -n 's/^fpr:*\\([0-9A-F]*\\):$/\\1/p'
      """
    let outcome = try Subprocess.run(["bash", "-ec", script])
    fingerprint = outcome.lines.last ?? ""
    if outcome.exitCode != 0 { throw SignerError(words: outcome.text) }
  }

  private static let gpg = "gpg --batch --quiet --no-tty"

  struct SignerError: Error { let words: String }

  deinit { _ = try? Subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"]) }

  func signature(of file: String) throws -> Data {
    let command = "\(Self.gpg) --homedir \(home) --local-user signer --yes --detach-sign \(file)"
    let outcome = try Subprocess.run(["bash", "-c", command])
    if outcome.exitCode != 0 { throw SignerError(words: outcome.text) }
    return try Data(contentsOf: URL(fileURLWithPath: file + ".sig"))
  }
}

/// Answers GET on the loopback interface, one client after the other, until the end.
private final class FileServer: @unchecked Sendable {
  let port: UInt16
  /// By path. To be changed while nobody asks.
  var files: [String: Data] = [:]
  /// So many bytes at the end of a file never arrive.
  var lost = 0
  private let listener: CInt

  init() throws {
    listener = socket(AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let listener = listener
    let code = withUnsafeMutableBytes(of: &address) { bytes in
      let address = bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self)
      return bind(listener, address, length) | listen(listener, 8) | getsockname(listener, address, &length)
    }
    guard code == 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
    port = UInt16(bigEndian: address.sin_port)
    Thread.detachNewThread { [weak self] in
      while case let client = accept(listener, nil, nil), client >= 0 {
        self?.answer(client)
        close(client)
      }
      close(listener)
    }
  }

  deinit { shutdown(listener, CInt(SHUT_RDWR)) }

  private func answer(_ client: CInt) {
    var request = [UInt8](repeating: 0, count: 65_536)
    let count = max(0, recv(client, &request, request.count, 0))
    let words = String(decoding: request[..<count], as: UTF8.self).split(separator: " ")
    var response = Data("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".utf8)
    if words.count > 1, let file = files[String(words[1])] {
      response = Data("HTTP/1.1 200 OK\r\nContent-Length: \(file.count)\r\nConnection: close\r\n\r\n".utf8)
      response += file.dropLast(words[1].hasSuffix(".sig") ? 0 : lost)
    }
    _ = [UInt8](response).withUnsafeBytes { send(client, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) }
  }
}
