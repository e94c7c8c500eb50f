import Foundation
import TestSupport
import Testing
import Training

/// The program with libraries of other versions: a library in front of them answers in their place.
@Suite(.serialized) struct VersionCommandTests {
  private static let source = """
    #include <stdio.h>
    struct version { int major, minor, patch; const char *hash; unsigned processor, accelerator; };
    const struct version *dnnl_version(void) { static struct version other = {99, 1, 0, "", 0, 0}; return &other; }
    int MPI_Get_library_version(char *text, int *length) {
      *length = sprintf(text, "Open MPI v98.7.6rc5, package: none, ident: 98.7.6");
      return 0;
    }
    """

  private let folder: TemporaryFolder
  private let faces: FaceFolder
  private let others: [String: String]

  init() throws {
    folder = try TemporaryFolder()
    faces = try FaceFolder(people: 2, images: 4, side: 16)
    let source = try folder.write(Data(Self.source.utf8), to: "others.c")
    let built = try Subprocess.run(["cc", "-shared", "-fPIC", "-o", folder["others.so"], source])
    try #require(built.exitCode == 0, "\(built.text)")
    others = ["LD_PRELOAD": folder["others.so"]]
  }

  private var train: [String] {
    [
      "train", "--data", faces.path, "--network", "spherenet20", "--embedding", "16", "--input-size", "16",
      "--batch-size", "2", "--steps", "4", "--optimizer", "sgd", "--learning-rate", "0.001", "--output", folder["run"],
    ]
  }

  private func library(_ name: String) throws -> LibraryVersion {
    try #require(LibraryVersion.all.first { $0.name == name })
  }

  @Test func whatIsLoadedIsTold() throws {
    let own = try Subprocess.cosface(["--version"])
    for library in LibraryVersion.all {
      #expect(own.lines.contains { $0 == "\(library)" || $0.hasPrefix("\(library); ") }, "\(own.text)")
    }
    let oneDNN = try #require(library("oneDNN").headers)
    let mpi = try #require(library("Open MPI").headers)
    let other = try Subprocess.cosface(["--version"], environment: others)
    #expect(other.text.contains("oneDNN 99.1.0, compiled with headers of \(oneDNN); instructions"), "\(other.text)")
    #expect(other.text.contains("Open MPI 98.7.6rc5, compiled with headers of \(mpi); MPI "), "\(other.text)")
  }

  @Test(arguments: ["check", "train"]) func ranksWithOtherLibrariesAreRefused(command: String) throws {
    let arguments = command == "check" ? ["check"] : train
    let outcome = try Subprocess.cosface(arguments, and: arguments, environment: others)
    #expect(outcome.exitCode == 1, "\(outcome.text)")
    #expect(outcome.lines.count { $0.hasPrefix("Error: ") } == 1, "\(outcome.text)")
    for (name, loaded) in [("oneDNN", "99.1.0"), ("Open MPI", "98.7.6rc5")] {
      let row = "  \(name): '\(try library(name).loaded)' on rank 0, '\(loaded)' on rank 1"
      #expect(outcome.lines.contains(row), "\(outcome.text)")
    }
    #expect(outcome.text.contains("`cosface --version` on a host names what it loads there"), "\(outcome.text)")
    #expect(!outcome.text.contains("OpenBLAS:") && !FileManager.default.fileExists(atPath: folder["run"]))
  }

  /// The MPI library takes a rank for a whole job where it does not understand the launcher.
  @Test func aLauncherThatIsNotUnderstoodIsRefused() throws {
    let launcher = ["OMPI_COMM_WORLD_SIZE": "2", "OMPI_COMM_WORLD_RANK": "1", "PMIX_VERSION": "5.0.7"]
    for arguments in [["check"], train] {
      let outcome = try Subprocess.cosface(arguments, environment: launcher)
      #expect(outcome.exitCode == 1 && outcome.lines.count == 1, "\(outcome.text)")
      let words =
        try "Error: The launcher (PMIx 5.0.7) started 2 ranks, but the MPI library of this program (Open MPI "
        + "\(library("Open MPI").loaded)) knows of 1."
      #expect(outcome.text.hasPrefix(words), "\(outcome.text)")
      #expect(!FileManager.default.fileExists(atPath: folder["run"]))
    }
  }

  /// A checkpoint knows what it was computed with, and the start says where the headers are others.
  @Test func otherLibrariesAreNotedByAResume() throws {
    let first = try Subprocess.cosface(train + ["--stop-after", "2"], environment: others)
    #expect(first.exitCode == 75, "\(first.text)")
    let headers = try #require(library("oneDNN").headers)
    let warning = "warning   the program was compiled with the headers of oneDNN \(headers), and 99.1.0 is loaded: "
    #expect(first.text.contains(warning), "\(first.text)")
    let inspected = try Subprocess.cosface(["inspect", folder["run/checkpoints/step-00000002"]])
    #expect(inspected.text.contains("Open MPI 98.7.6rc5, OpenBLAS "), "\(inspected.text)")
    let resumed = try Subprocess.cosface(["train", "--resume", folder["run"], "--stop-after", "1"])
    let note =
      try "note      with Open MPI \(library("Open MPI").loaded), before 98.7.6rc5; "
      + "oneDNN \(library("oneDNN").loaded), before 99.1.0: last digits may differ from there on"
    #expect(resumed.lines.contains(note), "\(resumed.text)")
    let again = try Subprocess.cosface(["train", "--resume", folder["run"]])
    #expect(again.exitCode == 0 && !again.text.contains("note      with"), "\(again.text)")
    let starts = try String(contentsOfFile: folder["run/starts.jsonl"], encoding: .utf8)
    #expect(starts.components(separatedBy: "\"oneDNN\":\"99.1.0\"").count == 2, "\(starts)")
  }
}
