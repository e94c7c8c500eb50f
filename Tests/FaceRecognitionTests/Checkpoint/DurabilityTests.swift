import Foundation
import TestSupport
import Testing

/// What a run makes is on the disk, and so is its name: watched at the calls to the operating system.
@Suite struct DurabilityTests {
  /// Tells of every folder that is made, and of every folder that is flushed.
  private static let observer = """
    #define _GNU_SOURCE
    #include <dlfcn.h>
    #include <limits.h>
    #include <stdio.h>
    #include <stdlib.h>
    #include <sys/types.h>
    #include <unistd.h>
    static void tell(const char *what, const char *path) {
      FILE *log = fopen(getenv("OBSERVED"), "a");
      if (log) { fprintf(log, "%s %s\\n", what, path); fclose(log); }
    }
    int mkdir(const char *path, mode_t mode) {
      int (*next)(const char *, mode_t) = dlsym(RTLD_NEXT, "mkdir");
      int code = next(path, mode);
      char whole[PATH_MAX];
      if (code == 0 && realpath(path, whole)) tell("mkdir", whole);
      return code;
    }
    int rename(const char *from, const char *to) {
      int (*next)(const char *, const char *) = dlsym(RTLD_NEXT, "rename");
      int code = next(from, to);
      char whole[PATH_MAX];
      if (code == 0 && realpath(to, whole)) tell("rename", whole);
      return code;
    }
    int fsync(int file) {
      int (*next)(int) = dlsym(RTLD_NEXT, "fsync");
      char name[64], path[PATH_MAX];
      snprintf(name, sizeof name, "/proc/self/fd/%d", file);
      ssize_t count = readlink(name, path, sizeof path - 1);
      if (count > 0) { path[count] = 0; tell("fsync", path); }
      return next(file);
    }
    """

  @Test func everyNameIsFlushed() throws {
    let folder = try TemporaryFolder()
    let faces = try FaceFolder(people: 2, images: 4, side: 16)
    let source = try folder.write(Data(Self.observer.utf8), to: "observer.c")
    let built = try Subprocess.run(["cc", "-shared", "-fPIC", "-o", folder["observer.so"], source, "-ldl"])
    try #require(built.exitCode == 0, "\(built.text)")
    let root = try #require(realpath(folder.path, nil).map { String(cString: $0) })
    let outcome = try Subprocess.cosface(
      [
        "train", "--data", faces.path, "--output", "\(root)/new/above/run", "--network", "spherenet20", "--embedding",
        "16", "--input-size", "16", "--batch-size", "4", "--steps", "2", "--optimizer", "sgd", "--learning-rate",
        "0.001",
      ], environment: ["LD_PRELOAD": folder["observer.so"], "OBSERVED": folder["log"]])
    #expect(outcome.exitCode == 0, "\(outcome.text)")
    let calls = try String(contentsOfFile: folder["log"], encoding: .utf8).split(separator: "\n").map(String.init)
    let run = "\(root)/new/above/run"
    for path in ["\(root)/new", "\(root)/new/above", run, run + "/checkpoints", run + "/tensorboard"] {
      #expect(calls.contains("mkdir \(path)"), "\(path)")
    }
    #expect(calls.contains("rename \(run)/model.safetensors"))
    #expect(calls.contains("rename \(run)/checkpoints/step-00000002"))
    // The log's last word on each folder comes after the last new name in it.
    for (place, call) in calls.enumerated() where !call.hasPrefix("fsync ") {
      let path = String(call[call.firstIndex(of: "/")!...])
      guard path.hasPrefix(root), let slash = path.lastIndex(of: "/") else { continue }
      #expect(calls[place...].contains("fsync \(path[..<slash])"), "\(call)")
    }
  }
}
