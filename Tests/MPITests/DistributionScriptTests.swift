import Foundation
import TestSupport
import Testing

/// What scripts/distribution-test.sh refuses before it makes anything.
@Suite struct DistributionScriptTests {
  private static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../scripts/distribution-test.sh").standardizedFileURL.path

  @Test(arguments: [
    ([], "which system: bookworm, trixie or sid, not ''"),
    (["jessie"], "which system: bookworm, trixie or sid, not 'jessie'"),
    (["--agian", "trixie"], "there is no option --agian"),
    (["--remove"], "which system: bookworm, trixie or sid, not ''"),
    (["--remove", "../.."], "which system: bookworm, trixie or sid, not '../..'"),
  ])
  func wrongOptionsAreExplained(arguments: [String], message: String) throws {
    let outcome = try Subprocess.run([Self.script] + arguments)
    #expect(outcome.exitCode == 2)
    #expect(outcome.lines.count == 1 && outcome.text.hasPrefix("distribution-test.sh: \(message)"), "\(outcome)")
  }

  @Test func helpNamesTheSystems() throws {
    let outcome = try Subprocess.run([Self.script, "--help"])
    #expect(outcome.exitCode == 0)
    for word in ["bookworm", "trixie", "sid", "--again", "--remove"] { #expect(outcome.text.contains(word)) }
  }
}
